/**
 * A chat on the terminal.
 * @module
 */
import { createInterface } from "node:readline";
import type { ChatMessage } from "../chat/template.ts";
import { NibbleError } from "../errors.ts";
import type { Answer } from "./answer.ts";
import { note, print } from "./output.ts";

const HELP = "/clear forgets the conversation, /bye ends (as Ctrl-D does), Ctrl-C stops an answer\n";

/** Reads lines and answers them, with all turns as context, until the reader leaves. */
export async function chat(
  system: string | undefined,
  respond: (messages: readonly ChatMessage[]) => Promise<Answer>,
): Promise<void> {
  const beginning: ChatMessage[] = system === undefined ? [] : [{ role: "system", content: system }];
  let messages = beginning;
  const history: string[] = [];
  await print(HELP);
  for (;;) {
    const line = (await ask(history))?.trim();
    if (line === undefined || line === "/bye") return;
    if (line === "") continue;
    if (line === "/clear") messages = beginning;
    else if (line.startsWith("/")) await print(HELP);
    else {
      const question = [...messages, { role: "user", content: line }];
      try {
        const { text } = await respond(question);
        messages = [...question, { role: "assistant", content: text }];
      } catch (error) {
        if (!(error instanceof NibbleError)) throw error;
        note(error.code === "context_full" ? `${error.message}; /clear begins a new conversation` : error.message);
      }
    }
  }
}

/**
 * One line; undefined for Ctrl-D, or Ctrl-C on an empty line (on others it drops the line). The interface lives only
 * while it asks: during an answer the terminal is in its usual mode, so that Ctrl-C is a signal.
 */
function ask(history: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const lines = createInterface({
      input: process.stdin,
      output: process.stdout,
      history: [...history],
      terminal: true,
    });
    let result: string | undefined;
    lines.on("history", (all) => history.splice(0, history.length, ...all));
    lines.on("line", (line) => {
      result = line;
      lines.close();
    });
    lines.on("SIGINT", () => {
      if (lines.line !== "") result = "";
      lines.close();
    });
    lines.on("close", () => {
      if (!result) process.stdout.write("\n");
      resolve(result);
    });
    lines.setPrompt(">>> ");
    lines.prompt();
  });
}
