/**
 * OpenAI's /v1/responses. Nothing is stored: a conversation comes whole with every request.
 * @module
 */
import type { Model } from "../../engine/model.ts";
import type { ChatCompletionChunk, ChatLogprob, ChatTokenLogprob } from "../../engine/openai/types.ts";
import type { Prepare } from "../answer.ts";
import { type Block, type BlockEvent, blocksOf, type Finish, randomId } from "../blocks.ts";
import { errorBody } from "../errors.ts";
import { sseEvent } from "../sse.ts";
import { openChat } from "./completions.ts";
import { RESPONSES_NAMES, readResponsesRequest } from "./responses-request.ts";

export function prepareResponses(model: Model): Prepare<ChatCompletionChunk> {
  return async (body, signal) => {
    const { stream, chat, echo } = readResponsesRequest(body);
    const chunks = await openChat(model, chat, signal, RESPONSES_NAMES);
    const start = {
      id: randomId("resp"),
      object: "response",
      created_at: Math.floor(Date.now() / 1000),
      model: model.info.name,
      ...echo,
      ...FIXED,
    };
    return {
      stream,
      chunks,
      collect: (from) => collectResponse(start, blocksOf(from)),
      events: (from) => responseEvents(start, blocksOf(from)),
      failure: (error) => {
        const { error: details } = errorBody(error, "openai") as { error: object };
        return sseEvent({ ...details, type: "error", sequence_number: 0 }, "error");
      },
    };
  };
}

/** What this server always does. */
const FIXED = {
  background: false,
  store: false,
  previous_response_id: null,
  truncation: "disabled",
  service_tier: "default",
  error: null,
};

async function collectResponse(start: object, blocks: AsyncIterable<BlockEvent>): Promise<object> {
  const output: object[] = [];
  for await (const part of blocks) {
    if (part.type === "stop") output.push(itemOf(part.block, randomId(PREFIX[part.block.kind]), "completed"));
    if (part.type === "finish") return ended(start, output, part);
  }
  throw new Error("an answer without an end");
}

async function* responseEvents(start: object, blocks: AsyncIterable<BlockEvent>): AsyncGenerator<string, undefined> {
  let sequence = 0;
  const event = (type: string, fields: object): string =>
    sseEvent({ type, sequence_number: sequence++, ...fields }, type);
  const output: object[] = [];
  const begun = { ...start, status: "in_progress", incomplete_details: null, output, usage: null };
  yield event("response.created", { response: begun });
  yield event("response.in_progress", { response: begun });
  let id = "";
  for await (const part of blocks) {
    if (part.type === "finish") {
      const response = ended(start, output, part);
      yield event(`response.${response.status}`, { response });
      continue;
    }
    const { block } = part;
    if (part.type === "start") id = randomId(PREFIX[block.kind]);
    const item = { output_index: block.index, item_id: id };
    const place = block.kind === "call" ? item : { ...item, content_index: 0 };
    const [name, whole] = TEXT_EVENTS[block.kind];
    if (part.type === "start") {
      yield event("response.output_item.added", { output_index: block.index, item: itemOf(block, id, "in_progress") });
      if (block.kind !== "call") yield event("response.content_part.added", { ...place, part: partOf(block) });
    } else if (part.type === "delta") {
      yield event(`${name}.delta`, { ...place, delta: part.text, ...logprobsOf(block, part.logprobs) });
    } else {
      yield event(`${name}.done`, { ...place, [whole]: block.text, ...logprobsOf(block, block.logprobs) });
      if (block.kind !== "call") yield event("response.content_part.done", { ...place, part: partOf(block) });
      output.push(itemOf(block, id, "completed"));
      yield event("response.output_item.done", { output_index: block.index, item: output.at(-1) });
    }
  }
}

const PREFIX = { reasoning: "rs", text: "msg", call: "fc" } as const;

/** The events of a block's text, and the field that holds all of it in the last one. */
const TEXT_EVENTS = {
  reasoning: ["response.reasoning_text", "text"],
  text: ["response.output_text", "text"],
  call: ["response.function_call_arguments", "arguments"],
} as const;

function logprobsOf({ kind }: Block, logprobs: readonly ChatTokenLogprob[]): object {
  const shown = ({ token, logprob, bytes }: ChatLogprob): object => ({ token, logprob, bytes });
  const entries = logprobs.map((one) => ({ ...shown(one), top_logprobs: one.top_logprobs.map(shown) }));
  return kind === "text" ? { logprobs: entries } : {};
}

function partOf(block: Block): object {
  const { kind, text, logprobs } = block;
  return kind === "reasoning"
    ? { type: "reasoning_text", text }
    : { type: "output_text", text, annotations: [], ...logprobsOf(block, logprobs) };
}

/** While it is in progress its content is told by events of its own. */
function itemOf(block: Block, id: string, status: "in_progress" | "completed"): object {
  const { kind, text, name } = block;
  if (kind === "call") return { type: "function_call", id, call_id: block.id, name, arguments: text, status };
  const content = status === "completed" ? [partOf(block)] : [];
  return kind === "reasoning"
    ? { type: "reasoning", id, summary: [], content, status }
    : { type: "message", id, role: "assistant", content, status };
}

function ended(
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
