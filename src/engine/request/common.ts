/**
 * The fields that requests for chats and for completions share.
 * @module
 */
import { checkSignal, Fields, invalid, required } from "../../base/fields.ts";
import type { TokenMasks } from "../../grammar/matcher/token-masks.ts";
import type { GenerationSettings } from "../generate/settings.ts";
import { SAMPLING_DEFAULTS } from "../sample/defaults.ts";
import type { RequestContext } from "./context.ts";
import { checkLora } from "./lora.ts";
import { checkReasoningBudget } from "./reasoning-fields.ts";
import { checkRequestSampling, requestName } from "./sampling-fields.ts";
import { checkStructure, STRUCTURE_FIELDS } from "./structured.ts";

// biome-ignore format: a list
export const COMMON_FIELDS: readonly string[] = [
  "model", ...Object.keys(SAMPLING_DEFAULTS).map(requestName), "logit_bias", "allowed_token_ids", "banned_token_ids",
  "repetition_penalty", "seed", "n", "stop", "stop_token_ids", "ignore_eos", "max_tokens",
  "speculative.n_max", "prompt_logprobs", "context_shift", "n_keep", "reasoning_budget", "stream", "stream_options", "user", "logprobs", "signal", "lora", ...STRUCTURE_FIELDS,
];

const MAX_CHOICES = 8;
/** OpenAI's limit. */
export const MAX_TOP_LOGPROBS = 20;

export interface CommonRequest {
  /** Whether vLLM's `prompt_logprobs` are asked for. */
  readonly promptLogprobs: boolean;
  /** What the answer has to look like. */
  readonly masks: TokenMasks | undefined;
  readonly options: Omit<GenerationSettings, "prompt">;
  /** Answers to the one prompt. */
  readonly n: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** What the two kinds of requests have under names of their own. */
interface Particular {
  readonly logprobs: number | undefined;
  /** `max_completion_tokens`. */
  readonly maxTokens?: number | undefined;
  readonly echo?: boolean;
}

/** @throws NibbleError `invalid_request` with `param` */
export function checkCommon(fields: Fields, context: RequestContext, particular: Particular): CommonRequest {
  const { logprobs, echo } = particular;
  fields.string("model", 1024);
  fields.string("user", 1024);
  const n = fields.number("n", { min: 1, max: MAX_CHOICES, integer: true }) ?? 1;
  const wanted = fields.number("prompt_logprobs", { min: 0, max: MAX_TOP_LOGPROBS, integer: true });
  const promptLogprobs = wanted ?? (echo ? logprobs : undefined);
  if (promptLogprobs !== undefined && n > 1) throw invalid("n", "1 with log-probabilities of the prompt", n);
  const least = echo || wanted !== undefined ? 0 : 1;
  const maxTokens = particular.maxTokens ?? fields.number("max_tokens", { min: least, integer: true });
  const contextShift = fields.boolean("context_shift");
  if (contextShift && maxTokens === undefined) throw required("context_shift", "max_tokens");
  return {
    promptLogprobs: wanted !== undefined,
    masks: checkStructure(fields, context.grammars),
    n,
    ...checkStream(fields),
    options: {
      ...checkRequestSampling(fields, context),
      maxTokens,
      promptLogprobs,
      contextShift,
      keep: fields.number("n_keep", { min: 0, integer: true }),
      reasoningBudget: checkReasoningBudget(fields),
      logprobs,
      draftMax: fields.number("speculative.n_max", { min: 0, integer: true }),
      adapters: checkLora(fields, context.adapters),
      signal: checkSignal(fields),
    },
  };
}

function checkStream(fields: Fields): { stream: boolean; includeUsage: boolean } {
  const stream = fields.boolean("stream") ?? false;
  const options = fields.get("stream_options");
  if (options === undefined) return { stream, includeUsage: false };
  if (!stream) throw required("stream_options", "stream: true");
  const inner = new Fields(options, ["include_usage"], "stream_options");
  return { stream, includeUsage: inner.boolean("include_usage") ?? false };
}
