/** Embeddings: against transformers' hidden states, and the engine's rules on a fake runtime. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createModel, type Model } from "../../../src/engine/model.ts";
import type { Executor } from "../../../src/runtime/types.ts";
import { dequantize } from "../../../weights-tools/dequantize/dequantize.ts";
import { FakeExecutor, type FakeOptions, isIdle } from "../../helpers/fake-executor.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";
import { architectures, executorOf, floats, openFixture } from "../../helpers/models.ts";

const tokenizer = new FakeTokenizer();
const create = (executor: Executor): Model => createModel({ name: "test", architecture: "test", tokenizer, executor });

/** The tolerance of reference.test.ts. */
const TOLERANCE = 5e-5;

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

describe.each(["mobilellm-r1", "llama", "qwen3", "gemma3", "olmo2"])("hidden states of %s", (name) => {
  const reference = JSON.parse(readFileSync(join(architectures, name, "reference.json"), "utf8"));
  const ids: number[] = reference.input_ids;

  async function load(options = {}) {
    const checkpoint = await openFixture(name, "gguf");
    const head = checkpoint.tensors.get("output.weight") ?? checkpoint.tensors.get("token_embd.weight")!;
    const matrix = new Float32Array(head.shape[0]! * head.shape[1]!);
    dequantize(head.type, await head.source.read(head.offset, head.byteLength), matrix);
    const executor = await executorOf(checkpoint, { kvType: "f32", contextLength: 64, cacheTokens: 256, ...options });
    return { model: create(executor), matrix, executor };
  }

  it("are transformers': the last token's directly, others' through the LM head", async () => {
    const { model, matrix } = await load();
    const hidden = floats(reference.hidden_last_position_float64);
    const width = model.info.hiddenSize;
    const [last] = await model.embed([ids], { pooling: "last", normalize: false });
    expect(worst(last!, hidden.subarray(hidden.length - width))).toBeLessThan(TOLERANCE);

    const expected = floats(reference.logits_float64);
    for (const [i, position] of (reference.positions as number[]).entries()) {
      const [state] = await model.embed([ids.slice(0, position + 1)], { pooling: "last", normalize: false });
      const logits = Array.from({ length: reference.vocab_size }, (_, v) =>
        state!.reduce((sum, x, j) => sum + x * matrix[v * width + j]!, 0),
      );
      const from = i * reference.vocab_size;
      expect(worst(logits, expected.subarray(from, from + reference.vocab_size))).toBeLessThan(TOLERANCE);
    }
  });

  it("the mean is that of every token's state, and length 1 where it is normalized", async () => {
    const { model } = await load();
    const prefixes = ids.map((_, i) => ids.slice(0, i + 1));
    const states = await model.embed(prefixes, { pooling: "last", normalize: false });
    const mean = Array.from(states[0]!, (_, j) => states.reduce((sum, state) => sum + state[j]!, 0) / ids.length);
    const [plain] = await model.embed([ids], { normalize: false });
    expect(worst(plain!, mean)).toBeLessThan(1e-6);
    const length = Math.hypot(...mean);
    const [unit] = await model.embed([ids]);
    expect(
      worst(
        unit!,
        mean.map((x) => x / length),
      ),
    ).toBeLessThan(1e-6);
    expect(Math.hypot(...unit!)).toBeCloseTo(1, 6);
  });

  it("the same bits alone, beside others, in any chunks, on threads", async () => {
    const others = [ids.slice(5), ids.slice(0, 9), [1, 2, 3], ids];
    const bits: string[] = [];
    const runs = [{}, { maxBatchTokens: 7, maxLogitRows: 5 }, { build: "simd" }, { build: "threads", threads: 2 }];
    for (const options of runs) {
      const { model, executor } = await load(options);
      for (const pooling of ["mean", "last"] as const) {
        const [alone] = await model.embed([ids], { pooling });
        const [first, ...rest] = await model.embed([ids, ...others], { pooling });
        expect([first, rest.at(-1)]).toEqual([alone, alone]);
        bits.push(`${pooling} ${alone}`);
      }
      executor.dispose();
    }
    expect(new Set(bits).size).toBe(2);
  });
});

