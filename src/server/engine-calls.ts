/**
 * The engine's completions, for the bodies of every API: OpenAI's as they came, the others' translated to that shape.
 * @module
 */
import type { ChatCompletionChunk, ChatCompletionRequest } from "../engine/openai/chat-types.ts";
import type { RequestOptions } from "../engine/openai/common-types.ts";
import type { Completion, CompletionRequest } from "../engine/openai/completion-types.ts";
import type { Body } from "./body.ts";
import type { Call } from "./call.ts";
import { withDefaults, withSystemPrompt } from "./defaults.ts";
import { type FieldNames, renameParam, shiftMessages } from "./errors.ts";

/** These fields make the engine stream; a whole answer is collected from the same chunks. */
export const STREAMED: Body = { stream: true, stream_options: { include_usage: true } };

export interface EngineCallOptions {
  readonly signal: AbortSignal;
  /** The client's names of the engine's fields, where they differ. */
  readonly names: FieldNames;
}

/**
 * The engine's chunks for a chat, with usage unless the body says `stream` itself.
 * @throws NibbleError that names the field as the client does
 */
export async function openChat(
  call: Call,
  body: Body,
  { signal, names }: EngineCallOptions,
): Promise<AsyncIterable<ChatCompletionChunk>> {
  const request = { ...STREAMED, ...withDefaults(body, call) };
  // The cast is safe, because the engine checks every field.
  const checked = request as unknown as ChatCompletionRequest & { stream: true };
  return renaming(names, () =>
    ofClient(body, request, () => call.model.chat.completions.create(checked, callOptions(call, signal))),
  );
}

/** The engine's chunks for a text completion, with usage unless the body says `stream` itself. */
export async function openText(
  call: Call,
  body: Body,
  { signal, names }: EngineCallOptions,
): Promise<AsyncIterable<Completion>> {
  const request = { ...STREAMED, ...withDefaults(body, call) };
  const checked = request as unknown as CompletionRequest & { stream: true };
  return renaming(names, () => call.model.completions.create(checked, callOptions(call, signal)));
}

/** The engine treats unknown fields as the server does. */
export function callOptions({ exchange: { rules } }: Call, signal?: AbortSignal): RequestOptions {
  return { ...(signal && { signal }), ...(rules.onUnknown && { onUnknownField: rules.onUnknown }) };
}

/** How many tokens the prompt of a chat has. @throws NibbleError that names the field as the client does */
export function countPromptTokens(call: Call, body: Body, names: FieldNames): Promise<number> {
  return renaming(names, async () => (await promptOfChat(call, body)).ids.length);
}

/** The prompt of a chat, with the server's system prompt. @throws NibbleError that names the field */
export function promptOfChat(call: Call, body: Body): Promise<ReturnType<Call["model"]["chatPrompt"]>> {
  const request = withSystemPrompt(body, call.exchange);
  // The cast is safe, because the engine checks every field.
  return ofClient(body, request, async () =>
    call.model.chatPrompt(request as unknown as ChatCompletionRequest, callOptions(call)),
  );
}

/** Runs `action` on the request that was made of the client's body, and lets its errors count the client's messages. */
async function ofClient<T>(body: Body, request: Body, action: () => Promise<T>): Promise<T> {
  const length = ({ messages }: Body): number => (Array.isArray(messages) ? messages.length : 0);
  try {
    return await action();
  } catch (error) {
    throw shiftMessages(error, length(request) - length(body));
  }
}

async function renaming<T>(names: FieldNames, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw renameParam(error, names);
  }
}
