/** Ollama's calls about models, and its embeddings. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NibbleError } from "../../../src/base/errors.ts";
import type { Model } from "../../../src/engine/model.ts";
import { createHandler } from "../../../src/server/handler.ts";
import type { LazyModel, ModelLibrary } from "../../../src/server/models/source.ts";
import type { HandlerOptions } from "../../../src/server/options.ts";
import { askHandler, loadCrumb, postHandler } from "../helpers.ts";

let model: Model;
beforeAll(async () => {
  model = await loadCrumb();
});
afterAll(() => model.dispose());

const renamed = (name: string): Model => ({ ...model, info: { ...model.info, name }, dispose: () => {} });
const lazy = (name: string): LazyModel => ({
  name,
  load: async () => renamed(name),
  facts: {
    bytes: 7,
    sha256: "ab".repeat(32),
    format: "gguf",
    architecture: "llama",
    parameters: 135e6,
    quantization: "Q4_1",
  },
});

/** A cache of pulled models. */
function library(): ModelLibrary {
  const pulled: string[] = ["old:1b"];
  return {
    list: async () => pulled.map(lazy),
    find: async (name) => (pulled.includes(name) ? lazy(name) : undefined),
    async pull(name, { onProgress, signal }) {
      if (name === "nothing") throw new NibbleError("missing_file", "nothing: there is no such model");
      for (const loaded of [0, 50, 100]) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        signal.throwIfAborted();
        onProgress({ file: "a.gguf", sha256: "cd".repeat(32), loaded, total: 100 });
      }
      pulled.push(name);
    },
  };
}
const handlerOf = (options: HandlerOptions = {}) => createHandler([model, lazy("second:2b")], options);
const get = async (handler: ReturnType<typeof handlerOf>, path: string) => (await askHandler(handler, path)).json();

