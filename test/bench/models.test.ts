import { describe, expect, test } from "vitest";
import type { Engine } from "../../bench/engines.ts";
import { createThreadLimits } from "../../bench/limit-threads.ts";
import { dotLimit } from "../../bench/limits.ts";
import { macsOf, type Plan, runModels, workOf } from "../../bench/models.ts";
import { canRun } from "../helpers/wasm-builds.ts";
import { decode, limits, prompt, row } from "./example-results.ts";

describe("work", () => {
  const tensor = (name: string, shape: number[], byteLength: number) => [name, { name, shape, byteLength }] as const;
  const body = [tensor("blk.0.ffn_up.weight", [10, 20], 100), tensor("output_norm.weight", [20], 80)] as const;
  const of = (...tensors: (readonly [string, object])[]) => workOf(new Map(tensors) as never);

  test("is that of the matrices; a tied embedding is the head, an own head leaves the embedding out", () => {
    const embedding = tensor("token_embd.weight", [50, 20], 500);
    expect(of(...body, embedding)).toEqual({ bodyMacs: 200, headMacs: 1000, stepBytes: 600 });
    const head = tensor("output.weight", [50, 20], 700);
    expect(of(...body, embedding, head)).toEqual({ bodyMacs: 200, headMacs: 1000, stepBytes: 800 });
  });

  test("counts the head once per prompt and once per decode step, in each sequence", () => {
    const work = { bodyMacs: 10, headMacs: 3, stepBytes: 1 };
    expect(macsOf({ prompt: 5, gen: 0, depth: 0 }, work)).toBe(53);
    expect(macsOf({ prompt: 0, gen: 5, depth: 9 }, work)).toBe(65);
    expect(macsOf({ prompt: 0, gen: 5, depth: 0, sequences: 8 }, work)).toBe(520);
  });
});

describe("limits", () => {
  test("of a product: the faster relaxed dot where codes fit seven bits, else the baseline's", () => {
    const of = (build: string, type: string) => dotLimit(build, type)(limits);
    expect([of("relaxed", "llama 140M Q4_0"), of("threads", "Q4_1 K 576"), of("simd", "Q4_0")]).toEqual([80, 80, 20]);
    expect([of("relaxed", "llama 140M Q8_0"), of("relaxed", "F32 decode")]).toEqual([20, 20]);
  });

  test.runIf(canRun("relaxed"))("of two threads are measured together, and again", async () => {
    const two = await createThreadLimits(2, 2 ** 21);
    for (const { loops: _, ...rates } of [await two.measure(), await two.measure()])
      expect(Object.values(rates).every((rate) => rate > 0 && rate < Infinity)).toBe(true);
    await two.close();
  });
});

test("shares compare each round with its own limits; a peer has none", () => {
  expect(row("nibble relaxed", 1, prompt, 0.1).dot_share?.median).toBe(0.5);
  expect(row("nibble simd", 1, decode, 0.2)).toMatchObject({
    dot_share: { median: 0.5 },
    read_share: { median: 0.5 },
    backends: "wasm-simd",
  });
  const peer = row("wllama", 2, decode, 0.2);
  expect(peer).toMatchObject({ backends: "wllama", n_threads: 2, ours: false, samples_gbs: [5] });
  expect([peer.dot_share, peer.read_share]).toEqual([undefined, undefined]);
});

describe("a run", () => {
  const closed: string[] = [];
  const order: string[] = [];
  const engine = (name: string, more: Partial<Engine> = {}, seconds = (_: number) => 0.5): Engine => ({
    name,
    threads: 1,
    slow: false,
    can: () => true,
    start: async () => ({
      about: `about ${name}`,
      prepare: async ({ gen }) => {
        let calls = 0;
        return async () => {
          order.push(`${name} ${gen}`);
          return { seconds: seconds(calls++) };
        };
      },
      close: async () => void closed.push(name),
    }),
    ...more,
  });
  const fails = (message: string) => () => {
    throw new Error(message);
  };
  const run = (engines: Engine[], more: Partial<Plan> = {}) => {
    closed.length = order.length = 0;
    const plan = { engines, tests: [prompt, decode], rounds: 3, slowRounds: 1, say: () => {}, ...more };
    return runModels({ limits: async () => limits, ...plan });
  };
  const counts = ({ samples }: Awaited<ReturnType<typeof run>>) =>
    samples.map(({ engine, test, nanoseconds }) => [engine.name, test.gen, nanoseconds.length]);

  test("takes every test of every engine in turn, round after round", async () => {
    const result = await run([engine("a"), engine("b")], { rounds: 2 });
    expect(order).toEqual([..."ab"].flatMap(() => ["a 0", "b 0", "a 1", "b 1"]));
    expect(result.samples[0]).toMatchObject({ nanoseconds: [5e8, 5e8], limits: [limits, limits] });
    expect(closed).toEqual(["a", "b"]);
    expect(result.gaps).toEqual([]);
  });

  test("runs a slow engine less often, and no engine in tests that it cannot run", async () => {
    const slow = engine("slow", { slow: true, can: ({ gen }) => gen > 0 });
    expect(counts(await run([engine("a"), slow]))).toEqual([
      ["a", 0, 3],
      ["a", 1, 3],
      ["slow", 1, 1],
    ]);
  });

  test("goes on without an engine that cannot start, cannot prepare, or fails later", async () => {
    const dead = engine("dead", { start: fails("no such program\nstack") });
    const stuck = engine("stuck", {
      start: async () => ({ ...(await engine("stuck").start()), prepare: fails("too large") }),
    });
    const late = engine("late", {}, (call) => (call === 1 ? fails("crashed")() : 0.5));
    const result = await run([dead, stuck, late, engine("a")]);
    expect(result.gaps).toEqual([
      "dead, 1 thread: no such program",
      "stuck, 1 thread: too large",
      "late, 1 thread: crashed",
    ]);
    expect(counts(result)).toEqual([
      ["late", 0, 1],
      ["a", 0, 3],
      ["late", 1, 1],
      ["a", 1, 3],
    ]);
    expect(closed).toEqual(["stuck", "late", "a"]);
  });

  test("runs one of two peers that are the same on this machine", async () => {
    const same = (name: string) =>
      engine(name, { start: async () => ({ ...(await engine(name).start()), about: "AVX2" }) });
    const result = await run([same("best"), same("avx2")]);
    expect(result.gaps).toEqual(["avx2, 1 thread: the same as best on this CPU"]);
    expect(counts(result)).toEqual([
      ["best", 0, 3],
      ["best", 1, 3],
    ]);
  });

  test("ends engines when a limit cannot be measured", async () => {
    await expect(run([engine("a")], { limits: fails("no memory") })).rejects.toThrow("no memory");
    expect(closed).toEqual(["a"]);
  });
});
