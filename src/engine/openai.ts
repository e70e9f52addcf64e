/**
 * Answers in OpenAI's shapes. A whole answer is made from the chunks of a stream, so both say the same.
 * @module
 */
import { opensReasoning, ReasoningSplitter } from "../chat/reasoning.ts";
import type { FinishEvent, GenerateEvent, TokenEvent } from "./generate.ts";
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatLogprob,
  ChatLogprobs,
  Completion,
  CompletionLogprobs,
} from "./openai-types.ts";
import type { TokenLogprob } from "./sampler.ts";

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

export interface ChatStreamInfo extends StreamInfo {
  /** Move <think> text to `reasoning_content`. */
  readonly splitReasoning: boolean;
  /** The prompt's text: it may end inside <think>. */
  readonly prompt: string;
}

/** Chunks of a chat completion. `start` is called when the first chunk is asked for: a stream nobody reads costs nothing. */
export async function* chatChunks(
  start: () => AsyncIterable<GenerateEvent>,
  { model, tokens, includeUsage, splitReasoning, prompt }: ChatStreamInfo,
): AsyncGenerator<ChatCompletionChunk, undefined> {
  const splitter = splitReasoning ? new ReasoningSplitter(opensReasoning(prompt)) : undefined;
  const base = { ...head("chatcmpl", model), object: "chat.completion.chunk" as const };
  const chunk = (
    delta: ChatCompletionChunk["choices"][number]["delta"],
    logprobs: ChatLogprobs | null = null,
    finish?: FinishEvent,
  ): ChatCompletionChunk => ({
    ...base,
    choices: [{ index: 0, delta, logprobs, finish_reason: finish?.reason ?? null, ...stopReason(finish) }],
    ...(finish && { timings: finish.timings }),
    ...(includeUsage && { usage: null }),
  });
  const delta = ({ content, reasoning }: { content: string; reasoning: string }) => ({
    ...(reasoning && { reasoning_content: reasoning }),
    ...(content && { content }),
  });

  let reasoningTokens = 0;
  yield chunk({ role: "assistant", content: "" });
  for await (const event of start()) {
    if (event.type === "finish") {
      const rest = splitter ? delta(splitter.end()) : {};
      if (Object.keys(rest).length > 0) yield chunk(rest);
      yield chunk({}, null, event);
      const details = splitter && { completion_tokens_details: { reasoning_tokens: reasoningTokens } };
      if (includeUsage) yield { ...base, choices: [], usage: { ...event.usage, ...details } };
    } else {
      const part = delta(splitter?.push(event.text) ?? { content: event.text, reasoning: "" });
      if (splitter?.open) reasoningTokens++;
      const logprobs = chatLogprobs(event, tokens);
      if (logprobs || Object.keys(part).length > 0) yield chunk(part, logprobs);
    }
  }
}

/** Puts chunks (with usage) together. */
export async function collectChat(chunks: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletion> {
  let content = "";
  let reasoning = "";
  const logprobs: ChatLogprobs["content"][number][] = [];
  let last: ChatCompletionChunk | undefined;
  let usage: ChatCompletionChunk["usage"];
  for await (const chunk of chunks) {
    const choice = chunk.choices[0];
    content += choice?.delta.content ?? "";
    reasoning += choice?.delta.reasoning_content ?? "";
    logprobs.push(...(choice?.logprobs?.content ?? []));
    if (choice?.finish_reason) last = chunk;
    usage = chunk.usage;
  }
  const { id, created, model, choices, timings } = last!;
  return {
    id,
    object: "chat.completion",
    created,
    model,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content, ...(reasoning && { reasoning_content: reasoning }) },
        logprobs: logprobs.length > 0 ? { content: logprobs, refusal: null } : null,
        finish_reason: choices[0]!.finish_reason!,
        ...(choices[0]!.stop_reason !== undefined && { stop_reason: choices[0]!.stop_reason }),
      },
    ],
    usage: usage!,
    timings: timings!,
  };
}

/** Chunks of a text completion; see `chatChunks`. */
export async function* completionChunks(
  start: () => AsyncIterable<GenerateEvent>,
  { model, tokens, includeUsage }: StreamInfo,
): AsyncGenerator<Completion, undefined> {
  const base = { ...head("cmpl", model), object: "text_completion" as const };
  for await (const event of start()) {
    if (event.type === "finish") {
      const choice = { index: 0, text: "", logprobs: null, finish_reason: event.reason, ...stopReason(event) };
      yield { ...base, choices: [choice], timings: event.timings, ...(includeUsage && { usage: null }) };
      if (includeUsage) yield { ...base, choices: [], usage: event.usage };
    } else {
      const logprobs = completionLogprobs(event, tokens);
      if (!logprobs && event.text === "") continue;
      const choice = { index: 0, text: event.text, logprobs, finish_reason: null };
      yield { ...base, choices: [choice], ...(includeUsage && { usage: null }) };
    }
  }
}

/** Puts chunks (with usage) together. */
export async function collectCompletion(chunks: AsyncIterable<Completion>): Promise<Completion> {
  let text = "";
  const parts: CompletionLogprobs[] = [];
  let last: Completion | undefined;
  let usage: Completion["usage"];
  for await (const chunk of chunks) {
    const choice = chunk.choices[0];
    text += choice?.text ?? "";
    if (choice?.logprobs) parts.push(choice.logprobs);
    if (choice?.finish_reason) last = chunk;
    usage = chunk.usage;
  }
  const logprobs: CompletionLogprobs = {
    tokens: parts.flatMap((part) => part.tokens),
    token_logprobs: parts.flatMap((part) => part.token_logprobs),
    top_logprobs: parts.flatMap((part) => part.top_logprobs),
    text_offset: parts.flatMap((part) => part.text_offset),
  };
  const { choices, ...rest } = last!;
  const choice = { ...choices[0]!, text, logprobs: parts.length > 0 ? logprobs : null };
  return { ...rest, choices: [choice], usage: usage! };
}

function head(prefix: string, model: string): { id: string; created: number; model: string } {
  const random = crypto.getRandomValues(new Uint8Array(12));
  const id = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { id: `${prefix}-${id}`, created: Math.floor(Date.now() / 1000), model };
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

function completionLogprobs({ logprobs, end, offset }: TokenEvent, tokens: TokenTexts): CompletionLogprobs | null {
  if (!logprobs || end) return null;
  // fromEntries defines fields, so a token that reads `__proto__` is one too. Of equal texts the likelier stays.
  const top = Object.fromEntries(logprobs.top.toReversed().map(({ id, logprob }) => [tokens.token(id), logprob]));
  return {
    tokens: [tokens.token(logprobs.id)],
    token_logprobs: [logprobs.logprob],
    top_logprobs: [top],
    text_offset: [offset],
  };
}
