/** tokenizer.model files against ids that SentencePiece recorded, and damaged ones. */
import { describe, expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import { parseJsonObject } from "../../src/base/json.ts";
import { readSentencePieceModel } from "../../src/formats/huggingface/sentencepiece-model.ts";
import { createTokenizer } from "../../src/tokenizer/create.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { read } from "../formats/huggingface/fixture.ts";
import { Random } from "../helpers/random.ts";
import { recorded } from "./support.ts";

const models =
  recorded<{ kind: string; model: string; cases: { s: string; ids: number[] }[] }[]>("sentencepiece-models");
const bytesOf = (model: string): Uint8Array => new Uint8Array(Buffer.from(model, "base64"));
const tokenizerOf = (bytes: Uint8Array, config?: object): Tokenizer =>
  createTokenizer({
    metadata: new Map(readSentencePieceModel(bytes, config && parseJsonObject(JSON.stringify(config)))),
  });

describe("tokenizer.model", () => {
  it.each(models.map((model, i) => [`${model.kind} ${i}`, model] as const))("%s", (_, { model, cases }) => {
    const tokenizer = tokenizerOf(bytesOf(model));
    for (const { s, ids } of cases) expect(tokenizer.encode(s, { addBos: false }), s).toEqual(ids);
    expect([tokenizer.bosId, tokenizer.eosId, tokenizer.addBos]).toEqual([1, 2, true]);
  });

  it("alone in a folder is read, with the ids of config.json and the tokens of tokenizer_config.json", async () => {
    const { model, cases } = models[0]!;
    const size = tokenizerOf(bytesOf(model)).vocabSize;
    const config = {
      add_bos_token: false,
      added_tokens_decoder: { 3: { content: "<sep>" }, [size]: { content: "<|turn|>", special: true } },
    };
    const checkpoint = await read(
      "llama",
      { eos_token_id: 3, bos_token_id: 1 },
      {
        "tokenizer.json": undefined,
        "tokenizer.model": bytesOf(model),
        "tokenizer_config.json": JSON.stringify(config),
      },
    );
    const tokenizer = createTokenizer(checkpoint);
    expect([tokenizer.vocabSize, tokenizer.eosId, tokenizer.addBos]).toEqual([size + 1, 3, false]);
    expect(tokenizer.encode(cases[1]!.s)).toEqual(cases[1]!.ids);
    expect(tokenizer.encode("<|turn|>")).toEqual([size]);
    expect(tokenizer.isSpecial(size)).toBe(true);
  });

  it("with another piece than tokenizer_config.json has is refused", () => {
    const wrong = { added_tokens_decoder: { 5: { content: "<|turn|>" } } };
    expect(() => tokenizerOf(bytesOf(models[0]!.model), wrong)).toThrow(/added token 5/);
  });

  it("damaged: a typed error or a tokenizer, never another error", () => {
    const random = new Random("tokenizer.model");
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const bytes = bytesOf(models[i % models.length]!.model);
      const cut = random.integer(0, 3) === 0 ? bytes.subarray(0, random.integer(0, bytes.length - 1)) : bytes;
      for (let n = random.integer(0, 6); n > 0 && cut.length > 0; n--)
        cut[random.integer(0, cut.length - 1)] = random.integer(0, 255);
      try {
        tokenizerOf(cut).encode("the quick fox <sep>");
      } catch (error) {
        if (!(error instanceof NibbleError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  it.each([
    ["an empty file", [], /no pieces/],
    ["a length beyond the end", [0x0a, 0xff, 0xff, 0xff, 0x7f], /ends inside/],
    ["a wire type that is not in use", [0x0b], /wire type 3/],
    ["a damaged map of characters", [0x0a, 3, 0x0a, 1, 0x61, 0x1a, 5, 0x12, 3, 1, 2, 3], /precompiled_charsmap/],
    ["spaces that are not marked", [0x0a, 3, 0x0a, 1, 0x61, 0x1a, 2, 0x28, 0], /escape_whitespaces/],
    ["another model", [0x0a, 3, 0x0a, 1, 0x61, 0x12, 2, 0x18, 3], /model_type 3/],
  ])("%s is refused", (_, bytes, text) => {
    expect(() => tokenizerOf(Uint8Array.from(bytes))).toThrow(text);
  });
});
