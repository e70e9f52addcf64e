/**
 * A model's answer as one stream of pieces, whether it chats or only completes text.
 * @module
 */
import type { ChatMessage, FinishReason, Timings, Usage, WorkerModel } from "nibble-llm/browser";
import type { Settings } from "./settings.ts";

export interface Piece {
  readonly content: string;
  readonly reasoning: string;
  /** Why the answer ended; only in the piece that ends it. */
  readonly reason: FinishReason | null | undefined;
  readonly timings: Timings | undefined;
  /** Only in the last piece. */
  readonly usage: Usage | null | undefined;
}

/** Whether a model has no chat template and can only continue a text. */
export const completesOnly = (model: WorkerModel): boolean => model.info.chatTemplate === "none";

/** @throws NibbleError as `model.chat.completions.create`; the signal's reason */
export async function* answer(
  model: WorkerModel,
  messages: readonly ChatMessage[],
  { sampling }: Settings,
  signal: AbortSignal,
): AsyncGenerator<Piece, undefined> {
  const common = { ...sampling, stream: true, stream_options: { include_usage: true } } as const;
  if (completesOnly(model)) {
    const request = { ...common, prompt: messages.at(-1)?.content ?? "" };
    for await (const { choices, timings, usage } of await model.completions.create(request, { signal }))
      yield { content: choices[0]?.text ?? "", reasoning: "", reason: choices[0]?.finish_reason, timings, usage };
    return;
  }
  const request = { ...common, messages, reasoning_format: "deepseek" } as const;
  for await (const { choices, timings, usage } of await model.chat.completions.create(request, { signal })) {
    const { content = "", reasoning_content: reasoning = "" } = choices[0]?.delta ?? {};
    yield { content, reasoning, reason: choices[0]?.finish_reason, timings, usage };
  }
}
