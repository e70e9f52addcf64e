/**
 * One answer: its tokens are shown as they come, and collected.
 * @module
 */
import type { FinishEvent, Timings } from "../engine/generate/events.ts";
import type { Model } from "../engine/model.ts";
import type { GenerateOptions } from "../engine/request/generate-options.ts";
import type { Logprobs } from "../engine/sample/logprobs.ts";
import { ReasoningDimmer } from "./dim.ts";
import { print } from "./output.ts";

export interface Answer {
  /** All tokens, with the end token. */
  readonly tokens: readonly number[];
  readonly text: string;
  /** "abort" after Ctrl-C. */
  readonly finishReason: FinishEvent["reason"] | "abort";
  /** One entry per token, where log-probabilities were asked for. */
  readonly logprobs: readonly Logprobs[];
  readonly timings: Timings;
}

/**
 * Generates an answer. With `show`, its text goes to stdout as it comes; on a terminal reasoning is dimmed.
 * The options' signal ends the answer, and so does SIGINT (which Ctrl-C sends unless the terminal is in raw mode).
 */
export async function answer(model: Model, options: GenerateOptions, show: boolean): Promise<Answer> {
  const dimmer = process.stdout.isTTY && !process.env.NO_COLOR ? new ReasoningDimmer() : undefined;
  const tokens: number[] = [];
  const logprobs: Logprobs[] = [];
  let text = "";
  let finish: Pick<Answer, "finishReason" | "timings"> | undefined;
  const start = performance.now();
  let first = start;

  const abort = new AbortController();
  const onInterrupt = (): void => abort.abort();
  process.on("SIGINT", onInterrupt);
  const signal = options.signal ? AbortSignal.any([options.signal, abort.signal]) : abort.signal;
  try {
    for await (const event of model.generate({ ...options, signal })) {
      if (event.type === "finish") {
        finish = { finishReason: event.reason, timings: event.timings };
        break;
      }
      if (event.type === "prompt") continue;
      if (tokens.length === 0) first = performance.now();
      tokens.push(event.id);
      if (event.logprobs) logprobs.push(event.logprobs);
      text += event.text;
      if (show && event.text !== "") await print(dimmer?.push(event.text) ?? event.text);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    process.off("SIGINT", onInterrupt);
    if (show && tokens.length > 0) await print((dimmer?.end() ?? "") + (text.endsWith("\n") ? "" : "\n"));
  }
  const end = performance.now();
  finish ??= {
    finishReason: "abort",
    timings: timings(options.prompt.length, (tokens.length ? first : end) - start, tokens.length, end - first),
  };
  return { tokens, text, logprobs, ...finish };
}

/** What the engine reports at the end of an answer, for one that was stopped before. */
function timings(promptN: number, promptMs: number, predictedN: number, predictedMs: number): Timings {
  const rate = (n: number, ms: number): number => (ms > 0 ? (n / ms) * 1000 : 0);
  return {
    cache_n: 0,
    prompt_n: promptN,
    prompt_ms: promptMs,
    prompt_per_second: rate(promptN, promptMs),
    predicted_n: predictedN,
    predicted_ms: predictedMs,
    predicted_per_second: rate(predictedN, predictedMs),
  };
}

/** `prompt 137 tokens (100 of them known), 2100.0 tokens/s; answer 66 tokens, 410.0 tokens/s` */
export function speed({ timings }: Answer): string {
  const { cache_n, prompt_n, prompt_per_second, predicted_n, predicted_per_second } = timings;
  const known = cache_n > 0 ? ` (${cache_n} of them known)` : "";
  const prompt = `prompt ${cache_n + prompt_n} tokens${known}, ${prompt_per_second.toFixed(1)} tokens/s`;
  return `${prompt}; answer ${predicted_n} tokens, ${predicted_per_second.toFixed(1)} tokens/s`;
}
