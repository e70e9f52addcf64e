/**
 * The methods of `str` that ask for classes of characters, such as `isalpha`, by Unicode's properties.
 * @module
 */
import { SPACE } from "./lexer.ts";

const ALL: ReadonlyMap<string, RegExp> = new Map([
  ["isalnum", /^[\p{L}\p{N}]+$/u],
  ["isalpha", /^\p{L}+$/u],
  ["isascii", /^[\0-\x7f]*$/],
  ["isdecimal", /^\p{Nd}+$/u],
  ["isdigit", /^[\p{Nd}\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490]+$/u],
  ["isidentifier", /^[_\p{ID_Start}]\p{ID_Continue}*$/u],
  ["isnumeric", /^\p{N}+$/u],
  ["isprintable", /^(?:[^\p{C}\p{Z}]| )*$/u],
  ["isspace", new RegExp(`^[${SPACE}]+$`)],
]);

/** The method of a name; undefined if there is none. */
export function textPredicate(name: string): ((text: string) => boolean) | undefined {
  const pattern = ALL.get(name);
  if (pattern) return (text) => pattern.test(text);
  if (name === "islower") return (text) => /\p{Lowercase}/u.test(text) && !/[\p{Uppercase}\p{Lt}]/u.test(text);
  if (name === "isupper") return (text) => /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text);
  return name === "istitle" ? isTitle : undefined;
}

/** Whether capitals follow only characters without case, and small letters only letters with case. */
function isTitle(text: string): boolean {
  let cased = false;
  let found = false;
  for (const char of text) {
    const upper = /[\p{Uppercase}\p{Lt}]/u.test(char);
    const lower = /\p{Lowercase}/u.test(char);
    if ((upper && cased) || (lower && !cased)) return false;
    cased = upper || lower;
    found ||= cased;
  }
  return found;
}
