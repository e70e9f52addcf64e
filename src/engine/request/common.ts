/**
 * The fields that requests for chats and for completions share.
 * @module
 */
import { checkSignal, type Fields, required } from "../../base/fields.ts";
import type { GenerationSettings } from "../generate/settings.ts";
import type { RequestContext } from "./context.ts";
import { STREAM_OPTIONS } from "./field-tables.ts";
import { checkLora } from "./lora.ts";
import { checkReasoningBudget } from "./reasoning-fields.ts";
import { checkRequestSampling } from "./sampling-fields.ts";
import { checkStructure, type Format } from "./structured.ts";

/** OpenAI's limit. */
const MAX_CHOICES = 128;
/** OpenAI's limit for log-probabilities of alternatives. */
export const MAX_TOP_LOGPROBS = 20;

/** Bounds an answer's size: each alternative is an entry of some 80 bytes. */
const MAX_PROBS = 256;

/** Most characters of vLLM's `cache_salt`. */
export const MAX_SALT = 1024;

const DRAFT_COUNT = { min: 0, integer: true };

export interface CommonRequest {
  /** Whether vLLM's `prompt_logprobs` are asked for. */
  readonly promptLogprobs: boolean;
  /** Whether llama-server's `n_probs` are asked for. */
  readonly detailed: boolean;
  /** The format of the answer, if one is asked for. */
  readonly format: Format | undefined;
  readonly options: Omit<GenerationSettings, "prompt">;
  /** Answers to each prompt. */
  readonly n: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Whether the ids of the prompt's and the answer's tokens are returned (vLLM's `return_token_ids`). */
  readonly tokenIds: boolean;
  /** Whether log-probabilities name tokens by id, such as `token_id:5` (vLLM's `return_tokens_as_token_ids`). */
  readonly idsAsTexts: boolean;
}

/** The fields that have different names in the two kinds of requests. */
interface Particular {
  readonly logprobs: number | undefined;
  /** `max_completion_tokens`; -1: no bound. */
  readonly maxTokens?: number | undefined;
  readonly echo?: boolean;
}

/** @throws NibbleError `invalid_request` with `param` */
export function checkCommon(fields: Fields, context: RequestContext, particular: Particular): CommonRequest {
  fields.string("model", 1024);
  const n = fields.number("n", { min: 1, max: MAX_CHOICES, integer: true }) ?? 1;
  const wanted = fields.number("prompt_logprobs", { min: 0, max: MAX_TOP_LOGPROBS, integer: true });
  const logprobs = checkProbs(fields, particular.logprobs);
  const promptLogprobs = wanted ?? (particular.echo ? logprobs : undefined);
  const maxTokens = checkMaxTokens(fields, particular.maxTokens);
  const contextShift = fields.boolean("context_shift");
  if (contextShift && maxTokens === undefined) throw required("context_shift", "max_tokens");
  const { stream, includeUsage, usagePerToken } = checkStream(fields);
  return {
    promptLogprobs: wanted !== undefined,
    detailed: (fields.get("n_probs") ?? 0) !== 0,
    format: checkStructure(fields),
    n,
    stream,
    includeUsage,
    tokenIds: fields.boolean("return_token_ids") ?? false,
    idsAsTexts: fields.boolean("return_tokens_as_token_ids") ?? false,
    options: {
      ...checkRequestSampling(fields, context),
      maxTokens,
      keepStop: fields.boolean("include_stop_str_in_output"),
      ...(fields.boolean("skip_special_tokens") === false && { shown: "all" as const }),
      promptLogprobs,
      contextShift,
      keep: fields.number("n_keep", { min: 0, integer: true }),
      reasoningBudget: checkReasoningBudget(fields),
      usagePerToken,
      timingsPerToken: fields.boolean("timings_per_token"),
      promptProgress: fields.boolean("return_progress"),
      logprobs,
      sampledProbs: fields.boolean("post_sampling_probs") ?? false,
      draftMax: fields.number("speculative.n_max", DRAFT_COUNT),
      draftMin: fields.number("speculative.n_min", DRAFT_COUNT),
      draftPMin: fields.number("speculative.p_min", { min: 0, max: 1 }),
      adapters: checkLora(fields, context.adapters),
      cacheSalt: fields.string("cache_salt", MAX_SALT),
      signal: checkSignal(fields),
    },
  };
}

/** The range of `max_tokens` and its other names: -1 stands for no bound, as in llama-server. */
export const MAX_TOKENS = { min: -1, integer: true } as const;

/** @param own the value under the name that only one kind of request has, which comes first */
function checkMaxTokens(fields: Fields, own: number | undefined): number | undefined {
  const [openai, llama] = [fields.number("max_tokens", MAX_TOKENS), fields.number("n_predict", MAX_TOKENS)];
  const tokens = own ?? openai ?? llama;
  return tokens === -1 ? undefined : tokens;
}

/** llama-server's `n_probs`, where it is above 0, stands for OpenAI's fields. */
function checkProbs(fields: Fields, logprobs: number | undefined): number | undefined {
  const probs = fields.number("n_probs", { min: 0, max: MAX_PROBS, integer: true }) ?? 0;
  return logprobs ?? (probs > 0 ? probs : undefined);
}

function checkStream(fields: Fields): { stream: boolean; includeUsage: boolean; usagePerToken?: boolean } {
  const stream = fields.boolean("stream") ?? false;
  const value = fields.get("stream_options");
  if (value === undefined) return { stream, includeUsage: false };
  if (!stream) throw required("stream_options", "stream: true");
  const options = fields.nested(value, STREAM_OPTIONS, "stream_options");
  const includeUsage = options.boolean("include_usage") ?? false;
  // As in vLLM, it is heeded beside `include_usage` only.
  return { stream, includeUsage, usagePerToken: includeUsage && (options.boolean("continuous_usage_stats") ?? false) };
}
