/**
 * The engine's chat completion, for the bodies of every API: OpenAI's as they came, the others' translated to that shape.
 * @module
 */
import type { Model } from "../engine/model.ts";
import type { ChatCompletionChunk, ChatCompletionRequest } from "../engine/openai/chat-types.ts";
import { type FieldNames, renameParam } from "./errors.ts";

/** The fields of a request. The engine checks each of them. */
export type Body = Readonly<Record<string, unknown>>;

/** Reasoning comes apart from the content unless the request says otherwise, as with llama-server. */
const REASONING_FORMAT = "auto";

/** These fields make the engine stream; a whole answer is collected from the same chunks. */
export const STREAMED: Body = { stream: true, stream_options: { include_usage: true } };

/**
 * The engine's chunks for a chat, with usage unless the body says `stream` itself.
 * @param names what the client calls the engine's fields, where the names differ
 * @throws NibbleError that names the field as the client does
 */
export async function openChat(
  model: Model,
  body: Body,
  signal: AbortSignal,
  names: FieldNames,
): Promise<AsyncIterable<ChatCompletionChunk>> {
  const request = { ...STREAMED, ...body, reasoning_format: body.reasoning_format ?? REASONING_FORMAT };
  try {
    return await model.chat.completions.create(request as unknown as StreamedRequest, { signal });
  } catch (error) {
    throw renameParam(error, names);
  }
}

/** The engine checks every field: this is the type of a request that has passed. */
type StreamedRequest = ChatCompletionRequest & { stream: true };

/** How many tokens the prompt of a chat has. @throws NibbleError that names the field as the client does */
export function countPromptTokens(model: Model, body: Body, names: FieldNames): number {
  try {
    return model.chatPrompt(body as unknown as ChatCompletionRequest).ids.length;
  } catch (error) {
    throw renameParam(error, names);
  }
}
