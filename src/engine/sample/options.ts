/**
 * Settings of sampling: their names and ranges are llama.cpp's, or vLLM's where llama.cpp has none.
 * @module
 */
import type { Range } from "../../base/fields.ts";

/** The steps of every request that names none, in llama.cpp's order. A step whose setting is neutral does nothing. */
export const SAMPLERS = [
  "penalties",
  "dry",
  "top_n_sigma",
  "top_k",
  "typ_p",
  "top_p",
  "min_p",
  "xtc",
  "temperature",
] as const;

/** All steps: "infill" runs only where a request names it. */
export const SAMPLER_NAMES: readonly [...typeof SAMPLERS, "infill"] = [...SAMPLERS, "infill"];

/** The name of a step of sampling, as in llama.cpp. */
export type SamplerName = (typeof SAMPLER_NAMES)[number];

/**
 * How tokens are chosen. First forbidden tokens are removed (by `allowedTokens`, biases of -Infinity, `badWords`,
 * `minTokens`, a grammar), then biases are added, then `samplers` run in their order, then one token is drawn.
 */
export interface SamplingOptions {
  /** The steps in the order in which they run. Default: all but "infill", as in `SAMPLERS`. */
  readonly samplers: readonly SamplerName[];
  /** 0: always the most likely token, of equals the one with the lowest id. */
  readonly temperature: number;
  /** Dynamic temperature: how far it goes below and above `temperature` with the entropy; 0: off. */
  readonly dynatempRange: number;
  /** Exponent of the normalised entropy in the dynamic temperature. */
  readonly dynatempExponent: number;
  /** How many most likely tokens are kept; 0 and -1 (as in vLLM): all. */
  readonly topK: number;
  /** Nucleus sampling; 1: all tokens are kept; 0: the most likely one. */
  readonly topP: number;
  /** Least probability, as a fraction of the highest one; 0: all tokens are kept. */
  readonly minP: number;
  /** Locally typical sampling; 1: all tokens are kept. */
  readonly typicalP: number;
  /** Standard deviations below the highest logit; 0 and below: all tokens are kept. */
  readonly topNSigma: number;
  /** Probability with which the top choices are excluded; 0: never. */
  readonly xtcProbability: number;
  /** The least probability of a top choice; above 0.5: off. */
  readonly xtcThreshold: number;
  /** The fewest tokens that top-p, typical-p, min-p and xtc keep. */
  readonly minKeep: number;
  /** Logits of repeated tokens are divided by it if positive, else multiplied; 1: off. */
  readonly repeatPenalty: number;
  /** Tokens that penalties look back on, prompt included; 0: none, -1: all. */
  readonly repeatLastN: number;
  /** Is subtracted from the logit of every token that has occurred; 0: off. */
  readonly presencePenalty: number;
  /** Is subtracted from the logit of a token once for each time that it has occurred; 0: off. */
  readonly frequencyPenalty: number;
  /** The strength of DRY; 0: off. */
  readonly dryMultiplier: number;
  /** The penalty of DRY grows by this factor with each further token of a repetition. */
  readonly dryBase: number;
  /** The longest repetition without a penalty. */
  readonly dryAllowedLength: number;
  /** Tokens that DRY looks back on, prompt included; 0: none, -1: all. */
  readonly dryPenaltyLastN: number;
  /** Texts at which repetitions end. */
  readonly drySequenceBreakers: readonly string[];
  /** 1 or 2: that version of Mirostat after bias and temperature, instead of the other steps; 0: off. */
  readonly mirostat: number;
  /** Target surprise, in bits per token. */
  readonly mirostatTau: number;
  /** Learning rate. */
  readonly mirostatEta: number;
  /** Number of tokens before which the answer cannot end. */
  readonly minTokens: number;
  /** Words that must not occur, as the tokenizer spells them. */
  readonly badWords: readonly string[];
  /** The only tokens that may occur; undefined: all. */
  readonly allowedTokens?: ReadonlySet<number> | undefined;
  /** Numbers that are added to logits, by token id; -Infinity forbids a token. */
  readonly logitBias: ReadonlyMap<number, number>;
  /** The random numbers are a function of the seed, the position and the choice. */
  readonly seed: number;
}

export type NumericSetting = Exclude<
  { [Key in keyof SamplingOptions]: SamplingOptions[Key] extends number ? Key : never }[keyof SamplingOptions],
  "seed" | undefined
>;

/** Keeps sums and products of logits finite. */
const MOST = 1e5;
const PENALTY: Range = { min: -MOST, max: MOST };

/**
 * The range of each number. OpenAI's API takes temperatures and penalties up to 2; llama-server, vLLM and Ollama go
 * beyond, so requests that their users send may, too.
 */
export const SAMPLING_RANGES: Readonly<Record<NumericSetting, Range>> = {
  temperature: { min: 0, max: MOST },
  dynatempRange: { min: 0, max: MOST },
  dynatempExponent: { min: 0, max: 100 },
  topK: { min: -1, integer: true },
  topP: { min: 0, max: 1 },
  minP: { min: 0, max: 1 },
  typicalP: { above: 0, max: 1 },
  topNSigma: { min: -1, max: 1000 },
  xtcProbability: { min: 0, max: 1 },
  xtcThreshold: { min: 0, max: 1 },
  minKeep: { min: 0, integer: true },
  repeatPenalty: { min: 0.01, max: 10 },
  repeatLastN: { min: -1, integer: true },
  presencePenalty: PENALTY,
  frequencyPenalty: PENALTY,
  dryMultiplier: { min: 0, max: 100 },
  dryBase: { min: 1, max: 100 },
  dryAllowedLength: { min: 0, integer: true },
  dryPenaltyLastN: { min: -1, integer: true },
  mirostat: { min: 0, max: 2, integer: true },
  mirostatTau: { min: 0, max: 100 },
  mirostatEta: { min: 0, max: 1 },
  minTokens: { min: 0, integer: true },
};

/** The steps that can change anything with these settings, in order. */
export function activeSteps(options: SamplingOptions): readonly SamplerName[] {
  const o = options;
  if (o.mirostat > 0) return ["temperature"];
  const penalized = o.repeatPenalty !== 1 || o.presencePenalty !== 0 || o.frequencyPenalty !== 0;
  const active: Readonly<Record<SamplerName, boolean>> = {
    penalties: o.repeatLastN !== 0 && penalized,
    dry: o.dryMultiplier > 0 && o.dryPenaltyLastN !== 0,
    top_n_sigma: o.topNSigma > 0,
    top_k: o.topK > 0,
    typ_p: o.typicalP < 1,
    top_p: o.topP < 1,
    min_p: o.minP > 0,
    xtc: o.xtcProbability > 0 && o.xtcThreshold <= 0.5,
    temperature: o.temperature !== 1 || o.dynatempRange > 0,
    infill: true,
  };
  return o.samplers.filter((name) => active[name]);
}
