/**
 * The thread that runs the inputs of one part. It says by shared memory which input it is at, so that a watchdog outside
 * sees one that never ends, and it ends as a whole where memory runs out.
 * @module
 */
import { parentPort, workerData } from "node:worker_threads";
import { Random } from "../helpers/random.ts";
import { failureOf, minimise, signatureOf } from "./minimise.ts";
import type { Input, PartName, Target } from "./target.ts";
import { targetsOf } from "./targets.ts";

/** What the thread is started with. */
export interface WorkerStart {
  readonly part: PartName;
  readonly seed: string;
  /** Milliseconds of `Date.now()` at which it ends; undefined: once every target has run its `inputs`, however long it takes. */
  readonly deadline: number | undefined;
  /** A counter per target, which this thread raises: the number of the input that runs, from 1 on. */
  readonly counters: SharedArrayBuffer;
  /** Only the target of this name. */
  readonly only: string | undefined;
  /** Signatures of failures that are known already. */
  readonly known: readonly string[];
}

/** What it reports of one input that broke a promise. */
export interface FoundMessage {
  readonly kind: "found";
  readonly target: string;
  readonly number: number;
  readonly input: Input;
  readonly signature: string;
  readonly seen: string;
}

/** What it reports at the end, and every few seconds before. */
export interface FiguresMessage {
  readonly kind: "figures";
  readonly target: string;
  readonly inputs: number;
  /** How inputs ended, and how often. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Seconds of the slowest input. */
  readonly slowest: number;
  /** `Target.measured` of the last input. */
  readonly measured?: unknown;
}

export type WorkerMessage = FoundMessage | FiguresMessage;

/** The random numbers of an input. */
export const randomOf = (seed: string, target: string, number: number): Random =>
  new Random(`${seed} ${target} ${number}`);

/** Seconds that one input may take where there is no deadline, of targets that run as long as they are told to. */
const INPUT_SECONDS = 20;
/** Seconds that making a failure smaller may take. */
const MINIMISE_SECONDS = 60;

class TargetRun {
  readonly target: Target;
  readonly #start: WorkerStart;
  readonly #known: Set<string>;
  readonly #outcomes: Record<string, number> = {};
  #inputs = 0;
  #seconds = 0;
  #slowest = 0;

  constructor(target: Target, start: WorkerStart, known: Set<string>) {
    this.target = target;
    this.#start = start;
    this.#known = known;
  }

  get seconds(): number {
    return this.#seconds;
  }

  async next(number: number): Promise<void> {
    const begin = performance.now();
    const input = await this.target.generate(randomOf(this.#start.seed, this.target.name, number));
    const { deadline } = this.#start;
    const left = deadline === undefined ? INPUT_SECONDS : Math.max(1, (deadline - Date.now()) / 1000);
    try {
      const outcome = await this.target.run(input, left);
      this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    } catch (error) {
      await this.#found(number, input, error instanceof Error ? error : new Error(`threw ${String(error)}`));
    }
    const seconds = (performance.now() - begin) / 1000;
    this.#inputs++;
    this.#seconds += seconds;
    this.#slowest = Math.max(this.#slowest, seconds);
  }

  async #found(number: number, input: Input, error: Error): Promise<void> {
    const signature = signatureOf(error);
    if (this.#known.has(signature)) return;
    this.#known.add(signature);
    const { target } = this;
    const least = await minimise(target, input, { seconds: MINIMISE_SECONDS, signature });
    const seen = (await failureOf(target, least)) ?? error;
    post({ kind: "found", target: target.name, number, input: least, signature, seen: String(seen.stack ?? seen) });
  }

  report(): void {
    post({
      kind: "figures",
      target: this.target.name,
      inputs: this.#inputs,
      outcomes: this.#outcomes,
      seconds: this.#seconds,
      slowest: this.#slowest,
      measured: this.target.measured?.(),
    });
  }
}

function post(message: WorkerMessage): void {
  parentPort!.postMessage(message);
}

/** The run that goes on next: every target gets the same time, so that quick ones run many inputs and slow ones some. */
function nextRun(runs: readonly PlacedRun[], deadline: number | undefined): PlacedRun | undefined {
  if (deadline === undefined) return runs.find(({ number, run }) => number() < run.target.inputs);
  if (Date.now() >= deadline) return undefined;
  return runs.reduce((least, one) => (one.run.seconds < least.run.seconds ? one : least));
}

interface PlacedRun {
  readonly place: number;
  readonly run: TargetRun;
  /** The number of its last input, in this thread or in one before. */
  number(): number;
}

async function runPart(start: WorkerStart): Promise<void> {
  const known = new Set(start.known);
  const counters = new Int32Array(start.counters);
  const all = targetsOf(start.part);
  const runs = all
    .map((target, place): PlacedRun => {
      const run = new TargetRun(target, start, known);
      return { place, run, number: () => Atomics.load(counters, place) };
    })
    .filter(({ run }) => start.only === undefined || run.target.name === start.only);
  let reported = Date.now();
  for (let one = nextRun(runs, start.deadline); one; one = nextRun(runs, start.deadline)) {
    const { place, run } = one;
    await run.next(Atomics.add(counters, place, 1) + 1);
    if (Date.now() - reported < 2000) continue;
    reported = Date.now();
    for (const { run } of runs) run.report();
  }
  for (const { run } of runs) run.report();
}

if (parentPort) {
  // The Parquet decoder reads columns side by side, and where two fail, nobody waits for the second. The library runs it in
  // a process of its own for this reason (src/cli/eval/parquet-main.ts). Any other such rejection ends the thread.
  process.on("unhandledRejection", (reason) => {
    if (!(reason instanceof Error && reason.stack?.includes("/hyparquet/"))) throw reason;
  });
  await runPart(workerData as WorkerStart);
  process.exit(); // ends this thread, whatever a broken target left open
}
