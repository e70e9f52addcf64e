import { describe, expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import { NAMED_PRETOKENIZERS } from "../../src/tokenizer/named-pretokenizers.ts";
import { byteLevelStage, digitsStage, patternStage } from "../../src/tokenizer/patterns.ts";
import { forEachPiece, type Stage } from "../../src/tokenizer/pretokenizer.ts";
import { Random } from "../helpers/random.ts";

/** The patterns in JavaScript's spelling, with White_Space written out and `(?i:...)` expanded. */
const S = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const IGNORE_CASE = "'[sSſ]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
const END = `|[${S}]*[\\r\\n]+|[${S}]+(?![^${S}])|[${S}]+`;
const gpt2 = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${S}\\p{L}\\p{N}]+|[${S}]+(?![^${S}])|[${S}]+`;
const llama3 = (digits: string): string =>
  `${IGNORE_CASE}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^${S}\\p{L}\\p{N}]+[\\r\\n]*${END}`;
const deepseek = [
  "\\p{N}{1,3}",
  "[一-龥぀-ゟ゠-ヿ]+",
  `[!"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_\`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*${END}`,
];
const eastAsian = "[一-龥ࠀ-一가-\ud7ff]+";
/** The pattern's own text, because its class of letters cannot be written in a shorter way. */
const cased = NAMED_PRETOKENIZERS.get("deepseek-llm")!.patterns[1]!.slice("\\s?".length);
const marks = llama3("").replace("?\\p{L}+", "?[\\p{L}\\p{M}]+").replace(`[^${S}\\p{L}`, `[^${S}\\p{L}\\p{M}`);
const [upper, lower] = ["[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"];
const gpt4o = (digits: string, contraction: string): string =>
  [`${upper}*${lower}+`, `${upper}+${lower}*`].map((word) => `[^\\r\\n\\p{L}\\p{N}]?${word}${contraction}`).join("|") +
  `|\\p{N}${digits}| ?[^${S}\\p{L}\\p{N}]+[\\r\\n/]*${END}`;
const named: Record<string, string[]> = {
  "gpt-4o": [gpt4o("{1,3}", `(?:${IGNORE_CASE})?`)],
  tekken: [gpt4o("", "")],
  youtu: ["[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+", gpt4o("", `(?:${IGNORE_CASE})?`)],
  qwen35: [marks],
  "seed-coder": [`${IGNORE_CASE}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^${S}\\p{L}\\p{N}\\r\\n]+${END}`],
  minicpm5: ["\\p{N}{1,3}", gpt2],
  bailingmoe: [llama3("")],
  "llama-bpe": [llama3("{1,3}")],
  qwen2: [llama3("")],
  smollm: ["\\p{N}", gpt2],
  "gpt-2": [gpt2],
  "deepseek-v3": deepseek,
  "deepseek-coder": ["[\\r\\n]", `[${S}]?\\p{L}+`, `[${S}]?\\p{P}+`, eastAsian, "\\p{N}"],
  "deepseek-llm": [
    "[\\r\\n]",
    `[${S}]?${cased}`,
    `[${S}]?[!-/:-~！-／：-～‘-‟\u3000-。]+`,
    `[${S}]+$`,
    eastAsian,
    "\\p{N}+",
  ],
  default: ["[\\p{P}$+<=>^~|]+", gpt2, "\\p{N}+", "[0-9][0-9][0-9]"],
};

/** The definition: every stage matches inside every piece of the stage before, and text between matches is a piece too. */
function slowPieces(patterns: readonly string[], text: string): string[] {
  let pieces = [text].filter((piece) => piece !== "");
  for (const pattern of patterns) {
    pieces = pieces.flatMap((piece) => {
      const parts: string[] = [];
      let done = 0;
      for (const match of piece.matchAll(new RegExp(pattern, "gu"))) {
        parts.push(piece.slice(done, match.index), match[0]);
        done = match.index + match[0].length;
      }
      return [...parts, piece.slice(done)].filter((part) => part !== "");
    });
  }
  return pieces;
}

function pieces(stages: readonly Stage[], text: string): string[] {
  const found: string[] = [];
  forEachPiece(stages, text, true, (whole, start, end) => found.push(whole.slice(start, end)));
  return found;
}

