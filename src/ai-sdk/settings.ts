/**
 * Turns the AI SDK's call options into a chat request.
 * @module
 */
import type { ChatCompletionRequest } from "../engine/openai/chat-types.ts";
import { REASONING_EFFORTS } from "../engine/request/reasoning-efforts.ts";
import { toMessages } from "./prompt.ts";
import type { CallOptions, Warning } from "./types.ts";

export type StreamedRequest = ChatCompletionRequest & { readonly stream: true };

/** The provider's name. Fields of `providerOptions.nibble`, such as `min_p`, go into the request as they are. */
export const PROVIDER = "nibble";

/** @throws NibbleError `invalid_request` for a prompt that is no text; the engine checks every other field */
export function toRequest(options: CallOptions): { request: StreamedRequest; warnings: Warning[] } {
  const warnings: Warning[] = [];
  const unsupported = (feature: string, details: string) => warnings.push({ type: "unsupported", feature, details });
  const tools = (options.tools ?? []).flatMap((tool) => {
    if (tool.type === "provider") {
      unsupported(`tool ${tool.id ?? tool.name}`, "only function tools: nibble runs no tools itself");
      return [];
    }
    if (tool.inputExamples?.length) unsupported(`inputExamples of tool ${tool.name}`, "chat templates show none");
    const { name, description, inputSchema: parameters, strict } = tool;
    return [{ type: "function", function: given({ name, description, parameters, strict }) }];
  });
  const request = {
    reasoning_format: "auto",
    ...given({ reasoning_budget: REASONING_EFFORTS.get(options.reasoning ?? "") }),
    ...options.providerOptions?.[PROVIDER],
    ...given({
      max_completion_tokens: options.maxOutputTokens,
      temperature: options.temperature,
      top_p: options.topP,
      top_k: options.topK,
      presence_penalty: options.presencePenalty,
      frequency_penalty: options.frequencyPenalty,
      seed: options.seed,
      stop: options.stopSequences,
      response_format: responseFormat(options.responseFormat),
      ...(tools.length > 0 && { tools, tool_choice: toolChoice(options.toolChoice) }),
    }),
    messages: toMessages(options.prompt),
    stream: true,
    stream_options: { include_usage: true },
  };
  // The cast is safe, because the engine checks every field of a request.
  return { request: request as unknown as StreamedRequest, warnings };
}

function responseFormat(format: CallOptions["responseFormat"]): object | undefined {
  if (format?.type !== "json") return undefined;
  if (format.schema === undefined) return { type: "json_object" };
  const { name = "response", description, schema } = format;
  return { type: "json_schema", json_schema: given({ name, description, schema, strict: true }) };
}

function toolChoice(choice: CallOptions["toolChoice"]): unknown {
  return choice?.type === "tool" ? { type: "function", function: { name: choice.toolName } } : choice?.type;
}

/** The fields that have a value. */
function given(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
