/**
 * Filters for HTML and URLs.
 * @module
 */
import type { Budget } from "./budget.ts";
import { itemsOfDict } from "./collection-methods.ts";
import { fail } from "./errors.ts";
import type { Filter, FilterContext, FilterTable, Given } from "./filter-context.ts";
import { iterate, toList } from "./iterate.ts";
import { escapeHtml, quote, toText } from "./printing.ts";
import { splitText } from "./text-splitting.ts";
import { Dict, elementsOf, isTrue, Markup, NONE, textOf, Undefined, type Value } from "./values.ts";

export const HTML_FILTERS: FilterTable = new Map<string, Filter>([
  ["e", ["", ({ budget }, value) => escapeHtml(value, budget)]],
  ["escape", ["", ({ budget }, value) => escapeHtml(value, budget)]],
  ["forceescape", ["", ({ budget }, value) => escapeHtml(toText(value, budget), budget)]],
  ["striptags", ["", stripTags]],
  ["urlencode", ["", urlEncode]],
  ["urlize", ["*", () => fail("the filter 'urlize' is not supported: it makes HTML of links")]],
  ["xmlattr", ["autospace?", xmlAttributes]],
]);

function stripTags({ budget }: FilterContext, value: Value): Value {
  const text = toText(value, budget);
  budget.string(text.length);
  const parts: string[] = [];
  let at = 0;
  for (let start = text.indexOf("<"); start >= 0; start = text.indexOf("<", at)) {
    const comment = text.startsWith("<!--", start);
    const end = comment ? text.indexOf("-->", start + 4) : text.indexOf(">", start);
    if (end < 0) break;
    parts.push(text.slice(at, start));
    at = end + (comment ? 3 : 1);
    budget.spend(1);
  }
  const words = splitText(parts.join("") + text.slice(at), undefined, -1, { budget, fromEnd: false }).join(" ");
  return words.replace(/&(?:amp|lt|gt|quot|apos|nbsp|#(\d{1,7})|#[xX]([\da-fA-F]{1,6}));/g, unescapeEntity);
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
  ["&quot;", '"'],
  ["&apos;", "'"],
  ["&nbsp;", "\u00a0"],
]);

function unescapeEntity(entity: string, decimal: string | undefined, hex: string | undefined): string {
  const named = ENTITIES.get(entity);
  if (named !== undefined) return named;
  const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
  return code > 0x10ffff || code === 0 || (code >= 0xd800 && code < 0xe000) ? "\ufffd" : String.fromCodePoint(code);
}

function urlEncode({ budget }: FilterContext, value: Value): Value {
  const elements = textOf(value) === undefined ? elementsOf(value) : undefined;
  if (!elements) return percentEncode(value, "/", budget);
  const pairs = value instanceof Dict ? itemsOfDict(value) : iterate(value, budget);
  const parts = Array.from(pairs, (pair) => {
    const [key, item, ...more] = toList(pair, budget);
    if (key === undefined || item === undefined || more.length > 0) fail("urlencode takes a text, a mapping or pairs");
    return [key, item].map((part) => percentEncode(part, "", budget).replaceAll("%20", "+")).join("=");
  });
  return parts.join("&");
}

/** Writes the UTF-8 bytes of a text as `%XX`, except letters, digits, `_.-~` and the safe character. */
function percentEncode(value: Value, safe: string, budget: Budget): string {
  const text = toText(value, budget);
  budget.string(3 * text.length);
  const encoded = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return safe === "/" ? encoded.replaceAll("%2F", "/") : encoded;
}

function xmlAttributes({ budget, autoescape }: FilterContext, value: Value, [autospace]: Given): Value {
  if (!(value instanceof Dict)) fail("xmlattr takes a mapping");
  const parts: string[] = [];
  for (const [key, item] of value.pairs()) {
    if (item === NONE || item instanceof Undefined) continue;
    const name = textOf(key) ?? fail("xmlattr takes names that are texts");
    if (/[\s/>=]/.test(name)) fail(`invalid character in the attribute name ${quote(name)}`);
    parts.push(`${escapeHtml(key, budget).text}="${escapeHtml(item, budget).text}"`);
  }
  const text = (parts.length > 0 && (autospace === undefined || isTrue(autospace)) ? " " : "") + parts.join(" ");
  budget.string(text.length);
  return autoescape ? new Markup(text) : text;
}
