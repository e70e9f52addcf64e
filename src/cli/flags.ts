/**
 * Flags, declared once: parsing and help both come from the same table.
 *
 * `parseArgs` of node:util knows no `-sys` and refuses values that begin with a dash, such as `-s -1`; llama.cpp has both.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

export interface Flag<T> {
  /** As typed, such as `-m` and `--model`. */
  readonly names: readonly string[];
  /** What stands for the value in help; undefined: a switch. */
  readonly placeholder: string | undefined;
  /** What a value must be, for errors. */
  readonly expected: string;
  readonly help: string;
  /**
   * The value of a text, undefined if it has none. `before`: the value so far, where the flag came already. `more` takes the
   * next argument too, where there is a command line.
   */
  read(text: string, before: T | undefined, more?: () => string): T | undefined;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;
export type Values<F extends Flags> = {
  readonly [Key in keyof F]: (F[Key] extends Flag<infer T> ? T : never) | undefined;
};

/** Wrong usage: exit code 2. */
export class UsageError extends NibbleError {
  constructor(message: string, param?: string) {
    super("invalid_argument", message, param === undefined ? {} : { param });
  }
}

/** `names`: comma-separated, such as `-m, --model`. */
export function toggle(names: string, help: string): Flag<boolean> {
  return { names: names.split(", "), placeholder: undefined, expected: "no value", help, read: () => true };
}

export function text(names: string, placeholder: string, help: string): Flag<string> {
  return { names: names.split(", "), placeholder, expected: "text", help, read: (value) => value };
}

export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** The lowest value is not allowed itself. */
  readonly above?: number;
  readonly integer?: boolean;
}

export function number(names: string, placeholder: string, range: Range, help: string): Flag<number> {
  const read = (value: string): number | undefined => readNumber(value, range);
  return { names: names.split(", "), placeholder, expected: `${describe(range)}`, help, read };
}

/** Several numbers, separated by commas. */
export function numbers(names: string, placeholder: string, range: Range, help: string): Flag<number[]> {
  const expected = `${describe(range)}, or several with commas`;
  return {
    names: names.split(", "),
    placeholder,
    expected,
    help,
    read(value) {
      const all = value.split(",").map((part) => readNumber(part, range));
      return all.every((one) => one !== undefined) ? all : undefined;
    },
  };
}

export function oneOf<T extends string>(
  names: string,
  placeholder: string,
  choices: readonly T[],
  help: string,
): Flag<T> {
  return {
    names: names.split(", "),
    placeholder,
    expected: choices.join(", "),
    help,
    read: (value) => choices.find((choice) => choice === value),
  };
}

/** A flag that may come more than once. `read` as in `Flag`. */
export function repeated<T>(
  names: string,
  placeholder: string,
  expected: string,
  help: string,
  read: (value: string, more?: () => string) => T | undefined,
): Flag<T[]> {
  return {
    names: names.split(", "),
    placeholder,
    expected,
    help,
    read(value, before = [], more) {
      const one = read(value, more);
      return one === undefined ? undefined : [...before, one];
    },
  };
}

/** A number of a text, as flags have them. */
export function readNumber(value: string, { min, max, above, integer }: Range): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return undefined;
  const result = Number(value);
  const fits =
    (integer ? Number.isSafeInteger(result) : Number.isFinite(result)) &&
    result >= (min ?? -Infinity) &&
    result <= (max ?? Infinity) &&
    result > (above ?? -Infinity);
  return fits ? result : undefined;
}

function describe({ min, max, above, integer }: Range): string {
  const from = above === undefined ? (min === undefined ? "" : ` from ${min}`) : ` above ${above}`;
  return `${integer ? "a whole number" : "a number"}${from}${max === undefined ? "" : ` to ${max}`}`;
}

export interface Arguments<F extends Flags> {
  readonly flags: Values<F>;
  readonly positionals: readonly string[];
}

/**
 * Takes a command line apart. A flag's value is the next argument whatever it looks like, or follows `=`;
 * after `--` nothing is a flag, nor is a lone `-`, nor what begins like a negative number.
 * @throws UsageError naming the flag, what was expected and what came
 */
export function parseArguments<F extends Flags>(flags: F, argv: readonly string[], help: string): Arguments<F> {
  const keys = new Map(Object.entries(flags).flatMap(([key, { names }]) => names.map((name) => [name, key])));
  const values = new Map<string, unknown>();
  const positionals: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    if (argument === "--") {
      positionals.push(...argv.slice(i + 1));
      break;
    }
    if (!/^-[^\d.\s]/.test(argument)) {
      positionals.push(argument);
      continue;
    }
    const [name, inline] = splitOnce(argument);
    const key = keys.get(name);
    if (key === undefined) throw new UsageError(`${name}: unknown flag; see ${help}`, name);
    const flag = flags[key]!;
    if (flag.placeholder === undefined) {
      if (inline !== undefined) throw wrongValue(name, flag, inline);
      values.set(key, true);
      continue;
    }
    const taken = inline === undefined ? [] : [inline];
    const more = (): string => {
      const next = argv[++i];
      if (next === undefined) throw new UsageError(`${name}: expected ${flag.expected}, got nothing`, name);
      taken.push(next);
      return next;
    };
    const read = flag.read(inline ?? more(), values.get(key), more);
    if (read === undefined) throw wrongValue(name, flag, taken.join(" "));
    values.set(key, read);
  }
  return { flags: Object.fromEntries(values) as Values<F>, positionals };
}

function splitOnce(argument: string): [string, string | undefined] {
  const at = argument.indexOf("=");
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

function wrongValue(name: string, { expected }: Flag<unknown>, value: string): UsageError {
  return new UsageError(`${name}: expected ${expected}, got ${JSON.stringify(value)}`, name);
}
