/**
 * The pre-tokenizers that GGUF files name. The names are llama.cpp's (src/llama-vocab.cpp).
 * @module
 */
import {
  DEEPSEEK,
  DEEPSEEK_CASED,
  DEEPSEEK_CJK,
  DEEPSEEK_EAST_ASIAN,
  DEEPSEEK_LINE_END,
  DEEPSEEK_PUNCTUATION,
  GPT2,
  GPT4O,
  LLAMA3,
  LLAMACPP_PUNCTUATION,
  QWEN2,
  QWEN35,
  SEED_CODER,
  TEKKEN,
  YOUTU,
  YOUTU_SCRIPTS,
} from "./patterns.ts";

/** The meaning of a name in `tokenizer.ggml.pre` of a GGUF file. */
export interface NamedPretokenizer {
  readonly patterns: readonly string[];
  /** True where Hugging Face's original normalises to NFC. A GGUF file does not say so, and llama.cpp does not do it. */
  readonly nfc?: boolean;
  /** True where BOS is added unless the file says otherwise. */
  readonly addBos?: boolean;
  /** True where a piece that is a token as it stands becomes that token, whatever the merges say. */
  readonly ignoreMerges?: boolean;
}

const LLAMA3_NAMED: NamedPretokenizer = {
  patterns: [LLAMA3],
  addBos: true,
  ignoreMerges: true,
};
const CL100K_NAMED: NamedPretokenizer = { patterns: LLAMA3_NAMED.patterns };
const QWEN2_NAMED: NamedPretokenizer = { patterns: [QWEN2], nfc: true };
const SMOLLM_NAMED: NamedPretokenizer = { patterns: ["\\p{N}", GPT2] };
const GPT2_NAMED: NamedPretokenizer = { patterns: [GPT2] };

const DEEPSEEK_V3_NAMED: NamedPretokenizer = { patterns: ["\\p{N}{1,3}", DEEPSEEK_CJK, DEEPSEEK] };
/** Qwen 2's pattern in tokenizers that do not normalise. */
const QWEN2_PLAIN: NamedPretokenizer = { patterns: [QWEN2] };
const GPT4O_NAMED: NamedPretokenizer = { patterns: [GPT4O] };

/** Names that mean the same. */
const named = (pre: NamedPretokenizer, ...names: string[]): [string, NamedPretokenizer][] =>
  names.map((name) => [name, pre]);

/** By the value of `tokenizer.ggml.pre`. The first name of each kind is the one that our converter writes. */
export const NAMED_PRETOKENIZERS: ReadonlyMap<string, NamedPretokenizer> = new Map([
  ...named(LLAMA3_NAMED, "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "midm"),
  ...named(LLAMA3_NAMED, "lfm2", "jina-v5-nano"),
  ...named(CL100K_NAMED, "dbrx", "smaug-bpe", "glm4", "chatglm-bpe"),
  ...named(QWEN2_NAMED, "qwen2", "deepseek-r1-qwen", "f2llmv2"),
  ...named(QWEN2_PLAIN, "hunyuan", "kormo", "megrez", "stablelm2", "solar-open", "grok-2"),
  ...named(QWEN2_PLAIN, "bailingmoe", "bailingmoe2", "llada-moe"), // their pattern cuts as Qwen 2's does
  ...named(SMOLLM_NAMED, "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"),
  ...named(GPT2_NAMED, "gpt-2", "olmo", "phi-2", "mpt", "jais", "trillion", "granite-docling", "exaone4"),
  ...named(GPT2_NAMED, "gigachat", "a.x-4.0", "mellum"),
  ...named(DEEPSEEK_V3_NAMED, "deepseek-v3", "hunyuan-dense"),
  ...named(GPT4O_NAMED, "gpt-4o", "llama4", "kanana2", "minimax-m2"),
  ["tekken", { patterns: [TEKKEN], addBos: true, ignoreMerges: true }],
  ["youtu", { patterns: [YOUTU_SCRIPTS, YOUTU], ignoreMerges: true }],
  ["qwen35", { patterns: [QWEN35], nfc: true }],
  ["seed-coder", { patterns: [SEED_CODER] }],
  ["minicpm5", { patterns: ["\\p{N}{1,3}", GPT2], ignoreMerges: true }],
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
  ["default", { patterns: [LLAMACPP_PUNCTUATION, GPT2, "\\p{N}+", "[0-9][0-9][0-9]"] }],
]);
