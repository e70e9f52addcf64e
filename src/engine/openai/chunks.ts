/**
 * Answers in OpenAI's shapes. A whole answer is made from the chunks of a stream, so both say the same.
 * @module
 */
import { opensReasoning } from "../../chat/reasoning.ts";
import type { ToolParserOptions } from "../../chat/tool-calls.ts";
import type { FinishEvent, GenerateEvent, PromptEvent, Timings, TokenEvent, Usage } from "../generate.ts";
import { randomHex } from "../sample/random.ts";
import type { Logprobs, TokenLogprob } from "../sample/sampler.ts";
import { type ChatDelta, ChatText } from "./chat-text.ts";
import { merge } from "./merge.ts";
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatLogprob,
  ChatLogprobs,
  Completion,
  CompletionLogprobs,
  FinishReason,
  PromptLogprobs,
  ToolCall,
  ToolCallDelta,
} from "./types.ts";

/** Looks of tokens. */
interface TokenTexts {
  token(id: number): string;
  tokenBytes(id: number): Uint8Array;
}

export interface StreamInfo {
  readonly model: string;
  readonly tokens: TokenTexts;
  readonly includeUsage: boolean;
}

/** A prompt that comes before its answer. */
export interface Echo {
  readonly text: string;
  readonly ids: readonly number[];
  /** UTF-16 units before each token. */
  readonly offsets: readonly number[];
  /** Whether its log-probabilities are wanted. */
  readonly logprobs: boolean;
}

export interface CompletionStreamInfo extends StreamInfo {
  readonly echo: Echo | undefined;
  /** Whether vLLM's `prompt_logprobs` are wanted. */
  readonly promptLogprobs: boolean;
}

export interface ChatStreamInfo extends StreamInfo {
  /** Move <think> text to `reasoning_content`. */
  readonly splitReasoning: boolean;
  /** The prompt's text: it may end inside <think>. */
  readonly prompt: string;
  /** How calls of tools are told from the content, if there may be any. */
  readonly calls: ToolParserOptions | undefined;
}

/**
 * Chunks of a chat completion, with as many choices as there are `starts`. They are called when the first chunk is
 * asked for: a stream nobody reads costs nothing.
 */
export async function* chatChunks(
  starts: readonly (() => AsyncIterable<GenerateEvent>)[],
  { model, tokens, includeUsage, splitReasoning, prompt, calls }: ChatStreamInfo,
): AsyncGenerator<ChatCompletionChunk, undefined> {
  const base = { ...head("chatcmpl", model), object: "chat.completion.chunk" as const };
  const choices = starts.map(() => new ChatText(splitReasoning, opensReasoning(prompt), calls));
  const chunk = (
    index: number,
    delta: ChatDelta,
    logprobs: ChatLogprobs | null = null,
    finish?: FinishEvent,
    called = 0,
  ): ChatCompletionChunk => ({
    ...base,
    choices: [{ index, delta, logprobs, finish_reason: finishReason(finish, called), ...stopReason(finish) }],
    ...(finish && { timings: finish.timings }),
    ...(includeUsage && { usage: null }),
  });

  const usages: Usage[] = [];
  for (const index of starts.keys()) yield chunk(index, { role: "assistant", content: "" });
  for await (const [index, event] of merge(starts.map((start) => start()))) {
    const choice = choices[index]!;
    if (event.type === "prompt") {
      yield { ...chunk(index, {}), prompt_logprobs: promptEntries(event, tokens) };
    } else if (event.type === "finish") {
      const rest = choice.end();
      if (Object.keys(rest).length > 0) yield chunk(index, rest);
      yield chunk(index, {}, null, event, choice.calls);
      const { reasoningTokens: reasoning_tokens } = choice;
      usages[index] = { ...event.usage, ...(splitReasoning && { completion_tokens_details: { reasoning_tokens } }) };
    } else {
      const part = choice.push(event.text);
      const logprobs = chatLogprobs(event, tokens);
      if (logprobs || Object.keys(part).length > 0) yield chunk(index, part, logprobs);
    }
  }
  if (includeUsage) yield { ...base, choices: [], usage: totalUsage(usages) };
}

