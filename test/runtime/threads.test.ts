/**
 * Helping threads: a failure on one of them ends in a typed error, and nothing hangs. (Equal bits:
 * determinism.test.ts.)
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, vi } from "vitest";
import type { Checkpoint } from "../../src/formats/checkpoint.ts";
import { readGguf } from "../../src/formats/gguf/model.ts";
import { startThread } from "../../src/hosts/node/host.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { streamSource } from "../../src/io/stream-source.ts";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import { loadExecutor, planExecutor } from "../../src/load/executor.ts";
import type { Host } from "../../src/load/host.ts";
import { WasmExecutor } from "../../src/runtime/executor.ts";
import { type Instance, instantiate } from "../../src/runtime/kernels.ts";
import type { MemoryPlan } from "../../src/runtime/memory-plan.ts";
import {
  BATCH_HEADER_BYTES,
  batchWord,
  OPERATION_BYTES,
  OPERATION_WORDS,
  operationWord,
} from "../../src/runtime/operations.ts";
import type { Thread } from "../../src/runtime/threads.ts";
import { loadWeights } from "../../src/runtime/weights.ts";
import { executorOf, openFixture, root, testHost } from "../helpers/models.ts";

const options = { threads: 2, contextLength: 64 };

describe("options", () => {
  it("a small model takes one thread by itself", async () => {
    const executor = await executorOf(await openFixture("llama", "gguf"), { contextLength: 64 });
    expect(executor.threads).toBe(1);
  });

  it.each([
    [{ threads: 0 }, "invalid_argument"],
    [{ threads: 1.5 }, "invalid_argument"],
    [{ threads: 2, build: "relaxed" }, "unsupported_host"],
    [{ threads: 2, build: "simd" }, "unsupported_host"],
  ] as const)("%o is refused with %s", async (wrong, code) => {
    const loading = openFixture("llama", "gguf").then((checkpoint) => executorOf(checkpoint, wrong));
    await expect(loading).rejects.toMatchObject({ code });
  });

  /** A host whose second thread does not start. `ended` lists the threads that were told to end. */
  const brokenHost = (ended: number[]): Host => {
    let started = 0;
    return {
      ...testHost,
      threads: async () => 4,
      startThread: async (): Promise<Thread> => {
        const n = started++;
        if (n === 1) throw new Error("no more threads");
        return { terminate: () => ended.push(n) };
      },
    };
  };

  it("a thread that does not start: the error is passed on where the caller asked for threads, the others end", async () => {
    const ended: number[] = [];
    const checkpoint = await openFixture("llama", "gguf");
    await expect(executorOf(checkpoint, { threads: 4 }, brokenHost(ended))).rejects.toThrow("no more threads");
    expect(ended).toEqual([0, 2]);
  });

  it.each(["a file", "a stream"])(
    "from %s: where nobody asked for threads, it is one thread and a warning",
    async (kind) => {
      const bytes = readFileSync(join(root, "test/fixtures/architectures/llama/model.gguf"));
      const of = (): ByteSource =>
        kind === "a file" ? bytesSource(bytes) : streamSource({ size: bytes.length, body: new Blob([bytes]).stream() });
      // As if the weights were large enough for threads.
      const large = async (source: ByteSource): Promise<Checkpoint> => {
        const checkpoint = await readGguf(source);
        const info = { ...[...checkpoint.tensors.values()][0]!, byteLength: 2 ** 25 };
        return {
          ...checkpoint,
          tensors: new Map([...checkpoint.tensors, ["rope_factors_long.weight", info]]),
        };
      };
      const warnings: unknown[] = [];
      const warn = vi.spyOn(console, "warn").mockImplementation((text) => warnings.push(text));
      const ended: number[] = [];
      let meanwhile = 0;
      const executor = await loadExecutor(
        await large(of()),
        brokenHost(ended),
        { contextLength: 64 },
        () => meanwhile++,
      );
      warn.mockRestore();
      expect(warnings).toEqual(["nibble: the model runs on one thread, since no more threads"]);
      expect([executor.threads, meanwhile, ended]).toEqual([1, 1, [0, 2]]);
      const logitsOf = (one: WasmExecutor) =>
        one.forward([{ sequence: one.createSequence(), tokens: [5, 6, 7], logits: "last" }])[0]!.slice();
      const alone = await executorOf(await openFixture("llama", "gguf"), { contextLength: 64, threads: 1 });
      expect(logitsOf(executor)).toEqual(logitsOf(alone));
    },
  );
});

/** The private parts that a test of threads looks at. */
interface Insides {
  instance: Instance;
  readonly plan: MemoryPlan;
}

/** An executor for several threads in the simd build, whose helping threads were not started. */
async function unstartedThreads(checkpoint: Checkpoint, threads: number): Promise<WasmExecutor> {
  const {
    program,
    memoryOptions,
    memoryPlan: plan,
  } = await planExecutor(checkpoint, { contextLength: 64 }, { threads });
  const instance = await instantiate(await testHost.wasm("simd"), plan.total, false);
  await loadWeights({ instance, plan, weights: program.weights }, {});
  await checkpoint.close();
  return new WasmExecutor({ instance, program, plan, options: memoryOptions, threads });
}

