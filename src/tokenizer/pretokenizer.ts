/**
 * Pre-tokenisation: text is cut into pieces that byte-pair merging never crosses.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import {
  characterClass,
  deepseekScanner,
  gpt2Scanner,
  ledRunScanner,
  lineEndScanner,
  llama3Scanner,
  numberScanner,
  runScanner,
  type Scanner,
  singleScanner,
  threeDigitsScanner,
  trailingSpaceScanner,
} from "./scanners.ts";
import { characterClasses, LETTER, NUMERIC, PUNCTUATION } from "./unicode.ts";

/** One stage runs inside every piece that the stage before left. */
export interface Stage {
  /** Absent: the piece stays whole. */
  readonly scan?: Scanner;
  /** Put a space in front of a piece that has none (`add_prefix_space`): of every piece, or of what begins a text. */
  readonly prefixSpace?: "always" | "first";
}

/** Calls `visit` for every piece of `text[start..end)` in order. `isFirst`: nothing stands before it. */
export function forEachPiece(
  stages: readonly Stage[],
  text: string,
  start: number,
  end: number,
  visit: (text: string, start: number, end: number) => void,
  isFirst: boolean,
  depth = 0,
): void {
  if (start === end) return;
  const stage = stages[depth]; // at most MAX_STAGES deep
  if (stage === undefined) {
    visit(text, start, end);
    return;
  }
  const prefixes = stage.prefixSpace === "always" || (stage.prefixSpace === "first" && isFirst);
  if (prefixes && text[start] !== " ") {
    text = ` ${text.slice(start, end)}`;
    start = 0;
    end = text.length;
  }
  while (start < end) {
    const stop = stage.scan?.(text, start, end) ?? end;
    forEachPiece(stages, text, start, stop, visit, isFirst, depth + 1);
    isFirst = false;
    start = stop;
  }
}

/** Published tokenizers have up to four. */
export const MAX_STAGES = 16;

const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)";
const LLAMA3_HEAD = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}";
const LLAMA3_TAIL = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const DEEPSEEK_CJK = "[一-龥぀-ゟ゠-ヿ]+";
const DEEPSEEK =
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+" +
  "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const DEEPSEEK_LINE_END = "[\\r\\n]";
/** The letters that have case, as one Unicode version had them. Written as code points: U+212A looks like K. */
const DEEPSEEK_CASED =
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
const DEEPSEEK_PUNCTUATION = "[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]";
const DEEPSEEK_EAST_ASIAN = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]";
const LLAMACPP_PUNCTUATION = "[\\p{P}\\$\\+<=>\\^~\\|]+";

/** Regular expressions that have a scanner, by their text in tokenizer.json. */
const SCANNERS: ReadonlyMap<string, () => Scanner> = new Map([
  [GPT2, () => gpt2Scanner(characterClasses())],
  [`${GPT2}|\\s+`, () => gpt2Scanner(characterClasses())],
  [`${LLAMA3_HEAD}{1,3}${LLAMA3_TAIL}`, () => llama3Scanner(characterClasses(), 3)],
  [LLAMA3_HEAD + LLAMA3_TAIL, () => llama3Scanner(characterClasses(), 1)],
  ["\\p{N}", () => numberScanner(characterClasses(), 1)],
  ["\\p{N}{1,3}", () => numberScanner(characterClasses(), 3)],
  ["\\p{N}+", () => numberScanner(characterClasses(), Number.POSITIVE_INFINITY)],
  [DEEPSEEK_CJK, () => runScanner(characterClass(DEEPSEEK_CJK.slice(0, -1)))],
  [DEEPSEEK_LINE_END, () => lineEndScanner],
  [`\\s?${DEEPSEEK_CASED}+`, () => ledRunScanner(characterClasses(), characterClass(DEEPSEEK_CASED))],
  [`\\s?${DEEPSEEK_PUNCTUATION}+`, () => ledRunScanner(characterClasses(), characterClass(DEEPSEEK_PUNCTUATION))],
  ["\\s+$", () => trailingSpaceScanner(characterClasses())],
  [`${DEEPSEEK_EAST_ASIAN}+`, () => runScanner(characterClass(DEEPSEEK_EAST_ASIAN))],
  ["\\s?\\p{L}+", () => ledRunScanner(characterClasses(), hasClass(LETTER))],
  ["\\s?\\p{P}+", () => ledRunScanner(characterClasses(), hasClass(PUNCTUATION))],
  [DEEPSEEK, () => deepseekScanner(characterClasses())],
  [LLAMACPP_PUNCTUATION, () => llamaCppPunctuation()],
  ["[0-9][0-9][0-9]", () => threeDigitsScanner],
]);

function hasClass(mask: number): (codePoint: number) => boolean {
  const classes = characterClasses();
  return (codePoint) => (classes.flags(codePoint) & mask) !== 0;
}