describe("models", () => {
  it("/api/tags lists served and pulled models, /api/ps those in memory", async () => {
    const handler = handlerOf({ library: library(), modelsIdleMs: 60_000 });
    const { models } = await get(handler, "/api/tags");
    expect(models.map(({ name }: { name: string }) => name)).toEqual(["crumb", "second:2b", "old:1b"]);
    expect(models[1]).toMatchObject({
      model: "second:2b",
      size: 7,
      digest: "ab".repeat(32),
      details: {
        format: "gguf",
        family: "llama",
        families: ["llama"],
        parameter_size: "135M",
        quantization_level: "Q4_1",
      },
    });
    expect((await get(handler, "/api/ps")).models).toHaveLength(1);
    const body = { model: "second", prompt: "a", stream: false, options: { num_predict: 1 } };
    expect((await postHandler(handler, "/api/generate", body)).json().model).toBe("second:2b");
    const [, second] = (await get(handler, "/api/ps")).models;
    expect(second).toMatchObject({ name: "second:2b", context_length: model.info.contextLength });
    expect(Date.parse(second.expires_at)).toBeGreaterThan(Date.now());
    expect(
      (await postHandler(handler, "/api/generate", { model: "second:2b", keep_alive: 0 })).json().done_reason,
    ).toBe("unload");
    expect((await get(handler, "/api/ps")).models).toHaveLength(1);
    await handler.close();
  });

  it("/api/show gives a model's facts, and accepts both names of the field", async () => {
    for (const body of [{ model: "crumb" }, { name: "crumb:latest", verbose: true }]) {
      const { status, json } = await postHandler(handlerOf(), "/api/show", body);
      expect(status).toBe(200);
      expect(json().model_info).toMatchObject({
        "general.architecture": model.info.architecture,
        [`${model.info.architecture}.context_length`]: model.info.contextLength,
      });
      expect(json().capabilities).toEqual(expect.arrayContaining(["completion", "tools"]));
    }
    expect((await postHandler(handlerOf(), "/api/show", { model: "nothing" })).status).toBe(404);
    expect((await postHandler(handlerOf(), "/api/show", {})).status).toBe(400);
  });

  it("/api/version is a version that clients accept", async () => {
    expect((await get(handlerOf(), "/api/version")).version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe("/api/pull", () => {
  it("streams its progress; afterwards the model answers", async () => {
    const handler = handlerOf({ library: library() });
    const { text } = await postHandler(handler, "/api/pull", { model: "new:3b" });
    const parts = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(parts[0]).toEqual({ status: "pulling manifest" });
    expect(parts).toContainEqual({
      status: "pulling cdcdcdcdcdcd",
      digest: `sha256:${"cd".repeat(32)}`,
      total: 100,
      completed: 100,
    });
    expect(parts.at(-1)).toEqual({ status: "success" });
    const body = { model: "new:3b", prompt: "a", stream: false, options: { num_predict: 1 } };
    expect((await postHandler(handler, "/api/generate", body)).json().model).toBe("new:3b");
    const whole = await postHandler(handler, "/api/pull", { name: "other:1b", stream: false, insecure: true });
    expect(whole.json()).toEqual({ status: "success" });
  });

  it("an error is the last line, or the answer", async () => {
    const handler = handlerOf({ library: library() });
    const { text } = await postHandler(handler, "/api/pull", { model: "nothing" });
    expect(JSON.parse(text.trimEnd().split("\n").at(-1)!)).toEqual({ error: "nothing: there is no such model" });
    const whole = await postHandler(handler, "/api/pull", { model: "nothing", stream: false });
    expect([whole.status, whole.json().error]).toEqual([404, "nothing: there is no such model"]);
  });

  it("unsupported calls are refused by name", async () => {
    const none = await postHandler(handlerOf(), "/api/pull", { model: "new:3b" });
    expect([none.status, none.json().error]).toEqual([501, expect.stringMatching("^/api/pull: ")]);
    for (const [method, path] of [
      ["DELETE", "delete"],
      ["POST", "copy"],
      ["POST", "create"],
      ["POST", "push"],
    ] as const) {
      const { status, json } = await askHandler(handlerOf(), `/api/${path}`, { method, body: "{}" });
      expect([status, json().error]).toEqual([
        501,
        expect.stringMatching(`^/api/${path}: this endpoint is not supported`),
      ]);
    }
    expect((await askHandler(handlerOf(), "/api/nothing")).json()).toEqual({
      error: expect.stringContaining("/api/nothing"),
    });
  });
});

describe("embeddings", () => {
  it("/api/embed gives unit vectors, shortened where asked; long texts are cut", async () => {
    const handler = handlerOf();
    const ask = async (body: object) => (await postHandler(handler, "/api/embed", { model: "crumb", ...body })).json();
    const [a, b] = await model.embed(["a", "b"]);
    const both = await ask({ input: ["a", "b"] });
    expect(both.embeddings).toEqual([Array.from(a!), Array.from(b!)]);
    expect(both.prompt_eval_count).toBe(model.tokenize("a").length + model.tokenize("b").length);
    const { embeddings } = await ask({ input: "a", dimensions: 8 });
    expect(embeddings[0]).toHaveLength(8);
    expect(Math.hypot(...embeddings[0])).toBeCloseTo(1, 6);
    const long = "word ".repeat(3 * model.info.contextLength);
    expect((await ask({ input: long })).prompt_eval_count).toBe(model.info.contextLength);
    expect((await ask({ input: long, truncate: false })).error).toBeTypeOf("string");
    expect((await ask({ input: [1] })).error).toMatch(/^input\[0\]: /);
  });

  it("/api/embeddings gives one vector as it is", async () => {
    const [raw] = await model.embed(["a"], { normalize: false });
    const { json } = await postHandler(handlerOf(), "/api/embeddings", { model: "crumb", prompt: "a" });
    expect(json()).toEqual({ embedding: Array.from(raw!) });
  });
});
