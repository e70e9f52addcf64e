/** Inputs of embeddings that only llama-server knows, and the pooling that the server was started with. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import { createHandler } from "../../../src/server/handler.ts";
import type { HandlerOptions } from "../../../src/server/options.ts";
import { loadCrumb, postHandler } from "../helpers.ts";

let model: Model;
beforeAll(async () => {
  model = await loadCrumb();
});
afterAll(() => model.dispose());

const post = (path: string, body: object, options: HandlerOptions = {}) =>
  postHandler(createHandler(model, options), path, body);
const vectors = async (input: unknown, options: HandlerOptions = {}): Promise<number[][]> => {
  const { status, json } = await post("/v1/embeddings", { input }, options);
  expect(status, JSON.stringify(input)).toBe(200);
  return json().data.map(({ embedding }: { embedding: number[] }) => embedding);
};

const TEXT = "Distance = speed";
const parts = [
  { type: "text", text: "Distance" },
  { type: "text", text: " = speed" },
];

it("objects and mixed lists are the texts that they spell", async () => {
  const [expected] = await vectors(TEXT);
  for (const input of [{ prompt_string: TEXT }, { content: parts }]) expect(await vectors(input)).toEqual([expected]);
  const ids = model.tokenize(TEXT);
  const mixed = [...ids.slice(0, 2), model.detokenize(ids.slice(2))];
  expect(await vectors(mixed)).toEqual([expected]);
  expect(await vectors([TEXT, ids, mixed, { content: parts }])).toEqual([expected, expected, expected, expected]);
  const native = (await post("/embedding", { content: [TEXT, mixed, { prompt_string: TEXT }] })).json();
  expect(native.map(({ embedding }: { embedding: number[][] }) => embedding[0])).toEqual([
    expected,
    expected,
    expected,
  ]);
});

it("wrong ones are refused by name", async () => {
  const wrong: [unknown, string][] = [
    [[], "input"],
    [{}, "input.prompt_string"],
    [{ content: "a" }, "input.content"],
    [{ content: [{ type: "image_url", image_url: {} }] }, "input.content[0].type"],
    [["a", { content: [{ type: "text" }, { type: "sound" }] }], "input[1].content[1].type"],
    [["a", null], "input[1]"],
    [["a", { prompt_string: "" }], "input[1]"],
  ];
  for (const [input, param] of wrong) {
    const { status, json } = await post("/v1/embeddings", { input });
    expect([status, json().error.param], JSON.stringify(input)).toEqual([400, param]);
  }
});

it("pooling is the server's where the request names none", async () => {
  const of = async (pooling: "mean" | "last") => Array.from((await model.embed([TEXT], { pooling }))[0]!);
  const [mean, last] = [await of("mean"), await of("last")];
  expect(mean).not.toEqual(last);
  expect(await vectors(TEXT, { pooling: "mean" })).toEqual([mean]);
  expect(await vectors(TEXT, { pooling: "last" })).toEqual([last]);
  const own = await post("/v1/embeddings", { input: TEXT, pooling: "last" }, { pooling: "mean" });
  expect(own.json().data[0].embedding).toEqual(last);
  const native = await post("/embedding", { content: TEXT }, { pooling: "mean" });
  expect(native.json()[0].embedding).toEqual([mean]);
  expect(() => createHandler(model, { pooling: "max" as "mean" })).toThrow(
    expect.objectContaining({ param: "pooling" }),
  );
});
