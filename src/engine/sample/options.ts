/**
 * Settings of sampling: their names and ranges, llama.cpp's. What llama.cpp does not have is vLLM's.
 * @module
 */
import type { Range } from "../../base/fields.ts";

/** The steps, in llama.cpp's order. A step whose setting is neutral does nothing. */
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

export type SamplerName = (typeof SAMPLERS)[number];

/**
 * How to choose. First forbidden tokens leave (`allowedTokens`, biases of -Infinity, `badWords`, end tokens before
 * `minTokens`, a grammar's), then biases are added, then `samplers` run in their order, then one token is drawn.
 */
export interface SamplingOptions {
  /** Which steps run, in which order. Default: all, as in `SAMPLERS`. */
  readonly samplers: readonly SamplerName[];
  /** 0: always the most likely token, of equals the one with the lowest id. */
  readonly temperature: number;
  /** Dynamic temperature: by how much it goes below and above, with the entropy; 0: off. */
  readonly dynatempRange: number;
  readonly dynatempExponent: number;
  /** 0 and -1 (vLLM's): all. */
  readonly topK: number;
  /** 1: all. */
  readonly topP: number;
  /** 0: all. */
  readonly minP: number;
  /** Locally typical sampling; 1: all. */
  readonly typicalP: number;
  /** Standard deviations below the highest logit; 0 and below: all. */
  readonly topNSigma: number;
  /** How often the top choices are excluded; 0: never. */
  readonly xtcProbability: number;
  /** What is a top choice: at least this probability; above 0.5: off. */
  readonly xtcThreshold: number;
  /** Tokens that top-p, typical-p, min-p and xtc leave at least. */
  readonly minKeep: number;
  /** 1: none. */
  readonly repeatPenalty: number;
  /** Tokens that penalties look back on, prompt included; 0: none, -1: all. */
  readonly repeatLastN: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  /** DRY; 0: off. */
  readonly dryMultiplier: number;
  readonly dryBase: number;
  /** Longest repetition without a penalty. */
  readonly dryAllowedLength: number;
  /** Tokens that DRY looks back on, prompt included; 0: none, -1: all. */
  readonly dryPenaltyLastN: number;
  /** Texts that repetitions do not reach over. */
  readonly drySequenceBreakers: readonly string[];
  /** 1 or 2: that version of Mirostat after bias and temperature, instead of the other steps; 0: off. */
  readonly mirostat: number;
  /** Target surprise, bits a token. */
  readonly mirostatTau: number;
  /** Learning rate. */
  readonly mirostatEta: number;
  /** No end token before the answer has this many tokens. */
  readonly minTokens: number;
  /** Words that must not come, as the tokenizer spells them. */
  readonly badWords: readonly string[];
  /** Only these tokens; undefined: all. */
  readonly allowedTokens?: ReadonlySet<number> | undefined;
  /** -Infinity forbids a token. */
  readonly logitBias: ReadonlyMap<number, number>;
  readonly seed: number;
}

export type NumericSetting = Exclude<
  { [Key in keyof SamplingOptions]: SamplingOptions[Key] extends number ? Key : never }[keyof SamplingOptions],
  "seed" | undefined
>;

const PENALTY: Range = { min: -2, max: 2 };

/** What each number may be. */
export const SAMPLING_RANGES: Readonly<Record<NumericSetting, Range>> = {
  temperature: { min: 0, max: 2 },
  dynatempRange: { min: 0, max: 2 },
  dynatempExponent: { min: 0, max: 100 },
  topK: { min: -1, integer: true },
  topP: { above: 0, max: 1 },
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

/** The steps that change anything, in order. */
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
  };
  return o.samplers.filter((name) => active[name]);
}
