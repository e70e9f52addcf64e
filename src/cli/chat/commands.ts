/**
 * The `/` commands of a chat.
 * @module
 */
import { writeFile } from "node:fs/promises";
import { NibbleError } from "../../base/errors.ts";
import type { ChatMessage } from "../../chat/template.ts";
import { type Flag, type Flags, missing, unknownName, wrongValue } from "../flags.ts";

/** A conversation, and the settings of its answers. */
export interface Conversation {
  system: string | undefined;
  turns: ChatMessage[];
  /** Whether the model reads each question alone. The turns are kept for `/save` only. */
  readonly forgets: boolean;
  /** The settings that `/set` can change. */
  readonly settings: Flags;
  /** The values that were set, by the key of the setting. All other settings have the model's own values. */
  readonly values: Map<string, unknown>;
  /** The model's own value of a setting. */
  readonly ownValue: (key: string) => unknown;
  /** The lines of `/show` about the model and the conversation. */
  readonly facts: (messages: readonly ChatMessage[]) => readonly string[];
}

/** The messages of the conversation: the system message, where there is one, and the turns. */
export function messagesOf({ system, turns }: Pick<Conversation, "system" | "turns">): ChatMessage[] {
  return system === undefined ? [...turns] : [{ role: "system", content: system }, ...turns];
}

interface ChatCommand {
  readonly usage: string;
  readonly help: string;
  /** Runs the command. Returns the text to print, or undefined to end the chat. */
  run(conversation: Conversation, argument: string): string | undefined | Promise<string>;
}

export const CHAT_COMMANDS: ReadonlyMap<string, ChatCommand> = new Map<string, ChatCommand>([
  [
    "/set",
    {
      usage: "/set [NAME [VALUE]]",
      help: "sets temp, top-k, n-predict, system and so on; the VALUE default restores the model's own",
      run: set,
    },
  ],
  ["/show", { usage: "/show", help: "shows the model, the conversation's length, and the settings", run: show }],
  [
    "/clear",
    {
      usage: "/clear",
      help: "forgets the conversation",
      run(conversation) {
        conversation.turns = [];
        return "";
      },
    },
  ],
  ["/save", { usage: "/save FILE", help: "writes the conversation's messages as JSON", run: save }],
  ["/help", { usage: "/help", help: "shows this list", run: () => help() }],
  ["/bye", { usage: "/bye", help: "ends the chat, as Ctrl-D does", run: () => undefined }],
]);

/** What people type who know other chats. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["/exit", "/bye"],
  ["/quit", "/bye"],
  ["/?", "/help"],
]);

export function help(): string {
  const lines = [...CHAT_COMMANDS.values()].map((one) => `${one.usage.padEnd(21)}${one.help}`);
  lines.push('"""                  begins and ends a text of several lines', "Ctrl-C               stops an answer");
  return `${lines.join("\n")}\n`;
}

/**
 * Runs a line that begins with `/`.
 * @returns the text to print, or undefined to end the chat
 * @throws NibbleError `invalid_argument` for an unknown command and a wrong value; `io_error`
 */
export async function runChatCommand(conversation: Conversation, line: string): Promise<string | undefined> {
  const [, name = "", argument = ""] = /^(\S+)(?:\s+(\S.*)?)?$/s.exec(line) ?? [];
  const command = CHAT_COMMANDS.get(OTHER_NAMES.get(name) ?? name);
  if (!command) throw unknownName(name, `command (${[...CHAT_COMMANDS.keys()].join(", ")})`, CHAT_COMMANDS.keys());
  return command.run(conversation, argument);
}

/** Finds a setting; `--top-k`, `top-k` and `top_k` all name the same one. */
function settingOf({ settings }: Conversation, name: string): [key: string, flag: Flag<unknown>] {
  const plain = `--${name.replace(/^-+/, "").replaceAll("_", "-")}`;
  for (const [key, flag] of Object.entries(settings)) if (flag.names.includes(plain)) return [key, flag];
  const known = ["system", ...Object.values(settings).map(labelOf)];
  throw unknownName(name, `setting (${known.join(", ")})`, known);
}

/** A flag's first long name. */
function labelOf({ names }: Flag<unknown>): string {
  return names.find((name) => name.startsWith("--"))!.slice(2);
}

function set(conversation: Conversation, argument: string): string {
  const [, name, text = ""] = /^(\S+)(?:\s+(\S.*)?)?$/s.exec(argument) ?? [];
  if (name === undefined) return settingsText(conversation);
  if (name === "system") {
    conversation.system = text === "" || text === "default" ? undefined : text;
    return "";
  }
  const [key, flag] = settingOf(conversation, name);
  if (text === "") return settingLine(conversation, key, flag);
  if (text === "default") {
    conversation.values.delete(key);
    return "";
  }
  const value = flag.read(text, undefined);
  if (value === undefined) throw wrongValue(labelOf(flag), flag, text);
  conversation.values.set(key, value);
  return "";
}

function settingLine({ values, ownValue }: Conversation, key: string, flag: Flag<unknown>): string {
  const value = values.get(key) ?? ownValue(key);
  const shown = value === undefined ? "-" : String(value);
  return `${labelOf(flag).padEnd(21)}${shown.padEnd(12)} ${values.has(key) ? "(set) " : ""}${flag.help}\n`;
}

function settingsText(conversation: Conversation): string {
  const system = conversation.system === undefined ? "" : `${"system".padEnd(21)}${conversation.system}\n`;
  const lines = Object.entries(conversation.settings).map(([key, flag]) => settingLine(conversation, key, flag));
  return system + lines.join("");
}

function show(conversation: Conversation): string {
  const { settings, values } = conversation;
  const given = Object.entries(settings).filter(([key]) => values.has(key));
  const lines = given.map(([key, flag]) => settingLine(conversation, key, flag).trimEnd());
  const facts = conversation.facts(messagesOf(conversation));
  const system = conversation.system === undefined ? [] : [`${"system".padEnd(21)}${conversation.system}`];
  return `${[...facts, ...system, ...lines].join("\n")}\n`;
}

async function save(conversation: Conversation, file: string): Promise<string> {
  if (file === "") throw missing("/save: a file", "type its name after the command");
  try {
    await writeFile(file, `${JSON.stringify(messagesOf(conversation), null, 2)}\n`, { flag: "wx" });
  } catch (cause) {
    throw new NibbleError("io_error", `/save: ${file} cannot be made: ${(cause as Error).message}`, { cause });
  }
  return `${conversation.turns.length} messages in ${file}\n`;
}
