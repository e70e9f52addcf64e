/**
 * Helping threads: a failure on one of them ends in a typed error, and nothing hangs. (Equal bits:
 * determinism.test.ts.)
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { startThread } from "../../src/hosts/node/host.ts";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import type { WasmExecutor } from "../../src/runtime/executor.ts";
import type { Instance } from "../../src/runtime/kernels.ts";
import type { MemoryPlan } from "../../src/runtime/memory-plan.ts";
import {
  batchWord,
  OPERATION_BYTES,
  OPERATION_WORDS,
  OPERATIONS,
  type OperationName,
  operationWord,
} from "../../src/runtime/operations.ts";
import type { Thread } from "../../src/runtime/threads.ts";
import { executorOf, openFixture, root, testHost } from "../helpers/models.ts";

/** Operations that have scratch. */
const SCRATCH: readonly OperationName[] = ["matmul", "attention", "lora"];
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

  it("a thread that does not start: the error is passed on, the others end", async () => {
    const ended: number[] = [];
    let started = 0;
    const host = {
      ...testHost,
      startThread: async (): Promise<Thread> => {
        const n = started++;
        if (n === 1) throw new Error("no more threads");
        return { terminate: () => ended.push(n) };
      },
    };
    const loading = openFixture("llama", "gguf").then((checkpoint) => executorOf(checkpoint, { threads: 4 }, host));
    await expect(loading).rejects.toThrow("no more threads");
    expect(ended).toEqual([0, 2]);
  });
});

/** The private parts that a test of threads looks at. */
interface Insides {
  instance: Instance;
  readonly plan: MemoryPlan;
}

describe("threads out of step", () => {
  const tokens = Array.from({ length: 60 }, (_, i) => (i * 37) % 316);
  const logitsOf = (executor: WasmExecutor): Float32Array => {
    const sequence = executor.createSequence();
    const [logits] = executor.forward([{ sequence, tokens, logits: "last" }]);
    sequence.dispose();
    return logits!.slice();
  };

  // Between two barriers a thread may be any number of operations ahead. Here each runs to the barrier in turn.
  it.each([
    [2, [0, 1]],
    [2, [1, 0]],
    [5, [3, 0, 4, 1, 2]],
  ])("%i threads, each from barrier to barrier, in the order %j: the bits of one thread", async (threads, order) => {
    // crumb is quantised, so buffers of many sizes share memory.
    const crumb = () => openCheckpoint(join(root, "dist/crumb.gguf"), testHost);
    const alone = await executorOf(await crumb(), { build: "simd", contextLength: 64 });
    const executor = await executorOf(await crumb(), { build: "simd", contextLength: 64 });
    const insides = executor as unknown as Insides;
    const { kernels, memory } = insides.instance;
    const run = (program: number, count: number, batch: number): void => {
      const words = new Int32Array(memory.buffer, program, count * OPERATION_WORDS);
      for (let first = 0, i = 0; i < count; i++) {
        if (words[i * OPERATION_WORDS + operationWord("matmul", "barrier")] === 0) continue;
        for (const thread of order)
          kernels.execute(program + first * OPERATION_BYTES, i + 1 - first, batch, thread, threads);
        first = i + 1;
      }
    };
    // Each thread has its own scratch, but one place will do where they take turns.
    insides.instance = { ...insides.instance, kernels: { ...kernels, run } };
    const ops = new Int32Array(memory.buffer, insides.plan.base.program, insides.plan.program / 4);
    for (let at = 0; at < ops.length; at += OPERATION_WORDS) {
      for (const name of SCRATCH)
        if (ops[at] === OPERATIONS[name].code) ops[at + operationWord(name, "scratchBytes")] = 0;
    }
    expect(logitsOf(executor)).toEqual(logitsOf(alone));
  });

  it("more threads than cores, many times: always the bits of one thread", async () => {
    const run = async (threads: number, times: number): Promise<Set<string>> => {
      const executor = await executorOf(await openFixture("mobilellm-r1", "gguf"), {
        ...options,
        build: "threads",
        threads,
      });
      const results = Array.from({ length: times }, () => Buffer.from(logitsOf(executor).buffer).toString("base64"));
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
    const header = new Int32Array(instance.memory.buffer, plan.base.batch, 16);
    Atomics.store(header, batchWord("failed"), 1);
    // The barrier waits for one thread more than there are, so it is never complete.
    Atomics.store(header, batchWord("arrived"), -1);
    const call = () => executor.forward([{ sequence, tokens: [4], logits: "last" }]);
    expect(call).toThrow(expect.objectContaining({ code: "poisoned" }));
    expect(call).toThrow(expect.objectContaining({ code: "poisoned" }));
    expect(sequence.length).toBe(3);
    executor.dispose();
  });

  it("killed: the barrier gives up after ten seconds", async () => {
    const threads: Thread[] = [];
    const host = {
      ...testHost,
      startThread: async (start: Parameters<typeof startThread>[1]) => {
        const thread = await startThread(pathToFileURL(join(root, "dist/thread.js")), start);
        threads.push(thread);
        return thread;
      },
    };
    const executor = await executorOf(await openFixture("mobilellm-r1", "gguf"), options, host);
    const sequence = executor.createSequence();
    threads[0]!.terminate();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const begin = performance.now();
    expect(() => executor.forward([{ sequence, tokens: [1], logits: "last" }])).toThrow(
      expect.objectContaining({ code: "poisoned" }),
    );
    expect(performance.now() - begin).toBeLessThan(20_000);
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
    const output = execFileSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
    expect(Number(output)).toBeGreaterThan(0);
  }
});
