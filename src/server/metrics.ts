/**
 * Counters in Prometheus' text format (version 0.0.4).
 * @module
 */
import type { Timings } from "../engine/generate/timings.ts";

/** A metric's name, its help text, and its value. */
export type Metric = readonly [name: string, help: string, value: number];

export class Metrics {
  readonly #requests = new Map<string, number>();
  #promptTokens = 0;
  #cachedTokens = 0;
  #draftedTokens = 0;
  #acceptedTokens = 0;
  #promptSeconds = 0;
  #answerTokens = 0;
  #answerSeconds = 0;
  #unfinished = 0;

  /** @param path a route's own path, so that clients cannot make up labels */
  request(path: string, status: number): void {
    const labels = `path="${path}",status="${status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
  }

  /** Counts an answer that is complete. */
  answer({
    cache_n,
    prompt_n,
    prompt_ms,
    predicted_n,
    predicted_ms,
    draft_n = 0,
    draft_n_accepted = 0,
  }: Timings): void {
    this.#cachedTokens += cache_n;
    this.#draftedTokens += draft_n;
    this.#acceptedTokens += draft_n_accepted;
    this.#promptTokens += prompt_n;
    this.#promptSeconds += prompt_ms / 1000;
    this.#answerTokens += predicted_n;
    this.#answerSeconds += predicted_ms / 1000;
  }

  /** Counts an answer that was cut off, because its reader left or something failed. */
  cut(): void {
    this.#unfinished++;
  }

  /** @param gauges of the server and its models, under our names */
  text(gauges: readonly Metric[]): string {
    const requests = [...this.#requests].map(([labels, value]) => `nibble_requests_total{${labels}} ${value}`);
    return [
      "# HELP nibble_requests_total Responses by path and status.",
      "# TYPE nibble_requests_total counter",
      ...requests,
      ...this.#counters().flatMap((one) => metric("counter", one)),
      ...[...gauges, ...this.#rates()].flatMap((one) => metric("gauge", one)),
      "",
    ].join("\n");
  }

  /** Under our names, then those of llama-server. */
  #counters(): readonly Metric[] {
    const cut = "Answers that were cut off because their reader left or something failed.";
    return [
      ["nibble_prompt_tokens_total", "Prompt tokens of complete answers.", this.#promptTokens],
      ["nibble_prompt_seconds_total", "Time to first token of complete answers.", this.#promptSeconds],
      ["nibble_completion_tokens_total", "Tokens of complete answers.", this.#answerTokens],
      ["nibble_completion_seconds_total", "Time from first to last token of complete answers.", this.#answerSeconds],
      ["nibble_answers_cut_total", cut, this.#unfinished],
      ["llamacpp:prompt_tokens_total", "Number of prompt tokens processed.", this.#promptTokens],
      ["llamacpp:prompt_tokens_cached_total", "Number of prompt tokens reused from the cache.", this.#cachedTokens],
      ["llamacpp:spec_decode_num_draft_tokens_total", "Number of drafted tokens.", this.#draftedTokens],
      ["llamacpp:spec_decode_num_accepted_tokens_total", "Number of accepted drafted tokens.", this.#acceptedTokens],
      ["llamacpp:prompt_seconds_total", "Prompt process time in seconds.", this.#promptSeconds],
      ["llamacpp:tokens_predicted_total", "Number of generation tokens processed.", this.#answerTokens],
      ["llamacpp:tokens_predicted_seconds_total", "Predict process time in seconds.", this.#answerSeconds],
    ];
  }

  #rates(): readonly Metric[] {
    const rate = (count: number, seconds: number): number => (seconds > 0 ? count / seconds : 0);
    const [prompt, answer] = [
      rate(this.#promptTokens, this.#promptSeconds),
      rate(this.#answerTokens, this.#answerSeconds),
    ];
    return [
      ["llamacpp:prompt_tokens_seconds", "Average prompt throughput in tokens per second.", prompt],
      ["llamacpp:predicted_tokens_seconds", "Average generation throughput in tokens per second.", answer],
    ];
  }
}

function metric(type: string, [name, help, value]: Metric): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`];
}