/** Asserts only for strings that differ, because 40,000 assertions would take most of the time. */
function expectSamePieces(stages: readonly Stage[], patterns: readonly string[], text: string): void {
  const found = pieces(stages, text);
  const expected = slowPieces(patterns, text);
  if (found.join("\0") !== expected.join("\0") || found.join("") !== text) expect(found).toEqual(expected);
}

/** Characters of every class that patterns tell apart, all older than Node 20's Unicode. */
const ALPHABET = Array.from(
  `aZsStTdDmMrReEvVlLſ'  \t\n\r\r\n\u0085\u00a0\u2003\u3000\ufeff\u200b07९½²Ⅻ〇𝟎éßж世龥あア각𝒜.,!-_$+<=>^~|{\\\`€…—©/ǅʰªㄅㄱ：、😀\u{1f680}\u0301\u0334\u093e\u0001\u001d\u200d\ue000`,
);

describe.each(Object.entries(named))("%s", (name, patterns) => {
  const stages = NAMED_PRETOKENIZERS.get(name)!.patterns.map(patternStage);

  it("cuts random strings as its regular expressions do", () => {
    const random = new Random(`scanner ${name}`);
    for (let i = 0; i < 4000; i++) {
      const few = Array.from(
        { length: random.integer(2, 12) },
        () => ALPHABET[random.integer(0, ALPHABET.length - 1)]!,
      );
      let text = "";
      for (let n = random.integer(0, 16); n > 0; n--) text += few[random.integer(0, few.length - 1)];
      expectSamePieces(stages, patterns, text);
    }
  });

  it("cuts every string of up to four characters from a small alphabet as well", () => {
    const small = [" ", "\n", "a", "1", "'", "s", "!", "\u0301"];
    let texts = [""];
    for (let length = 1; length <= 4; length++) {
      texts = texts.flatMap((text) => small.map((c) => text + c));
      for (const text of texts) expectSamePieces(stages, patterns, text);
    }
  });
});

describe("stages of tokenizer.json", () => {
  it("Digits: single or in runs, numbers of any script", () => {
    expect(pieces([digitsStage(true)], "a12½b𝟎𝟏")).toEqual(["a", "1", "2", "½", "b", "𝟎", "𝟏"]);
    expect(pieces([digitsStage(false)], "a12½b𝟎𝟏c")).toEqual(["a", "12½", "b", "𝟎𝟏", "c"]);
  });

  it("ByteLevel: with and without its pattern, with a space in front", () => {
    expect(pieces([byteLevelStage({ useRegex: true, prefixSpace: false })], "ab 12")).toEqual(["ab", " 12"]);
    expect(pieces([byteLevelStage({ useRegex: false, prefixSpace: false })], "ab 12")).toEqual(["ab 12"]);
    expect(pieces([byteLevelStage({ useRegex: true, prefixSpace: true })], "ab 12")).toEqual([" ab", " 12"]);
    expect(pieces([byteLevelStage({ useRegex: true, prefixSpace: true })], " ab")).toEqual([" ab"]);
    expect(pieces([digitsStage(true), byteLevelStage({ useRegex: false, prefixSpace: true })], "a1")).toEqual([
      " a",
      " 1",
    ]);
  });

  it("recognises patterns whether line ends are escaped or not", () => {
    const [pattern] = NAMED_PRETOKENIZERS.get("qwen2")!.patterns;
    const unescaped = pattern!.replaceAll("\\r", "\r").replaceAll("\\n", "\n");
    expect(pieces([patternStage(unescaped)], "a\n\nb")).toEqual(pieces([patternStage(pattern!)], "a\n\nb"));
  });

  it("has DeepSeek's letters as published, which all have case", () => {
    const letters = new RegExp(`^${cased}$`, "u");
    let count = 0;
    for (let code = 0; code < 0x20000; code++) {
      const text = String.fromCodePoint(code);
      if (!letters.test(text)) continue;
      count++;
      if (!/[\p{Lu}\p{Ll}\p{Lt}\u0295]/u.test(text)) throw new Error(`U+${code.toString(16)} has no case`);
    }
    expect(count).toBe(2729);
    for (const text of ["Aé", "ώ", "\u212a\u1f7d", "ﬀ", "Ａ"])
      expect(pieces([patternStage(`\\s?${cased}`)], `世${text}世`)).toHaveLength(3);
  });

  it("refuses an unknown pattern, and names it", () => {
    expect(() => patternStage("(a+)+$")).toThrow(NibbleError);
    expect(() => patternStage("(a+)+$")).toThrow(/\(a\+\)\+\$/);
  });
});
