/**
 * A model's answer as one stream of pieces, whether it chats or only completes text.
 * @module
 */
import type { ChatMessage, FinishReason, Timings, Usage, WorkerModel } from "nibble-llm/browser";
import type { ChatTokenLogprob } from "../../src/engine/openai/chat-types.ts";
import type { Settings } from "./settings.ts";

export interface Piece {
  readonly content: string;
  readonly reasoning: string;
  /** The tokens with their alternatives, if the settings ask for them. A token may come before its text. */
  readonly tokens: readonly ChatTokenLogprob[];
  /** Why the answer ended; only in the piece that ends it. */
  readonly reason: FinishReason | null | undefined;
  readonly timings: Timings | undefined;
  /** The counts up to this piece. */
  readonly usage: Usage | null | undefined;
}

/** Alternatives of a token that are shown. */
const ALTERNATIVES = 5;

/** Whether a model has no chat template and can only continue a text. */
export const completesOnly = (model: WorkerModel): boolean => model.info.chatTemplate === "none";

/** @throws NibbleError as `model.chat.completions.create`; the signal's reason */
export async function* answer(
  model: WorkerModel,
  messages: readonly ChatMessage[],
  { sampling, probabilities }: Settings,
  signal: AbortSignal,
): AsyncGenerator<Piece, undefined> {
  const common = {
    ...sampling,
    ...(probabilities && { n_probs: ALTERNATIVES }),
    stream: true,
    stream_options: { include_usage: true, continuous_usage_stats: true },
  } as const;
  if (completesOnly(model)) {
    const request = { ...common, prompt: messages.at(-1)?.content ?? "" };
    for await (const { choices, timings, usage } of await model.completions.create(request, { signal })) {
      const { text: content = "", finish_reason: reason, logprobs } = choices[0] ?? {};
      yield { content, reasoning: "", tokens: logprobs?.content ?? [], reason, timings, usage };
    }
    return;
  }
  const request = { ...common, messages, reasoning_format: "deepseek" } as const;
  for await (const { choices, timings, usage } of await model.chat.completions.create(request, { signal })) {
    const { delta, finish_reason: reason, logprobs } = choices[0] ?? {};
    const { content = "", reasoning_content: reasoning = "" } = delta ?? {};
    yield { content, reasoning, tokens: logprobs?.content ?? [], reason, timings, usage };
  }
}
