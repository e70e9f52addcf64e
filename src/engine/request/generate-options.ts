/**
 * The options of `model.generate`, and their check.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { checkIds, checkNumber, checkSignal, Fields, invalid, required } from "../../base/fields.ts";
import type { GrammarSource } from "../../grammar/compile.ts";
import type { GenerationSettings } from "../generate/settings.ts";
import { SAMPLING_DEFAULTS } from "../sample/defaults.ts";
import type { SamplingOptions } from "../sample/options.ts";
import { randomSeed } from "../sample/random.ts";
import type { RequestContext } from "./context.ts";
import { checkLora, type LoraChoice } from "./lora.ts";
import { checkSampling, checkStops } from "./sampling-fields.ts";
import { checkGrammar, compileNamed } from "./structured.ts";

/** Options of `model.generate`. */
export interface GenerateOptions {
  /** Token ids, as `tokenize` gives them. */
  readonly prompt: readonly number[];
  /** Most tokens of the answer, the end token included. Default: to the end of the context. */
  readonly maxTokens?: number | undefined;
  /** Sampling settings. One that is left out has the model's value (`info.sampling`); the default seed is random. */
  readonly sampling?: Partial<SamplingOptions> | undefined;
  /** Texts that end the answer and are not part of it: at most 16 of 256 characters. */
  readonly stop?: readonly string[] | undefined;
  /** Tokens that end the answer and are not part of its text. Default: the model's (`info.endIds`). */
  readonly endIds?: ReadonlySet<number> | readonly number[] | undefined;
  /**
   * Number of alternatives whose log-probabilities are returned with that of each token. Default: no log-probabilities.
   */
  readonly logprobs?: number | undefined;
  /**
   * Like `logprobs`, for the prompt's tokens. They come in a `prompt` event before the answer. The whole prompt is then
   * computed, even if it is cached.
   */
  readonly promptLogprobs?: number | undefined;
  /** The number of the answer among several to the same request. The random numbers depend on it. */
  readonly choice?: number | undefined;
  /**
   * Most tokens that a step may draft, from earlier text, from what a grammar leaves, or by the draft model (default 16; 0:
   * none). Drafts change only the speed.
   */
  readonly draftMax?: number | undefined;
  /** Fewest tokens of a draft: shorter ones are not used, and so many are checked whatever that costs (default 0). */
  readonly draftMin?: number | undefined;
  /** The probability below which a guess of the draft model ends a draft (default 0.75). */
  readonly draftPMin?: number | undefined;
  /** A grammar that the answer must satisfy. The answer ends with reason "stop" where the grammar is complete. */
  readonly grammar?: GrammarSource | undefined;
  /** Tokens of reasoning after which the block is closed with `</think>`; 0: no reasoning. Default: no bound. */
  readonly reasoningBudget?: number | undefined;
  /**
   * Whether a full context loses half of its tokens, so that the answer goes on up to `maxTokens`, which is then
   * required. The remaining tokens are computed again, as for a shorter text. Default: false, and the answer ends with
   * reason "length".
   */
  readonly contextShift?: boolean | undefined;
  /** Tokens at the prompt's start that a context shift keeps (at most half of the context). Default 0. */
  readonly keep?: number | undefined;
  /** Adapters to apply, others are not; default: each as it was loaded. */
  readonly lora?: readonly LoraChoice[] | undefined;
  /** Ends the answer; the iterator then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS = [
  "prompt",
  "maxTokens",
  "sampling",
  "stop",
  "endIds",
  "logprobs",
  "promptLogprobs",
  "choice",
  "draftMax",
  "draftMin",
  "draftPMin",
  "grammar",
  "reasoningBudget",
  "contextShift",
  "keep",
  "lora",
  "signal",
];

/**
 * Checks options, and fills in the model's sampling settings and end tokens, and a random seed.
 * @throws NibbleError `invalid_argument` that names the option, `context_full`
 */
export function checkGenerateOptions(options: unknown, context: RequestContext): GenerationSettings {
  const fields = new Fields(options, OPTIONS, "", "invalid_argument");
  const prompt = checkPrompt(fields.get("prompt"), context);
  const grammar = checkGrammar(fields.get("grammar"));
  const names = [...Object.keys(SAMPLING_DEFAULTS), "allowedTokens", "logitBias", "seed"];
  const sampling = new Fields(fields.get("sampling") ?? {}, names, "sampling", "invalid_argument");
  const contextShift = fields.boolean("contextShift");
  const promptLogprobs = fields.number("promptLogprobs", { min: 0, max: context.vocabSize, integer: true });
  const least = promptLogprobs === undefined ? 1 : 0;
  const maxTokens = fields.number("maxTokens", { min: least, integer: true });
  if (contextShift && maxTokens === undefined) throw required("contextShift", "maxTokens", "invalid_argument");
  return {
    prompt,
    maxTokens,
    promptLogprobs,
    reasoningBudget: fields.number("reasoningBudget", { min: 0, integer: true }),
    contextShift,
    keep: fields.number("keep", { min: 0, integer: true }),
    sampling: {
      ...checkSampling(sampling, context.defaults),
      allowedTokens: checkAllowed(sampling, context),
      logitBias: checkBias(sampling, context),
      seed: sampling.number("seed", { integer: true }) ?? randomSeed(),
    },
    stop: checkStops(fields),
    endIds: checkEndIds(fields.get("endIds"), context),
    logprobs: fields.number("logprobs", { min: 0, max: context.vocabSize, integer: true }),
    choice: fields.number("choice", { min: 0, max: 2 ** 32 - 1, integer: true }),
    draftMax: fields.number("draftMax", { min: 0, integer: true }),
    draftMin: fields.number("draftMin", { min: 0, integer: true }),
    draftPMin: fields.number("draftPMin", { min: 0, max: 1 }),
    adapters: checkLora(fields, context.adapters),
    constraint: grammar && {
      masks: compileNamed(grammar, "grammar", context.grammars, "invalid_argument"),
      reasoning: undefined,
    },
    signal: checkSignal(fields),
  };
}

/**
 * @returns a copy
 * @throws NibbleError `invalid_argument` or `context_full`
 */
export function checkPrompt(prompt: unknown, { vocabSize, contextLength }: RequestContext, param = "prompt"): number[] {
  // The length comes first: checking millions of ids takes time.
  const ids = Array.isArray(prompt) && prompt.length >= contextLength ? prompt : checkIds(param, prompt, vocabSize);
  if (ids.length === 0) throw invalid(param, "at least one token", prompt, "invalid_argument");
  const count = ids.length;
  if (count >= contextLength) {
    const message = `the prompt has ${count} tokens; with an answer it exceeds the available context size of ${contextLength}`;
    const figures = { n_prompt_tokens: count, n_ctx: contextLength };
    throw new NibbleError("context_full", message, { param, figures });
  }
  return ids;
}

function checkEndIds(value: unknown, { endIds, vocabSize }: RequestContext): ReadonlySet<number> {
  return value === undefined ? endIds : checkIdSet("endIds", value, vocabSize);
}

function checkAllowed(fields: Fields, { vocabSize }: RequestContext): ReadonlySet<number> | undefined {
  const value = fields.get("allowedTokens");
  return value === undefined ? undefined : checkIdSet(fields.param("allowedTokens"), value, vocabSize);
}

function checkIdSet(param: string, value: unknown, vocabSize: number): ReadonlySet<number> {
  return new Set(checkIds(param, value instanceof Set ? [...value] : value, vocabSize));
}

/** Any finite bias, and -Infinity, which forbids a token. */
function checkBias(fields: Fields, { vocabSize }: RequestContext): ReadonlyMap<number, number> {
  const value = fields.get("logitBias");
  if (value === undefined) return new Map();
  if (!(value instanceof Map)) throw fields.invalid("logitBias", "a Map from token ids to numbers", value);
  const param = fields.param("logitBias");
  checkIds(param, [...value.keys()], vocabSize);
  for (const bias of value.values()) if (bias !== -Infinity) checkNumber(param, bias, {}, "invalid_argument");
  return value;
}
