/**
 * Measures the throughput of the runtime without sampling, by llama-bench's tests.
 * @module
 */
import { uniform } from "../engine/sample/random.ts";
import type { Executor, Sequence } from "../runtime/types.ts";

/** One of llama-bench's tests: `prompt` tokens at once, or `gen` single steps, after `depth` cached tokens. */
export interface Test {
  readonly prompt: number;
  readonly gen: number;
  readonly depth: number;
  /** The number of conversations that step together, each with its own tokens. Default 1; llama-bench has no such test. */
  readonly sequences?: number;
}

export interface PreparedTest {
  /** Runs the test and returns its nanoseconds. The first run is a warm-up. */
  run(): number;
  /** Frees the sequences. */
  dispose(): void;
}

/** Reads the tokens before the test (`depth`), once and not timed. */
export function prepareTest(executor: Executor, { prompt, gen, depth, sequences = 1 }: Test): PreparedTest {
  const all = Array.from({ length: sequences }, () => executor.createSequence());
  const ids = Array.from({ length: depth + prompt + gen }, (_, i) => Math.floor(uniform(1, i, 0) * executor.vocabSize));
  for (const sequence of all) feed(executor, sequence, ids.slice(0, depth), "none");
  const run = (): number => {
    for (const sequence of all) {
      sequence.truncate(depth);
      if (sequence.length < depth) feed(executor, sequence, ids.slice(sequence.length, depth), "none");
    }
    const start = performance.now();
    if (prompt > 0) for (const sequence of all) feed(executor, sequence, ids.slice(depth), "last");
    for (let i = depth; i < depth + gen; i++)
      executor.forward(all.map((sequence, s) => ({ sequence, tokens: [ids[(i + s) % ids.length]!], logits: "last" })));
    return Math.round((performance.now() - start) * 1e6);
  };
  const dispose = (): void => {
    for (const sequence of all) sequence.dispose();
  };
  return { run, dispose };
}

/** The nanoseconds of each repetition, after a warm-up. */
export function measure(executor: Executor, test: Test, repetitions: number): number[] {
  const { run, dispose } = prepareTest(executor, test);
  run();
  const samples = Array.from({ length: repetitions }, run);
  dispose();
  return samples;
}

/** Reads a prompt in steps; where logits are wanted, they are those of the last token. */
function feed(executor: Executor, sequence: Sequence, ids: readonly number[], logits: "none" | "last"): void {
  const step = executor.maxBatchTokens;
  for (let at = 0; at < ids.length; at += step) {
    const last = at + step >= ids.length;
    executor.forward([{ sequence, tokens: ids.slice(at, at + step), logits: last ? logits : "none" }]);
  }
}
