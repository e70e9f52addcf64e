/**
 * Measures limits in a process of its own, so that V8's flags can differ: `--experimental-wasm-revectorize` also makes the
 * loops of the limits faster.
 * @module
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createThreadLimits, type ThreadLimits } from "./limit-threads.ts";
import type { Limits } from "./limits.ts";
import { isMain } from "./machine.ts";

const REVECTORIZE = "--experimental-wasm-revectorize";

/** The threads and the vectors for which limits hold. */
export interface LimitKind {
  readonly threads: number;
  /** Whether V8 joins operations to ones of 256 bits. */
  readonly packed: boolean;
}

/** `2 threads, 256 bits` */
export function limitName({ threads, packed }: LimitKind): string {
  return `${threads} ${threads === 1 ? "thread" : "threads"}${packed ? ", 256 bits" : ""}`;
}

/** Measures the machine's limits by their kind, and keeps every measurement. */
export class Limiter {
  /** By the kind's name, in the order of the run. */
  readonly samples: Map<string, Limits[]> = new Map();
  readonly #processes = new Map<boolean, LimitProcess>();

  async measure(kind: LimitKind): Promise<Limits> {
    const known = this.#processes.get(kind.packed) ?? new LimitProcess(kind.packed);
    this.#processes.set(kind.packed, known);
    const limits = await known.measure(kind.threads);
    const name = limitName(kind);
    this.samples.set(name, [...(this.samples.get(name) ?? []), limits]);
    return limits;
  }

  close(): void {
    for (const each of this.#processes.values()) each.close();
  }
}

class LimitProcess {
  readonly #child: ChildProcess;
  readonly #gone: Promise<never>;

  constructor(packed: boolean) {
    this.#child = fork(fileURLToPath(import.meta.url), [], { execArgv: packed ? [REVECTORIZE] : [] });
    this.#gone = once(this.#child, "exit").then(([code, signal]) => {
      throw new Error(`the process that measures limits ended with ${code ?? signal}`);
    });
    this.#gone.catch(() => {});
  }

  async measure(threads: number): Promise<Limits> {
    const answer = new Promise<Limits>((resolve) => this.#child.once("message", (limits) => resolve(limits as Limits)));
    this.#child.send(threads);
    return Promise.race([answer, this.#gone]);
  }

  close(): void {
    this.#child.kill();
  }
}

if (isMain(import.meta.url)) {
  const known = new Map<number, ThreadLimits>();
  process.on("message", async (threads: number) => {
    const limits = known.get(threads) ?? (await createThreadLimits(threads));
    known.set(threads, limits);
    process.send!(await limits.measure());
  });
}
