/**
 * Attributes and methods of integers and floats.
 * @module
 */
import { bind } from "./arguments.ts";
import { ratioOf } from "./numbers.ts";
import { Callable, integerOf, Tuple, type Value } from "./values.ts";

/** The attribute or method of a name; undefined if there is none. */
export function numberAttribute(value: number | bigint | boolean, name: string): Value | undefined {
  const integer = integerOf(value);
  const own = integer ?? (value as number);
  switch (name) {
    case "real":
      return own;
    case "imag":
      return integer === undefined ? 0 : 0n;
    case "conjugate":
      return method(name, () => own);
    case "as_integer_ratio":
      return method(name, () => new Tuple(integer === undefined ? reduced(value as number) : [integer, 1n]));
    case "is_integer":
      return integer === undefined ? method(name, () => Number.isInteger(value)) : undefined;
  }
  if (integer === undefined) return undefined;
  const bits = () => (integer < 0n ? -integer : integer).toString(2);
  switch (name) {
    case "numerator":
      return integer;
    case "denominator":
      return 1n;
    case "bit_length":
      return method(name, () => (integer === 0n ? 0n : BigInt(bits().length)));
    case "bit_count":
      return method(name, () => BigInt(bits().replaceAll("0", "").length));
    default:
      return undefined;
  }
}

function method(name: string, call: () => Value): Callable {
  return new Callable(name, (args) => {
    bind(name, "/", args);
    return call();
  });
}

function reduced(value: number): [bigint, bigint] {
  let [numerator, denominator] = ratioOf(value);
  while (denominator > 1n && numerator % 2n === 0n) {
    numerator /= 2n;
    denominator /= 2n;
  }
  return [numerator, denominator];
}
