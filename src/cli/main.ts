#!/usr/bin/env node
/**
 * The command `nibble`.
 * @module
 */
import { version } from "../base/version.ts";
import { COMMANDS } from "./commands.ts";
import { type CommandFlags, completion } from "./completion.ts";
import { UsageError, unknownName } from "./flags.ts";
import { manual } from "./manual.ts";
import { leaveWithReader, print, reportError } from "./output.ts";

const MODELS = `MODEL is crumb (inside the package), a name such as smollm2:135m (nibble ls --all), hf:owner/repo[:quant], an https URL, a
GGUF file or a Hugging Face folder.`;

function help(): string {
  const commands = [...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  return `nibble: small reasoning language models on any CPU

  nibble run "A train travels at 65 km per hour for 4 hours. How far does it go?"

${commands.join("\n")}

nibble help COMMAND shows the flags of a command, and nibble --version the version. nibble completion bash (or zsh, fish)
prints what a shell needs to complete commands and flags, and nibble manual the manual page.
${MODELS}
`;
}

async function main(argv: readonly string[]): Promise<void> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "--help" || name === "-h") return print(help());
  if (name === "--version" || name === "-v" || name === "version") return print(`nibble ${version}\n`);
  if (name === "completion") return print(completion(rest[0], await allFlags()));
  if (name === "manual") return print(manual(version, MODELS, await allFlags()));
  if (name !== "help") return (await command(name)).run(rest);
  if (rest.length > 1)
    throw new UsageError(`help: this command takes one argument, but ${rest.length} arguments were given`);
  return print(rest[0] === undefined ? help() : (await command(rest[0])).help);
}

/** The flags of every command, for completions and the manual. */
async function allFlags(): Promise<CommandFlags[]> {
  const entries = [...COMMANDS].map(async ([name, { summary, load }]) => ({
    name,
    summary,
    flags: (await load()).flags,
  }));
  return Promise.all(entries);
}

async function command(name: string): ReturnType<NonNullable<ReturnType<typeof COMMANDS.get>>["load"]> {
  const entry = COMMANDS.get(name);
  if (entry) return entry.load();
  throw unknownName(name, "command (nibble --help lists them)", COMMANDS.keys());
}

leaveWithReader();
const argv = process.argv.slice(2);
const end = argv.indexOf("--");
const json = (end < 0 ? argv : argv.slice(0, end)).includes("--json");
await main(argv).catch((error: unknown) => reportError(error, json));
