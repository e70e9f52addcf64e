/**
 * Checks the untrusted body of OpenAI's chat call.
 * @module
 */
import { conflict, type FieldRules, Fields, required } from "../../base/fields.ts";
import type { ChatMessage } from "../../chat/template.ts";
import { type CommonRequest, checkCommon, MAX_TOKENS, MAX_TOP_LOGPROBS } from "./common.ts";
import type { RequestContext } from "./context.ts";
import { CHAT_FIELDS } from "./field-tables.ts";
import { checkMessages, checkOwnVariables, checkVariables, type OwnVariables } from "./messages.ts";
import { checkTools, type ToolRequest } from "./tools.ts";

export interface CheckedChatRequest extends CommonRequest {
  readonly messages: readonly ChatMessage[];
  readonly templateVariables: ReadonlyMap<string, unknown>;
  readonly ownVariables: OwnVariables;
  /** How the prompt ends: with the beginning of a new turn, inside of the last message, or behind it. */
  readonly ending: PromptEnding;
  /** Whether reasoning goes to `reasoning_content`. */
  readonly splitReasoning: boolean;
  /** Whether the caller says that the model reasons, even if its template does not show it. */
  readonly reasoningExpected: boolean;
  readonly tools: ToolRequest | undefined;
}

export type PromptEnding = "new turn" | "open message" | "closed message";

/** @param rules what happens to unknown fields @throws NibbleError `invalid_request` with `param` */
export function checkChatRequest(body: unknown, context: RequestContext, rules?: FieldRules): CheckedChatRequest {
  const fields = new Fields(body, CHAT_FIELDS, "", rules);
  const wanted = fields.boolean("logprobs") ?? false;
  const top = fields.number("top_logprobs", { min: 0, max: MAX_TOP_LOGPROBS, integer: true });
  if (top && !wanted) throw required("top_logprobs", "logprobs: true");
  const maxTokens = fields.number("max_completion_tokens", MAX_TOKENS);
  const common = checkCommon(fields, context, { logprobs: wanted ? (top ?? 0) : undefined, maxTokens });
  const tools = checkTools(fields);
  const format = fields.oneOf("reasoning_format", ["none", "deepseek", "deepseek-legacy", "auto"]) ?? "auto";
  const messages = checkMessages(fields);
  return {
    ...common,
    messages,
    templateVariables: checkVariables(fields),
    ownVariables: checkOwnVariables(fields),
    ending: checkEnding(fields, messages),
    splitReasoning: format !== "none",
    reasoningExpected: format === "deepseek",
    tools,
  };
}

/**
 * A conversation that ends with the assistant's turn is continued, as in llama-server. vLLM's two fields ask for an
 * ending by name.
 */
export function checkEnding(fields: Fields, messages: readonly ChatMessage[]): PromptEnding {
  const start = fields.boolean("add_generation_prompt");
  const open = fields.boolean("continue_final_message");
  if (start && open)
    throw conflict(
      "add_generation_prompt",
      "continue_final_message",
      "the prompt ends either in a new turn or in the last",
    );
  const last = messages.at(-1)!;
  const continuable = last.role === "assistant" && last.tool_calls === undefined;
  if (open && !continuable)
    throw required("continue_final_message", "a last message of the assistant without tool calls");
  if (open) return "open message";
  if (start === undefined && open === undefined && continuable) return "open message";
  return start === false ? "closed message" : "new turn";
}
