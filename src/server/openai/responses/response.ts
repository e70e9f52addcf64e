/**
 * The objects that an answer of /v1/responses consists of, and the whole answer made of them.
 * @module
 */
import type { ChatLogprob, ChatTokenLogprob } from "../../../engine/openai/chat-types.ts";
import { type Block, type BlockEvent, type Finish, randomId } from "../../blocks.ts";

const PREFIX = { reasoning: "rs", text: "msg", call: "fc" } as const;

export function itemId({ kind }: Block): string {
  return randomId(PREFIX[kind]);
}

/** The item of a block. While it is in progress it is empty: events of their own carry its content. */
export function itemOf(block: Block, id: string, status: "in_progress" | "completed"): object {
  const { kind, text, name } = block;
  if (kind === "call") return { type: "function_call", id, call_id: block.id, name, arguments: text, status };
  const content = status === "completed" ? [partOf(block)] : [];
  return kind === "reasoning"
    ? { type: "reasoning", id, summary: [], content, status }
    : { type: "message", id, role: "assistant", content, status };
}

/** The only content part of a block of text or reasoning. */
export function partOf(block: Block): object {
  const { kind, text, logprobs } = block;
  return kind === "reasoning"
    ? { type: "reasoning_text", text }
    : { type: "output_text", text, annotations: [], ...logprobsOf(block, logprobs) };
}

/** The field `logprobs` of a text; reasoning and calls have none. */
export function logprobsOf({ kind }: Block, logprobs: readonly ChatTokenLogprob[]): object {
  const shown = ({ token, logprob, bytes }: ChatLogprob): object => ({ token, logprob, bytes });
  const entries = logprobs.map((one) => ({ ...shown(one), top_logprobs: one.top_logprobs.map(shown) }));
  return kind === "text" ? { logprobs: entries } : {};
}

/** The response at its end. */
export function endedResponse(
  start: object,
  output: readonly object[],
  { reason, usage }: Finish,
): { readonly status: string; readonly [field: string]: unknown } {
  const cut = reason === "length";
  return {
    ...start,
    status: cut ? "incomplete" : "completed",
    incomplete_details: cut ? { reason: "max_output_tokens" } : null,
    output,
    usage: {
      input_tokens: usage.prompt_tokens,
      input_tokens_details: { cached_tokens: usage.prompt_tokens_details.cached_tokens },
      output_tokens: usage.completion_tokens,
      output_tokens_details: { reasoning_tokens: usage.completion_tokens_details?.reasoning_tokens ?? 0 },
      total_tokens: usage.total_tokens,
    },
  };
}

export async function collectResponse(start: object, blocks: AsyncIterable<BlockEvent>): Promise<object> {
  const output: object[] = [];
  for await (const part of blocks) {
    if (part.type === "stop") output.push(itemOf(part.block, itemId(part.block), "completed"));
    if (part.type === "finish") return endedResponse(start, output, part);
  }
  throw new Error("the engine's chunks ended without usage");
}
