/**
 * Filters of text.
 * @module
 */
import { like } from "./access.ts";
import { asCount, asText } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { charactersIn, sliceCharacters } from "./code-points.ts";
import { fail } from "./errors.ts";
import { attributeGetter, type Filter, type FilterContext, type FilterTable, type Given } from "./filter-context.ts";
import { iterate } from "./iterate.ts";
import { capitalize } from "./letter-case.ts";
import { formatPercent } from "./percent.ts";
import { escapeHtml, toText } from "./printing.ts";
import { replaceText, stringMethod } from "./string-methods.ts";
import { splitLines, stripText } from "./text-splitting.ts";
import { wrapLine } from "./text-wrap.ts";
import {
  type Arguments,
  Dict,
  isTrue,
  lengthOf,
  Markup,
  Tuple,
  textOf,
  Undefined,
  unlessNone,
  type Value,
} from "./values.ts";

export const TEXT_FILTERS: FilterTable = new Map<string, Filter>([
  ["capitalize", ["", mapText(capitalize)]],
  ["center", ["width?", center]],
  ["format", ["*", format]],
  ["indent", ["width? first? blank?", indent]],
  ["join", ["d? attribute?", join]],
  ["lower", ["", mapText((text) => text.toLowerCase())]],
  ["replace", ["old new count?", replace]],
  ["title", ["", mapText(titleWords)]],
  ["trim", ["chars?", trim]],
  ["truncate", ["length? killwords? end? leeway?", truncate]],
  ["upper", ["", mapText((text) => text.toUpperCase())]],
  ["wordcount", ["", wordCount]],
  ["wordwrap", ["width? break_long_words? wrapstring? break_on_hyphens?", wordWrap]],
]);

/** A value as text, which stays safe if it was. */
function soft(value: Value, budget: Budget): string | Markup {
  return textOf(value) === undefined ? toText(value, budget) : (value as string | Markup);
}

function mapText(map: (text: string) => string) {
  return ({ budget }: FilterContext, value: Value): Value => {
    const text = soft(value, budget);
    budget.string(textOf(text)!.length);
    return like(text, map(textOf(text)!));
  };
}

function center({ budget }: FilterContext, value: Value, [width]: Given): Value {
  return call(soft(value, budget), "center", [width ?? 80n], budget);
}

function call(text: string | Markup, method: string, args: readonly Value[], budget: Budget): Value {
  const found = stringMethod(text, method, budget)!;
  return typeof found === "object" && "call" in found ? found.call!({ positional: args, named: new Map() }) : text;
}

/** Words begin after spaces, hyphens and opening brackets, but not after apostrophes as in `str.title()`. */
function titleWords(text: string): string {
  return text
    .split(/([-\s({[<]+)/)
    .map((word) => {
      const first = word === "" ? "" : String.fromCodePoint(word.codePointAt(0)!);
      return first.toUpperCase() + word.slice(first.length).toLowerCase();
    })
    .join("");
}

function format({ budget }: FilterContext, value: Value, _given: Given, { positional, named }: Arguments): Value {
  if (positional.length > 0 && named.size > 0) fail("format takes values by position or by name, not both");
  return formatPercent(soft(value, budget), named.size > 0 ? Dict.of(named) : new Tuple(positional), budget);
}

function indent({ budget }: FilterContext, value: Value, [width, first, blank]: Given): Value {
  if (value instanceof Undefined) value.fail();
  const text = textOf(value) ?? fail("indent takes a text");
  const given = textOf(width);
  const count = given === undefined ? Math.max(0, asCount(width, 4)) : 0;
  budget.string(count);
  const indention = given ?? " ".repeat(count);
  const lines = splitLines(`${text}\n`, false, budget);
  budget.string(text.length + lines.length * indention.length);
  const all = blank !== undefined && isTrue(blank);
  const indented = lines.map((line, i) => (i > 0 && (all || line !== "") ? indention + line : line)).join("\n");
  return like(value, first !== undefined && isTrue(first) ? indention + indented : indented);
}

function join({ budget, autoescape }: FilterContext, value: Value, [separator, path]: Given): Value {
  const get = attributeGetter(path, budget);
  const items: Value[] = [];
  for (const item of iterate(value, budget)) items.push(get(item));
  const mark = separator ?? "";
  const safe = autoescape && (mark instanceof Markup || items.some((item) => item instanceof Markup));
  const write = (item: Value) => (safe ? escapeHtml(item, budget).text : toText(item, budget));
  const texts = items.map(write);
  const between = write(mark);
  budget.string(texts.reduce((length, text) => length + text.length + between.length, 0));
  return safe ? new Markup(texts.join(between)) : texts.join(between);
}

function replace({ budget, autoescape }: FilterContext, value: Value, [old, replacement, count]: Given): Value {
  const limit = unlessNone(count);
  if (!autoescape) {
    const [text, from, to] = [value, old!, replacement!].map((part) => toText(part, budget));
    return replaceText(text!, [from, to, limit], budget);
  }
  const safe = old instanceof Markup || (replacement instanceof Markup && !(value instanceof Markup));
  const text = safe ? escapeHtml(value, budget) : soft(value, budget);
  const args = [soft(old!, budget), soft(replacement!, budget), ...(limit === undefined ? [] : [limit])];
  return call(text, "replace", args, budget);
}

function trim({ budget }: FilterContext, value: Value, [chars]: Given): Value {
  const text = soft(value, budget);
  budget.string(textOf(text)!.length);
  return like(text, stripText(textOf(text)!, unlessNone(chars) === undefined ? undefined : asText(chars!), "both"));
}

function truncate({ budget }: FilterContext, value: Value, [length, killWords, end, leeway]: Given): Value {
  const most = asCount(length, 255);
  const ending = end === undefined ? "..." : asText(end);
  const slack = asCount(unlessNone(leeway), 5);
  const room = most - charactersIn(ending);
  if (room < 0) fail(`truncate: expected a length of at least ${charactersIn(ending)}, got ${most}`);
  if (slack < 0) fail(`truncate: expected a leeway of at least 0, got ${slack}`);
  if ((lengthOf(value) ?? fail("truncate takes a text")) <= most + slack) return value;
  const text = textOf(value) ?? fail("truncate takes a text");
  budget.string(text.length);
  const cut = sliceCharacters(text, 0, room);
  if (killWords !== undefined && isTrue(killWords)) return like(value, cut + ending);
  const space = cut.lastIndexOf(" ");
  return like(value, (space < 0 ? cut : cut.slice(0, space)) + ending);
}

function wordCount({ budget }: FilterContext, value: Value): Value {
  const text = toText(value, budget);
  budget.string(text.length);
  let count = 0n;
  for (const _ of text.matchAll(/[\p{L}\p{N}_]+/gu)) count++;
  return count;
}

function wordWrap({ budget }: FilterContext, value: Value, [width, long, mark, hyphens]: Given): Value {
  if (value instanceof Undefined) value.fail();
  const text = textOf(value) ?? fail("wordwrap takes a text");
  const between = unlessNone(mark) === undefined ? "\n" : asText(mark!);
  const options = {
    width: asCount(width, 79),
    breakLongWords: long === undefined || isTrue(long),
    breakOnHyphens: hyphens === undefined || isTrue(hyphens),
  };
  const lines = splitLines(text, false, budget).map((line) => wrapLine(line, options, budget).join(between));
  budget.string(lines.reduce((length, line) => length + line.length + between.length, 0));
  return lines.join(between);
}
