/**
 * Methods of Python's `str`, which count code points. Methods of safe text escape texts that are added, and return safe
 * text.
 * @module
 */
import { asCount, asText, bind } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { textPredicate } from "./character-classes.ts";
import { charactersIn, sliceCharacters } from "./code-points.ts";
import { fail } from "./errors.ts";
import { iterate } from "./iterate.ts";
import { capitalize, casefold, swapCase, titleCase } from "./letter-case.ts";
import { escapeHtml } from "./printing.ts";
import { splitLines, splitText, stripText } from "./text-splitting.ts";
import { Callable, Dict, integerOf, Markup, NONE, Tuple, textOf, unlessNone, type Value } from "./values.ts";

type Given = (Value | undefined)[];
type Method = readonly [signature: string, call: (text: string, args: Given, budget: Budget) => Value];

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["capitalize", ["/", (text) => capitalize(text)]],
  ["casefold", ["/", (text) => casefold(text)]],
  ["center", ["/ width fillchar?", (text, args, budget) => justify(text, args, budget, "center")]],
  ["count", ["/ sub start? end?", (text, args, budget) => count(text, args, budget)]],
  ["endswith", ["/ suffix start? end?", (text, args) => edge(text, args, (part, end) => part.endsWith(end))]],
  ["expandtabs", ["tabsize?", (text, args, budget) => expandTabs(text, asCount(args[0], 8), budget)]],
  ["find", ["/ sub start? end?", (text, args, budget) => BigInt(find(text, args, budget, false))]],
  ["index", ["/ sub start? end?", (text, args, budget) => found(find(text, args, budget, false))]],
  ["join", ["/ iterable", (text, args, budget) => join(text, args[0]!, budget)]],
  ["ljust", ["/ width fillchar?", (text, args, budget) => justify(text, args, budget, "left")]],
  ["lower", ["/", (text) => text.toLowerCase()]],
  ["lstrip", ["/ chars?", (text, args) => stripText(text, charsOf(args[0]), "start")]],
  ["maketrans", ["/ x y? z?", (_text, args) => makeTranslation(args)]],
  ["partition", ["/ sep", (text, args, budget) => partition(text, asText(args[0]!), budget, false)]],
  ["removeprefix", ["/ prefix", (text, args) => withoutEdge(text, asText(args[0]!), true)]],
  ["removesuffix", ["/ suffix", (text, args) => withoutEdge(text, asText(args[0]!), false)]],
  ["replace", ["/ old new count?", (text, args, budget) => replaceText(text, args, budget)]],
  ["rfind", ["/ sub start? end?", (text, args, budget) => BigInt(find(text, args, budget, true))]],
  ["rindex", ["/ sub start? end?", (text, args, budget) => found(find(text, args, budget, true))]],
  ["rjust", ["/ width fillchar?", (text, args, budget) => justify(text, args, budget, "right")]],
  ["rpartition", ["/ sep", (text, args, budget) => partition(text, asText(args[0]!), budget, true)]],
  [
    "rsplit",
    [
      "sep? maxsplit?",
      (text, args, budget) => splitText(text, charsOf(args[0]), asCount(args[1], -1), { budget, fromEnd: true }),
    ],
  ],
  ["rstrip", ["/ chars?", (text, args) => stripText(text, charsOf(args[0]), "end")]],
  [
    "split",
    [
      "sep? maxsplit?",
      (text, args, budget) => splitText(text, charsOf(args[0]), asCount(args[1], -1), { budget, fromEnd: false }),
    ],
  ],
  ["splitlines", ["keepends?", (text, args, budget) => splitLines(text, asCount(args[0], 0) !== 0, budget)]],
  ["startswith", ["/ prefix start? end?", (text, args) => edge(text, args, (part, start) => part.startsWith(start))]],
  ["strip", ["/ chars?", (text, args) => stripText(text, charsOf(args[0]), "both")]],
  ["swapcase", ["/", (text) => swapCase(text)]],
  ["title", ["/", (text) => titleCase(text)]],
  ["translate", ["/ table", (text, args, budget) => translate(text, args[0]!, budget)]],
  ["upper", ["/", (text) => text.toUpperCase()]],
  ["zfill", ["/ width", (text, args, budget) => zeroFill(text, asCount(args[0], 0), budget)]],
]);
/** The index of the argument that a method adds to the text. */
const ESCAPED: ReadonlyMap<string, number> = new Map([
  ["replace", 1],
  ["ljust", 1],
  ["rjust", 1],
  ["center", 1],
]);

