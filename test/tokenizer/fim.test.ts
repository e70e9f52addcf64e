/** The tokens that fill a gap: by the keys of a GGUF, and by the texts that llama.cpp knows. */
import { describe, expect, it } from "vitest";
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import { createTokenizer } from "../../src/tokenizer/create.ts";
import { missingFim } from "../../src/tokenizer/fim.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { huggingFace, qwen25Metadata } from "./support.ts";

const LETTERS = ["a", "b", "c"];
const [NORMAL, CONTROL, USER_DEFINED] = [1, 3, 4];

/** A GGUF tokenizer of three letters and these tokens, whose ids begin at 3. */
function gguf(tokens: readonly string[], type: number, changes: Record<string, MetadataValue> = {}): Tokenizer {
  const all = [...LETTERS, ...tokens];
  const keys = {
    model: "gpt2",
    pre: "gpt-2",
    tokens: all,
    token_type: Int32Array.from(all, (_, id) => (id < 3 ? NORMAL : type)),
    merges: [],
    ...changes,
  };
  return createTokenizer({
    metadata: new Map(Object.entries(keys).map(([key, value]) => [`tokenizer.ggml.${key}`, value as MetadataValue])),
  });
}

const known = ({ fim }: Tokenizer): object =>
  Object.fromEntries(Object.entries(fim).filter(([, id]) => id !== undefined));

/** Tokens of public models: prefix, suffix, middle. */
const FAMILIES: readonly (readonly [string, readonly [string, string, string]])[] = [
  ["Qwen2.5-Coder, CodeGemma, Codestral of GGUF keys", ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]],
  ["StarCoder, Granite", ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"]],
  ["SantaCoder", ["<fim-prefix>", "<fim-suffix>", "<fim-middle>"]],
  ["DeepSeek-Coder", ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"]],
  ["CodeLlama", ["▁<PRE>", "▁<SUF>", "▁<MID>"]],
  ["GLM", ["<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"]],
];

describe("known texts", () => {
  it.each(FAMILIES)("%s", (_, texts) => {
    for (const type of [CONTROL, USER_DEFINED])
      expect(known(gguf(texts, type))).toEqual({ prefix: 3, suffix: 4, middle: 5 });
    const added = texts.map((content, i) => ({ id: 3 + i, content, special: true }));
    const file = {
      added_tokens: added,
      normalizer: null,
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
      post_processor: null,
      decoder: { type: "ByteLevel" },
      model: { type: "BPE", vocab: { a: 0, b: 1, c: 2 }, merges: [] },
    };
    expect(known(huggingFace(JSON.stringify(file)))).toEqual({ prefix: 3, suffix: 4, middle: 5 });
  });

  it("of CodeLlama as normal tokens of SentencePiece, whose spaces are marked", () => {
    const texts = ["<unk>", "<s>", "</s>", "▁<PRE>", "▁<SUF>", "▁<MID>"];
    const tokenizer = gguf(texts, NORMAL, { model: "llama", scores: new Float32Array(9) });
    expect(known(tokenizer)).toEqual({ prefix: 6, suffix: 7, middle: 8 });
  });

  it("of Mistral, which has no token in front of the answer", () => {
    const tokenizer = gguf(["[SUFFIX]", "[PREFIX]", "[MIDDLE]"], CONTROL);
    expect(known(tokenizer)).toEqual({ prefix: 4, suffix: 3, suffixFirst: true });
    expect(missingFim(tokenizer.fim)).toEqual([]);
  });

  it("of Qwen2.5-Coder's files", () => {
    const tokenizer = createTokenizer({ metadata: qwen25Metadata() });
    const names = ["fim_prefix", "fim_suffix", "fim_middle", "fim_pad", "repo_name", "file_sep"];
    const [prefix, suffix, middle, pad, repository, file] = names.map((name) => tokenizer.idOf(`<|${name}|>`)!);
    expect(tokenizer.fim).toEqual({ prefix, suffix, middle, pad, repository, file });
    expect([...tokenizer.endIds]).toEqual(expect.arrayContaining([pad, repository, file]));
    expect([...tokenizer.endIds].at(-1)).toBe(file); // the model's own ends come first
  });

  it("that end an answer are added tokens, since normal ones are parts of texts", () => {
    const texts = ["<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"];
    expect([...gguf(texts, CONTROL).endIds]).toEqual([3, 4, 5]);
    expect([...gguf(texts, USER_DEFINED).endIds]).toEqual([3, 4, 5]);
    expect([...gguf(texts, NORMAL).endIds]).toEqual([]);
    expect([...gguf(["<EOT>", "▁<EOT>"], CONTROL).endIds]).toEqual([3, 4]);
  });

  it("that are missing are named", () => {
    expect(missingFim(gguf([], CONTROL).fim)).toEqual(["prefix", "suffix", "middle"]);
    expect(missingFim(gguf(["<|fim_prefix|>", "<|fim_suffix|>"], CONTROL).fim)).toEqual(["middle"]);
    expect(missingFim(gguf(["[PREFIX]"], CONTROL).fim)).toEqual(["prefix", "suffix", "middle"]);
  });
});

describe("keys of a GGUF", () => {
  const texts = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "x", "y", "z"];
  it("come before texts, also under their older names", () => {
    const ids = { fim_pre_token_id: 6, fim_suf_token_id: 7, fim_mid_token_id: 8 };
    expect(known(gguf(texts, CONTROL, ids))).toEqual({ prefix: 6, suffix: 7, middle: 8 });
    const older = { prefix_token_id: 6, suffix_token_id: 7, middle_token_id: 8 };
    expect(known(gguf(texts, CONTROL, older))).toEqual({ prefix: 6, suffix: 7, middle: 8 });
    expect(known(gguf(texts, CONTROL, { prefix_token_id: 5, fim_pre_token_id: 6 }))).toMatchObject({ prefix: 6 });
  });

  it("name tokens that end an answer, whatever their type", () => {
    const ids = { fim_pad_token_id: 6, fim_rep_token_id: 7, fim_sep_token_id: 8 };
    const tokenizer = gguf(texts, NORMAL, ids);
    expect(known(tokenizer)).toEqual({ prefix: 3, suffix: 4, middle: 5, pad: 6, repository: 7, file: 8 });
    expect([...tokenizer.endIds]).toEqual([6, 7, 8]);
  });

  it("beyond the vocabulary are passed over, as in llama.cpp", () => {
    for (const id of [9, 32007, -1])
      expect(known(gguf(texts, CONTROL, { fim_pre_token_id: id }))).toMatchObject({ prefix: 3 });
  });
});
