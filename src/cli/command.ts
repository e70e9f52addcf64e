/**
 * Commands: their flags, help and action.
 * @module
 */
import { type Arguments, parseArguments } from "./arguments.ts";
import { type Flags, shownFlags, toggle, UsageError } from "./flags.ts";
import { print } from "./output.ts";

export interface CommandParts<F extends Flags> {
  readonly name: string;
  /** How help writes its positional arguments, such as `[MODEL] [PROMPT]`. */
  readonly usage: string;
  /** The least and the largest number of positional arguments. */
  readonly positionals: readonly [min: number, max: number];
  /** The description for its help, in sentences. */
  readonly about: string;
  readonly flags: F;
  run(args: Arguments<F>): Promise<void>;
}

export interface Command {
  readonly help: string;
  readonly flags: Flags;
  /** @throws UsageError for a wrong command line; NibbleError for what goes wrong later */
  run(argv: readonly string[]): Promise<void>;
}

export function defineCommand<F extends Flags>(parts: CommandParts<F>): Command {
  const { name, usage } = parts;
  const flags = { ...parts.flags, help: toggle("-h, --help", "show this help") };
  const help = helpText(`nibble ${name} ${usage}`.trim(), parts.about, flags);
  return {
    help,
    flags,
    async run(argv) {
      const args = parseArguments(flags, argv, `nibble ${name}`);
      if (args.flags.help) return print(help);
      checkCount(parts, args.positionals.length);
      if ("offline" in args.flags) process.env.NIBBLE_OFFLINE = "1"; // the host asks the environment
      await parts.run(args);
    },
  };
}

type Positionals = Pick<CommandParts<Flags>, "name" | "usage" | "positionals">;

/** Checks the number of positional arguments. @throws UsageError if there are too few or too many */
function checkCount({ name, usage, positionals: [min, max] }: Positionals, count: number): void {
  if (count >= min && count <= max) return;
  if (count === 0) {
    const verb = min > 1 ? "are" : "is";
    throw new UsageError(`${name}: ${usage} ${verb} required; see nibble ${name} --help`);
  }
  if (count < min) throw new UsageError(`${name}: ${usage} are required, and only ${count} argument was given`);
  const takes = max === 0 ? "only flags" : `at most ${usage}`;
  const were = count === 1 ? "1 argument was" : `${count} arguments were`;
  throw new UsageError(`${name}: it takes ${takes}, but ${were} given; put text with spaces in quotes`);
}

/** The column where the explanations of flags begin. */
const INDENT = 30;

function helpText(usage: string, about: string, flags: Flags): string {
  const lines = shownFlags(flags).map(({ names, placeholder, help }) => {
    const left = `  ${names.join(", ")}${placeholder === undefined ? "" : ` ${placeholder}`}`;
    return left.length < INDENT ? left.padEnd(INDENT) + help : `${left}\n${" ".repeat(INDENT)}${help}`;
  });
  return `${usage}\n\n${about}\n\n${lines.join("\n")}\n`;
}
