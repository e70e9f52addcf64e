/**
 * Helping threads. Each has its own instance on the shared memory, and waits in `serve` for the next `run`.
 * @module
 */
import type { Instance, Kernels } from "./kernels.ts";
import { batchWord } from "./operations.ts";

/** The message that starts a helping thread. All of it can be posted. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Arguments of `serve`. */
  readonly serve: readonly [program: number, own: number, batch: number, thread: number, threads: number];
}

export interface Thread {
  terminate(): void;
  /** Resolves to the reason when the thread ends, however that happens. Not all hosts can tell. */
  readonly ended?: Promise<unknown>;
}

/** Starts a thread; resolves when it is about to serve. */
export type StartThread = (start: ThreadStart) => Promise<Thread>;

/** The waits of the calling thread at barriers. */
export interface Waits {
  /** Barriers that it has passed. */
  readonly barriers: number;
  /** About how many seconds it has waited there for other threads. */
  readonly seconds: number;
}

/** Words of the batch that threads synchronise with (assembly/barrier.ts). */
const GENERATION = batchWord("generation");
const FAILED = batchWord("failed");
const RUNS = batchWord("runs");
const STOP = batchWord("stop");
const BARRIERS = batchWord("barriers");
const SPINS = batchWord("spins");
/** Turns of the waiting loop that are timed, about 20 microseconds, and how often: V8 optimises the loop meanwhile. */
const TIMED_SPINS = 20_000;
const TIMINGS = 200;

/**
 * Runs on the helping thread: instantiates the module, calls `ready`, and serves. A trap is reported through the
 * memory.
 */
export function serveThread({ module, memory, serve }: ThreadStart, ready: () => void): void {
  const batch = serve[2];
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
  private readonly kernels: Kernels;
  private readonly threads: Thread[];
  private barriers = 0;
  private spins = 0;
  private spinSeconds: number | undefined;
  private disposed = false;

  private constructor({ memory, kernels }: Instance, batch: number, threads: Thread[]) {
    this.control = new Int32Array(memory.buffer, batch, STOP + 1);
    this.kernels = kernels;
    this.threads = threads;
  }

  /**
   * Starts a helper for each program but the first. If one fails to start, the others are ended and its error is thrown.
   * @param programs the address of each thread's program
   */
  static async start(
    instance: Instance,
    programs: readonly number[],
    batch: number,
    startThread: StartThread,
  ): Promise<ThreadPool> {
    const { module, memory } = instance;
    const [first, ...helpers] = programs as readonly [number, ...number[]];
    const starting = helpers.map((own, i) =>
      startThread({ module, memory, serve: [first, own, batch, i + 1, programs.length] }),
    );
    const pool = new ThreadPool(instance, batch, []);
    const outcomes = await Promise.allSettled(starting);
    for (const outcome of outcomes) if (outcome.status === "fulfilled") pool.threads.push(outcome.value);
    const failure = outcomes.find((outcome) => outcome.status === "rejected");
    if (failure) {
      pool.dispose();
      throw failure.reason;
    }
    return pool;
  }

  /**
   * Calls `onLost` when a thread has ended that was not told to. The threads that wait for it at a barrier fail, too.
   */
  watch(onLost: (reason: unknown) => void): void {
    for (const { ended } of this.threads)
      void ended?.then((reason) => {
        if (this.disposed) return;
        Atomics.store(this.control, FAILED, 1);
        Atomics.notify(this.control, GENERATION);
        onLost(reason);
      });
  }

  /** Adds what the last run has counted. */
  count(): void {
    this.barriers += this.control[BARRIERS]!;
    this.spins += this.control[SPINS]! >>> 0;
    this.control[BARRIERS] = 0;
    this.control[SPINS] = 0;
  }

  /** The waits of all runs so far. The kernels have no clock, so they count turns of a loop, which is timed here. */
  get waits(): Waits {
    this.spinSeconds ??= this.timeSpin();
    return { barriers: this.barriers, seconds: this.spins * this.spinSeconds };
  }

  private timeSpin(): number {
    const { control, kernels } = this;
    const samples = Array.from({ length: TIMINGS }, () => {
      const start = performance.now();
      kernels.spin(control.byteOffset, 4 * STOP, Atomics.load(control, STOP), TIMED_SPINS);
      return (performance.now() - start) / 1000 / TIMED_SPINS;
    });
    return Math.min(...samples);
  }

  /** Lets every thread leave `serve`, then ends it. */
  dispose(): void {
    this.disposed = true;
    Atomics.store(this.control, STOP, 1);
    Atomics.add(this.control, RUNS, 1);
    Atomics.notify(this.control, RUNS);
    for (const thread of this.threads) thread.terminate();
  }
}
