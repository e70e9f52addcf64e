/**
 * The objects that an answer of /v1/responses consists of, and the whole answer made of them.
 * @module
 */
import type { ChatLogprob, ChatTokenLogprob } from "../../../engine/openai/chat-types.ts";
import { type Block, type BlockEvent, type Finish, randomId } from "../../blocks.ts";
import { encodeReasoning } from "./reasoning-text.ts";
import { CUSTOM_ARGUMENT } from "./tools.ts";

/** The parts that are the same for all events of one answer. */
export interface ResponseStyle {
  /** The fields that are known before the answer. */
  readonly start: { readonly id: string; readonly [field: string]: unknown };
  /** Names of tools whose calls are `custom_tool_call` items. */
  readonly custom: ReadonlySet<string>;
  readonly encryptedReasoning: boolean;
  /** Called with the whole response and its blocks, when it has ended. */
  readonly onEnd: (response: object, blocks: readonly Block[]) => void;
}

export type ItemKind = Block["kind"] | "custom";

/** A custom tool's call is an item of its own kind. */
export function kindOf({ kind, name }: Block, { custom }: ResponseStyle): ItemKind {
  return kind === "call" && custom.has(name) ? "custom" : kind;
}

const PREFIX: Readonly<Record<ItemKind, string>> = { reasoning: "rs", text: "msg", call: "fc", custom: "ctc" };

export function itemId(block: Block, style: ResponseStyle): string {
  return randomId(PREFIX[kindOf(block, style)]);
}

export interface ItemState {
  readonly id: string;
  readonly status: "in_progress" | "completed";
}

/** The item of a block. While it is in progress it is empty: events of their own carry its content. */
export function itemOf(block: Block, { id, status }: ItemState, style: ResponseStyle): object {
  const { text, name } = block;
  const kind = kindOf(block, style);
  const done = status === "completed";
  if (kind === "call") return { type: "function_call", id, call_id: block.id, name, arguments: text, status };
  if (kind === "custom")
    return { type: "custom_tool_call", id, call_id: block.id, name, input: done ? customInput(text) : "", status };
  const content = done ? [partOf(block)] : [];
  if (kind === "text") return { type: "message", id, role: "assistant", content, status };
  const encrypted = done && style.encryptedReasoning && { encrypted_content: encodeReasoning(text) };
  return { type: "reasoning", id, summary: [], content, ...encrypted, status };
}

/** The text that the model gave to a custom tool; arguments that were cut off stay as they are. */
export function customInput(text: string): string {
  try {
    const input = (JSON.parse(text) as Record<string, unknown>)[CUSTOM_ARGUMENT];
    return typeof input === "string" ? input : text;
  } catch {
    return text;
  }
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
  { start }: ResponseStyle,
  output: readonly object[],
  { reason, usage }: Finish,
): { readonly status: string; readonly [field: string]: unknown } {
  const cut = reason === "length";
  return {
    ...start,
    status: cut ? "incomplete" : "completed",
    completed_at: cut ? null : Math.floor(Date.now() / 1000),
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

export async function collectResponse(style: ResponseStyle, events: AsyncIterable<BlockEvent>): Promise<object> {
  const output: object[] = [];
  const blocks: Block[] = [];
  for await (const part of events) {
    if (part.type === "stop") {
      blocks.push(part.block);
      output.push(itemOf(part.block, { id: itemId(part.block, style), status: "completed" }, style));
    }
    if (part.type === "finish") {
      const response = endedResponse(style, output, part);
      style.onEnd(response, blocks);
      return response;
    }
  }
  throw new Error("the engine's chunks ended without usage");
}
