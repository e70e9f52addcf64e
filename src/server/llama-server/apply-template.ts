/**
 * llama-server's /apply-template: a chat request as the prompt that the model's template makes of it.
 * @module
 */
import type { ChatCompletionRequest } from "../../engine/openai/chat-types.ts";
import type { Call } from "../call.ts";
import { callOptions } from "../engine-calls.ts";

/**
 * The body of a chat completion to `{ prompt }`. The engine checks every field.
 * @throws NibbleError that names the field; `template_error`
 */
export function applyTemplate(call: Call): object {
  return { prompt: call.model.chatPrompt(call.body as ChatCompletionRequest, callOptions(call)).text };
}
