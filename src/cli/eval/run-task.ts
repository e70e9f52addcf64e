/**
 * Computes the rows of a task that are not in its file yet.
 * @module
 */
import { join } from "node:path";
import { InterruptedError } from "../../../weights-tools/atomic-file.ts";
import type { Backend } from "../../eval/backend.ts";
import { type EvaluateOptions, evaluate, type Shard } from "../../eval/evaluate.ts";
import { filterNames } from "../../eval/filters.ts";
import type { NamedRun } from "../../eval/runs.ts";
import type { Scored } from "../../eval/samples.ts";
import { Progress } from "../progress.ts";
import { AnswerFile } from "./answer-file.ts";
import { SampleFile } from "./output.ts";

export interface RunFolders {
  /** Where samples are written; undefined: nowhere. */
  readonly out: string | undefined;
  /** Folders whose samples count as done. */
  readonly merge: readonly string[];
}

/**
 * @param options how rows are computed; `done` and `kept` are known from the folders
 * @throws NibbleError as `evaluate`; `io_error`; InterruptedError where SIGINT or SIGTERM ended the run
 */
export async function runTask(
  backend: Backend,
  run: NamedRun,
  { out, merge }: RunFolders,
  options: Omit<EvaluateOptions, "done" | "kept" | "signal">,
): Promise<readonly Scored[]> {
  const { name, rows } = run;
  const samplesIn = (folder: string): string => join(folder, `samples_${name}.jsonl`);
  const file = await SampleFile.open(out && samplesIn(out), merge.map(samplesIn), filterNames(run.task));
  const { done } = file;
  const answersIn = (folder: string): string => join(folder, `answers_${name}.jsonl`);
  const kept = await AnswerFile.open(out && answersIn(out), merge.map(answersIn), done);
  const total = done.size + missingRows(Math.min(rows.length, options.limit ?? Infinity), done, options.shard);
  const progress = new Progress(name, "rows");
  const interruption = new Interruption();
  let finished = done.size;
  progress.update(finished, total);
  try {
    for await (const samples of evaluate(backend, run, { ...options, done, kept, signal: interruption.signal })) {
      file.add(samples);
      progress.update(++finished, total, backend.tokens);
    }
  } catch (error) {
    const { came } = interruption;
    if (came === undefined) throw error;
    const after = `nibble eval was ended by ${came} after ${finished} of ${total} rows of ${name}`;
    const kept =
      out === undefined ? "nothing was kept, since there is no -o DIR" : `the same command goes on from ${out}`;
    throw new InterruptedError(came, `${after}; ${kept}`);
  } finally {
    interruption.release();
    progress.end();
  }
  const scores = await file.end();
  await kept.remove();
  return scores;
}

/** How many of the first `count` rows this run computes. */
function missingRows(count: number, done: ReadonlySet<number>, shard: Shard = { index: 0, count: 1 }): number {
  let missing = 0;
  for (let id = shard.index; id < count; id += shard.count) if (!done.has(id)) missing++;
  return missing;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Turns the first SIGINT or SIGTERM into an aborted signal. A second one ends the process at once, as usual. */
class Interruption {
  readonly #controller = new AbortController();
  #came: NodeJS.Signals | undefined;
  readonly #listener = (signal: NodeJS.Signals): void => {
    this.#came = signal;
    this.release();
    this.#controller.abort();
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The signal that came. */
  get came(): NodeJS.Signals | undefined {
    return this.#came;
  }

  release(): void {
    for (const signal of SIGNALS) process.off(signal, this.#listener);
  }
}
