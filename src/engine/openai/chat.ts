/**
 * Chat completions in OpenAI's shapes. A whole answer is made from the chunks of a stream, so both say the same.
 * @module
 */
import { opensReasoning } from "../../chat/reasoning.ts";
import type { ToolParserOptions } from "../../chat/tool-calls.ts";
import type { FinishEvent, GenerateEvent, Timings, Usage } from "../generate/events.ts";
import { type ChatDelta, ChatText } from "./chat-text.ts";
import type { ChatCompletion, ChatCompletionChunk, ChatLogprobs, ToolCall, ToolCallDelta } from "./chat-types.ts";
import type { FinishReason, PromptLogprobs } from "./common-types.ts";
import { chatLogprobs, promptEntries, type TokenTexts } from "./logprobs.ts";
import { merge } from "./merge.ts";
import { head, stopReason, totalTimings, totalUsage } from "./totals.ts";

export interface ChatStreamInfo {
  readonly model: string;
  readonly tokens: TokenTexts;
  readonly includeUsage: boolean;
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

function finishReason(finish: FinishEvent | undefined, called: number): FinishReason | null {
  if (!finish) return null;
  return finish.reason === "stop" && called > 0 ? "tool_calls" : finish.reason;
}
