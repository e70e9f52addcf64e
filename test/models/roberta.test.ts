/** RoBERTa and XLM-RoBERTa: the recorded BERT with the rows of positions that they have in front. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { FileSet } from "../../src/io/byte-source.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { bert, changed, crossEncoder, DOCUMENTS, QUERY, withTensors } from "../helpers/cross-encoder.ts";
import { testHost } from "../helpers/models.ts";
import { Random } from "../helpers/random.ts";

const load = createLoad(testHost);

const TEXTS = ["The cat sat on the mat.", "", "Paris is the capital of France."];
const HIDDEN = 64;
const ROWS = 128;
const config = JSON.parse(readFileSync(join(bert, "config.json"), "utf8"));
const weights = readFileSync(join(bert, "model.safetensors"));

/** The values of an F32 tensor of the recorded BERT. */
function tensor(name: string): Float32Array {
  const size = Number(weights.readBigUInt64LE(0));
  const [start, end] = JSON.parse(weights.toString("utf8", 8, 8 + size))[name].data_offsets;
  return new Float32Array(new Uint8Array(weights.subarray(8 + size + start, 8 + size + end)).buffer);
}

type Tensors = Parameters<typeof withTensors>[1];

/** The BERT as a RoBERTa whose padding token is `padding`: the rows up to it are in no text's use. */
function roberta(modelType: string, padding: number, more: { config?: object; tensors?: Tensors } = {}): FileSet {
  const unused = new Random("unused").normals((padding + 1) * HIDDEN);
  const positions = Float32Array.of(...unused, ...tensor("embeddings.position_embeddings.weight"));
  const table = { shape: [ROWS + padding + 1, HIDDEN], values: positions };
  return changed([bert], {
    "config.json": JSON.stringify({
      ...config,
      model_type: modelType,
      pad_token_id: padding,
      max_position_embeddings: ROWS + padding + 1,
      architectures: ["XLMRobertaModel"],
      ...more.config,
    }),
    "model.safetensors": withTensors(weights, { "embeddings.position_embeddings.weight": table, ...more.tensors }),
  });
}

it.each([
  ["xlm-roberta", 1],
  ["roberta", 1],
  ["roberta", 4],
])("%s with padding token %i: the vectors of BERT, bit for bit", async (modelType, padding) => {
  const [expected, model] = [await load(bert), await load(roberta(modelType, padding))];
  expect(model.info.contextLength).toBe(ROWS);
  expect(await model.embed(TEXTS)).toEqual(await expected.embed(TEXTS));
});

it("a classifier's two layers rank as BERT's pooler and classifier do", async () => {
  const random = new Random("classifier");
  const expected = await load(await crossEncoder(1));
  const files = roberta("xlm-roberta", 1, {
    config: { architectures: ["XLMRobertaForSequenceClassification"] },
    tensors: {
      "classifier.dense.weight": { shape: [HIDDEN, HIDDEN], values: tensor("pooler.dense.weight") },
      "classifier.dense.bias": { shape: [HIDDEN], values: tensor("pooler.dense.bias") },
      "classifier.out_proj.weight": { shape: [1, HIDDEN], values: random.normals(HIDDEN) },
      "classifier.out_proj.bias": { shape: [1], values: random.normals(1) },
    },
  });
  const model = await load({ ...files, has: async (name) => name !== "modules.json" && (await files.has(name)) });
  expect((await model.rerank(QUERY, DOCUMENTS)).results).toEqual((await expected.rerank(QUERY, DOCUMENTS)).results);
});

it("a table with no rows behind the padding token is refused", async () => {
  const files = roberta("roberta", 1, { config: { pad_token_id: ROWS + 5 } });
  await expect(load(files)).rejects.toThrow(/max_position_embeddings: expected more than the 134 rows/);
});
