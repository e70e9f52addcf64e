/**
 * Parts that chat and text completions share: ids, finish reasons, and the usage and timings of several choices
 * together.
 * @module
 */
import type { FinishEvent, GenerateEvent, ProgressEvent, Usage } from "../generate/events.ts";
import { type Timings, timingsOf } from "../generate/timings.ts";
import { randomHex } from "../sample/random.ts";
import type { PromptProgress } from "./common-types.ts";

/**
 * The usage of all choices. Answers to one prompt share it, so it counts once. The first of them knows how much of it
 * was cached.
 * @param isFirst whether a choice is the first one of its prompt
 */
export function totalUsage(usages: readonly Usage[], isFirst: (index: number) => boolean): Usage {
  const firsts = usages.filter((_, index) => isFirst(index));
  const sum = (of: readonly Usage[], count: (usage: Usage) => number) =>
    of.reduce((total, usage) => total + count(usage), 0);
  const prompt_tokens = sum(firsts, (usage) => usage.prompt_tokens);
  const cached_tokens = sum(firsts, (usage) => usage.prompt_tokens_details.cached_tokens);
  const completion_tokens = sum(usages, (usage) => usage.completion_tokens);
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { cached_tokens },
    ...totalDetails(usages),
  };
}

const DETAILS = ["reasoning_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"] as const;

/** The sum of each detail that some choice has. */
function totalDetails(usages: readonly Usage[]): Pick<Usage, "completion_tokens_details"> {
  const all = usages.flatMap((usage) => usage.completion_tokens_details ?? []);
  const present = DETAILS.filter((name) => all.some((details) => details[name] !== undefined));
  const sums = present.map((name) => [name, all.reduce((sum, details) => sum + (details[name] ?? 0), 0)]);
  return present.length > 0 ? { completion_tokens_details: Object.fromEntries(sums) } : {};
}

/**
 * The timings of choices that ran together: all tokens in the longest time.
 * @param usage of all choices, which tells the tokens of their prompts
 */
export function totalTimings(timings: readonly Timings[], usage: Usage): Timings {
  const [first] = timings as [Timings];
  if (timings.length === 1) return first;
  const cached = usage.prompt_tokens_details.cached_tokens;
  const sum = (count: (one: Timings) => number) => timings.reduce((total, one) => total + count(one), 0);
  return timingsOf({
    cached,
    prompt: usage.prompt_tokens - cached,
    promptMs: Math.max(...timings.map((one) => one.prompt_ms)),
    predicted: sum((one) => one.predicted_n),
    predictedMs: Math.max(...timings.map((one) => one.predicted_ms)),
    answers: timings.length,
    drafted: sum((one) => one.draft_n ?? 0),
    accepted: sum((one) => one.draft_n_accepted ?? 0),
  });
}

export function head(prefix: string, model: string): { id: string; created: number; model: string } {
  return { id: `${prefix}-${randomHex()}`, created: Math.floor(Date.now() / 1000), model };
}

export function stopReason(finish: FinishEvent | undefined): { stop_reason?: string } {
  return finish?.stop === undefined ? {} : { stop_reason: finish.stop };
}

/** The usage of an event (vLLM's `continuous_usage_stats`), as a field of its chunk. */
export function eventUsage(event: GenerateEvent): { usage?: Usage } {
  return event.type === "token" && event.usage ? { usage: event.usage } : {};
}

/** The timings of an event, as a field of its chunk. */
export function eventTimings(event: GenerateEvent): { timings?: Timings } {
  return event.type !== "prompt" && event.timings ? { timings: event.timings } : {};
}

export function promptProgress({ total, cache, processed, time_ms }: ProgressEvent): PromptProgress {
  return { total, cache, processed, time_ms };
}
