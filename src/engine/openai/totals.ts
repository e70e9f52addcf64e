/**
 * What answers of both kinds have in common: ids, reasons of the end, figures of several choices together.
 * @module
 */
import type { FinishEvent, Timings, Usage } from "../generate/events.ts";
import { randomHex } from "../sample/random.ts";

/** Choices share their prompt, which counts once; the first choice tells how much of it was cached. */
export function totalUsage(usages: readonly Usage[]): Usage {
  const [first] = usages as [Usage];
  const sum = (count: (usage: Usage) => number) => usages.reduce((total, usage) => total + count(usage), 0);
  const completion_tokens = sum((usage) => usage.completion_tokens);
  const reasoning_tokens = sum((usage) => usage.completion_tokens_details?.reasoning_tokens ?? 0);
  return {
    ...first,
    completion_tokens,
    total_tokens: first.prompt_tokens + completion_tokens,
    ...(first.completion_tokens_details && { completion_tokens_details: { reasoning_tokens } }),
  };
}

/** Choices that ran together: the prompt of the first, and the tokens of all in the longest time. */
export function totalTimings(timings: readonly Timings[]): Timings {
  const [first] = timings as [Timings];
  if (timings.length === 1) return first;
  const sum = (count: (one: Timings) => number) => timings.reduce((total, one) => total + count(one), 0);
  const predicted_n = sum((one) => one.predicted_n);
  const predicted_ms = Math.max(...timings.map((one) => one.predicted_ms));
  const drafts = { draft_n: sum((one) => one.draft_n ?? 0), draft_n_accepted: sum((one) => one.draft_n_accepted ?? 0) };
  return {
    ...first,
    predicted_n,
    predicted_ms,
    predicted_per_second: predicted_ms > 0 ? (predicted_n / predicted_ms) * 1000 : 0,
    ...(drafts.draft_n > 0 && drafts),
  };
}

export function head(prefix: string, model: string): { id: string; created: number; model: string } {
  return { id: `${prefix}-${randomHex()}`, created: Math.floor(Date.now() / 1000), model };
}

export function stopReason(finish: FinishEvent | undefined): { stop_reason?: string } {
  return finish?.stop === undefined ? {} : { stop_reason: finish.stop };
}
