/** Tokenizer files that are read, and bad ones that are refused with `bad_tokenizer`, quickly. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import { createTokenizer, readTokenizer } from "../../src/tokenizer/create.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { stopwatch } from "../helpers/stopwatch.ts";
import { huggingFace, root } from "./support.ts";

type Values = Record<string, MetadataValue | undefined>;

/** A small GGUF tokenizer. `changes` replaces keys, which have no prefix `tokenizer.ggml.` here. */
function gguf(changes: Values = {}): Tokenizer {
  const keys: Values = {
    model: "gpt2",
    pre: "gpt-2",
    tokens: ["a", "b", "ab", "Ġ", "<s>", "</s>", "<|eot|>"],
    token_type: Int32Array.of(1, 1, 1, 1, 3, 3, 4),
    merges: ["a b"],
    bos_token_id: 4,
    eos_token_id: 5,
    ...changes,
  };
  const metadata = new Map<string, MetadataValue>();
  for (const [key, value] of Object.entries(keys)) {
    if (value !== undefined) metadata.set(key.includes(".") ? key : `tokenizer.ggml.${key}`, value);
  }
  return createTokenizer({ metadata });
}

const added = (id: number, content: string, flags: object = {}): object => ({ id, content, special: true, ...flags });

/** A small tokenizer.json. `changes` replaces its parts, and `model` those of its model. */
function json(
  changes: object = {},
  model: object = {},
  config?: object,
  metadata?: Map<string, MetadataValue>,
): Tokenizer {
  const file = {
    added_tokens: [added(4, "<s>"), added(5, "</s>")],
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: { a: 0, b: 1, ab: 2, Ġ: 3 }, merges: [["a", "b"]], ...model },
    ...changes,
  };
  return huggingFace(JSON.stringify(file), config && JSON.stringify(config), metadata);
}

