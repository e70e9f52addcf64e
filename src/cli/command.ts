/**
 * What a command is: its flags, its help, and what it does.
 * @module
 */
import { type Arguments, type Flags, parseArguments, toggle, UsageError } from "./flags.ts";
import { print } from "./output.ts";

export interface CommandParts<F extends Flags> {
  readonly name: string;
  /** Its positional arguments in help, such as `[MODEL] [PROMPT]`. */
  readonly usage: string;
  /** Fewest and most positional arguments. */
  readonly positionals: readonly [min: number, max: number];
  /** What it does, in sentences for its help. */
  readonly about: string;
  readonly flags: F;
  run(args: Arguments<F>): Promise<void>;
}

export interface Command {
  readonly help: string;
  /** @throws UsageError for a wrong command line; NibbleError for what goes wrong later */
  run(argv: readonly string[]): Promise<void>;
}

export function defineCommand<F extends Flags>(parts: CommandParts<F>): Command {
  const { name, usage, positionals } = parts;
  const flags = { ...parts.flags, help: toggle("-h, --help", "show this help") };
  const help = helpText(`nibble ${name} ${usage}`.trim(), parts.about, flags);
  return {
    help,
    async run(argv) {
      const args = parseArguments(flags, argv, `nibble ${name} --help`);
      if (args.flags.help) return print(help);
      const [min, max] = positionals;
      const count = args.positionals.length;
      if (count < min || count > max) {
        const expected = usage === "" ? "no arguments besides flags" : usage;
        throw new UsageError(`${name}: expected ${expected}, got ${count} arguments; quote text with spaces`);
      }
      if ("offline" in args.flags) process.env.NIBBLE_OFFLINE = "1"; // the host asks the environment
      await parts.run(args);
    },
  };
}

const WIDTH = 30;

function helpText(usage: string, about: string, flags: Flags): string {
  const lines = Object.values(flags).map(({ names, placeholder, help }) => {
    const left = `  ${names.join(", ")}${placeholder === undefined ? "" : ` ${placeholder}`}`;
    return left.length < WIDTH ? left.padEnd(WIDTH) + help : `${left}\n${" ".repeat(WIDTH)}${help}`;
  });
  return `${usage}\n\n${about}\n\n${lines.join("\n")}\n`;
}
