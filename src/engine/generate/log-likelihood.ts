/**
 * How likely texts are as continuations of a context.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { logSoftmax } from "../sample/logprobs.ts";
import type { Scheduler } from "../schedule/scheduler.ts";
import type { Sharing } from "../schedule/shared-prefix.ts";
import { readRows } from "./read-rows.ts";

/** How likely a continuation is. */
export interface LogLikelihood {
  /** The sum of the natural logarithms of the probabilities of its tokens. */
  readonly logprob: number;
  /** Whether each of its tokens is the most likely one. */
  readonly greedy: boolean;
}

export interface ScoreSettings extends Sharing {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Scores continuations of one context, each of at least one token. The context is read once: its last row scores the first
 * tokens of all continuations, and those that have more are then read beside each other, with the context from the cache.
 * @throws the signal's reason; NibbleError `context_full`, `disposed`, `poisoned`, `non_finite_logits`
 */
export async function scoreContinuations(
  context: readonly number[],
  continuations: readonly (readonly number[])[],
  { adapters, cacheSalt, signal }: ScoreSettings,
  scheduler: Scheduler,
): Promise<LogLikelihood[]> {
  const results = continuations.map(() => ({ logprob: 0, greedy: true }));
  const { length } = context;
  /** Adds the row of the token at `position` to the scores of the continuations `which`. */
  const take = (which: readonly number[]) => (row: Float32Array, position: number) => {
    const ids = which.map((i) => continuations[i]![position + 1 - length]!);
    const { of, top } = logSoftmax(row, ids, 1);
    for (const [at, { id, logprob }] of of.entries()) {
      if (!Number.isFinite(logprob))
        throw new NibbleError("non_finite_logits", "the logits of the model are not finite numbers");
      const result = results[which[at]!]!;
      result.logprob += logprob;
      result.greedy &&= id === top[0]!.id;
    }
  };
  const read = (tokens: readonly number[], firstRow: number, which: readonly number[]) =>
    readRows(
      scheduler,
      { tokens, adapters, cacheSalt, firstRow, rows: tokens.length - firstRow, take: take(which) },
      signal,
    );
  // The last token of a continuation is predicted, and need not be read.
  const whole = (i: number) => [...context, ...continuations[i]!.slice(0, -1)];
  const all = continuations.map((_, i) => i);
  if (all.length === 1) await read(whole(0), length - 1, all);
  else if (all.length > 1) {
    await read(context, length - 1, all);
    const longer = all.filter((i) => continuations[i]!.length > 1);
    await Promise.all(longer.map((i) => read(whole(i), length, [i])));
  }
  return results;
}
