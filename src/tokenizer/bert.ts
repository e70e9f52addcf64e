/**
 * The normaliser and the pre-tokeniser of BERT (Devlin et al. 2019), as Hugging Face's `tokenizers` 0.23 has them.
 * @module
 */
import { nfd } from "./nfc.ts";
import type { Stage } from "./pretokenizer.ts";
import { bertClasses, characterClasses, unitsAt } from "./unicode.ts";
import { BERT_IDEOGRAPH, BERT_MARK, BERT_PUNCTUATION, BERT_REMOVED, SPACE } from "./unicode-flags.ts";

export interface BertNormalizer {
  /** Removes controls, and makes a space of each white space. */
  readonly cleanText: boolean;
  /** Puts spaces around Chinese characters. */
  readonly spaceIdeographs: boolean;
  /** Decomposes, and removes nonspacing marks. */
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

/** The steps of the normaliser in their order. */
export function bertNormalize(text: string, steps: BertNormalizer): string {
  let result = text;
  if (steps.cleanText) result = clean(result);
  if (/^[ -~]*$/.test(result)) return steps.lowercase ? result.toLowerCase() : result;
  const classes = bertClasses();
  if (steps.spaceIdeographs)
    result = mapCharacters(result, (one, code) => (classes.flags(code) & BERT_IDEOGRAPH ? ` ${one} ` : one));
  if (steps.stripAccents)
    result = mapCharacters(nfd(result), (one, code) => (classes.flags(code) & BERT_MARK ? "" : one));
  return steps.lowercase ? mapCharacters(result, lower) : result;
}

function clean(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  const [classes, all] = [bertClasses(), characterClasses()];
  return mapCharacters(text, (one, code) => {
    // These three are controls, and yet white space here.
    if (code === 0x09 || code === 0x0a || code === 0x0d) return " ";
    if (classes.flags(code) & BERT_REMOVED) return "";
    return all.flags(code) & SPACE ? " " : one;
  });
}

function mapCharacters(text: string, map: (one: string, code: number) => string): string {
  let result = "";
  for (const one of text) result += map(one, one.codePointAt(0)!);
  return result;
}

/** Lower case letters of Unicode 15 to 17, which some engines do not know: from the first to the last, by a distance. */
const LATER_CASES: readonly (readonly [first: number, last: number, distance: number])[] = [
  [0x1c89, 0x1c89, 1],
  [0xa7cb, 0xa7cb, 0x264 - 0xa7cb],
  [0xa7cc, 0xa7cc, 1],
  [0xa7ce, 0xa7ce, 1],
  [0xa7d2, 0xa7d2, 1],
  [0xa7d4, 0xa7d4, 1],
  [0xa7da, 0xa7da, 1],
  [0xa7dc, 0xa7dc, 0x19b - 0xa7dc],
  [0x10d50, 0x10d65, 0x20],
  [0x16ea0, 0x16eb8, 0x1b],
];

/** One character in lower case, without regard to its neighbours: a final sigma is no other letter. */
function lower(one: string, code: number): string {
  const later = LATER_CASES.find(([first, last]) => first <= code && code <= last);
  return later ? String.fromCodePoint(code + later[2]) : one.toLowerCase();
}

/** Words, white space and single punctuation marks. The white space is no word: `WordPieceEncoder` leaves it out. */
export const bertStage: Stage = {
  scan(text, start, end) {
    const [classes, all] = [bertClasses(), characterClasses()];
    const isSpace = (code: number): boolean => (all.flags(code) & SPACE) !== 0;
    const first = text.codePointAt(start)!;
    let at = start + unitsAt(text, start);
    if (classes.flags(first) & BERT_PUNCTUATION) return at;
    const space = isSpace(first);
    while (at < end) {
      const code = text.codePointAt(at)!;
      if (isSpace(code) !== space || classes.flags(code) & BERT_PUNCTUATION) break;
      at += unitsAt(text, at);
    }
    return at;
  },
};
