/**
 * Splits and strips text, with the white space and line ends of Python.
 * @module
 */
import type { Budget } from "./budget.ts";
import { fail } from "./errors.ts";
import { LINE_END, SPACE } from "./lexer.ts";

const WORDS: RegExp = new RegExp(`[^${SPACE}]+`, "g");
const LINE_ENDS: RegExp = new RegExp(`\\r\\n|[${LINE_END}]`, "g");
const IS_SPACE: RegExp = new RegExp(`[${SPACE}]`);

/** Removes white space, or the given characters, from one end or both. */
export function stripText(text: string, chars: string | undefined, where: "start" | "end" | "both"): string {
  const set = chars === undefined ? undefined : new Set(chars);
  const strips = (char: string) => (set ? set.has(char) : IS_SPACE.test(char));
  const wide = /[\ud800-\udfff]/.test(text);
  const characters: ArrayLike<string> = wide ? [...text] : text;
  let start = 0;
  let end = characters.length;
  if (where !== "end") while (start < end && strips(characters[start]!)) start++;
  if (where !== "start") while (end > start && strips(characters[end - 1]!)) end--;
  return wide ? (characters as string[]).slice(start, end).join("") : text.slice(start, end);
}

interface SplitOptions {
  readonly budget: Budget;
  /** Whether a limit counts separators from the end. */
  readonly fromEnd: boolean;
}

/**
 * `text.split(separator, most)`, or `rsplit`. Without a separator, runs of white space separate the parts. A negative
 * `most` is no limit.
 */
export function splitText(
  text: string,
  separator: string | undefined,
  most: number,
  { budget, fromEnd }: SplitOptions,
): string[] {
  const limit = most < 0 ? Number.POSITIVE_INFINITY : most;
  if (separator === undefined) return splitWords(text, limit, budget, fromEnd);
  if (separator === "") fail("empty separator");
  budget.search(text, separator);
  const parts: string[] = [];
  let rest = text;
  if (fromEnd) {
    for (
      let at = rest.lastIndexOf(separator);
      at >= 0 && parts.length < limit;
      at = lastBefore(text, separator, rest.length)
    ) {
      parts.unshift(text.slice(at + separator.length, rest.length));
      rest = text.slice(0, at);
      if (parts.length % 1024 === 0) budget.list(parts.length);
      if (at === 0 && separator.length > 0) break;
    }
    return [rest, ...parts];
  }
  let start = 0;
  for (let at = text.indexOf(separator); at >= 0 && parts.length < limit; at = text.indexOf(separator, start)) {
    parts.push(text.slice(start, at));
    start = at + separator.length;
    if (parts.length % 1024 === 0) budget.list(parts.length);
  }
  budget.spend(parts.length);
  return [...parts, text.slice(start)];
}

/** The index of the last separator that ends before a place. */
function lastBefore(text: string, separator: string, end: number): number {
  return end < separator.length ? -1 : text.lastIndexOf(separator, end - separator.length);
}

function splitWords(text: string, limit: number, budget: Budget, fromEnd: boolean): string[] {
  budget.string(text.length);
  const words: RegExpExecArray[] = [];
  for (const word of text.matchAll(WORDS)) {
    words.push(word);
    if (words.length % 1024 === 0) budget.list(words.length);
  }
  budget.spend(words.length);
  if (words.length <= limit) return words.map(([word]) => word);
  if (!fromEnd) {
    const rest = words[limit]!.index;
    return [...words.slice(0, limit).map(([word]) => word), stripText(text.slice(rest), undefined, "start")];
  }
  const last = words[words.length - limit - 1]!;
  const tail = limit === 0 ? [] : words.slice(-limit).map(([word]) => word);
  return [text.slice(0, last.index + last[0].length), ...tail];
}

/** `text.splitlines(keepends)` */
export function splitLines(text: string, keepEnds: boolean, budget: Budget): string[] {
  budget.string(text.length);
  const lines: string[] = [];
  let start = 0;
  for (const end of text.matchAll(LINE_ENDS)) {
    lines.push(text.slice(start, keepEnds ? end.index + end[0].length : end.index));
    start = end.index + end[0].length;
    if (lines.length % 1024 === 0) budget.list(lines.length);
  }
  budget.spend(lines.length);
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}
