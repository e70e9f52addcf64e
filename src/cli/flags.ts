/**
 * Flags, declared once: `arguments.ts` parses by this table and `command.ts` prints the help from it.
 *
 * To add a flag to a command:
 * 1. Put a row into the command's `flags` (`commands/NAME.ts`), made by one of the functions below. Flags of sampling have
 *    their table in `sampling.ts`, those of the runtime in `model.ts`. Take llama.cpp's name where it has such a flag.
 * 2. Read it in the command's `run` as `flags.KEY`: it is undefined where it was not given.
 * 3. Refuse what it cannot be combined with, by `conflict` or `requires`, before a model is opened.
 * 4. Add its wrong values and conflicts to `test/cli/usage.test.ts`, and what it does to the test of the command.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { nearestName } from "../base/field-table.ts";
import { conflict as conflictOf, fits, type Range } from "../base/fields.ts";

export interface Flag<T> {
  /** The names as they are typed, such as `-m` and `--model`. */
  readonly names: readonly string[];
  /** The placeholder of the value in help. It is undefined for a switch, which takes no value. */
  readonly placeholder: string | undefined;
  /** The requirement on the value, for errors. */
  readonly expected: string;
  /** Undefined: the flag is accepted for the sake of other programs' command lines and not shown in help. */
  readonly help: string | undefined;
  /**
   * Reads a value from its text; undefined if the text is wrong.
   * @param before the value so far, where the flag came already
   * @param more takes the next argument as well, for flags with two values; a chat's `/set` has none
   */
  read(text: string, before: T | undefined, more?: () => string): T | undefined;
}

/** The names of the flag for the most tokens of an answer: llama.cpp's, and that of OpenAI's field. */
export const ANSWER_LENGTH = "-n, --n-predict, --predict, --max-tokens";

export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** A flag as help shows it. */
export type ShownFlag = Flag<unknown> & { readonly help: string };

/** The flags that help, the manual page and completions show, in the order of the table. */
export function shownFlags(flags: Flags): ShownFlag[] {
  return Object.values(flags).filter((flag): flag is ShownFlag => flag.help !== undefined);
}

export type Values<F extends Flags> = {
  readonly [Key in keyof F]: (F[Key] extends Flag<infer T> ? T : never) | undefined;
};

/** The command line is wrong: the process ends with exit code 2. */
export class UsageError extends NibbleError {
  constructor(message: string, param?: string) {
    super("invalid_argument", message, param === undefined ? {} : { param });
  }
}

/** The error for a name that is not among the `known` ones; a misspelt one is corrected. @param what such as "flag" */
export function unknownName(name: string, what: string, known: Iterable<string>): UsageError {
  const near = name.length > 3 ? nearestName(name, known) : undefined; // any two letters are near each other
  return new UsageError(
    `${name}: there is no such ${what}${near === undefined ? "" : `; did you mean ${near}?`}`,
    name,
  );
}

/** The error for something that must be given and is not. @param how a clause that says where to give it */
export function missing(what: string, how: string): UsageError {
  return new UsageError(`${what} is required: ${how}`);
}

/** The error for two things that cannot be given together. @param why a clause that says what each would decide */
export function conflict(one: string, other: string, why: string): UsageError {
  return new UsageError(conflictOf(one, other, why).message, one);
}

/** The error for a flag that only works together with another. @param why a clause, where the reason is not plain */
export function requires(flag: string, other: string, why?: string): UsageError {
  return new UsageError(`${flag}: it requires ${other}${why === undefined ? "" : `, because ${why}`}`, flag);
}

/**
 * The error for a flag whose value is missing or wrong.
 * @param value the value that was given, or undefined if it is missing
 */
export function wrongValue(name: string, { expected }: Flag<unknown>, value: string | undefined): UsageError {
  if (value === undefined) return new UsageError(`${name}: a value is required; it must be ${expected}`, name);
  return new UsageError(`${name}: expected ${expected}, got ${JSON.stringify(value)}`, name);
}

/** A switch. @param names separated by commas, such as `-m, --model` */
export function toggle(names: string, help: string): Flag<boolean> {
  return { names: names.split(", "), placeholder: undefined, expected: "no value", help, read: () => true };
}

export function text(names: string, placeholder: string, help: string): Flag<string> {
  return { names: names.split(", "), placeholder, expected: "text", help, read: (value) => value };
}

export function number(names: string, placeholder: string, range: Range, help: string): Flag<number> {
  const read = (value: string): number | undefined => readNumber(value, range);
  return { names: names.split(", "), placeholder, expected: describe(range), help, read };
}

/** A flag of llama-server that changes nothing here. @param takesValue whether a value follows it */
export function accepted(names: string, takesValue: boolean): Flag<string> {
  const placeholder = takesValue ? "VALUE" : undefined;
  return { names: names.split(", "), placeholder, expected: "a value", help: undefined, read: (value) => value };
}

/** Several numbers, separated by commas. */
export function numbers(names: string, placeholder: string, range: Range, help: string): Flag<number[]> {
  return {
    names: names.split(", "),
    placeholder,
    expected: `${describe(range)}, or several separated by commas`,
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
    expected: `one of ${choices.join(", ")}`,
    help,
    read: (value) => choices.find((choice) => choice === value),
  };
}

export interface RepeatedFlag<T> {
  readonly names: string;
  readonly placeholder: string;
  readonly expected: string;
  readonly help: string;
  /** Reads one value, as `Flag.read` does. */
  read(value: string, more?: () => string): T | undefined;
}

/** A flag that may come more than once; its values are collected. */
export function repeated<T>({ names, read, ...rest }: RepeatedFlag<T>): Flag<T[]> {
  return {
    ...rest,
    names: names.split(", "),
    read(value, before = [], more) {
      const one = read(value, more);
      return one === undefined ? undefined : [...before, one];
    },
  };
}

/** A decimal number, with or without an exponent; undefined for other text and outside of the range. */
export function readNumber(value: string, range: Range): number | undefined {
  if (!/^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(value)) return undefined;
  const result = Number(value);
  return fits(result, range) ? result : undefined;
}

function describe({ min, max, above, integer }: Range): string {
  const from = above === undefined ? (min === undefined ? "" : ` from ${min}`) : ` above ${above}`;
  return `${integer ? "a whole number" : "a number"}${from}${max === undefined ? "" : ` to ${max}`}`;
}
