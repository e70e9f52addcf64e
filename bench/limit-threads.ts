/**
 * Measures the limits of several threads together: each runs the loops of limits.ts, phase by phase with the others. Two
 * threads may share a core, and all share the memory, so these limits are not a multiple of those of one thread.
 * @module
 */
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { createLimits, LIMITS, type Limit, type Limits } from "./limits.ts";

/** Two words: how many parties have arrived at the barrier, and how often it has opened. */
interface Barrier {
  readonly words: Int32Array;
  readonly parties: number;
}

/** A party waits at most this long, so that the others go on if a worker has died; its answer is then missing. */
const PATIENCE_MS = 10_000;

function meet({ words, parties }: Barrier): void {
  const opened = Atomics.load(words, 1);
  if (Atomics.add(words, 0, 1) < parties - 1) return void Atomics.wait(words, 1, opened, PATIENCE_MS);
  Atomics.store(words, 0, 0);
  Atomics.add(words, 1, 1);
  Atomics.notify(words, 1);
}

export interface ThreadLimits {
  /** Measures once, and returns the sums over the threads. */
  measure(): Promise<Limits>;
  close(): Promise<void>;
}

/**
 * Starts and warms up `threads - 1` workers; the caller is the last thread.
 * @param totalBytes the bytes that all threads read together; 512 MiB or more, so that they are not in the caches
 */
export async function createThreadLimits(threads: number, totalBytes: number = 2 ** 29): Promise<ThreadLimits> {
  const readBytes = 2 ** 20 * Math.ceil(totalBytes / threads / 2 ** 20);
  const barrier: Barrier = { words: new Int32Array(new SharedArrayBuffer(8)), parties: threads };
  const own = createLimits(readBytes, () => meet(barrier));
  const data = { barrier, readBytes };
  const workers = Array.from(
    { length: threads - 1 },
    () => new Worker(new URL(import.meta.url), { workerData: { limits: data } }),
  );
  for (const worker of workers) await once(worker, "message");
  return {
    async measure() {
      const answers = workers.map((worker) => once(worker, "message"));
      for (const worker of workers) worker.postMessage("measure");
      const all = [own(), ...(await Promise.all(answers)).map(([limits]) => limits as Limits)];
      const sum = (key: Limit): number => all.reduce((total, limits) => total + limits[key], 0);
      return { ...all[0]!, ...(Object.fromEntries(LIMITS.map((key) => [key, sum(key)])) as Record<Limit, number>) };
    },
    async close() {
      for (const worker of workers) await worker.terminate();
    },
  };
}

const data = isMainThread ? undefined : workerData?.limits;
if (data) {
  const measure = createLimits(data.readBytes, () => meet(data.barrier));
  parentPort!.on("message", () => parentPort!.postMessage(measure()));
  parentPort!.postMessage("ready");
}
