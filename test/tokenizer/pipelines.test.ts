/** Random tokenizers against the ids that Hugging Face's `tokenizers` recorded for them. */
import { describe, expect, it } from "vitest";
import { readTokenizer } from "../../src/tokenizer/create.ts";
import { recorded } from "./support.ts";

interface Pipeline {
  tokenizer: Record<string, unknown>;
  cases: { s: string; ids: number[]; idsWithoutSpecial: number[]; decoded: string }[];
}

const pipelines = recorded<Pipeline[]>("pipelines");

describe("random tokenizers", () => {
  it.each(pipelines.map((pipeline, i) => [i, pipeline] as const))("%i", (_, { tokenizer, cases }) => {
    const read = readTokenizer(JSON.stringify(tokenizer));
    for (const { s, ids, idsWithoutSpecial, decoded } of cases) {
      expect(read.encode(s, { addBos: false }), s).toEqual(ids);
      expect(read.encode(s, { addBos: false, special: false }), s).toEqual(idsWithoutSpecial);
      expect(read.decode(ids), s).toBe(decoded);
    }
  });
});

describe("added tokens of tokenizer_config.json", () => {
  const { tokenizer } = pipelines.find(
    ({ tokenizer: { model } }) => !(model as { byte_fallback: boolean }).byte_fallback,
  )!;
  const model = tokenizer.model as { vocab: Record<string, number> };
  const bare = JSON.stringify({ ...tokenizer, added_tokens: [] });
  const size = Object.keys(model.vocab).length;
  const withConfig = (config: object) => readTokenizer(bare, JSON.stringify(config));
  const entry = (content: string, special = true) => ({ content, special, lstrip: false, normalized: false });

  it("added_tokens_decoder adds tokens that tokenizer.json lacks", () => {
    const read = withConfig({ added_tokens_decoder: { [size]: entry("<|turn|>"), [size + 1]: entry("<b>", false) } });
    expect(read.vocabSize).toBe(size + 2);
    expect(read.encode("<|turn|><b>")).toEqual([size, size + 1]);
    expect(read.encode("<|turn|><b>", { special: false })).not.toContain(size);
    expect(read.decode([size], { skipSpecial: true })).toBe("");
  });

  it("the flags of tokenizer.json count where both have a token", () => {
    const own = { id: size, content: "<c>", special: false, lstrip: false, rstrip: false, normalized: false };
    const json = JSON.stringify({ ...tokenizer, added_tokens: [{ ...own, single_word: false }] });
    const read = readTokenizer(json, JSON.stringify({ added_tokens_decoder: { [size]: entry("<c>") } }));
    expect(read.encode("<c>", { special: false })).toEqual([size]);
  });

  it("an id that the library would not give is refused by name", () => {
    expect(() => withConfig({ added_tokens_decoder: { [size + 5]: entry("<|turn|>") } })).toThrow(
      /added_tokens_decoder/,
    );
    expect(() => withConfig({ added_tokens_decoder: { x: entry("<|turn|>") } })).toThrow(/added_tokens_decoder/);
  });

  it("a token that has a role is special, though no list has it", () => {
    const word = Object.keys(model.vocab).find((text) => /^[a-z]{2,}$/.test(text))!;
    const read = withConfig({ eos_token: word });
    expect(read.encode(`1${word}1`)).toContain(model.vocab[word]);
    expect(read.isSpecial(model.vocab[word]!)).toBe(true);
    expect(read.endIds.has(model.vocab[word]!)).toBe(true);
  });
});
