/**
 * A chat on the terminal.
 * @module
 */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import type { ChatMessage } from "../chat/template.ts";
import { NibbleError } from "../errors.ts";
import type { Answer } from "./answer.ts";
import { note, print } from "./output.ts";

const HELP = "/clear forgets the conversation, /bye ends (as Ctrl-D does), Ctrl-C stops an answer\n";

/**
 * Reads lines and answers them, with all turns as context, until the reader leaves.
 * @param respond answers; stops when its signal is aborted
 */
export async function chat(
  system: string | undefined,
  respond: (messages: readonly ChatMessage[], signal: AbortSignal) => Promise<Answer>,
): Promise<void> {
  const beginning: ChatMessage[] = system === undefined ? [] : [{ role: "system", content: system }];
  let messages = beginning;
  await print(HELP);
  const lines = new Lines();
  try {
    for (;;) {
      const line = (await lines.ask())?.trim();
      if (line === undefined || line === "/bye") return;
      if (line === "") continue;
      if (line === "/clear") messages = beginning;
      else if (line.startsWith("/")) await print(HELP);
      else {
        const question = [...messages, { role: "user", content: line }];
        try {
          const { text } = await respond(question, lines.interruption());
          messages = [...question, { role: "assistant", content: text }];
        } catch (error) {
          if (!(error instanceof NibbleError)) throw error;
          note(error.code === "context_full" ? `${error.message}; /clear begins a new conversation` : error.message);
        }
      }
    }
  } finally {
    lines.close();
  }
}

/**
 * Lines from the terminal. One interface for the whole chat: it keeps the terminal in raw mode, so Ctrl-C is a key and
 * never a signal, and nothing typed or pasted during an answer is lost. What is typed then is not echoed into the answer;
 * the next prompt shows it.
 */
class Lines {
  private readonly interface: Interface;
  /** Lines that nobody has asked for yet. */
  private readonly waiting: string[] = [];
  private take: ((line: string | undefined) => void) | undefined;
  private abort = new AbortController();
  private ended = false;

  constructor() {
    const echo = new Writable({
      decodeStrings: false,
      write: (text, _encoding, done) => {
        if (this.take) process.stdout.write(text);
        done();
      },
    });
    this.interface = createInterface({
      input: process.stdin,
      output: Object.assign(echo, { columns: process.stdout.columns }),
      terminal: true,
      prompt: ">>> ",
    });
    this.interface.on("line", (line) => {
      if (this.take) this.give(line);
      else this.waiting.push(line);
    });
    this.interface.on("SIGINT", () => this.interrupt());
    this.interface.on("close", () => {
      this.ended = true;
      if (this.take) process.stdout.write("\n");
      this.give(undefined);
    });
  }

  /** The next line; undefined after Ctrl-D, or Ctrl-C on an empty line (on others it drops the line). */
  ask(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.take = resolve;
      const line = this.waiting.shift();
      if (line !== undefined) {
        process.stdout.write(`>>> ${line}\n`);
        this.give(line);
      } else if (this.ended) this.give(undefined);
      else this.interface.prompt(true);
    });
  }

  /** Aborted by Ctrl-C from now on until the next question. */
  interruption(): AbortSignal {
    this.abort = new AbortController();
    return this.abort.signal;
  }

  close(): void {
    this.interface.close();
  }

  private give(line: string | undefined): void {
    const take = this.take;
    this.take = undefined;
    take?.(line);
  }

  /** Ctrl-C. */
  private interrupt(): void {
    if (!this.take) {
      this.abort.abort();
      this.waiting.length = 0;
    } else if (this.interface.line === "") this.interface.close();
    else {
      this.interface.write(null, { ctrl: true, name: "e" });
      this.interface.write(null, { ctrl: true, name: "u" });
      process.stdout.write("\n");
      this.interface.prompt();
    }
  }
}
