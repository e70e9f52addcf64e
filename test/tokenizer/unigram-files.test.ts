/** Unigram tokenizers in tokenizer.json, tokenizer.model and GGUF against ids that their own libraries recorded. */
import { describe, expect, it } from "vitest";
import { parseJsonObject } from "../../src/base/json.ts";
import { readSentencePieceModel } from "../../src/formats/huggingface/sentencepiece-model.ts";
import { createTokenizer, readTokenizer } from "../../src/tokenizer/create.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { ggufTokenizer } from "../../weights-tools/tokenizer/gguf-tokenizer.ts";
import { recorded } from "./support.ts";

interface Json {
  model: { vocab: [string, number][]; unk_id: number | null };
  normalizer: { type: string; precompiled_charsmap: string };
  pre_tokenizer: object;
}

const { tokenizers, models } = recorded<{
  tokenizers: { name: string; tokenizer: Json; cases: { s: string; ids: number[]; decoded: string }[] }[];
  models: { model: string; cases: { s: string; ids: number[] }[] }[];
}>("unigram");

const whole = (tokenizer: Tokenizer, text: string): number[] => [...tokenizer.encode(text), ...tokenizer.around.after];

describe("tokenizer.json", () => {
  it.each(tokenizers)("$name: the ids and texts of Hugging Face's tokenizers", ({ tokenizer, cases }) => {
    const read = readTokenizer(JSON.stringify(tokenizer));
    for (const { s, ids, decoded } of cases) {
      expect(whole(read, s), s).toEqual(ids);
      expect(read.decode(ids, { skipSpecial: true }), s).toBe(decoded);
    }
    expect(read.around.pair).toEqual({ before: [0], between: [2, 2], after: [2] });
  });

  it.each(tokenizers)("$name: a converted GGUF gives the same ids", ({ tokenizer, cases }) => {
    const files = {
      config: new Map(),
      tokenizer: parseJsonObject(JSON.stringify(tokenizer)),
      tokenizerConfig: parseJsonObject(
        '{ "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>" }',
      ),
      generationConfig: undefined,
      chatTemplates: new Map(),
    };
    const { metadata } = ggufTokenizer(files, tokenizer.model.vocab.length + 3);
    expect(metadata.get("tokenizer.ggml.model")).toBe("t5");
    const converted = createTokenizer({ metadata });
    expect(converted.around.pair).toEqual({ before: [0], between: [2, 2], after: [2] });
    // Without the key that only this library reads, <mask> keeps the white space before it, and white space that the map
    // of characters leaves as it is (U+0085) divides no words.
    const plain = createTokenizer({ metadata: new Map([...metadata].filter(([key]) => !key.startsWith("nibble."))) });
    for (const { s, ids } of cases) {
      expect(whole(converted, s), s).toEqual(ids);
      if (!/<mask>|\x85/.test(s) && isCommon(tokenizer)) expect(whole(plain, s), s).toEqual(ids);
    }
  });

  const { tokenizer } = tokenizers[0]!;
  const { vocab } = tokenizer.model;
  const map = Buffer.from(tokenizer.normalizer.precompiled_charsmap, "base64");
  const withMap = (bytes: Uint8Array): object => ({
    normalizer: { type: "Precompiled", precompiled_charsmap: Buffer.from(bytes).toString("base64") },
  });
  it.each<[string, object, RegExp]>([
    ["no unknown token", { model: { ...tokenizer.model, unk_id: null } }, /unk_id/],
    ["an unknown token beyond the list", { model: { ...tokenizer.model, unk_id: vocab.length } }, /unk_id/],
    ["an empty vocabulary", { model: { ...tokenizer.model, vocab: [] } }, /model\.vocab/],
    ["a token without a score", { model: { ...tokenizer.model, vocab: [...vocab, ["x"]] } }, /a token and its score/],
    ["a token twice", { model: { ...tokenizer.model, vocab: [...vocab, vocab[9]] } }, /there once/],
    ["another step", { normalizer: { type: "Lowercase" } }, /normalizer.*Lowercase/],
    ["a second Metaspace", { pre_tokenizer: { type: "Sequence", pretokenizers: [1, 2].map(() => META) } }, /Metaspace/],
    ["a map that is not base64", { normalizer: { type: "Precompiled", precompiled_charsmap: "*" } }, /base64/],
    ["an empty map", withMap(new Uint8Array()), /trie/],
    ["a trie beyond the map", withMap(Uint8Array.of(255, 255, 255, 0, 1)), /trie/],
    ["a map without replacements", withMap(map.subarray(0, 4 + map.readUInt32LE(0))), /no replacement/],
    // Replacements that overlap would take memory in the square of the map: 1.3 GB for one of 192 kB.
    [
      "a replacement inside of another one",
      withMap(Uint8Array.of(8, 0, 0, 0, 1, 5, 0, 0, 1, 0, 0, 128, 97, 97, 0)),
      /unit 0 .*no replacement/,
    ],
    [
      "a replacement longer than any of Unicode's",
      withMap(Uint8Array.of(8, 0, 0, 0, 1, 5, 0, 0, 0, 0, 0, 128, ...new Array(65).fill(97), 0)),
      /at most 64 bytes, got one of 65/,
    ],
  ])("%s is refused by name", (_, changes, message) => {
    expect(() => readTokenizer(JSON.stringify({ ...tokenizer, ...changes }))).toThrow(message);
  });

  it("a damaged map is refused, or replaces other characters, and a lookup never leaves it", () => {
    for (let at = 4; at < map.length; at += 7) {
      const damaged = Uint8Array.from(map);
      damaged[at]! ^= 1 << (at % 8);
      let read: Tokenizer;
      try {
        read = readTokenizer(JSON.stringify({ ...tokenizer, ...withMap(damaged) }));
      } catch (error) {
        expect(error).toMatchObject({ code: "bad_tokenizer" });
        continue;
      }
      for (const { s } of tokenizers[0]!.cases.slice(0, 5)) expect(read.encode(s).length).toBeGreaterThan(0);
    }
  });
});

const META = { type: "Metaspace", replacement: "▁", prepend_scheme: "always" };

/** Whether GGUF's keys of SentencePiece say everything about the tokenizer but the flags of <mask>. */
const isCommon = ({ normalizer, pre_tokenizer }: Json): boolean =>
  /WhitespaceSplit/.test(JSON.stringify(pre_tokenizer)) ||
  (/"strip_left":false/.test(JSON.stringify(normalizer)) &&
    /"always","split":true/.test(JSON.stringify(pre_tokenizer)));

it.each(models.map((model, i) => [i, model] as const))("tokenizer.model %i: SentencePiece's ids", (_, model) => {
  const bytes = new Uint8Array(Buffer.from(model.model, "base64"));
  const tokenizer = createTokenizer({ metadata: new Map(readSentencePieceModel(bytes, undefined)) });
  for (const { s, ids } of model.cases) expect(tokenizer.encode(s, { addBos: false }), s).toEqual(ids);
});
