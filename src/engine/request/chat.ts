/**
 * From an untrusted body of OpenAI's chat call to a checked request.
 * @module
 */
import { conflict, Fields, required } from "../../base/fields.ts";
import type { ChatMessage } from "../../chat/template.ts";
import { COMMON_FIELDS, type CommonRequest, checkCommon, MAX_TOP_LOGPROBS } from "./common.ts";
import type { RequestContext } from "./context.ts";
import { checkMessages, checkVariables, MAX_MESSAGES } from "./messages.ts";
import { checkTools, type ToolRequest } from "./tools.ts";

// biome-ignore format: a list
const CHAT_FIELDS = [
  "messages", ...COMMON_FIELDS, "max_completion_tokens", "top_logprobs", "reasoning_format", "reasoning",
  "reasoning_effort", "chat_template_kwargs", "tools", "tool_choice", "parallel_tool_calls",
];

export interface CheckedChatRequest extends CommonRequest {
  readonly messages: readonly ChatMessage[];
  readonly templateVariables: ReadonlyMap<string, unknown>;
  /** Reasoning goes to `reasoning_content`. */
  readonly splitReasoning: boolean;
  /** The caller says that the model reasons, whether its template shows it or not. */
  readonly reasoningExpected: boolean;
  readonly tools: ToolRequest | undefined;
}

/** @throws NibbleError `invalid_request` with `param` */
export function checkChatRequest(body: unknown, context: RequestContext): CheckedChatRequest {
  const fields = new Fields(body, CHAT_FIELDS);
  const wanted = fields.boolean("logprobs") ?? false;
  const top = fields.number("top_logprobs", { min: 0, max: MAX_TOP_LOGPROBS, integer: true });
  if (top !== undefined && !wanted) throw required("top_logprobs", "logprobs: true");
  const maxTokens = fields.number("max_completion_tokens", { min: 1, integer: true });
  const common = checkCommon(fields, context, { logprobs: wanted ? (top ?? 0) : undefined, maxTokens });
  const tools = checkTools(fields);
  if (tools && common.masks)
    throw conflict("tools", "a format of the answer", "each of them decides the form of the answer");
  // A request for JSON or calls wants nothing else in the content.
  const usual = common.masks || tools ? "auto" : "none";
  const format = fields.oneOf("reasoning_format", ["none", "deepseek", "auto"]) ?? usual;
  return {
    ...common,
    messages: checkMessages(fields.array("messages", MAX_MESSAGES)),
    templateVariables: checkVariables(fields.get("chat_template_kwargs")),
    splitReasoning: format !== "none",
    reasoningExpected: format === "deepseek",
    tools,
  };
}
