#!/usr/bin/env node
/**
 * The command `nibble`.
 * @module
 */
import { COMMANDS } from "./commands.ts";
import { UsageError, unknownName } from "./flags.ts";
import { leaveWithReader, print, reportError } from "./output.ts";
import { version } from "./version.ts";

function help(): string {
  const commands = [...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  return `nibble: small reasoning language models on any CPU

  nibble run "A train travels at 65 km per hour for 4 hours. How far does it go?"

${commands.join("\n")}

nibble help COMMAND shows the flags of a command, and nibble --version the version.
MODEL is crumb (inside the package), a name such as smollm2:135m (nibble ls --all), hf:owner/repo[:quant], an https URL, a
GGUF file or a Hugging Face folder.
`;
}

async function main(argv: readonly string[]): Promise<void> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "--help" || name === "-h") return print(help());
  if (name === "--version") return print(`nibble ${version}\n`);
  if (name !== "help") return (await command(name)).run(rest);
  if (rest.length > 1)
    throw new UsageError(`help: this command takes one argument, but ${rest.length} arguments were given`);
  return print(rest[0] === undefined ? help() : (await command(rest[0])).help);
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
