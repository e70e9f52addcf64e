/**
 * Helping threads. Each has its own instance on the shared memory, and waits in `serve` for the next `run`.
 * @module
 */
import type { Instance } from "./kernels.ts";
import { batchWord } from "./operations.ts";

/** The message that starts a helping thread. All of it can be posted. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Arguments of `serve`. */
  readonly serve: readonly [program: number, batch: number, thread: number, threads: number];
}

export interface Thread {
  terminate(): void;
}

/** Starts a thread; resolves when it is about to serve. */
export type StartThread = (start: ThreadStart) => Promise<Thread>;

/** Words of the batch's header that threads synchronise with (assembly/barrier.ts). */
const GENERATION = batchWord("generation");
const FAILED = batchWord("failed");
const RUNS = batchWord("runs");
const STOP = batchWord("stop");

/**
 * Runs on the helping thread: instantiates the module, calls `ready`, and serves. A trap is reported through the
 * memory.
 */
export function serveThread({ module, memory, serve }: ThreadStart, ready: () => void): void {
  const batch = serve[1];
  const control = new Int32Array(memory.buffer, batch, STOP + 1);
  try {
    const abort = (): never => {
      throw new Error("abort in wasm");
    };
    const { exports } = new WebAssembly.Instance(module, { env: { memory, abort } });
    ready();
    (exports.serve as (...args: readonly number[]) => void)(...serve);
  } catch (error) {
    Atomics.store(control, FAILED, 1);
    Atomics.notify(control, GENERATION);
    throw error;
  }
}

/** The helping threads of an executor. */
export class ThreadPool {
  private readonly control: Int32Array;
  private readonly threads: Thread[];

  private constructor(control: Int32Array, threads: Thread[]) {
    this.control = control;
    this.threads = threads;
  }

  /** Starts `threads - 1` helpers. If one fails to start, the others are ended and its error is thrown. */
  static async start(
    { module, memory }: Instance,
    [program, batch]: readonly [program: number, batch: number],
    threads: number,
    startThread: StartThread,
  ): Promise<ThreadPool> {
    const starting = Array.from({ length: threads - 1 }, (_, i) =>
      startThread({ module, memory, serve: [program, batch, i + 1, threads] }),
    );
    const pool = new ThreadPool(new Int32Array(memory.buffer, batch, STOP + 1), []);
    const outcomes = await Promise.allSettled(starting);
    for (const outcome of outcomes) if (outcome.status === "fulfilled") pool.threads.push(outcome.value);
    const failure = outcomes.find((outcome) => outcome.status === "rejected");
    if (failure) {
      pool.dispose();
      throw failure.reason;
    }
    return pool;
  }

  /** Lets every thread leave `serve`, then ends it. */
  dispose(): void {
    Atomics.store(this.control, STOP, 1);
    Atomics.add(this.control, RUNS, 1);
    Atomics.notify(this.control, RUNS);
    for (const thread of this.threads) thread.terminate();
  }
}