/** The method of a name; undefined if there is none. */
export function stringMethod(self: string | Markup, name: string, budget: Budget): Value | undefined {
  if (name === "encode") return new Callable(name, () => fail("str.encode is not supported: there are no bytes"));
  const text = textOf(self)!;
  const predicate = textPredicate(name);
  const method: Method | undefined = predicate ? ["/", () => predicate(text)] : METHODS.get(name);
  if (!method) return undefined;
  return new Callable(name, (args) => {
    budget.string(text.length);
    const given = bind(name, method[0], args);
    if (!(self instanceof Markup)) return bounded(method[1](text, given, budget), budget);
    const at = ESCAPED.get(name);
    if (at !== undefined && given[at] !== undefined) given[at] = escapeHtml(given[at], budget);
    if (name === "join") given[0] = Array.from(iterate(given[0]!, budget), (item) => escapeHtml(item, budget));
    return marked(method[1](text, given, budget));
  });
}

function bounded(result: Value, budget: Budget): Value {
  if (typeof result === "string") budget.string(result.length);
  return result;
}

function marked(result: Value): Value {
  if (typeof result === "string") return new Markup(result);
  if (Array.isArray(result)) return result.map(marked);
  return result instanceof Tuple ? new Tuple(result.items.map(marked)) : result;
}

function charsOf(value: Value | undefined): string | undefined {
  const given = unlessNone(value);
  return given === undefined ? undefined : asText(given);
}

function justify(text: string, [width, fillchar]: Given, budget: Budget, where: "left" | "right" | "center"): string {
  const fill = fillchar === undefined ? " " : asText(fillchar);
  if (charactersIn(fill) !== 1) fail("the fill character must be one character");
  const missing = asCount(width, 0) - charactersIn(text);
  if (missing <= 0) return text;
  budget.string(text.length + missing * fill.length);
  // As in CPython, an odd number of fill characters has one more on the left if the width is odd.
  const left =
    where === "center" ? Math.floor(missing / 2) + (missing & asCount(width, 0) & 1) : where === "left" ? 0 : missing;
  return fill.repeat(left) + text + fill.repeat(missing - left);
}

/** The part of a text between `start` and `end`, and its index; undefined if they leave nothing. */
function part(text: string, start: Value | undefined, end: Value | undefined): readonly [string, number] | undefined {
  if (unlessNone(start) === undefined && unlessNone(end) === undefined) return [text, 0];
  const length = charactersIn(text);
  const place = (given: Value | undefined, otherwise: number) => {
    const at = asCount(unlessNone(given), otherwise);
    return at < 0 ? Math.max(0, at + length) : at;
  };
  const from = place(start, 0);
  const to = Math.min(length, place(end, length));
  return from > length || from > to ? undefined : [sliceCharacters(text, from, to), from];
}

function find(text: string, [sub, start, end]: Given, budget: Budget, last: boolean): number {
  const wanted = asText(sub!);
  const where = part(text, start, end);
  if (!where) return -1;
  budget.search(where[0], wanted);
  const at = last ? where[0].lastIndexOf(wanted) : where[0].indexOf(wanted);
  return at < 0 ? -1 : where[1] + charactersIn(where[0].slice(0, at));
}

function found(at: number): bigint {
  return at < 0 ? fail("substring not found") : BigInt(at);
}

function count(text: string, [sub, start, end]: Given, budget: Budget): bigint {
  const wanted = asText(sub!);
  const where = part(text, start, end);
  return BigInt(where ? occurrences(where[0], wanted, budget) : 0);
}

function occurrences(text: string, wanted: string, budget: Budget): number {
  budget.search(text, wanted);
  if (wanted === "") return charactersIn(text) + 1;
  let number = 0;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) number++;
  return number;
}

