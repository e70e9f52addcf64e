/**
 * One answer: its tokens are shown as they come, and collected.
 * @module
 */
import type { FinishEvent, TokenEvent } from "../engine/generate/events.ts";
import { type Timings, timingsOf } from "../engine/generate/timings.ts";
import type { Model } from "../engine/model.ts";
import type { GenerateOptions } from "../engine/request/generate-options.ts";
import type { Logprobs } from "../engine/sample/logprobs.ts";
import { ReasoningDimmer } from "./dim.ts";
import { print, printable } from "./output.ts";

export interface Answer {
  /** All tokens, with the end token. */
  readonly tokens: readonly number[];
  readonly text: string;
  /** Why the answer ended; "abort" stands for Ctrl-C. */
  readonly finishReason: FinishEvent["reason"] | "abort";
  /** One entry per token, where log-probabilities were asked for. */
  readonly logprobs: readonly Logprobs[];
  readonly timings: Timings;
}

/**
 * Generates an answer. With `show`, its text goes to stdout as it comes; on a terminal reasoning is dimmed, and control
 * characters that the model writes are escaped.
 * The options' signal ends the answer, and so does SIGINT (which Ctrl-C sends unless the terminal is in raw mode).
 */
export async function answer(model: Model, options: GenerateOptions, show: boolean): Promise<Answer> {
  const dimmer = process.stdout.isTTY && !process.env.NO_COLOR ? new ReasoningDimmer() : undefined;
  const partial = new PartialAnswer(options.prompt.length);
  const { signal, release } = interruptible(options.signal);
  let finish: FinishEvent | undefined;
  try {
    for await (const event of model.generate({ ...options, signal })) {
      if (event.type === "finish") finish = event;
      if (event.type !== "token") continue;
      partial.add(event);
      if (!show || event.text === "") continue;
      const text = process.stdout.isTTY ? printable(event.text) : event.text;
      await print(dimmer?.push(text) ?? text);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    release();
    if (show && partial.tokens.length > 0)
      await print((dimmer?.end() ?? "") + (partial.text.endsWith("\n") ? "" : "\n"));
  }
  const { tokens, text, logprobs } = partial;
  const end = finish ? { finishReason: finish.reason, timings: finish.timings } : partial.interrupted();
  return { tokens, text, logprobs, ...end };
}

/** A signal that is aborted by SIGINT, and by the given one; `release` stops listening. */
function interruptible(signal: AbortSignal | undefined): { readonly signal: AbortSignal; release(): void } {
  const abort = new AbortController();
  const onInterrupt = (): void => abort.abort();
  process.on("SIGINT", onInterrupt);
  return {
    signal: signal ? AbortSignal.any([signal, abort.signal]) : abort.signal,
    release: () => void process.off("SIGINT", onInterrupt),
  };
}

/** The tokens of an answer so far, and when they came. */
class PartialAnswer {
  readonly tokens: number[] = [];
  readonly logprobs: Logprobs[] = [];
  text = "";
  readonly #promptTokens: number;
  readonly #start = performance.now();
  #first = 0;

  constructor(promptTokens: number) {
    this.#promptTokens = promptTokens;
  }

  add({ id, text, logprobs }: TokenEvent): void {
    if (this.tokens.length === 0) this.#first = performance.now();
    this.tokens.push(id);
    if (logprobs) this.logprobs.push(logprobs);
    this.text += text;
  }

  /** The end of an answer that was stopped, with the timings that the engine would have reported. */
  interrupted(): Pick<Answer, "finishReason" | "timings"> {
    const end = performance.now();
    const count = this.tokens.length;
    const first = count > 0 ? this.#first : end;
    const [promptMs, predictedMs] = [first - this.#start, end - first];
    const timings = timingsOf({ cached: 0, prompt: this.#promptTokens, promptMs, predicted: count, predictedMs });
    return { finishReason: "abort", timings };
  }
}

/** The speed of an answer as people read it: `prompt 137 tokens (100 of them known), 2100.0 tokens/s; answer 66 tokens, 410.0 tokens/s` */
export function speed({ timings }: Answer): string {
  const { cache_n, prompt_n, prompt_per_second, predicted_n, predicted_per_second } = timings;
  const known = cache_n > 0 ? ` (${cache_n} of them known)` : "";
  const prompt = `prompt ${cache_n + prompt_n} tokens${known}, ${prompt_per_second.toFixed(1)} tokens/s`;
  return `${prompt}; answer ${predicted_n} tokens, ${predicted_per_second.toFixed(1)} tokens/s`;
}
