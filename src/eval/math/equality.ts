/**
 * Whether two expressions are equal for all values of their variables. Both are computed where variables have random
 * complex values (real variables would find `\sqrt{x^2}` equal to `|x|`), with many digits and again with more: a
 * difference that is zero shrinks to the errors of the greater precision, any other stays. This is the identity test of
 * Schwartz and Zippel, for more than polynomials.
 * @module
 */
import type { Decimal } from "decimal.js";
import { type Complex, ComplexField, UncomputedValue, UndefinedValue } from "./complex.ts";
import { type Expression, partsOf } from "./expression.ts";
import { valueOfCall } from "./functions.ts";

/** `undecided`: something is not computed here. */
export type Equality = "equal" | "different" | "undecided";

const DIGITS = 50;
/** Random points at which expressions with variables must agree. */
const POINTS = 4;
/** Points that are tried, since a value may not exist at some. */
const TRIES = 12;
const MOST_PARTS = 1000;
const MOST_TERMS = 2000;
const MOST_DIGITS = 1000;

export function compareExpressions(a: Expression, b: Expression): Equality {
  if (sizeOf(a) + sizeOf(b) > MOST_PARTS) return "undecided";
  // Numbers with more digits are held exactly.
  const digits = DIGITS + longestNumber(a) + longestNumber(b);
  if (digits > MOST_DIGITS) return "undecided";
  const fields = [1, 2, 3].map((times) => new ComplexField(times * digits));
  const symbols = [...new Set([...symbolsOf(a), ...symbolsOf(b)])].sort();
  const whole = new Set([...countsOf(a), ...countsOf(b)]);
  const random = randomNumbers();
  let agreed = 0;
  for (let i = 0; i < TRIES && agreed < POINTS; i++) {
    const point = new Map(symbols.map((name) => [name, whole.has(name) ? wholePoint(random) : complexPoint(random)]));
    const result = compareAt(fields, [a, b], point);
    if (result === "different" || (result === "undecided" && symbols.length === 0)) return result;
    if (result === "undefined" && symbols.length === 0) return "different";
    if (result === "equal") agreed += symbols.length === 0 ? POINTS : 1;
  }
  return agreed >= POINTS ? "equal" : "undecided";
}

/** The value of an expression without variables; undefined if it has some, or is not computed. */
export function realValue(expression: Expression): number | undefined {
  if (symbolsOf(expression).length > 0 || sizeOf(expression) > MOST_PARTS) return undefined;
  if (isInfinite(expression)) return expression.type === "infinity" ? Infinity : -Infinity;
  try {
    const field = new ComplexField(DIGITS);
    const value = valueAt(field, expression, new Map());
    return value.im.isZero() ? value.re.toNumber() : undefined;
  } catch (error) {
    if (isNoValue(error)) return undefined;
    throw error;
  }
}

type Point = ReadonlyMap<string, readonly [re: string, im: string]>;

/** Where a value was not computed, or no precision suffices. */
function isNoValue(error: unknown): boolean {
  return (
    error instanceof UndefinedValue || error instanceof UncomputedValue || /DecimalError/.test((error as Error).message)
  );
}

function compareAt(
  fields: readonly ComplexField[],
  [a, b]: readonly [Expression, Expression],
  point: Point,
): Equality | "undefined" {
  const infinite = [a, b].filter(isInfinite).length;
  if (infinite === 2) return a.type === b.type ? "equal" : "different";
  try {
    if (infinite === 1) {
      valueAt(fields[0]!, isInfinite(a) ? b : a, point);
      return "different";
    }
    let before: Decimal | undefined;
    for (const field of fields) {
      const minusB = field.scale(valueAt(field, b, point), -1);
      const difference = field.abs(field.add(valueAt(field, a, point), minusB)).re;
      if (before?.isZero() && difference.isZero()) return "equal";
      // A difference may be zero by chance with one number of digits; then the next one decides.
      if (before && !before.isZero()) return difference.lt(before.mul("1e-20")) ? "equal" : "different";
      before = difference;
    }
    return "undecided";
  } catch (error) {
    if (error instanceof UndefinedValue) return "undefined";
    if (isNoValue(error)) return "undecided";
    throw error;
  }
}