function edge(text: string, [wanted, start, end]: Given, test: (part: string, wanted: string) => boolean): boolean {
  const where = part(text, start, end);
  const all = wanted instanceof Tuple ? wanted.items.map(asText) : [asText(wanted!)];
  return where !== undefined && all.some((one) => test(where[0], one));
}

function withoutEdge(text: string, part: string, start: boolean): string {
  if (start) return text.startsWith(part) ? text.slice(part.length) : text;
  return part !== "" && text.endsWith(part) ? text.slice(0, -part.length) : text;
}

function expandTabs(text: string, size: number, budget: Budget): string {
  let column = 0;
  let length = 0;
  return text.replace(/\t|[\r\n]|[^\t\r\n]+/g, (piece) => {
    if (piece !== "\t") {
      column = piece === "\n" || piece === "\r" ? 0 : column + charactersIn(piece);
      return piece;
    }
    const wide = size > 0 ? size - (column % size) : 0;
    column += wide;
    budget.grow((length += wide), wide);
    return " ".repeat(wide);
  });
}

function join(separator: string, items: Value, budget: Budget): string {
  const texts: string[] = [];
  let length = 0;
  for (const item of iterate(items, budget)) {
    const text = textOf(item) ?? fail("join() takes texts only");
    budget.grow((length += text.length + separator.length), text.length);
    texts.push(text);
  }
  return texts.join(separator);
}

function partition(text: string, separator: string, budget: Budget, last: boolean): Tuple {
  if (separator === "") fail("empty separator");
  budget.search(text, separator);
  const at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
  if (at < 0) return new Tuple(last ? ["", "", text] : [text, "", ""]);
  return new Tuple([text.slice(0, at), separator, text.slice(at + separator.length)]);
}

/** `text.replace(old, new, count)`: all occurrences, or the first ones. */
export function replaceText(text: string, [old, replacement, limit]: Given, budget: Budget): string {
  const [wanted, other] = [asText(old!), asText(replacement!)];
  const most = asCount(limit, -1);
  const all = occurrences(text, wanted, budget);
  const times = most < 0 ? all : Math.min(most, all);
  budget.string(text.length + times * (other.length - wanted.length));
  budget.spend(times);
  if (times === 0) return text;
  if (wanted === "") {
    const characters = [...text];
    return (
      characters.map((char, i) => (i < times ? other + char : char)).join("") + (times > characters.length ? other : "")
    );
  }
  if (times === all) return text.replaceAll(wanted, () => other);
  let left = times;
  return text.replaceAll(wanted, (match) => (left-- > 0 ? other : match));
}

function makeTranslation([x, y, z]: Given): Dict {
  const code = (char: string) => BigInt(char.codePointAt(0)!);
  if (y === undefined) {
    if (!(x instanceof Dict)) fail("maketrans() takes a dict or two texts");
    return Dict.of(Array.from(x.pairs(), ([key, value]) => [integerOf(key) ?? code(asText(key)), value] as const));
  }
  const [from, to] = [[...asText(x!)], [...asText(y)]];
  if (from.length !== to.length) fail("maketrans() takes two texts of the same length");
  const removed = z === undefined ? [] : [...asText(z)];
  return Dict.of([
    ...from.map((char, i) => [code(char), code(to[i]!)] as const),
    ...removed.map((char) => [code(char), NONE] as const),
  ]);
}

function translate(text: string, table: Value, budget: Budget): string {
  if (!(table instanceof Dict)) fail("translate() takes a dict");
  let length = 0;
  return Array.from(text, (char) => {
    budget.spend(1);
    const other = table.get(BigInt(char.codePointAt(0)!));
    if (other === undefined) return char;
    const written = other === NONE ? "" : (textOf(other) ?? String.fromCodePoint(asCount(other, 0)));
    budget.grow((length += written.length), written.length);
    return written;
  }).join("");
}

function zeroFill(text: string, width: number, budget: Budget): string {
  const missing = width - charactersIn(text);
  if (missing <= 0) return text;
  budget.string(width);
  const sign = /^[-+]/.test(text) ? text[0]! : "";
  return sign + "0".repeat(missing) + text.slice(sign.length);
}
