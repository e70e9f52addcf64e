/**
 * `\p{...}`: the characters that have a Unicode property.
 * @module
 */
import { characterClasses } from "../../tokenizer/unicode.ts";
import { LETTER, MARK, NUMBER, PUNCTUATION, SYMBOL } from "../../tokenizer/unicode-flags.ts";
import { grammarError, spend } from "../limits.ts";
import { ANY_CHAR, type CharSet, charSet, MAX_CODE_POINT, pairs } from "./char-set.ts";

/** The categories of which we have tables of our own, the same on every host. */
const CATEGORIES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{ L: LETTER, Letter: LETTER, M: MARK, Mark: MARK, Combining_Mark: MARK, N: NUMBER, Number: NUMBER },
    ...{ P: PUNCTUATION, Punctuation: PUNCTUATION, punct: PUNCTUATION, S: SYMBOL, Symbol: SYMBOL },
  }),
);
/** Code points whose characters are searched at once. */
const BLOCK = 1 << 14;

/** The cost of searching all characters, in steps. */
const HOST_COST = 20_000;

const known = new Map<string, CharSet>();

/**
 * @param property the text between the braces: a general category, `Script=Greek`, or a binary property
 * @throws NibbleError `invalid_argument` if there is no such property
 */
export function unicodeProperty(property: string): CharSet {
  let set = known.get(property);
  if (!set) {
    const category = CATEGORIES.get(property.replace(/^(General_Category|gc)=/, ""));
    known.set(property, (set = category === undefined ? hostProperty(property) : ofCategory(category)));
  }
  return set;
}

function ofCategory(category: number): CharSet {
  const classes = characterClasses();
  const ranges: [number, number][] = [];
  for (let code = 0; code <= MAX_CODE_POINT; code++) {
    if ((classes.flags(code) & category) === 0) continue;
    const last = ranges.at(-1);
    if (last?.[1] === code - 1) last[1] = code;
    else ranges.push([code, code]);
  }
  return charSet(ranges);
}

/** A property as the host's Unicode version has it. Only its name, which is checked, reaches the host's RegExp. */
function hostProperty(property: string): CharSet {
  let pattern: RegExp;
  try {
    if (!/^[A-Za-z_]+(=[A-Za-z_0-9]+)?$/.test(property)) throw new SyntaxError(property);
    pattern = new RegExp(`\\p{${property}}+`, "gu");
  } catch (error) {
    throw grammarError(`pattern: there is no Unicode property ${JSON.stringify(property.slice(0, 64))}`, error);
  }
  spend(HOST_COST);
  const ranges: [number, number][] = [];
  for (const [first, last] of pairs(ANY_CHAR)) {
    for (let from = first; from <= last; from += BLOCK) {
      const codes = Array.from({ length: Math.min(BLOCK, last + 1 - from) }, (_, i) => from + i);
      for (const [run] of String.fromCodePoint(...codes).matchAll(pattern)) {
        const start = run.codePointAt(0)!;
        ranges.push([start, start + [...run].length - 1]);
      }
    }
  }
  return charSet(ranges);
}
