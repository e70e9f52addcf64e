/**
 * The regular expressions of pre-tokenizers as hand-written scanners: they take linear time, do not recurse, and know the
 * same Unicode on every host. Each scanner cuts where its pattern cuts in Hugging Face's `tokenizers` (Oniguruma, behavior
 * `Isolated`).
 * @module
 */
import { type CodePointTable, unitsAt } from "./unicode.ts";
import { LETTER, MARK, NUMBER, PUNCTUATION, SPACE, SYMBOL } from "./unicode-flags.ts";

/**
 * Returns the end of the piece of `text` that begins at `start` (`start < end`). Look-ahead sees nothing beyond `end`.
 * Text that the pattern does not match is a piece too, which ends where the next match begins.
 */
export type Scanner = (text: string, start: number, end: number) => number;

const NEWLINE = 10;
const RETURN = 13;
const BLANK = 32;
const APOSTROPHE = 39;
/** ſ, which equals s where case is ignored. */
const LONG_S = 0x17f;

/** `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+` */
export function gpt2Scanner(classes: CodePointTable): Scanner {
  return (text, start, end) => {
    const contraction = contractionEnd(text, start, end, false);
    if (contraction > 0) return contraction;
    const body = text.charCodeAt(start) === BLANK && start + 1 < end ? start + 1 : start;
    const flags = classes.flags(text.codePointAt(body)!);
    if ((flags & SPACE) !== 0) return whitespaceEnd(classes, text, start, end);
    if ((flags & LETTER) !== 0) return classes.skipWhile(text, body, end, LETTER);
    if ((flags & NUMBER) !== 0) return classes.skipWhile(text, body, end, NUMBER);
    return classes.skipUntil(text, body, end, SPACE | LETTER | NUMBER);
  };
}

/** How patterns of Llama 3's form differ. */
export interface WordForm {
  /** The longest run of digits in a piece. */
  readonly digits: number;
  /** Whether marks count as letters. */
  readonly marks?: boolean;
  /** Whether line ends after symbols belong to them (default true). */
  readonly symbolLines?: boolean;
}

/**
 * `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
 * with `\p{N}{1,digits}`; `marks` turns `\p{L}` into `[\p{L}\p{M}]`, except in the first class. `\s*[\r\n]` cuts where
 * `\s*[\r\n]+` does.
 */
export function llama3Scanner(classes: CodePointTable, form: WordForm): Scanner {
  const letter = form.marks ? LETTER | MARK : LETTER;
  const numbersEnd = upToNumbers(classes, form.digits);
  const symbolsEnd = form.symbolLines === false ? (_: string, at: number) => at : lineEndsEnd;
  return (text, start, end) => {
    const contraction = contractionEnd(text, start, end, true);
    if (contraction > 0) return contraction;
    const first = text.codePointAt(start)!;
    const flags = classes.flags(first);
    if ((flags & letter) !== 0) return classes.skipWhile(text, start, end, letter);
    if ((flags & NUMBER) !== 0) return numbersEnd(text, start, end);
    const second = start + (first > 0xffff ? 2 : 1);
    if (second < end && !isLineEnd(first)) {
      const letters = classes.skipWhile(text, second, end, letter);
      if (letters > second) return letters;
    }
    const body = first === BLANK ? second : start;
    const symbols = classes.skipUntil(text, body, end, SPACE | NUMBER | letter);
    if (symbols > body) return symbolsEnd(text, symbols, end);
    return linesEnd(classes, text, start, end);
  };
}

/**
 * DeepSeek-V3's third stage: `[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|`
 * ` ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
 */
export function deepseekScanner(classes: CodePointTable): Scanner {
  const matched = LETTER | MARK | PUNCTUATION | SYMBOL | SPACE;
  const hasFlags = (text: string, at: number, end: number, mask: number): boolean =>
    at < end && (classes.flags(text.codePointAt(at)!) & mask) !== 0;
  return (text, start, end) => {
    const first = text.codePointAt(start)!;
    const second = start + (first > 0xffff ? 2 : 1);
    const flags = classes.flags(first);
    if (isAsciiPunctuation(first) && isAsciiLetter(text, second, end)) {
      let at = second + 1;
      while (isAsciiLetter(text, at, end)) at++;
      return at;
    }
    const canPrefix = !isLineEnd(first) && (flags & (PUNCTUATION | SYMBOL)) === 0;
    if ((flags & (LETTER | MARK)) !== 0 || (canPrefix && hasFlags(text, second, end, LETTER | MARK))) {
      return classes.skipWhile(text, second, end, LETTER | MARK);
    }
    const body = first === BLANK ? second : start;
    const symbols = classes.skipWhile(text, body, end, PUNCTUATION | SYMBOL);
    if (symbols > body) return lineEndsEnd(text, symbols, end);
    if ((flags & SPACE) !== 0) return linesEnd(classes, text, start, end);
    // Numbers and controls match nothing by themselves, but one of them may stand in front of letters.
    let at = second;
    while (at < end && !hasFlags(text, at, end, matched)) {
      const next = at + unitsAt(text, at);
      if (hasFlags(text, next, end, LETTER | MARK)) break;
      at = next;
    }
    return at;
  };
}

/** `\p{N}{1,most}` */
export function numberScanner(classes: CodePointTable, most: number): Scanner {
  const numbersEnd = upToNumbers(classes, most);
  return (text, start, end) => {
    const other = classes.skipUntil(text, start, end, NUMBER);
    return other > start ? other : numbersEnd(text, start, end);
  };
}

/** Each character that has any flag of `mask` is a piece, and so is the text between two of them. */
export function singleScanner(classes: CodePointTable, mask: number): Scanner {
  return (text, start, end) => {
    const rest = classes.skipUntil(text, start, end, mask);
    return rest > start ? rest : start + unitsAt(text, start);
  };
}

