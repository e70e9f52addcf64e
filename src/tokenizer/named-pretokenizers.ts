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
  LLAMA3,
  LLAMACPP_PUNCTUATION,
  QWEN2,
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

/** By the value of `tokenizer.ggml.pre`. */
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
