/**
 * The regular expressions that published tokenizers split text with, each with the scanner that stands for it. Patterns
 * are recognised by their text and never run, so a file cannot bring a slow one.
 *
 * How to add a pre-tokenizer:
 * 1. Its regular expression, as tokenizer.json spells it, goes into `SCANNERS` below, with a scanner for it in scanners.ts.
 * 2. If GGUF files name it, that name goes into `NAMED_PRETOKENIZERS` in named-pretokenizers.ts.
 * 3. `test/tokenizer/scanners.test.ts` compares every named pre-tokenizer with the same expression in JavaScript, and
 *    `test/tokenizer/families.test.ts` compares ids that Hugging Face's `tokenizers` recorded.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { casedScanner } from "./cased-scanner.ts";
import type { Stage } from "./pretokenizer.ts";
import {
  characterClass,
  deepseekScanner,
  gpt2Scanner,
  lineEndScanner,
  llama3Scanner,
  numberScanner,
  prefixedRunScanner,
  runScanner,
  type Scanner,
  singleScanner,
  threeDigitsScanner,
  trailingSpaceScanner,
} from "./scanners.ts";
import { type CodePointTable, characterClasses } from "./unicode.ts";
import { LETTER, NUMERIC, PUNCTUATION } from "./unicode-flags.ts";

export const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)";
const LLAMA3_HEAD = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}";
const LLAMA3_TAIL = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
export const LLAMA3: string = `${LLAMA3_HEAD}{1,3}${LLAMA3_TAIL}`;
export const QWEN2: string = LLAMA3_HEAD + LLAMA3_TAIL;
/** Qwen 3.5: marks count as letters. */
export const QWEN35: string = `${LLAMA3_HEAD}${LLAMA3_TAIL}`
  .replace("?\\p{L}+", "?[\\p{L}\\p{M}]+")
  .replace("[^\\s\\p{L}\\p{N}]+", "[^\\s\\p{L}\\p{M}\\p{N}]+");
/** Seed-Coder: line ends do not belong to the symbols in front of them. */
export const SEED_CODER: string = `${LLAMA3_HEAD}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
/** Ling (BailingMoE), which cuts as Qwen 2 does. */
export const BAILING =
  "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+";

/** The pattern of GPT-4o, with other digits, and with or without contractions. */
function casedPattern(digits: string, contractions: boolean): string {
  const [upper, lower] = ["[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"];
  const end = contractions ? "(?i:'s|'t|'re|'ve|'m|'ll|'d)?" : "";
  const words = [`${upper}*${lower}+`, `${upper}+${lower}*`].map((word) => `[^\\r\\n\\p{L}\\p{N}]?${word}${end}`);
  return `${words.join("|")}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
}
export const GPT4O: string = casedPattern("\\p{N}{1,3}", true);
/** Mistral's tokenizer since NeMo. */
export const TEKKEN: string = casedPattern("\\p{N}", false);
export const YOUTU: string = casedPattern("\\p{N}", true);
export const YOUTU_SCRIPTS = "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+";
export const DEEPSEEK_CJK = "[一-龥぀-ゟ゠-ヿ]+";
export const DEEPSEEK: string =
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+" +
  "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
export const DEEPSEEK_LINE_END = "[\\r\\n]";
/**
 * The letters that have case, in the version of Unicode that DeepSeek listed. They are written as code points because some
 * look alike: U+212A looks like K.
 */
export const DEEPSEEK_CASED: string =
  "[" +
  "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373" +
  "\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-" +
  "\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-" +
  "\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d" +
  "\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-" +
  "\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-" +
  "\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-" +
  "\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-" +
  "\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}" +
  "\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}\u{1e900}-\u{1e943}" +
  "]";
export const DEEPSEEK_PUNCTUATION = "[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]";
export const DEEPSEEK_EAST_ASIAN = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]";
export const LLAMACPP_PUNCTUATION = "[\\p{P}\\$\\+<=>\\^~\\|]+";

/** Makes a scanner that asks these classes. */
type ScannerMaker = (classes: CodePointTable) => Scanner;

const numbers =
  (most: number): ScannerMaker =>
  (classes) =>
    numberScanner(classes, most);

