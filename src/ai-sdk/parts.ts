/**
 * Turns chunks of a chat completion into the AI SDK's stream parts: blocks of reasoning, text and tool input, each with
 * a start and an end, one open at a time.
 * @module
 */
import type { ChatCompletionChunk, ToolCallDelta } from "../engine/openai/chat-types.ts";
import type { Content, FinishReason, JsonObject, StreamPart, ToolCall, Usage, Warning } from "./types.ts";

type TextKind = "text" | "reasoning";

/** Parts in the order of the specification: `stream-start`, `response-metadata`, blocks, `finish`. */
export async function* streamParts(
  chunks: AsyncIterable<ChatCompletionChunk>,
  warnings: Warning[],
  includeRaw: boolean,
): AsyncGenerator<StreamPart, undefined> {
  yield { type: "stream-start", warnings };
  const blocks = new Blocks();
  let reason: string | undefined;
  let usage: ChatCompletionChunk["usage"];
  let first = true;
  for await (const chunk of chunks) {
    if (includeRaw) yield { type: "raw", rawValue: chunk };
    if (first) {
      const { id, created, model } = chunk;
      yield { type: "response-metadata", id, timestamp: new Date(created * 1000), modelId: model };
      first = false;
    }
    const choice = chunk.choices[0];
    const delta = choice?.delta;
    if (delta?.reasoning_content) yield* blocks.text("reasoning", delta.reasoning_content);
    if (delta?.content) yield* blocks.text("text", delta.content);
    for (const call of delta?.tool_calls ?? []) yield* blocks.toolCall(call);
    reason = choice?.finish_reason ?? reason;
    usage = chunk.usage ?? usage;
  }
  yield* blocks.close();
  yield { type: "finish", usage: toUsage(usage), finishReason: finishReason(reason) };
}

/** Collects the blocks of a stream, in their order. */
export class ContentCollector {
  readonly content: Content[] = [];

  push(part: StreamPart): void {
    if (part.type === "text-start") this.content.push({ type: "text", text: "" });
    else if (part.type === "reasoning-start") this.content.push({ type: "reasoning", text: "" });
    else if (part.type === "tool-call") this.content.push(part);
    else if (part.type === "text-delta" || part.type === "reasoning-delta") {
      // The open block is the last one.
      (this.content.at(-1) as { text: string }).text += part.delta;
    }
  }
}

class Blocks {
  #count = 0;
  #open: { readonly kind: TextKind; readonly id: string } | undefined;
  #call: (ToolCall & { index: number }) | undefined;

  *text(kind: TextKind, delta: string): Generator<StreamPart> {
    if (this.#open?.kind !== kind) {
      yield* this.close();
      this.#open = { kind, id: `${kind}-${this.#count++}` };
      yield { type: `${kind}-start`, id: this.#open.id };
    }
    yield { type: `${kind}-delta`, id: this.#open.id, delta };
  }

  /** A call's id and name come with its first piece, its arguments in pieces. */
  *toolCall({ index, id, function: called }: ToolCallDelta): Generator<StreamPart> {
    if (this.#call?.index !== index) {
      yield* this.close();
      const toolName = called.name ?? "";
      this.#call = { type: "tool-call", index, toolCallId: id ?? `call-${index}`, toolName, input: "" };
      yield { type: "tool-input-start", id: this.#call.toolCallId, toolName };
    }
    const delta = called.arguments;
    if (delta === "") return;
    this.#call.input += delta;
    yield { type: "tool-input-delta", id: this.#call.toolCallId, delta };
  }

  *close(): Generator<StreamPart> {
    if (this.#open) yield { type: `${this.#open.kind}-end`, id: this.#open.id };
    if (this.#call) {
      const { toolCallId, toolName, input } = this.#call;
      yield { type: "tool-input-end", id: toolCallId };
      yield { type: "tool-call", toolCallId, toolName, input: input.trim() === "" ? "{}" : input };
    }
    this.#open = undefined;
    this.#call = undefined;
  }
}

function finishReason(raw: string | undefined): FinishReason {
  if (raw === "stop" || raw === "length") return { unified: raw, raw };
  return { unified: raw === "tool_calls" ? "tool-calls" : "other", raw };
}

/** Tokens that an earlier request had computed count as cache reads. Cache writes are not counted. */
function toUsage(usage: ChatCompletionChunk["usage"]): Usage {
  if (!usage) {
    return {
      inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: undefined, text: undefined, reasoning: undefined },
    };
  }
  const { prompt_tokens: input, completion_tokens: output } = usage;
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  return {
    inputTokens: { total: input, noCache: input - cached, cacheRead: cached, cacheWrite: undefined },
    outputTokens: { total: output, text: output - reasoning, reasoning },
    raw: usage as unknown as JsonObject,
  };
}

/** The last parts of a stream that failed. */
export function failureParts(error: unknown): StreamPart[] {
  return [
    { type: "error", error },
    { type: "finish", usage: toUsage(undefined), finishReason: { unified: "error", raw: undefined } },
  ];
}
