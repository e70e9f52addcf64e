/**
 * The objects that an answer of /v1/messages consists of, and the whole answer made of them.
 * @module
 */
import type { Block, BlockEvent, Finish } from "../../blocks.ts";

/** The usage of an answer that has not begun. */
export const NO_OUTPUT = { output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };

export async function collectMessage(start: object, blocks: AsyncIterable<BlockEvent>): Promise<object> {
  const content: object[] = [];
  for await (const part of blocks) {
    if (part.type === "stop") content.push(contentOf(part.block));
    if (part.type === "finish") return { ...start, content, ...stopOf(part), usage: usageOf(part) };
  }
  throw new Error("the engine's chunks ended without usage");
}

function contentOf({ kind, text, id, name }: Block): object {
  if (kind === "reasoning") return { type: "thinking", thinking: text, signature: "" };
  if (kind === "text") return { type: "text", text, citations: null };
  return { type: "tool_use", id, name, input: parseArguments(text) };
}

export function emptyContent(block: Block): object {
  return contentOf({ ...block, text: block.kind === "call" ? "{}" : "" });
}

/** A call that `max_tokens` cut off has no whole arguments: its input is empty then. */
function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

export function stopOf({ reason, stop }: Finish): object {
  const reasons = {
    length: "max_tokens",
    tool_calls: "tool_use",
    function_call: "tool_use",
    stop: stop === undefined ? "end_turn" : "stop_sequence",
  };
  return { stop_reason: reasons[reason], stop_sequence: stop ?? null };
}

export function usageOf({ usage }: Finish): object {
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
