/**
 * A chat on the terminal.
 * @module
 */
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import { NibbleError } from "../../base/errors.ts";
import type { ChatMessage } from "../../chat/template.ts";
import { ifThere, io } from "../../hosts/node/io.ts";
import type { Answer } from "../answer.ts";
import { note, print } from "../output.ts";
import { CHAT_COMMANDS, type Conversation, messagesOf, runChatCommand } from "./commands.ts";
import { HISTORY_LINES, Lines } from "./lines.ts";

const WELCOME = "/help lists the commands; /bye or Ctrl-D ends the chat, Ctrl-C stops an answer\n";

/**
 * Reads lines and answers them, with all turns as context, until the user leaves.
 * @param respond answers, and stops when its signal is aborted
 * @param historyFile keeps the lines for the next chat; undefined if they are not kept
 */
export async function chat(
  conversation: Conversation,
  respond: (messages: readonly ChatMessage[], signal: AbortSignal) => Promise<Answer>,
  historyFile: string | undefined,
): Promise<void> {
  await print(
    conversation.forgets
      ? `${WELCOME}This model answers each question by itself: it does not see the earlier ones.\n`
      : WELCOME,
  );
  const names = [...CHAT_COMMANDS.keys()];
  const history = await readHistory(historyFile);
  const lines = new Lines({
    history: history ?? [],
    complete: (line) => names.filter((name) => name.startsWith(line)),
  });
  const answer = (messages: readonly ChatMessage[]): Promise<Answer> => respond(messages, lines.interruption());
  try {
    for (;;) {
      const line = (await lines.ask())?.trim();
      if (line === undefined || !(await takeLine(conversation, line, answer))) return;
    }
  } finally {
    lines.close();
    if (historyFile !== undefined && history) await writeHistory(historyFile, lines.history);
  }
}

type Respond = (messages: readonly ChatMessage[]) => Promise<Answer>;

/** Runs a command or answers a question; a NibbleError is shown. @returns whether the chat goes on */
async function takeLine(conversation: Conversation, line: string, respond: Respond): Promise<boolean> {
  if (line === "") return true;
  try {
    if (line.startsWith("/")) {
      const text = await runChatCommand(conversation, line);
      if (text === undefined) return false;
      await print(text);
    } else await takeTurn(conversation, line, respond);
  } catch (error) {
    if (!(error instanceof NibbleError)) throw error;
    note(error.code === "context_full" ? `${error.message}; /clear begins a new conversation` : error.message);
  }
  return true;
}

/** A turn that fails is not kept in the conversation. Of an answer that was stopped, the part that had come is kept. */
async function takeTurn(conversation: Conversation, content: string, respond: Respond): Promise<void> {
  const question = { role: "user", content };
  const { system, turns, forgets } = conversation;
  const { text } = await respond(messagesOf({ system, turns: [...(forgets ? [] : turns), question] }));
  conversation.turns.push(question, { role: "assistant", content: text });
}

/**
 * Reads earlier lines, the latest first. In the file the latest is last, as in the files of shells.
 * @returns undefined where no lines are kept: without a file, or where it cannot be read, since it would be replaced
 */
async function readHistory(file: string | undefined): Promise<string[] | undefined> {
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = (await ifThere(file, () => readFile(file, "utf8"))) ?? "";
  } catch (error) {
    if (!(error instanceof NibbleError)) throw error;
    note(`nibble: the lines of this chat will not be kept: ${error.message}`);
    return undefined;
  }
  return text.split("\n").filter(Boolean).slice(-HISTORY_LINES).reverse();
}

/** Writes the lines. Where that fails, a note says so, and the lines of earlier chats stay. */
async function writeHistory(file: string, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const text = new TextEncoder().encode(`${[...lines].reverse().join("\n")}\n`);
  try {
    await io(file, () => mkdir(dirname(file), { recursive: true }));
    await writeFileAtomically(file, (sink) => sink.write(text), { mode: 0o600, signals: false });
  } catch (error) {
    if (!(error instanceof NibbleError)) throw error;
    note(`nibble: the lines of this chat were not kept: ${error.message}`);
  }
}