/** Plus or minus infinity. */
function isInfinite(expression: Expression): boolean {
  if (expression.type === "infinity") return true;
  const [first, second] = partsOf(expression);
  const isMinus = expression.type === "product" && first!.type === "number" && first!.value === "-1";
  return isMinus && expression.terms.length === 2 && second!.type === "infinity";
}

function valueAt(field: ComplexField, expression: Expression, point: Point): Complex {
  const values = (parts: readonly Expression[]): Complex[] => parts.map((part) => valueAt(field, part, point));
  switch (expression.type) {
    case "number":
      return field.of(expression.value);
    case "symbol":
      return field.of(...point.get(expression.name)!);
    case "infinity":
      throw new UncomputedValue();
    case "sum":
      return values(expression.terms).reduce((total, term) => field.add(total, term));
    case "product":
      return values(expression.terms).reduce((total, term) => field.multiply(total, term));
    case "power":
      return field.power(valueAt(field, expression.base, point), valueAt(field, expression.exponent, point));
    case "call":
      return valueOfCall(field, expression.name, values(expression.args));
    case "apply":
      return unknownFunction(field, expression.name, values(expression.args));
    case "series": {
      const [first, last] = values([expression.from, expression.to]).map((value) => field.wholeOf(value)?.toNumber());
      if (first === undefined || last === undefined || last - first > MOST_TERMS) throw new UncomputedValue();
      const isSum = expression.name === "sum";
      let total = field.of(isSum ? 0 : 1);
      for (let i = first; i <= last; i++) {
        const term = valueAt(field, expression.body, new Map([...point, [expression.index, [String(i), "0"]]]));
        total = isSum ? field.add(total, term) : field.multiply(total, term);
      }
      return total;
    }
  }
}

/** Some function of the arguments in their order, which no identity holds for by chance. */
function unknownFunction(field: ComplexField, name: string, args: readonly Complex[]): Complex {
  const random = randomNumbers([...name].reduce((hash, char) => (hash * 31 + char.codePointAt(0)!) % 2147483647, 7));
  const total = args.reduce(
    (sum, arg) =>
      field.add(sum, field.add(field.multiply(field.of(...complexPoint(random)), arg), field.multiply(arg, arg))),
    field.of(...complexPoint(random)),
  );
  return field.inverse(total);
}

/** Numbers in [0, 1), the same ones every time (the generator of Park and Miller). */
function randomNumbers(seed = 20261130): () => number {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Away from zero, with few digits. */
function complexPoint(random: () => number): readonly [string, string] {
  const one = (): string => `${random() < 0.5 ? "-" : ""}${(0.2 + 2 * random()).toFixed(6)}`;
  return [one(), one()];
}

function wholePoint(random: () => number): readonly [string, string] {
  return [String(4 + Math.floor(12 * random())), "0"];
}

/** The names of free variables. */
function symbolsOf(expression: Expression): string[] {
  if (expression.type === "symbol") return [expression.name];
  const inner = partsOf(expression).flatMap(symbolsOf);
  return expression.type === "series" ? inner.filter((name) => name !== expression.index) : inner;
}

/** The variables that must be whole numbers: in factorials, in what binomials choose, in the ends of sums. */
function countsOf(expression: Expression): string[] {
  const own =
    expression.type === "series"
      ? [expression.from, expression.to]
      : expression.type === "call" && (expression.name === "factorial" || expression.name === "binomial")
        ? expression.args
        : [];
  return [...own.flatMap(symbolsOf), ...partsOf(expression).flatMap(countsOf)];
}

function sizeOf(expression: Expression): number {
  return partsOf(expression).reduce((size, part) => size + sizeOf(part), 1);
}

function longestNumber(expression: Expression): number {
  const own = expression.type === "number" ? expression.value.length : 0;
  return Math.max(own, ...partsOf(expression).map(longestNumber));
}