function expectBad(open: () => unknown, message: RegExp): void {
  let error: unknown;
  const seconds = stopwatch();
  try {
    open();
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(NibbleError);
  expect((error as NibbleError).code).toBe("bad_tokenizer");
  expect((error as NibbleError).message).toMatch(message);
  expect(seconds()).toBeLessThan(2);
}

describe("GGUF files", () => {
  it("say which ids begin and end a text", () => {
    expect(gguf()).toMatchObject({ vocabSize: 7, bosId: 4, eosId: 5, addBos: false });
    expect(gguf().encode("ab<s> a")).toEqual([2, 4, 3, 0]);
    expect([...gguf().endIds]).toEqual([5]);
    const ends = gguf({ eot_token_id: 6, eom_token_id: 0, "nibble.end_token_ids": Uint32Array.of(1, 5) });
    expect([...ends.endIds].sort()).toEqual([0, 1, 5, 6]);
    const withoutIds = gguf({ eos_token_id: undefined, bos_token_id: undefined });
    expect(withoutIds).toMatchObject({ bosId: undefined, eosId: undefined });
    expect([...withoutIds.endIds]).toEqual([5]); // </s> is a control token: a known end
    const plain = gguf({ eos_token_id: undefined, token_type: Int32Array.of(1, 1, 1, 1, 3, 1, 1) });
    expect([...plain.endIds]).toEqual([]); // the same text as a normal token is not, as in Qwen's vocabulary
  });

  it("say whether BOS is added, else their pre-tokenizer does", () => {
    expect(gguf({ pre: "llama-bpe" }).encode("ab")).toEqual([4, 2]);
    expect(gguf({ pre: "llama-bpe", add_bos_token: false }).encode("ab")).toEqual([2]);
    expect(gguf({ add_bos_token: true }).encode("ab")).toEqual([4, 2]);
    expect(gguf({ pre: "llama-bpe", bos_token_id: undefined }).encode("ab")).toEqual([2]);
    expect(() => gguf({ bos_token_id: undefined }).encode("ab", { addBos: true })).toThrow(/no BOS token/);
  });

  it("parse control tokens on request, user-defined ones always", () => {
    expect(gguf().encode("<|eot|><s>a", { special: false })).toEqual([6, 0]); // the bytes of "<s>" have no tokens
    expect(gguf({ token_type: undefined }).encode("<s>a")).toEqual([0]);
    expect(gguf().isSpecial(4)).toBe(true);
    expect(gguf().isSpecial(6)).toBe(false);
  });

  const tokens = ["a", "b", "ab"];
  const bad: [what: string, changes: Values, message: RegExp][] = [
    ["no model", { model: undefined }, /tokenizer\.ggml\.model/],
    ["another model", { model: "rwkv" }, /"gpt2".*"llama".*"bert".*got "rwkv"/],
    ["an unknown pre-tokenizer", { pre: "nonesuch" }, /tokenizer\.ggml\.pre.*got "nonesuch"/],
    ["a name from Object's prototype", { pre: "constructor" }, /got "constructor"/],
    ["no tokens", { tokens: undefined }, /tokens/],
    ["an empty vocabulary", { tokens: [], token_type: new Int32Array() }, /got 0/],
    ["tokens of another type", { tokens: Int32Array.of(1) }, /tokens.*array of strings/],
    ["a token twice", { tokens: [...tokens, "a"], token_type: undefined }, /id 3 has the token "a" again/],
    ["a raw token twice", { tokens: [...tokens, "世", "世"], token_type: undefined }, /id 4 has the token "世" again/],
    ["no merges", { merges: undefined }, /merges/],
    ["a merge of one part", { merges: ["ab"] }, /merge 0: expected two tokens/],
    ["a merge of an empty part", { merges: ["a "] }, /merge 0: expected two tokens/],
    ["a merge of three parts", { merges: ["a b a"] }, /merge 0/],
    ["a merge of an unknown part", { merges: ["a b", "a c"] }, /merge 1.*vocabulary/],
    ["a merge into nothing", { merges: ["b a"] }, /merge 0.*vocabulary/],
    ["merges that are not texts", { merges: [1, 2] as never }, /merges/],
    ["too few types", { token_type: Int32Array.of(1) }, /expected 7 types, got 1/],
    ["an unknown type", { token_type: Int32Array.of(1, 1, 1, 1, 3, 3, 9) }, /got 9 for id 6/],
    ["types that are texts", { token_type: ["1"] }, /token_type/],
    ["bos beyond the vocabulary", { bos_token_id: 7 }, /below 7, got 7/],
    ["eos beyond the vocabulary", { eos_token_id: 4_000_000_000 }, /below 7, got 4000000000/],
    ["eos that is no id", { eos_token_id: -1 }, /eos_token_id/],
    ["an end beyond the vocabulary", { "nibble.end_token_ids": Uint32Array.of(99) }, /got 99/],
    ["an empty control token", { tokens: ["a", "b", "ab", "Ġ", "", "</s>", "x"] }, /added token 4/],
    ["an endless control token", { tokens: ["a", "b", "ab", "Ġ", "x".repeat(100_000), "y", "z"] }, /got 100000/],
    ["add_bos_token that is no boolean", { add_bos_token: "yes" }, /add_bos_token/],
  ];
  it.each(bad)("are refused for %s", (_, changes, message) => expectBad(() => gguf(changes), message));

  it("cannot make merging go in circles: a cycle of merges ends", () => {
    const tokenizer = gguf({
      tokens: ["a", "aa", "aaa", "aaaa"],
      token_type: undefined,
      merges: ["a a", "aa aa", "a aa", "aa a"],
      bos_token_id: 0,
      eos_token_id: 0,
    });
    const ids = tokenizer.encode("a".repeat(10_001));
    expect(tokenizer.decode(ids)).toBe("a".repeat(10_001));
  });
});

describe("tokenizer.json", () => {
  const template = (...single: object[]): object => ({
    type: "TemplateProcessing",
    single,
    pair: [],
    special_tokens: {},
  });
  const sequence = { Sequence: { id: "A", type_id: 0 } };
  const special = (id: string): object => ({ SpecialToken: { id, type_id: 0 } });

  it("adds BOS by its post-processor, else by add_bos_token", () => {
    expect(json().encode("ab")).toEqual([2]);
    const bos = json({
      post_processor: { type: "Sequence", processors: [{ type: "ByteLevel" }, template(special("<s>"), sequence)] },
    });
    expect(bos).toMatchObject({ bosId: 4, addBos: true });
    expect(bos.encode("ab")).toEqual([4, 2]);
    expect(json({ post_processor: template(sequence, special("</s>")) }).encode("ab")).toEqual([2]);
    expect(json({}, {}, { bos_token: "<s>", add_bos_token: true }).encode("ab")).toEqual([4, 2]);
    expect(json({}, {}, { bos_token: { content: "<s>" }, add_bos_token: false }).encode("ab")).toEqual([2]);
    expect(json({}, {}, { bos_token: null, add_bos_token: true }).encode("ab")).toEqual([2]);
  });

  it("takes ends from tokenizer_config.json and config.json", () => {
    const metadata = new Map<string, MetadataValue>([
      ["tokenizer.ggml.eos_token_id", 1],
      ["tokenizer.ggml.bos_token_id", 0],
      ["nibble.end_token_ids", Uint32Array.of(1, 2)],
    ]);
    const tokenizer = json({}, {}, { eos_token: "</s>" }, metadata);
    expect(tokenizer).toMatchObject({ bosId: 0, eosId: 5 });
    expect([...tokenizer.endIds].sort()).toEqual([1, 2, 5]);
    expect(json({}, {}, undefined, metadata).eosId).toBe(1);
  });

  it("may leave ids out", () => {
    const tokenizer = json({ added_tokens: [added(9, "<s>")] });
    expect(tokenizer.vocabSize).toBe(10);
    expect(tokenizer.decode([5, 9])).toBe("<s>");
  });

  it("may have an unknown token, fused or not", () => {
    expect(json({}, { unk_token: "<s>" }).encode("axxb")).toEqual([0, 4, 4, 1]);
    expect(json({}, { unk_token: "<s>", fuse_unk: true }).encode("axxb")).toEqual([0, 4, 1]);
  });

  it("may remove the text between matches, if there can be none", () => {
    const Regex = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    const split = (behavior: string, invert: boolean, pattern = Regex): object => ({
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          { type: "Split", pattern: { Regex: pattern }, behavior, invert },
          { type: "ByteLevel", add_prefix_space: false, use_regex: false },
        ],
      },
    });
    expect(json(split("Removed", true)).encode("ab ab")).toEqual([2, 3, 2]);
    expectBad(() => json(split("Removed", false)), /Isolated/);
    expectBad(() => json(split("Removed", true, "\\p{N}")), /Isolated/);
    expectBad(() => json(split("MergedWithNext", false)), /MergedWithNext/);
  });

  const deep = (n: number): object =>
    n === 0 ? { type: "ByteLevel" } : { type: "Sequence", pretokenizers: [deep(n - 1)] };
  const digits = { type: "Digits", individual_digits: true };
  const bad: [what: string, changes: object, model: object, message: RegExp][] = [
    ["no model", { model: undefined }, {}, /model/],
    ["another model", {}, { type: "WordLevel" }, /"BPE", "Unigram" or "WordPiece", got "WordLevel"/],
    ["a subword prefix", {}, { continuing_subword_prefix: "##" }, /continuing_subword_prefix/],
    ["no vocabulary", {}, { vocab: [] }, /vocab/],
    ["an empty vocabulary", { added_tokens: [] }, { vocab: {}, merges: [] }, /got 0/],
    ["an id that is no number", {}, { vocab: { a: "0" } }, /id of "a"/],
    ["a negative id", {}, { vocab: { a: -1 } }, /id of "a"/],
    ["a huge id", {}, { vocab: { a: 9_007_199_254_740_991 } }, /id of "a"/],
    ["an id twice", {}, { vocab: { a: 0, b: 0 }, merges: [] }, /id 0: expected one token/],
    ["an added token on a taken id", { added_tokens: [added(0, "<s>")] }, {}, /id 0: expected one token/],
    ["an added token with a huge id", { added_tokens: [added(2 ** 31, "<s>")] }, {}, /2147483648/],
    ["an added token that is no object", { added_tokens: [1] }, {}, /added_tokens\[0\]/],
    ["an added token elsewhere too", { added_tokens: [added(7, "a")] }, {}, /id 7 has the token "a" again/],
    ["merges of three", {}, { merges: [["a", "b", "a"]] }, /merge 0/],
    ["merges of numbers", {}, { merges: [1] }, /merge 0/],
    ["an unknown unk_token", {}, { unk_token: "<unk>" }, /unk_token/],
    ["no pre-tokenizer", { pre_tokenizer: null }, {}, /ByteLevel at the end/],
    ["another pre-tokenizer", { pre_tokenizer: { type: "Metaspace" } }, {}, /Metaspace/],
    [
      "ByteLevel not at the end",
      { pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "ByteLevel" }, digits] } },
      {},
      /at the end/,
    ],
    [
      "many stages",
      {
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [...new Array<object>(99).fill(digits), { type: "ByteLevel" }],
        },
      },
      {},
      /at most 16/,
    ],
    [
      "a pattern of its own",
      {
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [
            { type: "Split", pattern: { Regex: "(a|a)*b" }, behavior: "Isolated" },
            { type: "ByteLevel" },
          ],
        },
      },
      {},
      /no scanner for the pattern "\(a\|a\)\*b"/,
    ],
    ["another normalizer", { normalizer: { type: "Lowercase" } }, {}, /Lowercase/],
    ["another decoder", { decoder: { type: "Metaspace" } }, {}, /decoder/],
    ["no decoder", { decoder: null }, {}, /decoder/],
    ["another post-processor", { post_processor: { type: "Other" } }, {}, /BertProcessing, got "Other"/],
    ["a template with an unknown token", { post_processor: template(special("<x>"), sequence) }, {}, /"<x>"/],
    [
      "a template with two tokens",
      { post_processor: template(special("<s>"), special("<s>"), sequence) },
      {},
      /one token in front/,
    ],
  ];
  it.each(bad)("is refused for %s", (_, changes, model, message) => expectBad(() => json(changes, model), message));

  it("may nest sequences as deep as JSON may", () => {
    expect(json({ pre_tokenizer: deep(20) }).encode("ab")).toEqual([3, 2]);
    expect(() => json({ pre_tokenizer: deep(40) })).toThrow(NibbleError); // parseJson's own limit
  });
});

it("readTokenizer takes a model_max_length of 10^30, which transformers writes for none", () => {
  const tokenizer = readFileSync(join(root, "models/crumb/tokenizer.json"));
  const read = readTokenizer(tokenizer, '{ "model_max_length": 1000000000000000019884624838656 }');
  expect(read.decode(read.encode("2 + 2"))).toBe("2 + 2");
});
