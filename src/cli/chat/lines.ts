/**
 * Reads lines from the terminal: with editing, a history, and several lines between triple quotes.
 * @module
 */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";

const PROMPT = ">>> ";
/** The prompt within triple quotes. */
const MORE = "... ";
const QUOTES = '"""';
export const HISTORY_LINES = 1000;

export interface LinesOptions {
  /** Earlier lines, the latest first. */
  readonly history: readonly string[];
  /** The completions of a line's beginning, for Tab. */
  readonly complete: (line: string) => readonly string[];
}

/**
 * One interface of node:readline for the whole chat. It keeps the terminal in raw mode, so that Ctrl-C is a key and never
 * a signal. Text that is typed during an answer is kept and not echoed into it; the next prompt shows it.
 */
export class Lines {
  /** Earlier lines, the latest first. */
  history: readonly string[];
  private readonly interface: Interface;
  /** Lines that were typed before they were asked for. */
  private readonly waiting: string[] = [];
  private take: ((line: string | undefined) => void) | undefined;
  private abort = new AbortController();
  private ended = false;
  /** Whether Ctrl-C was pressed on an empty line, so that the next Ctrl-C ends the chat. */
  private warned = false;

  constructor({ history, complete }: LinesOptions) {
    this.history = history;
    this.interface = createInterface({
      input: process.stdin,
      output: this.createEcho(),
      terminal: true,
      prompt: PROMPT,
      history: [...history],
      historySize: HISTORY_LINES,
      removeHistoryDuplicates: true,
      completer: (line: string) => [complete(line), line],
    });
    this.interface.on("history", (lines) => {
      this.history = [...lines];
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

  /** A terminal for the interface: it passes text on to stdout while a line is asked for, and has stdout's width. */
  private createEcho(): NodeJS.WritableStream {
    const echo = new Writable({
      decodeStrings: false,
      write: (text, _encoding, done) => {
        if (this.take) process.stdout.write(text);
        done();
      },
    });
    const takeWidth = (): Writable => Object.assign(echo, { columns: process.stdout.columns });
    process.stdout.on("resize", () => takeWidth().emit("resize"));
    return takeWidth();
  }

  /** The next line, or the text between triple quotes; undefined after Ctrl-D or two Ctrl-C on an empty line. */
  async ask(): Promise<string | undefined> {
    const first = await this.line(PROMPT);
    if (first === undefined || !first.trimStart().startsWith(QUOTES)) return first;
    let text = first.trimStart().slice(QUOTES.length);
    while (!text.trimEnd().endsWith(QUOTES)) {
      const line = await this.line(MORE);
      if (line === undefined) return undefined;
      text += `\n${line}`;
    }
    return text.trimEnd().slice(0, -QUOTES.length);
  }

  /** A new signal, which Ctrl-C aborts until the next question. */
  interruption(): AbortSignal {
    this.abort = new AbortController();
    return this.abort.signal;
  }

  close(): void {
    this.interface.close();
  }

  private line(prompt: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.take = resolve;
      const line = this.waiting.shift();
      if (line !== undefined) {
        process.stdout.write(`${prompt}${line}\n`);
        this.give(line);
      } else if (this.ended) this.give(undefined);
      else {
        this.interface.setPrompt(prompt);
        this.interface.prompt(true);
      }
    });
  }

  private give(line: string | undefined): void {
    const take = this.take;
    this.take = undefined;
    this.warned = false;
    take?.(line);
  }

  /** Ctrl-C stops an answer; it drops a line; on an empty line it says how to leave, and the second time it leaves. */
  private interrupt(): void {
    if (!this.take) {
      this.abort.abort();
      this.waiting.length = 0;
    } else if (this.interface.line === "" && this.warned) this.interface.close();
    else {
      const empty = this.interface.line === "";
      this.interface.write(null, { ctrl: true, name: "e" });
      this.interface.write(null, { ctrl: true, name: "u" });
      process.stdout.write(empty ? "\n(/bye or Ctrl-D ends, and so does another Ctrl-C)\n" : "\n");
      this.warned = empty;
      this.interface.prompt();
    }
  }
}
