/**
 * llama-server's /apply-template: a conversation as the prompt that the model's template makes of it.
 * @module
 */
import { Fields } from "../../base/fields.ts";
import { checkMessages, checkVariables, MAX_MESSAGES } from "../../engine/request/messages.ts";
import type { Call } from "../call.ts";

/**
 * `{ messages, chat_template_kwargs?, add_generation_prompt? }` to `{ prompt }`.
 * @throws NibbleError that names the field; `template_error`
 */
export function applyTemplate({ model, body }: Call): object {
  const fields = new Fields(body, ["model", "messages", "chat_template_kwargs", "add_generation_prompt"]);
  const messages = checkMessages(fields.array("messages", MAX_MESSAGES));
  const variables = Object.fromEntries(checkVariables(fields.get("chat_template_kwargs")));
  const addGenerationPrompt = fields.boolean("add_generation_prompt") ?? true;
  return { prompt: model.applyTemplate(messages, { variables, addGenerationPrompt }) };
}