/** Puts chunks (with usage) together. */
export async function collectChat(chunks: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletion> {
  const parts: {
    content: string;
    reasoning: string;
    calls: ToolCall[];
    logprobs: ChatLogprobs["content"][number][];
  }[] = [];
  const choices: ChatCompletion["choices"][number][] = [];
  const timings: Timings[] = [];
  let last: ChatCompletionChunk | undefined;
  let promptLogprobs: PromptLogprobs | undefined;
  for await (const chunk of chunks) {
    last = chunk;
    promptLogprobs ??= chunk.prompt_logprobs;
    const [choice] = chunk.choices;
    if (!choice) continue;
    const { index, delta, logprobs, finish_reason, stop_reason } = choice;
    parts[index] ??= { content: "", reasoning: "", calls: [], logprobs: [] };
    const part = parts[index];
    part.content += delta.content ?? "";
    part.reasoning += delta.reasoning_content ?? "";
    for (const call of delta.tool_calls ?? []) addCall(part.calls, call);
    part.logprobs.push(...(logprobs?.content ?? []));
    if (!finish_reason) continue;
    timings[index] = chunk.timings!;
    const { content, reasoning, calls } = part;
    choices[index] = {
      index,
      message: {
        role: "assistant",
        content: content === "" && calls.length > 0 ? null : content,
        ...(reasoning && { reasoning_content: reasoning }),
        ...(calls.length > 0 && { tool_calls: calls }),
      },
      logprobs: part.logprobs.length > 0 ? { content: part.logprobs, refusal: null } : null,
      finish_reason,
      ...(stop_reason !== undefined && { stop_reason }),
    };
  }
  const { id, created, model, usage } = last!;
  return {
    id,
    object: "chat.completion",
    created,
    model,
    choices,
    usage: usage!,
    timings: totalTimings(timings),
    ...(promptLogprobs && { prompt_logprobs: promptLogprobs }),
  };
}

function addCall(calls: ToolCall[], { index, id, function: { name, arguments: more } }: ToolCallDelta): void {
  const call = calls[index];
  if (!call) calls[index] = { id: id!, type: "function", function: { name: name!, arguments: more } };
  else calls[index] = { ...call, function: { ...call.function, arguments: call.function.arguments + more } };
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

/** Choices share their prompt, which counts once; the first has found what was cached. */
function totalUsage(usages: readonly Usage[]): Usage {
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

/** Of choices that ran together: the first one's prompt, all tokens in the longest time. */
function totalTimings(timings: readonly Timings[]): Timings {
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

function head(prefix: string, model: string): { id: string; created: number; model: string } {
  return { id: `${prefix}-${randomHex()}`, created: Math.floor(Date.now() / 1000), model };
}

function finishReason(finish: FinishEvent | undefined, called: number): FinishReason | null {
  if (!finish) return null;
  return finish.reason === "stop" && called > 0 ? "tool_calls" : finish.reason;
}

function stopReason(finish: FinishEvent | undefined): { stop_reason?: string } {
  return finish?.stop === undefined ? {} : { stop_reason: finish.stop };
}

/** The end token is no part of the content. */
function chatLogprobs({ logprobs, end }: TokenEvent, tokens: TokenTexts): ChatLogprobs | null {
  if (!logprobs || end) return null;
  const entry = ({ id, logprob }: TokenLogprob): ChatLogprob => ({
    id,
    token: tokens.token(id),
    logprob,
    bytes: Array.from(tokens.tokenBytes(id)),
  });
  return { content: [{ ...entry(logprobs), top_logprobs: logprobs.top.map(entry) }], refusal: null };
}

/** @param before UTF-16 units of the text before the answer */
function completionLogprobs(
  { logprobs, end, offset }: TokenEvent,
  tokens: TokenTexts,
  before = 0,
): CompletionLogprobs | null {
  if (!logprobs || end) return null;
  return {
    tokens: [tokens.token(logprobs.id)],
    token_logprobs: [logprobs.logprob],
    top_logprobs: [topLogprobs(logprobs, tokens)],
    text_offset: [before + offset],
  };
}

/** The prompt's tokens: nothing predicts the first. */
function echoLogprobs({ logprobs }: PromptEvent, { ids, offsets }: Echo, tokens: TokenTexts): CompletionLogprobs {
  return {
    tokens: ids.map((id) => tokens.token(id)),
    token_logprobs: [null, ...logprobs.map(({ logprob }) => logprob)],
    top_logprobs: [null, ...logprobs.map((one) => topLogprobs(one, tokens))],
    text_offset: offsets,
  };
}

/** fromEntries defines fields, so a token that reads `__proto__` is one too. Of equal texts the likelier stays. */
function topLogprobs({ top }: Logprobs, tokens: TokenTexts): Readonly<Record<string, number>> {
  return Object.fromEntries(top.toReversed().map(({ id, logprob }) => [tokens.token(id), logprob]));
}

/** vLLM's `prompt_logprobs`. */
function promptEntries({ logprobs }: PromptEvent, tokens: TokenTexts): PromptLogprobs {
  const entries = (one: Logprobs) =>
    [...one.top, one].map(({ id, logprob }) => [id, { logprob, decoded_token: tokens.token(id) }]);
  return [null, ...logprobs.map((one) => Object.fromEntries(entries(one)))];
}