function llamaCppPunctuation(): Scanner {
  const classes = characterClasses();
  return runScanner(
    (c) => (classes.flags(c) & PUNCTUATION) !== 0 || (c < 128 && "$+<=>^~|".includes(String.fromCharCode(c))),
  );
}

/**
 * The stage for a `Split` pattern. Patterns are recognised, never run: a file cannot bring its own.
 * @throws NibbleError `bad_tokenizer` for a pattern without a scanner
 */
export function patternStage(pattern: string): Stage {
  // Some files spell line ends as escapes, some as the characters themselves.
  const scanner = SCANNERS.get(pattern.replaceAll("\r", "\\r").replaceAll("\n", "\\n"));
  if (scanner === undefined) {
    throw new NibbleError(
      "bad_tokenizer",
      `pre-tokenizer: this version has no scanner for the pattern ${JSON.stringify(pattern)}`,
    );
  }
  return { scan: scanner() };
}

/** Whether a pattern with a scanner leaves no gaps. */
export function matchesEverything(pattern: string): boolean {
  return pattern === `${GPT2}|\\s+` || (pattern.startsWith(LLAMA3_HEAD) && pattern.endsWith(LLAMA3_TAIL));
}

/** `ByteLevel`: GPT-2's pattern unless `use_regex` is false. */
export function byteLevelStage(options: { useRegex: boolean; prefixSpace: boolean }): Stage {
  return { ...(options.useRegex ? patternStage(GPT2) : {}), ...(options.prefixSpace ? { prefixSpace: "always" } : {}) };
}

/** `Digits`: numbers of any script stand apart, each by itself or in runs. */
export function digitsStage(individual: boolean): Stage {
  const classes = characterClasses();
  return { scan: individual ? singleScanner(classes, NUMERIC) : runScanner((c) => (classes.flags(c) & NUMERIC) !== 0) };
}

/** What a GGUF file's `tokenizer.ggml.pre` stands for. */
export interface NamedPretokenizer {
  readonly patterns: readonly string[];
  /** The Hugging Face original normalises to NFC, which a GGUF file does not say and llama.cpp does not do. */
  readonly nfc?: boolean;
  /** BOS is added unless the file says otherwise. */
  readonly addBos?: boolean;
  /** A piece that is a token as it stands is that token, whatever the merges say. */
  readonly ignoreMerges?: boolean;
}

const LLAMA3_NAMED: NamedPretokenizer = {
  patterns: [`${LLAMA3_HEAD}{1,3}${LLAMA3_TAIL}`],
  addBos: true,
  ignoreMerges: true,
};
const CL100K_NAMED: NamedPretokenizer = { patterns: LLAMA3_NAMED.patterns };
const QWEN2_NAMED: NamedPretokenizer = { patterns: [LLAMA3_HEAD + LLAMA3_TAIL], nfc: true };
const SMOLLM_NAMED: NamedPretokenizer = { patterns: ["\\p{N}", GPT2] };
const GPT2_NAMED: NamedPretokenizer = { patterns: [GPT2] };

/** Names as in llama.cpp (llama-vocab.cpp). */
export const NAMED_PRETOKENIZERS: ReadonlyMap<string, NamedPretokenizer> = new Map([
  ["llama3", LLAMA3_NAMED],
  ["llama-v3", LLAMA3_NAMED],
  ["llama-bpe", LLAMA3_NAMED],
  ["dbrx", CL100K_NAMED],
  ["smaug-bpe", CL100K_NAMED],
  ["qwen2", QWEN2_NAMED],
  ["deepseek-r1-qwen", QWEN2_NAMED],
  ["smollm", SMOLLM_NAMED],
  ["starcoder", SMOLLM_NAMED],
  ["refact", SMOLLM_NAMED],
  ["command-r", SMOLLM_NAMED],
  ["gpt-2", GPT2_NAMED],
  ["olmo", GPT2_NAMED],
  [
    "deepseek-llm",
    {
      patterns: [
        DEEPSEEK_LINE_END,
        `\\s?${DEEPSEEK_CASED}+`,
        `\\s?${DEEPSEEK_PUNCTUATION}+`,
        "\\s+$",
        `${DEEPSEEK_EAST_ASIAN}+`,
        "\\p{N}+",
      ],
    },
  ],
  [
    "deepseek-coder",
    {
      patterns: [DEEPSEEK_LINE_END, "\\s?\\p{L}+", "\\s?\\p{P}+", `${DEEPSEEK_EAST_ASIAN}+`, "\\p{N}"],
    },
  ],
  ["deepseek-v3", { patterns: ["\\p{N}{1,3}", DEEPSEEK_CJK, DEEPSEEK] }],
  ["default", { patterns: [LLAMACPP_PUNCTUATION, GPT2, "\\p{N}+", "[0-9][0-9][0-9]"] }],
]);
