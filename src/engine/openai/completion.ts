/**
 * Text completions in OpenAI's shape. A whole answer is made from the chunks of a stream, so both have the same
 * content.
 * @module
 */
import type { AnswerEvent, GenerateEvent, Usage } from "../generate/events.ts";
import type { Timings } from "../generate/timings.ts";
import type { PromptLogprobs } from "./common-types.ts";
import type { Completion, CompletionLogprobs } from "./completion-types.ts";
import { completionLogprobs, echoLogprobs, promptEntries, type TokenTexts } from "./logprobs.ts";
import { merge } from "./merge.ts";
import { eventTimings, eventUsage, head, promptProgress, stopReason, totalTimings, totalUsage } from "./totals.ts";

/** A prompt that comes before its answer. */
export interface Echo {
  readonly text: string;
  readonly ids: readonly number[];
  /** UTF-16 units before each token. */
  readonly offsets: readonly number[];
  /** Whether its log-probabilities are wanted. */
  readonly logprobs: boolean;
}

/** One answer to one of the prompts. */
export interface CompletionStart {
  /** Starts the answer. */
  readonly start: () => AsyncIterable<AnswerEvent>;
  /** The number of its prompt. */
  readonly prompt: number;
  readonly echo: Echo | undefined;
  /** The prompt, where the ids of its tokens and of the answer's are wanted. */
  readonly promptIds: readonly number[] | undefined;
}

export interface CompletionStreamInfo {
  readonly model: string;
  readonly tokens: TokenTexts;
  readonly includeUsage: boolean;
  /** Whether vLLM's `prompt_logprobs` are wanted. */
  readonly promptLogprobs: boolean;
  /** Whether log-probabilities are wanted in llama-server's shape too. */
  readonly detailed: boolean;
}

type Choice = Completion["choices"][number];

/** Chunks of a text completion, with a choice for each of `starts`; see `chatChunks`. */
export async function* completionChunks(
  starts: readonly CompletionStart[],
  info: CompletionStreamInfo,
): AsyncGenerator<Completion, undefined> {
  const { includeUsage } = info;
  const base = { ...head("cmpl", info.model), object: "text_completion" as const };
  const usages: Usage[] = [];
  const chunk = (choice: Choice): Completion => ({
    ...base,
    choices: [choice],
    ...(includeUsage && { usage: null }),
  });
  for (const [index, { echo, promptIds }] of starts.entries()) {
    const text = echo && !echo.logprobs ? echo.text : "";
    const ids = promptIds && { prompt_token_ids: promptIds };
    if (text !== "" || ids) yield chunk({ index, text, logprobs: null, finish_reason: null, ...ids });
  }
  for await (const [index, event] of merge(starts.map(({ start }) => start))) {
    if (event.type === "progress") {
      const nothing = { index, text: "", logprobs: null, finish_reason: null };
      yield { ...chunk(nothing), prompt_progress: promptProgress(event) };
      continue;
    }
    const choice = choiceOf(event, starts[index]!, info);
    if (choice) yield { ...chunk({ index, ...choice }), ...eventUsage(event), ...eventTimings(event) };
    if (event.type === "finish") usages[index] = event.usage;
  }
  const isFirst = (index: number): boolean => starts[index]!.prompt !== starts[index - 1]?.prompt;
  if (includeUsage) yield { ...base, choices: [], usage: totalUsage(usages, isFirst) };
}

/** The text and figures that an event adds to its choice; undefined if it adds none. */
function choiceOf(
  event: GenerateEvent,
  { echo, promptIds }: CompletionStart,
  { tokens, promptLogprobs, detailed }: CompletionStreamInfo,
): Omit<Choice, "index"> | undefined {
  if (event.type === "finish") return { text: "", logprobs: null, finish_reason: event.reason, ...stopReason(event) };
  if (event.type === "prompt") {
    const logprobs = echo?.logprobs ? echoLogprobs(event, echo, tokens) : null;
    const entries = promptLogprobs && { prompt_logprobs: promptEntries(event, tokens) };
    return { text: echo?.logprobs ? echo.text : "", logprobs, finish_reason: null, ...entries };
  }
  const logprobs = completionLogprobs(event, tokens, { before: echo?.text.length ?? 0, detailed });
  const ids = promptIds && { token_ids: [event.id] };
  if (!logprobs && !ids && event.text === "") return undefined;
  return { text: event.text, logprobs, finish_reason: null, ...ids };
}

/** The parts of one choice that have come. */
interface ChoiceParts {
  text: string;
  readonly logprobs: CompletionLogprobs[];
  prompt_logprobs?: PromptLogprobs;
  prompt_token_ids?: readonly number[];
  token_ids?: number[];
}

/** Puts chunks (with usage) together. */
export async function collectCompletion(chunks: AsyncIterable<Completion>): Promise<Completion> {
  const parts: ChoiceParts[] = [];
  const choices: Choice[] = [];
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
    if (choice.prompt_token_ids) part.prompt_token_ids = choice.prompt_token_ids;
    if (choice.token_ids) (part.token_ids ??= []).push(...choice.token_ids);
    if (!choice.finish_reason) continue;
    timings[index] = chunk.timings!;
    choices[index] = { ...choice, ...part, logprobs: joinLogprobs(part.logprobs) };
  }
  return { ...last!, choices, timings: totalTimings(timings, last!.usage!) };
}

function joinLogprobs(parts: readonly CompletionLogprobs[]): CompletionLogprobs | null {
  if (parts.length === 0) return null;
  const content = parts.flatMap((part) => part.content ?? []);
  return {
    tokens: parts.flatMap((part) => part.tokens),
    token_logprobs: parts.flatMap((part) => part.token_logprobs),
    top_logprobs: parts.flatMap((part) => part.top_logprobs),
    text_offset: parts.flatMap((part) => part.text_offset),
    ...(content.length > 0 && { content }),
  };
}
