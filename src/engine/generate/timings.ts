/**
 * The timings of an answer, with llama-server's names.
 * @module
 */

/**
 * llama-server's timings. The last step of prefill gives the first token of an answer. So that token counts as
 * predicted, but its time belongs to the prompt, and the rates are those of the other tokens. Times are 0 on hosts
 * whose clock stands still during computations (Workers).
 */
export interface Timings {
  /** Tokens of the prompt that were cached. */
  readonly cache_n: number;
  /** Tokens of the prompt that this request computed. */
  readonly prompt_n: number;
  /** Milliseconds until the first token. */
  readonly prompt_ms: number;
  /** Milliseconds per computed token of the prompt. */
  readonly prompt_per_token_ms: number;
  /** Tokens of the prompt computed per second. */
  readonly prompt_per_second: number;
  /** Tokens of the answer. */
  readonly predicted_n: number;
  /** Milliseconds from the first token to the end. */
  readonly predicted_ms: number;
  /** Milliseconds per token after the first one. */
  readonly predicted_per_token_ms: number;
  /** Tokens after the first one per second. */
  readonly predicted_per_second: number;
  /** Tokens drafted from earlier text. Absent if none were drafted. */
  readonly draft_n?: number;
  /** Drafted tokens that the model then chose, which is the number of steps saved. */
  readonly draft_n_accepted?: number;
}

/** The counts and times of one answer, or of several that ran together. */
export interface Measured {
  readonly cached: number;
  /** Tokens of the prompt that were computed. */
  readonly prompt: number;
  readonly promptMs: number;
  readonly predicted: number;
  readonly predictedMs: number;
  /** Answers whose tokens `predicted` counts (default 1). */
  readonly answers?: number;
  readonly drafted?: number;
  readonly accepted?: number;
}

export function timingsOf({ cached, prompt, promptMs, predicted, predictedMs, ...rest }: Measured): Timings {
  const { answers = 1, drafted = 0, accepted = 0 } = rest;
  const steps = Math.max(0, predicted - answers);
  return {
    cache_n: cached,
    prompt_n: prompt,
    prompt_ms: promptMs,
    prompt_per_token_ms: ratio(promptMs, prompt),
    prompt_per_second: ratio(1000 * prompt, promptMs),
    predicted_n: predicted,
    predicted_ms: predictedMs,
    predicted_per_token_ms: ratio(predictedMs, steps),
    predicted_per_second: ratio(1000 * steps, predictedMs),
    ...(drafted > 0 && { draft_n: drafted, draft_n_accepted: accepted }),
  };
}

function ratio(amount: number, base: number): number {
  return base > 0 ? amount / base : 0;
}
