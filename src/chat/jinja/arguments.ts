/**
 * Matches the arguments of a call with parameters, as Python does.
 * @module
 */
import { fail } from "./errors.ts";
import { type Arguments, integerOf, textOf, typeName, type Value } from "./values.ts";

/**
 * Returns the values of the parameters in a signature such as `old new count?`. `?` marks an optional parameter, whose
 * value may be undefined. After a leading `/`, parameters cannot be given by name.
 * @throws JinjaError for missing and unexpected arguments
 */
export function bind(name: string, signature: string, args: Arguments): (Value | undefined)[] {
  const unnamed = signature.startsWith("/");
  const parameters = signature === "" || signature === "/" ? [] : signature.replace("/ ", "").split(" ");
  if (args.positional.length > parameters.length) {
    fail(`${name}() takes at most ${parameters.length} arguments, got ${args.positional.length}`);
  }
  const names = parameters.map((parameter) => parameter.replace("?", ""));
  for (const key of args.named.keys()) {
    const at = unnamed ? -1 : names.indexOf(key);
    if (at < 0) fail(`${name}() got an unexpected keyword argument '${key}'`);
    if (at < args.positional.length) fail(`${name}() got several values for the argument '${key}'`);
  }
  return parameters.map((parameter, i) => {
    const value = i < args.positional.length ? args.positional[i] : args.named.get(names[i]!);
    if (value === undefined && !parameter.endsWith("?")) fail(`${name}() misses the argument '${parameter}'`);
    return value;
  });
}

/** Checks that an argument is a text. @throws JinjaError for other values */
export function asText(value: Value): string {
  return textOf(value) ?? fail(`expected a str, got '${typeName(value)}'`);
}

/** Checks that an argument is an integer. @throws JinjaError for other values */
export function asInteger(value: Value): bigint {
  return integerOf(value) ?? fail(`expected an int, got '${typeName(value)}'`);
}

/**
 * Reads an integer argument as a number, limited to the exact ones. An argument that is not given has the default.
 * @throws JinjaError for other values
 */
export function asCount(value: Value | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  const integer = asInteger(value);
  return Number(integer > limit ? limit : integer < -limit ? -limit : integer);
}
