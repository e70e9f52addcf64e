/**
 * llama-server's /apply-template: a chat request as the prompt that the model's template makes of it.
 * @module
 */
import type { ChatCompletionRequest } from "../../engine/openai/chat-types.ts";
import type { Call } from "../call.ts";
import { withDefaults } from "../defaults.ts";
import { callOptions } from "../engine-calls.ts";

/**
 * The body of a chat completion to `{ prompt }`. The engine checks every field.
 * @throws NibbleError that names the field; `template_error`
 */
export function applyTemplate(call: Call): object {
  const request: unknown = withDefaults(call.body as Readonly<Record<string, unknown>>, call);
  return { prompt: call.model.chatPrompt(request as ChatCompletionRequest, callOptions(call)).text };
}
