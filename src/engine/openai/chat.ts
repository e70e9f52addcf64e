/**
 * Chat completions in OpenAI's shapes. A whole answer is made from the chunks of a stream, so both have the same
 * content.
 * @module
 */
import type { AnswerEvent, FinishEvent, Usage } from "../generate/events.ts";
import type { Timings } from "../generate/timings.ts";
import { type ChatDelta, ChatText, type ChatTextOptions } from "./chat-text.ts";
import type { ChatCompletion, ChatCompletionChunk, ChatLogprobs, ToolCall, ToolCallDelta } from "./chat-types.ts";
import type { FinishReason, PromptLogprobs } from "./common-types.ts";
import { chatLogprobs, promptEntries, type TokenTexts } from "./logprobs.ts";
import { merge } from "./merge.ts";
import { eventTimings, eventUsage, head, promptProgress, stopReason, totalTimings, totalUsage } from "./totals.ts";

export interface ChatStreamInfo extends ChatTextOptions {
  readonly model: string;
  readonly tokens: TokenTexts;
  readonly includeUsage: boolean;
  /** The prompt, where the ids of its tokens and of the answer's are wanted. */
  readonly promptIds: readonly number[] | undefined;
}

/** Starts one answer. */
export type ChatStart = () => AsyncIterable<AnswerEvent>;

type Choice = ChatCompletionChunk["choices"][number];

/**
 * Chunks of a chat completion, with as many choices as there are `starts`. These functions are called when the first
 * chunk is asked for, so a stream that nobody reads costs nothing.
 */
export async function* chatChunks(
  starts: readonly ChatStart[],
  { model, tokens, includeUsage, promptIds, ...options }: ChatStreamInfo,
): AsyncGenerator<ChatCompletionChunk, undefined> {
  const base = { ...head("chatcmpl", model), object: "chat.completion.chunk" as const };
  const texts = starts.map(() => new ChatText(options));
  const chunk = (index: number, delta: ChatDelta, choice?: Partial<Choice>): ChatCompletionChunk => ({
    ...base,
    choices: [{ index, delta, logprobs: null, finish_reason: null, ...choice }],
    ...(includeUsage && { usage: null }),
  });

  const usages: Usage[] = [];
  const timings: Timings[] = [];
  for (const index of starts.keys())
    yield { ...chunk(index, { role: "assistant", content: "" }), ...(promptIds && { prompt_token_ids: promptIds }) };
  for await (const [index, event] of merge(starts)) {
    const text = texts[index]!;
    if (event.type === "progress") yield { ...chunk(index, {}), prompt_progress: promptProgress(event) };
    else if (event.type === "prompt") yield { ...chunk(index, {}), prompt_logprobs: promptEntries(event, tokens) };
    else if (event.type === "finish") {
      const rest = text.end(event.reason === "length" || event.stop !== undefined);
      if (Object.keys(rest).length > 0) yield chunk(index, rest);
      const end = { finish_reason: finishReason(event, text), ...stopReason(event) };
      yield { ...chunk(index, {}, end), timings: event.timings };
      const reasoning = options.splitReasoning && {
        completion_tokens_details: { ...event.usage.completion_tokens_details, reasoning_tokens: text.reasoningTokens },
      };
      usages[index] = { ...event.usage, ...reasoning };
      timings[index] = event.timings;
    } else {
      const delta = text.push(event.text);
      const logprobs = chatLogprobs(event, tokens);
      const ids = promptIds && { token_ids: [event.id] };
      if (logprobs || ids || Object.keys(delta).length > 0)
        yield { ...chunk(index, delta, { logprobs, ...ids }), ...eventUsage(event), ...eventTimings(event) };
    }
  }
  if (!includeUsage) return;
  const usage = totalUsage(usages, (index) => index === 0);
  // llama-server has the timings of all choices beside their usage.
  yield { ...base, choices: [], usage, timings: totalTimings(timings, usage) };
}

/** Puts chunks (with usage) together. */
export async function collectChat(chunks: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletion> {
  const parts: ChoiceParts[] = [];
  const choices: ChatCompletion["choices"][number][] = [];
  const timings: Timings[] = [];
  let last: ChatCompletionChunk | undefined;
  let promptLogprobs: PromptLogprobs | undefined;
  let promptIds: readonly number[] | undefined;
  for await (const chunk of chunks) {
    last = chunk;
    promptLogprobs ??= chunk.prompt_logprobs;
    promptIds ??= chunk.prompt_token_ids;
    const [choice] = chunk.choices;
    if (!choice) continue;
    const { index } = choice;
    parts[index] ??= new ChoiceParts();
    parts[index].add(choice);
    if (!choice.finish_reason) continue;
    timings[index] = chunk.timings!;
    choices[index] = parts[index].whole(choice, choice.finish_reason);
  }
  const { id, created, model, usage } = last!;
  return {
    id,
    object: "chat.completion",
    created,
    model,
    choices,
    usage: usage!,
    timings: totalTimings(timings, usage!),
    ...(promptLogprobs && { prompt_logprobs: promptLogprobs }),
    ...(promptIds && { prompt_token_ids: promptIds }),
  };
}

/** The parts of one choice that have come. */
class ChoiceParts {
  #content = "";
  #reasoning = "";
  readonly #calls: ToolCall[] = [];
  #functionCall: ToolCall["function"] | undefined;
  readonly #logprobs: ChatLogprobs["content"][number][] = [];
  #ids: number[] | undefined;

  add({ delta, logprobs, token_ids: ids }: Choice): void {
    this.#content += delta.content ?? "";
    this.#reasoning += delta.reasoning_content ?? "";
    for (const call of delta.tool_calls ?? []) this.#addCall(call);
    if (delta.function_call) this.#addFunctionCall(delta.function_call);
    this.#logprobs.push(...(logprobs?.content ?? []));
    if (ids) (this.#ids ??= []).push(...ids);
  }

  #addCall({ index, id, function: { name, arguments: more } }: ToolCallDelta): void {
    const call = this.#calls[index];
    if (!call) this.#calls[index] = { id: id!, type: "function", function: { name: name!, arguments: more } };
    else this.#calls[index] = { ...call, function: { ...call.function, arguments: call.function.arguments + more } };
  }

  #addFunctionCall({ name, arguments: more }: ToolCallDelta["function"]): void {
    const before = this.#functionCall;
    this.#functionCall = before ? { ...before, arguments: before.arguments + more } : { name: name!, arguments: more };
  }

  whole({ index, stop_reason }: Choice, finish_reason: FinishReason): ChatCompletion["choices"][number] {
    const [content, reasoning, calls] = [this.#content, this.#reasoning, this.#calls];
    return {
      index,
      message: {
        role: "assistant",
        content: content === "" && (calls.length > 0 || this.#functionCall) ? null : content,
        ...(reasoning && { reasoning_content: reasoning }),
        ...(calls.length > 0 && { tool_calls: calls }),
        ...(this.#functionCall && { function_call: this.#functionCall }),
      },
      logprobs: this.#logprobs.length > 0 ? { content: this.#logprobs, refusal: null } : null,
      finish_reason,
      ...(stop_reason !== undefined && { stop_reason }),
      ...(this.#ids && { token_ids: this.#ids }),
    };
  }
}

function finishReason({ reason }: FinishEvent, { calls, functions }: ChatText): FinishReason {
  if (reason !== "stop" || calls === 0) return reason;
  return functions ? "function_call" : "tool_calls";
}
