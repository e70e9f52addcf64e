/**
 * Runs a part in a thread of its own with a watchdog, and collects its figures and findings.
 * @module
 */
import { Worker } from "node:worker_threads";
import type { Input, PartName } from "./target.ts";
import { targetsOf } from "./targets.ts";
import { type FiguresMessage, type FoundMessage, randomOf, type WorkerMessage, type WorkerStart } from "./worker.ts";

export type Found = Omit<FoundMessage, "kind">;
export type TargetFigures = Omit<FiguresMessage, "kind"> & { readonly findings: number };

export interface PartResult {
  readonly figures: readonly TargetFigures[];
  readonly found: readonly Found[];
}

export interface PartOptions {
  readonly seed: string;
  /** undefined: until every target has run its `inputs` */
  readonly seconds: number | undefined;
  readonly only?: string | undefined;
  readonly onFound: (found: Found) => void;
}

/** JavaScript heap of the thread; a small file that fills it is a finding. */
const HEAP_MB = 1024;
/** Seconds that an input may take, where its target does not say. */
const PATIENCE = 120;

/** Runs the targets of a part until the time is over, or until they have run all inputs. A thread that dies or hangs is a finding, and another goes on. */
export async function runPart(part: PartName, options: PartOptions): Promise<PartResult> {
  const deadline = options.seconds === undefined ? undefined : Date.now() + options.seconds * 1000;
  const counters = new SharedArrayBuffer(4 * targetsOf(part).length);
  const found: Found[] = [];
  const lives: FiguresMessage[][] = [];
  const note = (one: Found): void => {
    found.push(one);
    options.onFound(one);
  };
  do {
    const known = found.map(({ signature }) => signature);
    const { seed, only } = options;
    const life = await oneLife({ part, seed, deadline, counters, only, known }, note);
    lives.push(life.figures);
    if (life.death === undefined) break;
    note({ ...(await atDeath(part, seed, life.place, counters)), signature: life.death, seen: life.death });
  } while (deadline === undefined || Date.now() < deadline);
  return { figures: merged(lives, found), found };
}

interface Life {
  readonly figures: FiguresMessage[];
  /** Why it ended before its time. */
  readonly death: string | undefined;
  /** The target that ran last. */
  readonly place: number;
}

async function oneLife(start: WorkerStart, note: (found: Found) => void): Promise<Life> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: start,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  const figures = new Map<string, FiguresMessage>();
  let death: string | undefined;
  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "figures") figures.set(message.target, message);
    else note(message);
  });
  worker.on("error", (error: Error) => {
    death ??= `the thread ended: ${error.stack ?? error}`;
  });
  const watch = watchdog(start, (seconds) => {
    death = `the input did not end within ${seconds} s`;
    void worker.terminate();
  });
  await new Promise((resolve) => worker.once("exit", resolve));
  const place = watch();
  return { figures: [...figures.values()], death, place };
}

/** Calls `hung` where no new input begins for too long. @returns ends it, and gives the place of the target that ran last */
function watchdog({ part, counters }: WorkerStart, hung: (seconds: number) => void): () => number {
  const targets = targetsOf(part);
  const counts = new Int32Array(counters);
  let before = Int32Array.from(counts);
  let last = 0;
  let since = Date.now();
  const look = (): void => {
    const changed = counts.findIndex((count, i) => count !== before[i]);
    if (changed >= 0) [last, since, before] = [changed, Date.now(), Int32Array.from(counts)];
    const patience = targets[last]?.patience ?? PATIENCE;
    if (Date.now() - since > patience * 1000) hung(patience);
  };
  const timer = setInterval(look, 500);
  return () => {
    clearInterval(timer);
    look();
    return last;
  };
}

/** The input that ran when a thread died. It is not made smaller, since each attempt would end a thread. */
async function atDeath(
  part: PartName,
  seed: string,
  place: number,
  counters: SharedArrayBuffer,
): Promise<{ target: string; number: number; input: Input }> {
  const target = targetsOf(part)[place]!;
  const number = new Int32Array(counters)[place]!;
  return { target: target.name, number, input: await target.generate(randomOf(seed, target.name, number)) };
}

function merged(lives: readonly FiguresMessage[][], found: readonly Found[]): TargetFigures[] {
  const sums = new Map<string, TargetFigures>();
  for (const { kind: _, ...one } of lives.flat()) {
    const old = sums.get(one.target);
    const outcomes = { ...old?.outcomes };
    for (const [outcome, count] of Object.entries(one.outcomes)) outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
    sums.set(one.target, {
      target: one.target,
      inputs: one.inputs + (old?.inputs ?? 0),
      outcomes,
      seconds: one.seconds + (old?.seconds ?? 0),
      slowest: Math.max(one.slowest, old?.slowest ?? 0),
      measured: one.measured ?? old?.measured,
      findings: found.filter(({ target }) => target === one.target).length,
    });
  }
  return [...sums.values()];
}
