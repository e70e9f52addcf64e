/**
 * Anthropic's /v1/messages and /v1/messages/count_tokens.
 * @module
 */
import type { Model } from "../../engine/model.ts";
import type { ChatCompletionChunk, ChatCompletionRequest } from "../../engine/openai/types.ts";
import type { Prepare } from "../answer.ts";
import { type Block, type BlockEvent, blocksOf, type Finish, randomId } from "../blocks.ts";
import { errorBody } from "../errors.ts";
import { type Body, openChat } from "../openai/completions.ts";
import { sseEvent } from "../sse.ts";
import { MESSAGES_NAMES, readCountRequest, readMessagesRequest } from "./messages-request.ts";

export function prepareMessages(model: Model): Prepare<ChatCompletionChunk> {
  return async (body, signal) => {
    const { stream, thinking, chat } = readMessagesRequest(body);
    const chunks = await openChat(model, chat, signal, MESSAGES_NAMES);
    const start = { id: randomId("msg"), type: "message", role: "assistant", model: model.info.name };
    const tokens = stream ? promptTokens(model, chat) : 0;
    return {
      stream,
      chunks,
      collect: (from) => collectMessage(start, blocksOf(from, thinking)),
      events: (from) => messageEvents(start, tokens, blocksOf(from, thinking)),
      failure: (error) => sseEvent(errorBody(error, "anthropic"), "error"),
    };
  };
}

/** Tokens of the prompt that such a request would make. */
export function countTokens(model: Model, body: unknown): object {
  return { input_tokens: promptTokens(model, readCountRequest(body)) };
}

function promptTokens(model: Model, chat: Body): number {
  // The engine checks every field: the type is what it will be then.
  return model.chatPrompt(chat as unknown as ChatCompletionRequest).ids.length;
}

/** How many tokens of the prompt were cached is known, and told, at the end. */
async function* messageEvents(
  start: object,
  tokens: number,
  blocks: AsyncIterable<BlockEvent>,
): AsyncGenerator<string, undefined> {
  const event = (type: string, fields: object = {}): string => sseEvent({ type, ...fields }, type);
  const message = {
    ...start,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...NO_OUTPUT, input_tokens: tokens },
  };
  yield event("message_start", { message });
  for await (const part of blocks) {
    if (part.type === "finish") {
      yield event("message_delta", { delta: stopOf(part), usage: usageOf(part) });
      continue;
    }
    const { block } = part;
    const { index } = block;
    if (part.type === "start") yield event("content_block_start", { index, content_block: emptyContent(block) });
    else if (part.type === "delta") yield event("content_block_delta", { index, delta: deltaOf(block, part.text) });
    else yield event("content_block_stop", { index });
  }
  yield event("message_stop");
}

async function collectMessage(start: object, blocks: AsyncIterable<BlockEvent>): Promise<object> {
  const content: object[] = [];
  for await (const part of blocks) {
    if (part.type === "stop") content.push(contentOf(part.block));
    if (part.type === "finish") return { ...start, content, ...stopOf(part), usage: usageOf(part) };
  }
  throw new Error("an answer without an end");
}

const NO_OUTPUT = { output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };

function contentOf({ kind, text, id, name }: Block): object {
  if (kind === "reasoning") return { type: "thinking", thinking: text, signature: "" };
  if (kind === "text") return { type: "text", text, citations: null };
  return { type: "tool_use", id, name, input: parseArguments(text) };
}

function emptyContent(block: Block): object {
  return contentOf({ ...block, text: block.kind === "call" ? "{}" : "" });
}

function deltaOf({ kind }: Block, text: string): object {
  if (kind === "reasoning") return { type: "thinking_delta", thinking: text };
  if (kind === "text") return { type: "text_delta", text };
  return { type: "input_json_delta", partial_json: text };
}

/** A call that the length cut off has no whole arguments. */
function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function stopOf({ reason, stop }: Finish): object {
  const reasons = {
    length: "max_tokens",
    tool_calls: "tool_use",
    stop: stop === undefined ? "end_turn" : "stop_sequence",
  };
  return { stop_reason: reasons[reason], stop_sequence: stop ?? null };
}

function usageOf({ usage }: Finish): object {
  const cached = usage.prompt_tokens_details.cached_tokens;
  const thinking = usage.completion_tokens_details?.reasoning_tokens;
  return {
    input_tokens: usage.prompt_tokens - cached,
    output_tokens: usage.completion_tokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    ...(thinking !== undefined && { output_tokens_details: { thinking_tokens: thinking } }),
  };
}
