/** SentencePiece's unigram model against all ways to cut a text. */
import { expect, it } from "vitest";
import { StringTable } from "../../src/formats/string-table.ts";
import { UnigramEncoder, type UnigramOptions } from "../../src/tokenizer/unigram.ts";
import { Vocabulary } from "../../src/tokenizer/vocabulary.ts";
import { Random } from "../helpers/random.ts";

function encoder(tokens: readonly string[], options: Partial<UnigramOptions> = {}): UnigramEncoder {
  const vocabulary = new Vocabulary(StringTable.of(tokens), {
    write(spelling, start, end, target) {
      for (let i = start; i < end; i++) target.bytes[target.length++] = spelling[i]!;
      return true;
    },
  });
  const scores = tokens.map((_, id) => scoreOf(id));
  const byteFallback = new Int32Array(256).fill(-1);
  return new UnigramEncoder(vocabulary, { scores, isText: () => true, unknownId: 0, byteFallback, ...options });
}

function encode(unigram: UnigramEncoder, text: string): number[] {
  const ids: number[] = [];
  unigram.encode(text, 0, text.length, ids);
  return ids;
}

const scoreOf = (id: number): number => -1 - ((id * 7) % 11) / 4;

/** The largest sum of scores over all ways to cut a text. */
function bestSum(tokens: readonly string[], text: string): number {
  if (text === "") return 0;
  const sums = tokens.map((token, id) =>
    text.startsWith(token) ? scoreOf(id) + bestSum(tokens, text.slice(token.length)) : Number.NEGATIVE_INFINITY,
  );
  return Math.max(...sums);
}

it("takes the cut with the largest sum of scores", () => {
  const random = new Random("unigram");
  const letters = ["a", "b", "é", "👍"];
  const word = (most: number): string =>
    Array.from({ length: random.integer(1, most) }, () => letters[random.integer(0, 3)]).join("");
  for (let round = 0; round < 60; round++) {
    const tokens = [...new Set([...letters, ...Array.from({ length: 12 }, () => word(4))])];
    const text = word(9);
    const ids = encode(encoder(tokens), text);
    expect(ids.map((id) => tokens[id]).join("")).toBe(text);
    expect(ids.reduce((sum, id) => sum + scoreOf(id), 0)).toBeCloseTo(bestSum(tokens, text), 9);
  }
});

it("spells an unknown character by its bytes, or takes one unknown token for a run of them", () => {
  const byteFallback = Int32Array.from({ length: 256 }, (_, byte) => 1000 + byte);
  expect(encode(encoder(["a", "b"], { byteFallback }), "aéb")).toEqual([0, 1000 + 0xc3, 1000 + 0xa9, 1]);
  expect(encode(encoder(["a", "b"], { unknownId: 7 }), "aééb")).toEqual([0, 7, 1]);
  expect(encode(encoder(["a", "b"], { isText: (id) => id !== 1, unknownId: 7 }), "ab")).toEqual([0, 7]);
});

it("a long token costs time only where a text begins like it", () => {
  const unigram = encoder(["a", "b", "x", `x${"y".repeat(5000)}`]);
  expect(encode(unigram, "ab".repeat(50_000))).toHaveLength(100_000); // took minutes before
});