describe("threads out of step", () => {
  const tokens = Array.from({ length: 60 }, (_, i) => (i * 37) % 316);
  /** The logits after a prompt and after each of three further tokens. */
  const continueText = (executor: WasmExecutor): Float32Array[] => {
    const sequence = executor.createSequence();
    const steps = [tokens, [7], [11], [13]];
    const logits = steps.map((step) => executor.forward([{ sequence, tokens: step, logits: "last" }])[0]!.slice());
    sequence.dispose();
    return logits;
  };

  // Between two barriers a thread may be any number of operations ahead. Here each runs to the barrier in turn.
  it.each([
    [2, [0, 1]],
    [2, [1, 0]],
    [5, [3, 0, 4, 1, 2]],
  ])("%i threads, each from barrier to barrier, in the order %j: the bits of one thread", async (threads, order) => {
    // crumb is quantised, so buffers of many sizes share memory. The simd build has no barriers that would wait.
    const crumb = () => openCheckpoint(join(root, "dist/crumb.gguf"), testHost);
    const alone = await executorOf(await crumb(), { build: "simd", contextLength: 64 });
    const executor = await unstartedThreads(await crumb(), threads);
    const insides = executor as unknown as Insides;
    const { kernels, memory } = insides.instance;
    let small = 0;
    const run = (program: number, count: number, batch: number): void => {
      const split = new Int32Array(memory.buffer, batch, 16)[batchWord("split")]!;
      if (!split) small++;
      const words = new Int32Array(memory.buffer, program, count * OPERATION_WORDS);
      for (let first = 0, i = 0; i < count; i++) {
        const barrier = words[i * OPERATION_WORDS + operationWord("matmul", "barrier")]!;
        if (barrier < (split ? 1 : 2) && i + 1 < count) continue;
        for (const thread of order) {
          const own = program + (split ? 0 : thread * count * OPERATION_BYTES);
          kernels.execute(own + first * OPERATION_BYTES, i + 1 - first, batch, thread, threads);
        }
        first = i + 1;
      }
    };
    insides.instance = { ...insides.instance, kernels: { ...kernels, run } };
    expect(continueText(executor)).toEqual(continueText(alone));
    expect(small).toBeGreaterThan(0);
  });

  it("more threads than cores, many times: always the bits of one thread", async () => {
    const run = async (threads: number, times: number): Promise<Set<string>> => {
      const executor = await executorOf(await openFixture("mobilellm-r1", "gguf"), {
        ...options,
        build: "threads",
        threads,
      });
      const results = Array.from({ length: times }, () =>
        continueText(executor)
          .map(({ buffer }) => Buffer.from(buffer).toString("base64"))
          .join(),
      );
      executor.dispose();
      return new Set(results);
    };
    const expected = await run(1, 1);
    expect(await run(2, 200)).toEqual(expected);
    expect(await run(3, 50)).toEqual(expected);
  });
});

describe("a failing thread", () => {
  it("sets a flag in the shared memory: the call is poisoned, and later calls too", async () => {
    const executor = await executorOf(await openFixture("mobilellm-r1", "gguf"), options);
    const sequence = executor.createSequence();
    executor.forward([{ sequence, tokens: [1, 2, 3], logits: "last" }]);
    // The same as serveThread does after a trap.
    const { instance, plan } = executor as unknown as Insides;
    const header = new Int32Array(instance.memory.buffer, plan.base.batch, BATCH_HEADER_BYTES / 4);
    Atomics.store(header, batchWord("failed"), 1);
    // The barrier waits for one thread more than there are, so it is never complete.
    Atomics.store(header, batchWord("arrived"), -1);
    const call = () => executor.forward([{ sequence, tokens: [4], logits: "last" }]);
    expect(call).toThrow(expect.objectContaining({ code: "poisoned" }));
    expect(call).toThrow(expect.objectContaining({ code: "poisoned" }));
    expect(sequence.length).toBe(3);
    executor.dispose();
  });

  it("killed where the host cannot tell: the barrier gives up after ten seconds", async () => {
    const threads: Thread[] = [];
    const host = {
      ...testHost,
      startThread: async (start: Parameters<typeof startThread>[1]) => {
        const thread = await startThread(join(root, "dist/thread.mjs"), start);
        threads.push(thread);
        return { terminate: thread.terminate };
      },
    };
    const executor = await executorOf(await openFixture("mobilellm-r1", "gguf"), options, host);
    const sequence = executor.createSequence();
    threads[0]!.terminate();
    await threads[0]!.ended;
    expect(() => executor.forward([{ sequence, tokens: [1], logits: "last" }])).toThrow(
      expect.objectContaining({ code: "poisoned" }),
    );
  });
});

it("idle threads do not keep the process alive, disposed or not", () => {
  const script = `
    const { load } = await import(${JSON.stringify(pathToFileURL(join(root, "dist/index.js")).href)});
    const model = await load("crumb", { threads: 2 });
    const answer = await model.completions.create({ prompt: "Hi", max_tokens: 3 });
    if (process.argv[1] === "dispose") model.dispose();
    console.log(answer.usage.completion_tokens);`;
  for (const mode of ["dispose", "leave"]) {
    const args = ["--input-type=module", "-e", script, mode];
    const output = execFileSync(process.execPath, args, { encoding: "utf8", timeout: 110_000 });
    expect(Number(output)).toBeGreaterThan(0);
  }
});
