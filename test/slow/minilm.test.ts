/**
 * MiniLM-L6's real weights: the recorded sentence embeddings, from the folder and from our own GGUF files, and what
 * quantisation costs.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchFolder, minilm } from "../../scripts/fetch-model.ts";
import { NibbleError } from "../../src/base/errors.ts";
import type { Model } from "../../src/engine/model.ts";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { readTokenizer } from "../../src/tokenizer/create.ts";
import { writeFileAtomically } from "../../weights-tools/atomic-file.ts";
import { convert } from "../../weights-tools/convert.ts";
import { floats, root, testHost } from "../helpers/models.ts";

const path = await fetchFolder(minilm).catch((error: unknown) => {
  if (!(error instanceof NibbleError) || error.code !== "io_error") throw error;
  console.warn(`SKIPPED, MiniLM cannot be fetched: ${error.message}`);
  return "";
});
const recorded = readFileSync(join(root, "test/fixtures/real-models/minilm-l6.json.gz"));
const items: { text: string; ids: number[]; normalized_float64: string }[] = JSON.parse(
  gunzipSync(recorded).toString(),
).items;
const expected = items.map((item) => floats(item.normalized_float64));
const texts = items.map(({ text }) => text);
const load = createLoad(testHost);
const worst = (vectors: readonly Float32Array[]): number =>
  Math.max(...vectors.map((vector, i) => Math.max(...vector.map((x, j) => Math.abs(x - expected[i]![j]!)))));
const leastCosine = (vectors: readonly Float32Array[]): number =>
  Math.min(...vectors.map((vector, i) => vector.reduce((sum, x, j) => sum + x * expected[i]![j]!, 0)));

describe("MiniLM-L6", { skip: path === "" }, () => {
  let folder: string;
  let model: Model;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "minilm-"));
    model = await load(path);
  });
  afterAll(async () => {
    model.dispose();
    await rm(folder, { recursive: true });
  });

  it("gives the recorded token ids and embeddings, alone and together, in every build", async () => {
    expect(texts.map((text) => model.tokenize(text, { complete: true }))).toEqual(items.map(({ ids }) => ids));
    const together = await model.embed(texts);
    expect(worst(together)).toBeLessThan(1e-5);
    for (const [i, text] of texts.entries()) expect((await model.embed([text]))[0]).toEqual(together[i]);
    for (const options of [{ build: "simd" }, { threads: 2 }] as const) {
      const other = await load(path, options);
      expect(await other.embed(texts)).toEqual(together);
      other.dispose();
    }
  });

  it("the vocabulary of 30,522 tokens gives the recorded ids, of pairs too", () => {
    const wordpiece: {
      items: { text: string; real: number[] }[];
      pair: { a: string; b: string; ids: number[] };
    } = JSON.parse(readFileSync(join(root, "test/fixtures/embeddings/wordpiece.json"), "utf8"));
    const tokenizer = readTokenizer(readFileSync(join(path, "tokenizer.json")));
    for (const { text, real } of wordpiece.items)
      expect([text, [...tokenizer.encode(text), ...tokenizer.around.after]]).toEqual([text, real]);
    const { a, b, ids } = wordpiece.pair;
    const { before, between, after } = tokenizer.around.pair;
    const [first, second] = [a, b].map((text) => tokenizer.encode(text, { addBos: false }));
    expect([...before, ...first!, ...between, ...second!, ...after]).toEqual(ids);
  });

  it.each([
    ["f32", 0.9999999],
    ["q8_0", 0.9995],
    ["q4_0", 0.93],
  ] as const)("%s: the cosine with the float reference is at least %f", async (type, least) => {
    const file = join(folder, `${type}.gguf`);
    const checkpoint = await openCheckpoint(path, testHost);
    await writeFileAtomically(file, (sink) => convert(checkpoint, sink, { type }));
    await checkpoint.close();
    const converted = await load(file);
    const vectors = await converted.embed(texts);
    console.log(
      `MiniLM ${type}: least cosine ${leastCosine(vectors).toFixed(7)}, largest difference ${worst(vectors)}`,
    );
    expect(leastCosine(vectors)).toBeGreaterThan(least);
    converted.dispose();
  });
});
