/**
 * The sampling settings of requests that name none.
 * @module
 */
import { SAMPLERS, type SamplingOptions } from "./options.ts";

/** The settings that a checkpoint may set. */
export type SamplingDefaults = Omit<SamplingOptions, "logitBias" | "allowedTokens" | "seed">;

/** llama.cpp's defaults. With OpenAI's (temperature 1 and no other step) small models ramble. */
export const SAMPLING_DEFAULTS: SamplingDefaults = {
  samplers: SAMPLERS,
  temperature: 0.8,
  dynatempRange: 0,
  dynatempExponent: 1,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  typicalP: 1,
  topNSigma: -1,
  xtcProbability: 0,
  xtcThreshold: 0.1,
  minKeep: 0,
  repeatPenalty: 1,
  repeatLastN: 64,
  presencePenalty: 0,
  frequencyPenalty: 0,
  dryMultiplier: 0,
  dryBase: 1.75,
  dryAllowedLength: 2,
  dryPenaltyLastN: -1,
  drySequenceBreakers: ["\n", ":", '"', "*"],
  mirostat: 0,
  mirostatTau: 5,
  mirostatEta: 0.1,
  minTokens: 0,
  badWords: [],
};

/** Drafts of a request that does not say, as llama.cpp's --draft-max, --draft-min and --draft-p-min. */
export const DRAFT_MAX = 16;
export const DRAFT_MIN = 0;
export const DRAFT_P_MIN = 0.75;