/** `[...]+` for the characters that `matches` accepts, or for each kind of characters that it numbers. */
export function runScanner(matches: (codePoint: number) => boolean | number): Scanner {
  return (text, start, end) => {
    const wanted = matches(text.codePointAt(start)!);
    let at = start + unitsAt(text, start);
    while (at < end && matches(text.codePointAt(at)!) === wanted) at += unitsAt(text, at);
    return at;
  };
}

/** `\s?[...]+` for the characters that `matches` accepts. */
export function prefixedRunScanner(classes: CodePointTable, matches: (codePoint: number) => boolean): Scanner {
  const matchesAt = (text: string, at: number, end: number): boolean => at < end && matches(text.codePointAt(at)!);
  const runStart = (text: string, at: number, end: number): number =>
    (classes.flags(text.codePointAt(at)!) & SPACE) !== 0 && matchesAt(text, at + 1, end) ? at + 1 : at;
  return (text, start, end) => {
    let at = runStart(text, start, end);
    if (matchesAt(text, at, end)) {
      while (matchesAt(text, at, end)) at += unitsAt(text, at);
      return at;
    }
    do at += unitsAt(text, at);
    while (at < end && !matchesAt(text, runStart(text, at, end), end));
    return at;
  };
}

/** `\s+$`. No character of White_Space is a surrogate pair. */
export function trailingSpaceScanner(classes: CodePointTable): Scanner {
  return (text, start, end) => {
    let at = end;
    while (at > start && (classes.flags(text.charCodeAt(at - 1)) & SPACE) !== 0) at--;
    return at > start ? at : end;
  };
}

/** `[\r\n]` */
export const lineEndScanner: Scanner = (text, start, end) => {
  let at = start;
  while (at < end && !isLineEnd(text.charCodeAt(at))) at++;
  return at > start ? at : start + 1;
};

/** Tests code points for a class of characters and ranges in a regular expression, such as `[A-Za-zµ]`. */
export function characterClass(pattern: string): (codePoint: number) => boolean {
  const characters = [...pattern.slice(1, -1)];
  const ranges: [first: number, last: number][] = [];
  for (let i = 0; i < characters.length; i++) {
    const first = characters[i]!.codePointAt(0)!;
    const isRange = characters[i + 1] === "-" && i + 2 < characters.length;
    if (isRange) i += 2;
    ranges.push([first, characters[i]!.codePointAt(0)!]);
  }
  return (codePoint) => ranges.some(([first, last]) => codePoint >= first && codePoint <= last);
}

/** `[0-9][0-9][0-9]` */
export const threeDigitsScanner: Scanner = (text, start, end) => {
  const isDigit = (at: number): boolean => at < end && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57;
  const isTriple = (at: number): boolean => isDigit(at) && isDigit(at + 1) && isDigit(at + 2);
  if (isTriple(start)) return start + 3;
  let at = start + 1;
  while (at < end && !isTriple(at)) at++;
  return at;
};

/** The end of `'s|'t|'re|'ve|'m|'ll|'d` at `start`, or 0 where there is none. */
export function contractionEnd(text: string, start: number, end: number, ignoreCase: boolean): number {
  if (text.charCodeAt(start) !== APOSTROPHE || start + 1 >= end) return 0;
  const fold = (at: number): string => {
    if (at >= end) return "";
    const code = text.charCodeAt(at);
    if (!ignoreCase) return text[at]!;
    return code === LONG_S ? "s" : code >= 65 && code <= 90 ? String.fromCharCode(code + 32) : text[at]!;
  };
  const first = fold(start + 1);
  if (first === "s" || first === "t" || first === "m" || first === "d") return start + 2;
  const second = fold(start + 2);
  if (first === "l") return second === "l" ? start + 3 : 0;
  return (first === "r" || first === "v") && second === "e" ? start + 3 : 0;
}

/** `\p{N}{0,most}` at `start` */
export function upToNumbers(classes: CodePointTable, most: number): Scanner {
  return (text, start, end) => {
    let at = start;
    for (let count = 0; count < most && at < end; count++) {
      if ((classes.flags(text.codePointAt(at)!) & NUMBER) === 0) break;
      at += unitsAt(text, at);
    }
    return at;
  };
}

/** `\s+(?!\S)|\s+`: the last space of a run is left to the word behind it. White_Space has no surrogate pairs. */
function whitespaceEnd(classes: CodePointTable, text: string, start: number, end: number): number {
  const stop = classes.skipWhile(text, start, end, SPACE);
  return stop < end && stop - start > 1 ? stop - 1 : stop;
}

/** `\s*[\r\n]+|\s+(?!\S)|\s+`: a run of whitespace is cut behind its last line end. */
export function linesEnd(classes: CodePointTable, text: string, start: number, end: number): number {
  const stop = classes.skipWhile(text, start, end, SPACE);
  for (let at = stop; at > start; at--) if (isLineEnd(text.charCodeAt(at - 1))) return at;
  return stop < end && stop - start > 1 ? stop - 1 : stop;
}

/** `[\r\n]*` */
function lineEndsEnd(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && isLineEnd(text.charCodeAt(at))) at++;
  return at;
}

export function isLineEnd(code: number): boolean {
  return code === NEWLINE || code === RETURN;
}

function isAsciiPunctuation(code: number): boolean {
  return (
    (code >= 33 && code <= 47) ||
    (code >= 58 && code <= 64) ||
    (code >= 91 && code <= 96) ||
    (code >= 123 && code <= 126)
  );
}

function isAsciiLetter(text: string, at: number, end: number): boolean {
  const lower = at < end ? text.charCodeAt(at) | 32 : 0;
  return lower >= 97 && lower <= 122;
}
