/**
 * Pre-tokenisation: text is cut into pieces that byte-pair merging never crosses.
 * @module
 */
import { NibbleError } from "../errors.ts";
import {
  deepseekScanner,
  gpt2Scanner,
  llama3Scanner,
  numberScanner,
  runScanner,
  type Scanner,
  singleScanner,
  threeDigitsScanner,
} from "./scanners.ts";
import { characterClasses, NUMERIC, PUNCTUATION } from "./unicode.ts";

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
  [DEEPSEEK_CJK, () => runScanner((c) => (c >= 0x4e00 && c <= 0x9fa5) || (c >= 0x3040 && c <= 0x30ff))],
  [DEEPSEEK, () => deepseekScanner(characterClasses())],
  [LLAMACPP_PUNCTUATION, () => llamaCppPunctuation()],
  ["[0-9][0-9][0-9]", () => threeDigitsScanner],
]);

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
  ["deepseek-v3", { patterns: ["\\p{N}{1,3}", DEEPSEEK_CJK, DEEPSEEK] }],
  ["default", { patterns: [LLAMACPP_PUNCTUATION, GPT2, "\\p{N}+", "[0-9][0-9][0-9]"] }],
]);
