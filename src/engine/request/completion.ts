/**
 * From an untrusted body of OpenAI's completion call to a checked request.
 * @module
 */
import { Fields, invalid } from "../../base/fields.ts";
import { COMMON_FIELDS, type CommonRequest, checkCommon, MAX_TOP_LOGPROBS } from "./common.ts";
import type { RequestContext } from "./context.ts";
import { checkId } from "./sampling-fields.ts";

export interface CheckedCompletionRequest extends CommonRequest {
  readonly prompt: string | readonly number[];
  /** The prompt comes before the answer. */
  readonly echo: boolean;
}

/** @throws NibbleError `invalid_request` with `param` */
export function checkCompletionRequest(body: unknown, context: RequestContext): CheckedCompletionRequest {
  const fields = new Fields(body, ["prompt", "echo", ...COMMON_FIELDS]);
  const logprobs = fields.number("logprobs", { min: 0, max: MAX_TOP_LOGPROBS, integer: true });
  const echo = fields.boolean("echo") ?? false;
  const common = checkCommon(fields, context, { logprobs, echo });
  const prompt = fields.get("prompt");
  if (typeof prompt === "string") return { ...common, prompt, echo };
  if (!Array.isArray(prompt)) throw invalid("prompt", "a string or an array of token ids", prompt);
  if (prompt.length > context.contextLength) {
    throw invalid("prompt", `at most ${context.contextLength} token ids`, prompt);
  }
  return { ...common, prompt: prompt.map((id) => checkId("prompt", id, context)), echo };
}
