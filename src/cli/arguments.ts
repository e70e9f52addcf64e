/**
 * Takes a command line apart by a table of flags.
 *
 * `parseArgs` of node:util knows no `-sys` and refuses values that begin with a dash, such as `-s -1`; llama.cpp has both.
 * @module
 */
import { type Flag, type Flags, unknownName, type Values, wrongValue } from "./flags.ts";

export interface Arguments<F extends Flags> {
  readonly flags: Values<F>;
  readonly positionals: readonly string[];
}

/** A flag begins with a dash; a lone `-` (stdin) and a negative number are values. */
const FLAG = /^-[^\d.\s]/;

/**
 * A flag's value is the next argument whatever it looks like, or it follows `=`. After `--` nothing is a flag.
 * @param command such as `nibble run`, for errors
 * @throws UsageError naming the flag, what was expected and what came
 */
export function parseArguments<F extends Flags>(flags: F, argv: readonly string[], command: string): Arguments<F> {
  const keys = new Map(Object.entries(flags).flatMap(([key, { names }]) => names.map((name) => [name, key])));
  const values = new Map<string, unknown>();
  const positionals: string[] = [];
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === "--") positionals.push(...rest.splice(0));
    else if (!FLAG.test(argument)) positionals.push(argument);
    else {
      const [name, inline] = splitOnce(argument);
      const key = keys.get(name);
      if (key === undefined) throw unknownName(name, `flag of ${command}`, keys.keys());
      values.set(key, readValue(name, flags[key]!, { inline, before: values.get(key), rest }));
    }
  }
  return { flags: Object.fromEntries(values) as Values<F>, positionals };
}

interface Given {
  /** The text after `=`. */
  readonly inline: string | undefined;
  /** The flag's value so far. */
  readonly before: unknown;
  /** The arguments after the flag; its values are taken off. */
  readonly rest: string[];
}

function readValue(name: string, flag: Flag<unknown>, { inline, before, rest }: Given): unknown {
  if (flag.placeholder === undefined) {
    if (inline !== undefined) throw wrongValue(name, flag, inline);
    return true;
  }
  const taken = inline === undefined ? [] : [inline];
  const more = (): string => {
    const next = rest.shift();
    if (next === undefined) throw wrongValue(name, flag, undefined);
    taken.push(next);
    return next;
  };
  const value = flag.read(inline ?? more(), before, more);
  if (value === undefined) throw wrongValue(name, flag, taken.join(" "));
  return value;
}

function splitOnce(argument: string): [string, string | undefined] {
  const at = argument.indexOf("=");
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}
