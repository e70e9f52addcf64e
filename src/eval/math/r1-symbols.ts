/**
 * Equality by values, as the final models' evaluation asks sympy for it: an answer is read as LaTeX, or else as Python, or
 * else by a second reader of LaTeX that knows sets, intervals and matrices.
 * @module
 */
import { strip } from "../python-text.ts";
import { compareExpressions, type Equality, realValue } from "./equality.ts";
import { call, type Expression, negative, type Relation, sum } from "./expression.ts";
import { UnreadableLatex } from "./latex-cursor.ts";
import { readLatex } from "./latex-reader.ts";

type Value =
  | Expression
  | Relation
  /** Parts in some order, with the brackets of each: a set, or intervals and sets that are joined. */
  | { readonly type: "union"; readonly parts: readonly (readonly [brackets: string, items: readonly Expression[]])[] }
  | { readonly type: "matrix"; readonly rows: readonly (readonly Expression[])[] }
  | { readonly type: "unknown"; readonly text: string };

/** A name of Python, such as `π`, which is not `\pi`. */
const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;
/** What only the second reader of LaTeX knows. */
const SIGNS: readonly (readonly [sign: string | RegExp, latex: string])[] = [
  [/(?<!\d)\.(?=\d)/g, "0."],
  ["−", "-"],
  ["π", "\\pi "],
  ["×", "\\times "],
  ["·", "\\cdot "],
  ["÷", "\\div "],
];
const PART = /^(\(|\[|\{)(.*)(\)|\]|\})$/;
const MATRIX = /^\\begin\{pmatrix\}(.*)\\end\{pmatrix\}$/;

const TOLERANCE = 1e-4;

/** Python's `math.isclose` with the tolerance of this evaluation. */
export function isClose(a: number, b: number): boolean {
  if (a === b) return true;
  return Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
}

export function compareSymbols(a: string, b: string): Equality {
  const [one, other] = [readValue(a), readValue(b)];
  if (one.type === "unknown" || other.type === "unknown")
    return [one, other].some((value) => value.type === "unknown" && isBroken(value.text)) ? "different" : "undecided";
  if (one.type === "union" || other.type === "union")
    return one.type === other.type ? compareUnions(one as Union, other as Union) : "different";
  if (one.type === "matrix" || other.type === "matrix")
    return one.type === other.type ? compareMatrices(one as Matrix, other as Matrix) : "different";
  if (one.type === "relation" || other.type === "relation")
    return one.type === other.type ? compareRelations(one as Relation, other as Relation) : "different";
  const equality = compareExpressions(one, other);
  if (equality === "equal") return equality;
  const [x, y] = [realValue(one), realValue(other)];
  return x !== undefined && y !== undefined && isClose(x, y) ? "equal" : equality;
}

/** Whether no reader can make something of a text: it stays a text for sympy too, and equals no other one. */
function isBroken(text: string): boolean {
  const count = (sign: string): number => text.split(sign).length;
  return count("{") !== count("}") || /^$|^\{\}$|\\$|\{\}\{|^[*/^+]|[*/^+-]$/.test(text);
}

type Union = Extract<Value, { type: "union" }>;
type Matrix = Extract<Value, { type: "matrix" }>;

function readValue(text: string): Value {
  const readers = [
    () => readLatex(text.replaceAll("\\\\", "\\")),
    () => readLatex(text),
    () => nameOf(text),
    () => matrixOf(text),
    () => unionOf(text),
    () => readLatex(SIGNS.reduce((rest, [sign, latex]) => rest.replaceAll(sign, latex), text)),
  ];
  for (const read of readers) {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UnreadableLatex)) return { type: "unknown", text };
    }
  }
  return { type: "unknown", text };
}

function nameOf(text: string): Expression {
  if (!NAME.test(text)) throw new UnreadableLatex();
  return { type: "symbol", name: text };
}

/** An expression that is the whole of a text. */
function expressionOf(text: string): Expression {
  const value = readLatex(`(${text})`);
  if (value.type === "relation") throw new UnreadableLatex();
  return value;
}

function matrixOf(text: string): Matrix {
  const inner = MATRIX.exec(text)?.[1];
  if (inner === undefined) throw new UnreadableLatex();
  const rows = inner.split("\\\\").map((row) => row.split("&").map(expressionOf));
  return { type: "matrix", rows };
}

function unionOf(text: string): Union {
  const parts = text.split("\\cup").map((part): readonly [string, readonly Expression[]] => {
    const [, opening, inner, closing] = PART.exec(strip(part)) ?? [];
    if (opening === undefined || inner === undefined || inner === "") throw new UnreadableLatex();
    return [`${opening}${closing}`, inner.split(",").map(expressionOf)];
  });
  return { type: "union", parts };
}

function compareUnions(a: Union, b: Union): Equality {
  return sameElements(a.parts, b.parts, ([brackets, items], [others, otherItems]) => {
    if (brackets !== others || items.length !== otherItems.length) return false;
    if (brackets === "{}") return sameElements(items, otherItems, isEqual) === "equal";
    return items.every((item, i) => isEqual(item, otherItems[i]!));
  });
}

const isEqual = (a: Expression, b: Expression): boolean => compareExpressions(a, b) === "equal";

/** Whether each element of one list is in the other, and the other way round. */
function sameElements<T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean): Equality {
  const isIn = (list: readonly T[], one: T): boolean => list.some((other) => same(one, other));
  return a.every((one) => isIn(b, one)) && b.every((one) => isIn(a, one)) ? "equal" : "different";
}

/** Entries are rounded to three decimals. */
function compareMatrices({ rows: a }: Matrix, { rows: b }: Matrix): Equality {
  if (a.length !== b.length || a.some((row, i) => row.length !== b[i]!.length)) return "different";
  const pairs = a.flatMap((row, i) => row.map((entry, j) => [entry, b[i]![j]!] as const));
  const isNear = ([x, y]: readonly [Expression, Expression]): boolean => {
    const [u, v] = [realValue(x), realValue(y)];
    return (u !== undefined && v !== undefined && Math.round(u * 1e3) === Math.round(v * 1e3)) || isEqual(x, y);
  };
  return pairs.every(isNear) ? "equal" : "different";
}

/** The sides' differences may have either sign, whatever the relations are. */
function compareRelations(a: Relation, b: Relation): Equality {
  const difference = ({ left, right }: Relation): Expression | undefined =>
    left.type === "relation" || right.type === "relation" ? undefined : call("abs", sum(left, negative(right)));
  const [x, y] = [difference(a), difference(b)];
  return x && y ? compareExpressions(x, y) : "undecided";
}
