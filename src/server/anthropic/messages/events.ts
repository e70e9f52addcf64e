/**
 * The events of a streamed answer of /v1/messages.
 * @module
 */
import type { Block, BlockEvent } from "../../blocks.ts";
import { sseEvent } from "../../streams.ts";
import { emptyContent, NO_OUTPUT, stopOf, usageOf } from "./message.ts";

/**
 * @param tokens of the prompt. How many of them were cached is known only when the answer begins, so the first event
 * counts all as new and the last one has the true numbers.
 */
export async function* messageEvents(
  start: object,
  tokens: number,
  blocks: AsyncIterable<BlockEvent>,
): AsyncGenerator<string, undefined> {
  const event = (type: string, fields: object = {}): string => sseEvent({ type, ...fields }, type);
  const usage = { ...NO_OUTPUT, input_tokens: tokens };
  const message = { ...start, content: [], stop_reason: null, stop_sequence: null, usage };
  yield event("message_start", { message });
  for await (const part of blocks) {
    if (part.type === "finish") {
      yield event("message_delta", { delta: stopOf(part), usage: usageOf(part) });
      continue;
    }
    if (part.type === "progress") continue;
    const { block } = part;
    const { index } = block;
    if (part.type === "start") yield event("content_block_start", { index, content_block: emptyContent(block) });
    else if (part.type === "delta") yield event("content_block_delta", { index, delta: deltaOf(block, part.text) });
    else yield event("content_block_stop", { index });
  }
  yield event("message_stop");
}

function deltaOf({ kind }: Block, text: string): object {
  if (kind === "reasoning") return { type: "thinking_delta", thinking: text };
  if (kind === "text") return { type: "text_delta", text };
  return { type: "input_json_delta", partial_json: text };
}