/** The scanner of each regular expression, by its text in tokenizer.json. */
const SCANNERS: ReadonlyMap<string, ScannerMaker> = new Map<string, ScannerMaker>([
  [GPT2, gpt2Scanner],
  [`${GPT2}|\\s+`, gpt2Scanner],
  [LLAMA3, (classes) => llama3Scanner(classes, { digits: 3 })],
  [QWEN2, (classes) => llama3Scanner(classes, { digits: 1 })],
  [QWEN35, (classes) => llama3Scanner(classes, { digits: 1, marks: true })],
  [SEED_CODER, (classes) => llama3Scanner(classes, { digits: 1, symbolLines: false })],
  [BAILING, (classes) => llama3Scanner(classes, { digits: 1 })],
  [GPT4O, (classes) => casedScanner(classes, { digits: 3, contractions: true })],
  [TEKKEN, (classes) => casedScanner(classes, { digits: 1, contractions: false })],
  [YOUTU, (classes) => casedScanner(classes, { digits: 1, contractions: true })],
  [YOUTU_SCRIPTS, () => runScanner(classNumber(YOUTU_SCRIPTS))],
  ["\\p{N}", numbers(1)],
  ["\\p{N}{1,3}", numbers(3)],
  ["\\p{N}+", numbers(Number.POSITIVE_INFINITY)],
  [DEEPSEEK_CJK, () => runScanner(characterClass(DEEPSEEK_CJK.slice(0, -1)))],
  [DEEPSEEK_LINE_END, () => lineEndScanner],
  [`\\s?${DEEPSEEK_CASED}+`, (classes) => prefixedRunScanner(classes, characterClass(DEEPSEEK_CASED))],
  [`\\s?${DEEPSEEK_PUNCTUATION}+`, (classes) => prefixedRunScanner(classes, characterClass(DEEPSEEK_PUNCTUATION))],
  ["\\s+$", trailingSpaceScanner],
  [`${DEEPSEEK_EAST_ASIAN}+`, () => runScanner(characterClass(DEEPSEEK_EAST_ASIAN))],
  ["\\s?\\p{L}+", (classes) => prefixedRunScanner(classes, hasFlag(classes, LETTER))],
  ["\\s?\\p{P}+", (classes) => prefixedRunScanner(classes, hasFlag(classes, PUNCTUATION))],
  [DEEPSEEK, deepseekScanner],
  [LLAMACPP_PUNCTUATION, llamaCppPunctuation],
  ["[0-9][0-9][0-9]", () => threeDigitsScanner],
]);

/** The number of the class, in a pattern of classes that have no character in common, that a character is of; -1 for none. */
function classNumber(pattern: string): (codePoint: number) => number {
  const tests = pattern.split("|").map((part) => characterClass(part.slice(0, -1)));
  return (codePoint) => tests.findIndex((test) => test(codePoint));
}

function hasFlag(classes: CodePointTable, flag: number): (codePoint: number) => boolean {
  return (codePoint) => (classes.flags(codePoint) & flag) !== 0;
}

function llamaCppPunctuation(classes: CodePointTable): Scanner {
  const isPunctuation = hasFlag(classes, PUNCTUATION);
  return runScanner((c) => isPunctuation(c) || (c < 128 && "$+<=>^~|".includes(String.fromCharCode(c))));
}

/**
 * The stage for the pattern of a `Split`.
 * @throws NibbleError `bad_tokenizer` for a pattern without a scanner
 */
export function patternStage(pattern: string): Stage {
  const scanner = SCANNERS.get(spelled(pattern));
  if (scanner === undefined) {
    throw new NibbleError(
      "bad_tokenizer",
      `pre-tokenizer: this version has no scanner for the pattern ${JSON.stringify(pattern)}`,
    );
  }
  return { scan: scanner(characterClasses()) };
}

const COMPLETE: ReadonlySet<string> = new Set([
  ...[`${GPT2}|\\s+`, LLAMA3, QWEN2, QWEN35, SEED_CODER, BAILING, GPT4O, TEKKEN, YOUTU],
]);

/** Whether every text consists of matches of this pattern, with nothing between them. */
export const matchesEverything = (pattern: string): boolean => COMPLETE.has(spelled(pattern));

/** Some files write line ends as escapes, and some as the characters themselves. */
const spelled = (pattern: string): string => pattern.replaceAll("\r", "\\r").replaceAll("\n", "\\n");

/** The stage of `ByteLevel`: GPT-2's pattern, unless `use_regex` is false. */
export function byteLevelStage(options: { useRegex: boolean; prefixSpace: boolean }): Stage {
  return { ...(options.useRegex ? patternStage(GPT2) : {}), ...(options.prefixSpace ? { prefixSpace: "always" } : {}) };
}

/** The stage of `Digits`: numbers of any script are pieces of their own, one by one or in runs. */
export function digitsStage(individual: boolean): Stage {
  const classes = characterClasses();
  return { scan: individual ? singleScanner(classes, NUMERIC) : runScanner(hasFlag(classes, NUMERIC)) };
}