describe("the engine", () => {
  function fake(options: FakeOptions = {}) {
    const executor = new FakeExecutor(options);
    const pages = executor.freePages;
    const model = create(executor);
    return { executor, model, idle: () => isIdle(model, executor, pages) };
  }
  const texts = Array.from({ length: 40 }, (_, i) => `text number ${i} ${"x".repeat(i)}`);

  it("embeds beside answers, which do not change; nothing is left behind", async () => {
    const { model, idle } = fake({ pages: 24 });
    const answer = () => model.completions.create({ prompt: "Hello there", seed: 3, max_tokens: 40 });
    const alone = (await answer()).choices[0]!.text;
    const means = await model.embed(texts);
    const [again, other, mixed] = await Promise.all([answer(), answer(), model.embed(texts)]);
    expect([again.choices[0]!.text, other.choices[0]!.text]).toEqual([alone, alone]);
    expect(mixed).toEqual(means);
    expect(idle()).toBe(true);
  });

  it("with few pages: tokens of a text that was evicted are counted once", async () => {
    const { model, idle } = fake({ pages: 9, maxLogitRows: 3, maxBatchTokens: 5 });
    const roomy = fake();
    const answers = Promise.all(["a", "b"].map((prompt) => model.completions.create({ prompt, max_tokens: 30 })));
    for (const pooling of ["mean", "last"] as const)
      expect(await model.embed(texts, { pooling })).toEqual(await roomy.model.embed(texts, { pooling }));
    await answers;
    expect(idle()).toBe(true);
  });

  it("the last token's state reuses what is cached; a mean computes all", async () => {
    const { model, executor } = fake();
    const prompt = Array.from({ length: 30 }, (_, i) => i + 1);
    const rows = () => executor.batches.flat().reduce((sum, count) => sum + count, 0);
    await model.embed([prompt], { pooling: "last" });
    expect(rows()).toBe(30);
    await model.embed([prompt], { pooling: "last" });
    expect(rows()).toBe(31);
    await model.embed([prompt], { pooling: "mean" });
    expect(rows()).toBe(61);
  });

  it("an abort ends all texts", async () => {
    const { model, idle } = fake();
    const controller = new AbortController();
    const running = model.embed(texts, { signal: controller.signal });
    setImmediate(() => controller.abort(new Error("enough")));
    await expect(running).rejects.toThrow("enough");
    expect(idle()).toBe(true);
    await expect(model.embed(texts, { signal: controller.signal })).rejects.toThrow("enough");
  });

  it("dispose ends them", async () => {
    const { model } = fake();
    const running = model.embed(texts);
    model.dispose();
    await expect(running).rejects.toMatchObject({ code: "disposed" });
  });

  it.each<[unknown, unknown, string]>([
    ["text", {}, "texts"],
    [[], {}, "input"],
    [Array(2049).fill("a"), {}, "input"],
    [["a", []], {}, "input[1]"],
    [[[]], {}, "input[0]"],
    [[[1, 300]], {}, "input[0]"],
    [[5], {}, "input[0]"],
    [["a"], { pooling: "max" }, "pooling"],
    [["a"], { dimensions: 9 }, "dimensions"],
    [["a"], { promptName: "query" }, "promptName"],
    [["a"], { promptName: "query", prompt: "q: " }, "promptName"],
    [["a"], { normalize: 1 }, "normalize"],
    [["a"], { pooled: true }, "pooled"],
  ])("wrong arguments are named: %j %j", async (input, options, param) => {
    const { model } = fake();
    const expected = { code: "invalid_argument", param };
    await expect(model.embed(input as never, options as never)).rejects.toMatchObject(expected);
  });

  it("a text longer than the context is refused before anything runs", async () => {
    const { model, executor } = fake({ contextLength: 32 });
    await expect(model.embed(["short", "x".repeat(40)])).rejects.toMatchObject({
      code: "context_full",
      param: "input[1]",
    });
    expect(executor.batches).toEqual([]);
    expect(await model.embed([Array(32).fill(1)])).toHaveLength(1);
  });
});

describe("OpenAI's call", () => {
  const model = create(new FakeExecutor());

  it("answers in its shape, as numbers and as base64", async () => {
    const [one, two] = await model.embed(["Grüße", "b"]);
    const tokens = model.tokenize("Grüße").length + model.tokenize("b").length;
    const request = { input: ["Grüße", "b"], model: "any", user: "me" };
    expect(await model.embeddings.create(request)).toEqual({
      object: "list",
      data: [
        { object: "embedding", index: 0, embedding: [...one!] },
        { object: "embedding", index: 1, embedding: [...two!] },
      ],
      model: "test",
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
    const { data } = await model.embeddings.create({ ...request, encoding_format: "base64" });
    expect(floats(data[0]!.embedding as string)).toEqual(one);
    const ids = model.tokenize("b");
    for (const input of ["b", ids, [ids]])
      expect((await model.embeddings.create({ input })).data[0]!.embedding).toEqual([...two!]);
  });

  it.each<[Record<string, unknown>, string]>([
    [{}, "input"],
    [{ input: 5 }, "input"],
    [{ input: "a", dimensions: 9 }, "dimensions"],
    [{ input: "a", pooling: "none" }, "pooling"],
    [{ input: "a", encoding_format: "hex" }, "encoding_format"],
    [{ input: "a", pooling: "max" }, "pooling"],
    [{ input: "a", stream: true }, "stream"],
  ])("wrong fields are named: %j", async (body, param) => {
    await expect(model.embeddings.create(body as never)).rejects.toMatchObject({ code: "invalid_request", param });
  });
});
