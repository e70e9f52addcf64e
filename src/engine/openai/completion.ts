/**
 * Text completions in OpenAI's shape. A whole answer is made from the chunks of a stream, so both say the same.
 * @module
 */
import type { GenerateEvent, Timings, Usage } from "../generate/events.ts";
import type { PromptLogprobs } from "./common-types.ts";
import type { Completion, CompletionLogprobs } from "./completion-types.ts";
import { completionLogprobs, echoLogprobs, promptEntries, type TokenTexts } from "./logprobs.ts";
import { merge } from "./merge.ts";
import { head, stopReason, totalTimings, totalUsage } from "./totals.ts";

/** A prompt that comes before its answer. */
export interface Echo {
  readonly text: string;
  readonly ids: readonly number[];
  /** UTF-16 units before each token. */
  readonly offsets: readonly number[];
  /** Whether its log-probabilities are wanted. */
  readonly logprobs: boolean;
}

export interface CompletionStreamInfo {
  readonly model: string;
  readonly tokens: TokenTexts;
  readonly includeUsage: boolean;
  readonly echo: Echo | undefined;
  /** Whether vLLM's `prompt_logprobs` are wanted. */
  readonly promptLogprobs: boolean;
}

/** Chunks of a text completion; see `chatChunks`. */
export async function* completionChunks(
  starts: readonly (() => AsyncIterable<GenerateEvent>)[],
  { model, tokens, includeUsage, echo, promptLogprobs }: CompletionStreamInfo,
): AsyncGenerator<Completion, undefined> {
  const base = { ...head("cmpl", model), object: "text_completion" as const };
  const usages: Usage[] = [];
  const chunk = (choice: Completion["choices"][number]): Completion => ({
    ...base,
    choices: [choice],
    ...(includeUsage && { usage: null }),
  });
  const begin = (index: number, text: string, logprobs: CompletionLogprobs | null) =>
    chunk({ index, text, logprobs, finish_reason: null });
  if (echo && !echo.logprobs) for (const index of starts.keys()) yield begin(index, echo.text, null);
  for await (const [index, event] of merge(starts.map((start) => start()))) {
    if (event.type === "finish") {
      const choice = { index, text: "", logprobs: null, finish_reason: event.reason, ...stopReason(event) };
      yield { ...chunk(choice), timings: event.timings };
      usages[index] = event.usage;
    } else if (event.type === "prompt") {
      const logprobs = echo?.logprobs ? echoLogprobs(event, echo, tokens) : null;
      const entries = promptLogprobs && { prompt_logprobs: promptEntries(event, tokens) };
      yield chunk({ index, text: echo?.text ?? "", logprobs, finish_reason: null, ...entries });
    } else {
      const logprobs = completionLogprobs(event, tokens, echo?.text.length);
      if (!logprobs && event.text === "") continue;
      yield chunk({ index, text: event.text, logprobs, finish_reason: null });
    }
  }
  if (includeUsage) yield { ...base, choices: [], usage: totalUsage(usages) };
}

/** Puts chunks (with usage) together. */
export async function collectCompletion(chunks: AsyncIterable<Completion>): Promise<Completion> {
  const parts: { text: string; logprobs: CompletionLogprobs[]; prompt_logprobs?: PromptLogprobs }[] = [];
  const choices: Completion["choices"][number][] = [];
  const timings: Timings[] = [];
  let last: Completion | undefined;
  for await (const chunk of chunks) {
    last = chunk;
    const [choice] = chunk.choices;
    if (!choice) continue;
    const { index } = choice;
    parts[index] ??= { text: "", logprobs: [] };
    const part = parts[index];
    part.text += choice.text;
    if (choice.logprobs) part.logprobs.push(choice.logprobs);
    if (choice.prompt_logprobs) part.prompt_logprobs = choice.prompt_logprobs;
    if (!choice.finish_reason) continue;
    timings[index] = chunk.timings!;
    choices[index] = { ...choice, ...part, logprobs: joinLogprobs(part.logprobs) };
  }
  return { ...last!, choices, timings: totalTimings(timings) };
}

function joinLogprobs(parts: readonly CompletionLogprobs[]): CompletionLogprobs | null {
  if (parts.length === 0) return null;
  return {
    tokens: parts.flatMap((part) => part.tokens),
    token_logprobs: parts.flatMap((part) => part.token_logprobs),
    top_logprobs: parts.flatMap((part) => part.top_logprobs),
    text_offset: parts.flatMap((part) => part.text_offset),
  };
}
