/**
 * Equality of answers by the rules of the final models' evaluation (see `r1-form.ts`), slips included: numbers are equal
 * within 0.01 %, also at 100 times or a hundredth, and open intervals equal closed ones.
 * @module
 */
import { strip } from "../python-text.ts";
import type { Equality } from "./equality.ts";
import { compareSymbols, isClose } from "./r1-symbols.ts";

const LETTERS = ["A", "B", "C", "D", "E"];
const GROUP = /^[([].+[)\]]/u;
const MATRIX = /^\\begin\{[pb]matrix\}([\s\S]*)\\end\{[pb]matrix\}$/;

/** @param answer in its `r1Form` @param gold the right answer, likewise */
export function compareR1(answer: string, gold: string): Equality {
  if (strip(answer).toLowerCase() === strip(gold).toLowerCase()) return "equal";
  if (LETTERS.includes(gold) && lastLetter(answer) === gold) return "equal";
  const [a, b] = [numberOf(answer), numberOf(gold)];
  if (a !== undefined && b !== undefined)
    return [b / 100, b, b * 100].some((one) => isClose(a, one)) ? "equal" : "different";
  if (answer === "") return "different";
  const one = strip(answer);
  let other = strip(gold);
  if (one.includes("pmatrix") && !other.includes("pmatrix")) other = setsAsColumns(other);
  if (withoutBrackets(one, other)) return "equal";
  return firstDecided([() => compareParts(one, other), () => compareRows(one, other), () => compareSides(one, other)]);
}

/** The first way that finds the answers equal; undecided if one of the others could not decide. */
function firstDecided(ways: readonly (() => Equality)[]): Equality {
  let result: Equality = "different";
  for (const compare of ways) {
    const equality = compare();
    if (equality === "equal") return equality;
    if (equality === "undecided") result = equality;
  }
  return result;
}

function all(comparisons: Iterable<Equality>): Equality {
  let result: Equality = "equal";
  for (const equality of comparisons) {
    if (equality === "different") return equality;
    if (equality === "undecided") result = equality;
  }
  return result;
}

function lastLetter(text: string): string | undefined {
  return text
    .toUpperCase()
    .match(/(?<![\p{L}\p{N}_])[A-E](?![\p{L}\p{N}_])/gu)
    ?.at(-1);
}

/** A number as Python's `float` reads it, without commas. */
function numberOf(text: string): number | undefined {
  const plain = strip(text.replaceAll(",", ""));
  if (/^[+-]?nan$/i.test(plain)) return Number.NaN;
  if (/^[+-]?inf(inity)?$/i.test(plain)) return plain.startsWith("-") ? -Infinity : Infinity;
  const digits = plain.replace(/(?<=\d)_(?=\d)/g, "");
  return /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(digits) ? Number(digits) : undefined;
}

/** Every `{a,b}` as a matrix of one column. */
function setsAsColumns(text: string): string {
  const sets = text.match(/\{[^,\n\r\u2028\u2029]*,.*\}/g) ?? [];
  const columns = sets.map((set) => set.replace(/^[{}]+|[{}]+$/g, "").replaceAll(",", "\\"));
  return columns.map((column) => `\\begin{pmatrix}${column}\\end{pmatrix}`).join(", ");
}

/** Whether two answers are the same but for braces and parentheses. */
function withoutBrackets(a: string, b: string): boolean {
  const isList = a.startsWith("[") && a.endsWith("]") && !b.startsWith("(");
  const isGroup = a.startsWith("(") && a.endsWith(")") && !b.startsWith("[");
  const bare = (text: string): string =>
    (isList || isGroup ? text.replace(/^[[\]()]+|[[\]()]+$/g, "") : text).replace(/[{}()]/g, "").toLowerCase();
  return bare(a) === bare(b);
}

/** Tuples and intervals, part by part. */
function compareParts(a: string, b: string): Equality {
  if (!GROUP.test(a) || !GROUP.test(b)) return "different";
  const [parts, others] = [a, b].map((text) => [...text].slice(1, -1).join("").split(",")) as [string[], string[]];
  return parts.length === others.length ? all(compareEach(parts, others)) : "different";
}

function* compareEach(parts: readonly string[], others: readonly string[]): Generator<Equality> {
  for (const [i, part] of parts.entries()) yield compareR1(part, others[i]!);
}

/** Matrices, entry by entry. */
function compareRows(a: string, b: string): Equality {
  const [rows, others] = [a, b].map(rowsOf);
  if (!rows || !others || rows.length !== others.length) return "different";
  if (rows.some((row, i) => row.length !== others[i]!.length)) return "different";
  return all(compareEach(rows.flat(), others.flat()));
}

function rowsOf(matrix: string): string[][] | undefined {
  const inner = MATRIX.exec(matrix)?.[1];
  const lines = inner?.split("\\\\").map(strip);
  return lines?.filter((line) => line !== "").map((line) => line.split("&"));
}

/** Equations by the difference of their sides; the side behind `x=` against an answer without one; then both as wholes. */
function compareSides(a: string, b: string): Equality {
  const [sides, others] = [a.split("="), b.split("=")];
  const whole = (): Equality => compareSymbols(a, b);
  if (sides.length === 2 && others.length === 2) {
    const [one, other] = [sides, others].map(([left, right]) => `${strip(left!)} - (${strip(right!)})`) as [
      string,
      string,
    ];
    return firstDecided([() => compareSymbols(one, other), () => compareSymbols(`-(${one})`, other), whole]);
  }
  const isShort = ([left, ...rest]: readonly string[]): boolean => rest.length === 1 && [...strip(left!)].length <= 2;
  if (isShort(sides) && others.length === 1) return firstDecided([() => compareR1(sides[1]!, b), whole]);
  if (isShort(others) && sides.length === 1) return firstDecided([() => compareR1(a, others[1]!), whole]);
  return whole();
}
