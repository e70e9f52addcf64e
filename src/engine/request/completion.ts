/**
 * Checks the untrusted body of OpenAI's completion call.
 * @module
 */
import { conflict, type FieldRules, Fields, invalid, unsupported } from "../../base/fields.ts";
import { type CommonRequest, checkCommon, MAX_TOP_LOGPROBS } from "./common.ts";
import type { RequestContext } from "./context.ts";
import { COMPLETION_FIELDS } from "./field-tables.ts";
import { checkId } from "./sampling-fields.ts";

/** A text, or a list of token ids, which may have texts between them. */
export type CompletionPrompt = string | readonly (number | string)[];

export interface CheckedCompletionRequest extends CommonRequest {
  /** At least one. */
  readonly prompts: readonly CompletionPrompt[];
  /** Whether the prompt is returned before the answer. */
  readonly echo: boolean;
  /** Whether BOS is added to a text; undefined stands for the model's default. */
  readonly addBos: boolean | undefined;
  /** The text after the gap that the answer fills; undefined: the answer continues the prompt. */
  readonly suffix: string | undefined;
}

/** Limit on the number of prompts times answers. */
const MAX_ANSWERS = 2048;

/** @param rules what happens to unknown fields @throws NibbleError `invalid_request` with `param` */
export function checkCompletionRequest(
  body: unknown,
  context: RequestContext,
  rules?: FieldRules,
): CheckedCompletionRequest {
  const fields = new Fields(body, COMPLETION_FIELDS, "", rules);
  // Clients that also speak to chats send `false`, which asks for none.
  const none = fields.get("logprobs") === false;
  const logprobs = none ? undefined : fields.number("logprobs", { min: 0, max: MAX_TOP_LOGPROBS, integer: true });
  const echo = fields.boolean("echo") ?? false;
  const common = checkCommon(fields, context, { logprobs, echo });
  const best = fields.number("best_of", { min: 1, integer: true }) ?? common.n;
  if (best !== common.n) throw unsupported("best_of", "choosing among more answers than n", "send n");
  const prompts = checkPrompts(fields.get("prompt"), context);
  if (prompts.length * common.n > MAX_ANSWERS)
    throw invalid("prompt", `at most ${Math.floor(MAX_ANSWERS / common.n)} prompts with n ${common.n}`, prompts);
  const suffix = fields.string("suffix", Infinity) || undefined;
  if (echo && suffix !== undefined)
    throw conflict("echo", "suffix", "the prompt then stands on both sides of the answer");
  return { ...common, prompts, echo, suffix, addBos: fields.boolean("add_special_tokens") };
}

/**
 * A text, a list of texts, a list of token ids, or a list of such lists. As in llama-server, a list of ids may have texts
 * between them.
 */
function checkPrompts(prompt: unknown, context: RequestContext): readonly CompletionPrompt[] {
  if (typeof prompt === "string") return [prompt];
  if (!Array.isArray(prompt) || prompt.length === 0)
    throw invalid("prompt", "a string, a list of strings, a list of token ids, or a list of these lists", prompt);
  const parts = Array.from(prompt as unknown[]);
  if (parts.some((part) => typeof part === "number")) return [checkMixed(parts, "prompt", context)];
  if (parts.every((part) => typeof part === "string")) return parts as string[];
  return parts.map((part, i) => {
    const param = `prompt[${i}]`;
    if (!Array.isArray(part) || part.length === 0) throw invalid(param, "a list of token ids, like the others", part);
    return checkMixed(Array.from(part), param, context);
  });
}

function checkMixed(parts: readonly unknown[], param: string, context: RequestContext): (number | string)[] {
  return parts.map((part) => (typeof part === "string" ? part : checkId(param, part ?? null, context)));
}
