/**
 * What a chat's `/` commands do.
 * @module
 */
import { writeFile } from "node:fs/promises";
import { NibbleError } from "../base/errors.ts";
import type { ChatMessage } from "../chat/template.ts";
import type { Flag, Flags } from "./flags.ts";

/** A conversation, and what its answers are made with. */
export interface Conversation {
  system: string | undefined;
  turns: ChatMessage[];
  /** What `/set` changes, and the values that were set; others are the model's own. */
  readonly settings: Flags;
  readonly values: Map<string, unknown>;
  /** The value of a setting that was not set. */
  readonly ownValue: (key: string) => unknown;
  /** Facts for `/show`, a line each. */
  readonly facts: (messages: readonly ChatMessage[]) => readonly string[];
}

/** The system message, where there is one, and the turns. */
export function messagesOf({ system, turns }: Conversation): ChatMessage[] {
  return system === undefined ? [...turns] : [{ role: "system", content: system }, ...turns];
}

interface ChatCommand {
  readonly usage: string;
  readonly help: string;
  /** What to print; undefined ends the chat. */
  run(conversation: Conversation, argument: string): string | undefined | Promise<string>;
}

export const CHAT_COMMANDS: ReadonlyMap<string, ChatCommand> = new Map<string, ChatCommand>([
  [
    "/set",
    {
      usage: "/set [NAME [VALUE]]",
      help: "a setting, such as temp, top-k, n-predict, system; VALUE default: the model's own",
      run: set,
    },
  ],
  ["/show", { usage: "/show", help: "the model, the conversation's length, settings", run: show }],
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
  ["/help", { usage: "/help", help: "this", run: () => help() }],
  ["/bye", { usage: "/bye", help: "ends, as Ctrl-D does", run: () => undefined }],
]);

export function help(): string {
  const lines = [...CHAT_COMMANDS.values()].map((one) => `${one.usage.padEnd(21)}${one.help}`);
  lines.push('"""                  begins and ends a text of several lines', "Ctrl-C               stops an answer");
  return `${lines.join("\n")}\n`;
}

/**
 * Runs a line that begins with `/`.
 * @returns what to print; undefined: the chat ends
 * @throws NibbleError `invalid_argument` for what is no command or no value of a setting, `io_error`
 */
export async function runChatCommand(conversation: Conversation, line: string): Promise<string | undefined> {
  const [, name = "", argument = ""] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
  const command = CHAT_COMMANDS.get(name);
  if (!command)
    throw new NibbleError("invalid_argument", `expected ${[...CHAT_COMMANDS.keys()].join(", ")}, got ${name}`);
  return command.run(conversation, argument);
}

/** `--top-k`, `top-k` and `top_k` are one setting. */
function settingOf({ settings }: Conversation, name: string): [key: string, flag: Flag<unknown>] {
  const plain = `--${name.replace(/^-+/, "").replaceAll("_", "-")}`;
  for (const [key, flag] of Object.entries(settings)) if (flag.names.includes(plain)) return [key, flag];
  const known = Object.values(settings).map(labelOf);
  throw new NibbleError("invalid_argument", `expected a setting of system, ${known.join(", ")}, got ${name}`);
}

/** Its first long name. */
function labelOf({ names }: Flag<unknown>): string {
  return names.find((name) => name.startsWith("--"))!.slice(2);
}

function set(conversation: Conversation, argument: string): string {
  const [, name, text = ""] = /^(\S+)\s*(.*)$/s.exec(argument) ?? [];
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
  if (value === undefined)
    throw new NibbleError(
      "invalid_argument",
      `${labelOf(flag)}: expected ${flag.expected}, got ${JSON.stringify(text)}`,
    );
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
  if (file === "") throw new NibbleError("invalid_argument", "/save: expected a file, got none");
  try {
    await writeFile(file, `${JSON.stringify(messagesOf(conversation), null, 2)}\n`, { flag: "wx" });
  } catch (cause) {
    throw new NibbleError(
      "io_error",
      `/save: expected a file that can be made, got ${file}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
  return `${conversation.turns.length} messages in ${file}\n`;
}
