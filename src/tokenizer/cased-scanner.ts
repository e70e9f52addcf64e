/**
 * The scanner of GPT-4o's pattern, which cuts words where a capital letter follows a small one.
 * @module
 */
import { contractionEnd, isLineEnd, linesEnd, type Scanner, upToNumbers } from "./scanners.ts";
import { type CodePointTable, letterCases, unitsAt } from "./unicode.ts";
import { CAPITAL, LETTER, NUMBER, SMALL, SPACE } from "./unicode-flags.ts";

const SLASH = 47;

/** How patterns of GPT-4o's form differ. */
export interface CasedForm {
  /** The longest run of digits in a piece. */
  readonly digits: number;
  /** Whether a contraction such as `'re` belongs to the word in front of it. */
  readonly contractions: boolean;
}

/**
 * With U = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]` and L = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`:
 * `[^\r\n\p{L}\p{N}]?U*L+C?|[^\r\n\p{L}\p{N}]?U+L*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
 * where C is `(?i:'s|'t|'re|'ve|'m|'ll|'d)`.
 */
export function casedScanner(classes: CodePointTable, form: CasedForm): Scanner {
  const cases = letterCases();
  const numbersEnd = upToNumbers(classes, form.digits);
  const wordEnd = (text: string, start: number, end: number): number => {
    const first = text.codePointAt(start)!;
    const canPrefix = !isLineEnd(first) && (classes.flags(first) & (LETTER | NUMBER)) === 0;
    const starts = canPrefix ? [start + unitsAt(text, start), start] : [start];
    for (const mayEndCapital of [false, true])
      for (const from of starts) {
        const word = from < end ? casedWordEnd(cases, text, { from, end, mayEndCapital }) : 0;
        if (word > 0) return (form.contractions && contractionEnd(text, word, end, true)) || word;
      }
    return 0;
  };
  return (text, start, end) => {
    const word = wordEnd(text, start, end);
    if (word > 0) return word;
    if ((classes.flags(text.codePointAt(start)!) & NUMBER) !== 0) return numbersEnd(text, start, end);
    const body = text.charCodeAt(start) === 32 ? start + 1 : start;
    let at = classes.skipUntil(text, body, end, SPACE | LETTER | NUMBER);
    if (at === body) return linesEnd(classes, text, start, end);
    while (at < end && (isLineEnd(text.charCodeAt(at)) || text.charCodeAt(at) === SLASH)) at++;
    return at;
  };
}

/** The end of `U*L+` at `from`, or with `mayEndCapital` that of `U+L*` where there is no `U*L+`; 0 if nothing matches. */
function casedWordEnd(
  cases: CodePointTable,
  text: string,
  { from, end, mayEndCapital }: { from: number; end: number; mayEndCapital: boolean },
): number {
  let at = from;
  /** The end of the last character that is both U and L, where the pattern's `U*` can stop short. */
  let lastOfBoth = 0;
  for (; at < end; at += unitsAt(text, at)) {
    const flags = cases.flags(text.codePointAt(at)!);
    if ((flags & CAPITAL) === 0) break;
    if ((flags & SMALL) !== 0) lastOfBoth = at + unitsAt(text, at);
  }
  if (mayEndCapital) return at > from ? cases.skipWhile(text, at, end, SMALL) : 0;
  const small = cases.skipWhile(text, at, end, SMALL);
  return small > at ? small : lastOfBoth;
}
