/**
 * /v1/chat/completions, /v1/completions and /v1/embeddings: the engine's own calls, for a body from outside.
 * @module
 */
import { Fields, invalid } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";
import { collectChat, collectCompletion } from "../../engine/openai/chunks.ts";
import type { ChatCompletionChunk, Completion } from "../../engine/openai/types.ts";
import type { Prepare } from "../answer.ts";
import { errorBody, type FieldNames, renameParam } from "../errors.ts";
import { sseEvent } from "../sse.ts";

/** Reasoning comes apart from the content unless the request says otherwise, as with llama-server. */
const REASONING_FORMAT = "auto";

/** A body as the engine takes it. */
export type Body = Readonly<Record<string, unknown>>;

export function prepareChat(model: Model): Prepare<ChatCompletionChunk> {
  return async (body, signal) => {
    const { stream, request } = streamed(withoutUnused(body));
    return {
      stream,
      chunks: await openChat(model, request, signal, CHAT_NAMES),
      collect: collectChat,
      events,
      failure,
    };
  };
}

export function prepareCompletion(model: Model): Prepare<Completion> {
  return async (body, signal) => {
    const { stream, request } = streamed(withoutUnused(body));
    const checked = request as unknown as Parameters<Model["completions"]["create"]>[0] & { stream: true };
    const chunks = await model.completions.create(checked, { signal });
    return { stream, chunks, collect: collectCompletion, events, failure };
  };
}

/** @throws NibbleError that names the field */
export function embed(model: Model, body: unknown, signal: AbortSignal): Promise<object> {
  return model.embeddings.create(body as Parameters<Model["embeddings"]["create"]>[0], { signal });
}

const CHAT_NAMES: FieldNames = [[/^prompt\b/, "messages"]];

/**
 * The engine's chunks for a chat, always with usage unless the body streams by itself.
 * @param names what the client calls the engine's fields, where it is not the same
 * @throws NibbleError that names the field as the client does
 */
export async function openChat(
  model: Model,
  body: Body,
  signal: AbortSignal,
  names: FieldNames,
): Promise<AsyncIterable<ChatCompletionChunk>> {
  const request = { ...STREAMED, ...body, reasoning_format: body.reasoning_format ?? REASONING_FORMAT };
  // The engine checks every field: the type is what it will be then.
  const checked = request as unknown as Parameters<Model["chat"]["completions"]["create"]>[0] & { stream: true };
  try {
    return await model.chat.completions.create(checked, { signal });
  } catch (error) {
    throw renameParam(error, names);
  }
}

/** What makes the engine stream: a whole answer is collected from the same chunks. */
const STREAMED: Body = { stream: true, stream_options: { include_usage: true } };

function streamed(body: Body): { stream: boolean; request: Body } {
  const { stream, stream_options: options } = body;
  if (stream === true) return { stream: true, request: { ...body, stream_options: options ?? null } };
  if (stream !== undefined && stream !== null && stream !== false) throw invalid("stream", "true or false", stream);
  if (options !== undefined && options !== null) throw invalid("stream_options", "stream: true with it", options);
  return { stream: false, request: { ...body, ...STREAMED } };
}

/**
 * Fields of OpenAI's and llama-server's that say nothing about the answer: checked, and not used. Slots hold no
 * conversation here, for what requests have computed is shared by all.
 */
const UNUSED: Readonly<Record<string, "boolean" | "string" | "object" | "slot">> = {
  store: "boolean",
  metadata: "object",
  service_tier: "string",
  safety_identifier: "string",
  prompt_cache_key: "string",
  cache_prompt: "boolean",
  id_slot: "slot",
};

/** @throws NibbleError `invalid_request` that names the field */
export function withoutUnused(body: unknown): Body {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("body", "an object", body);
  const rest = new Map(Object.entries(body));
  for (const [name, type] of Object.entries(UNUSED)) {
    const field = new Fields({ [name]: rest.get(name) }, [name]);
    if (type === "boolean") field.boolean(name);
    else if (type === "string") field.string(name, 1024);
    else if (type === "slot") field.number(name, { min: -1, integer: true });
    else checkMetadata(name, rest.get(name));
    rest.delete(name);
  }
  return Object.fromEntries(rest);
}

/** OpenAI's limits. */
function checkMetadata(name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  const keys = typeof value === "object" ? Object.keys(value) : [];
  if (keys.length > 16) throw invalid(name, "at most 16 pairs", value);
  const fields = new Fields(value, keys, name);
  for (const key of keys) fields.string(key, 512);
}

async function* events(chunks: AsyncIterable<object>): AsyncGenerator<string, undefined> {
  for await (const chunk of chunks) yield sseEvent(chunk);
  yield sseEvent("[DONE]");
}

function failure(error: unknown): string {
  return sseEvent(errorBody(error, "openai"));
}
