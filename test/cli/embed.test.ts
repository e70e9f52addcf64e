/** `nibble embed`: vectors, rankings and wrong command lines. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { floats } from "../helpers/models.ts";
import { nibble, nibbleJson, pathOf } from "./helpers.ts";

const bert = pathOf("test/fixtures/embeddings/bert");
const { items } = JSON.parse(readFileSync(`${bert}/reference.json`, "utf8")) as {
  items: { text: string; normalized_float64: string }[];
};
const texts = items
  .map(({ text }) => text)
  .filter((text) => text !== "" && !text.includes("\n"))
  .slice(0, 3);

describe("nibble embed", () => {
  it("prints the embeddings that sentence-transformers has", async () => {
    const { embeddings } = await nibbleJson(["embed", "-m", bert, ...texts]);
    for (const [i, text] of texts.entries()) {
      const expected = Array.from(floats(items.find((item) => item.text === text)!.normalized_float64));
      expect(embeddings[i]).toHaveLength(expected.length);
      for (const [j, x] of expected.entries()) expect(Math.abs(embeddings[i][j] - x)).toBeLessThan(1e-5);
    }
  });

  it("without --json, a line of numbers per text; --dimensions keeps the first ones, with length 1", async () => {
    const { stdout } = await nibble(["embed", "-m", bert, "--dimensions", "8", ...texts]);
    const rows = stdout
      .trim()
      .split("\n")
      .map((line) => line.split(" ").map(Number));
    expect(rows.map((row) => row.length)).toEqual(texts.map(() => 8));
    for (const row of rows) expect(Math.hypot(...row)).toBeCloseTo(1, 5);
  });

  it("--query ranks texts by their cosine with the query, which gets the model's own prompt", async () => {
    const { embeddings } = await nibbleJson(["embed", "-m", bert, `query: ${texts[1]}`, ...texts]);
    const [question, ...vectors] = embeddings as number[][];
    const cosines = vectors.map((vector) => vector.reduce((sum, x, i) => sum + x * question![i]!, 0));
    const { results } = await nibbleJson(["embed", "-m", bert, "--query", texts[1]!, ...texts]);
    const order = [0, 1, 2].sort((a, b) => cosines[b]! - cosines[a]!);
    expect(results).toEqual(
      order.map((index) => ({ index, score: expect.closeTo(cosines[index]!, 5), text: texts[index] })),
    );
    const best = await nibble(["embed", "-m", bert, "--query", texts[1]!, "--top", "1", ...texts]);
    expect(best.stdout).toBe(`${cosines[order[0]!]!.toFixed(6).padStart(10)}  ${texts[order[0]!]}\n`);
  });

  it.each<[string[], number, RegExp]>([
    [["a"], 2, /-m is required: name the model that embeds/],
    [["-m", bert, "a", "-f", "b"], 2, /-f/],
    [["-m", bert, "--dimensions", "0", "a"], 2, /--dimensions: expected a whole number from 1/],
    [["-m", bert, "--dimensions", "65", "a"], 1, /dimensions/],
    [["-m", bert, "--pooling", "other", "a"], 2, /--pooling: expected/],
    [["-m", bert, "--prompt-name", "nobody", "a"], 1, /nobody/],
    [["-m", bert, "word ".repeat(600)], 1, /1202 tokens; it is too large to process: the context holds 128/],
  ])("embed %j", async (args, code, message) => {
    const result = await nibble(["embed", ...args]);
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(message)]);
  });
});
