/**
 * Sampling settings of a request that names none.
 * @module
 */
import type { Metadata } from "../formats/types.ts";
import type { SamplingOptions } from "./sampler.ts";

export type SamplingDefaults = Omit<SamplingOptions, "logitBias" | "seed">;

/** llama.cpp's. OpenAI's (temperature 1, nothing else) make small models ramble. */
export const SAMPLING_DEFAULTS: SamplingDefaults = {
  temperature: 0.8,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  repeatPenalty: 1,
  repeatLastN: 64,
  presencePenalty: 0,
  frequencyPenalty: 0,
};

/** Most tokens that a step drafts from earlier text, for a request that does not say: llama.cpp's --draft-max. */
export const DRAFT_MAX = 16;

/** llama.cpp's keys for settings inside a GGUF file. A folder's generation_config.json comes under the same keys. */
const KEYS: readonly [option: keyof SamplingDefaults, key: string, valid: (value: number) => boolean][] = [
  ["temperature", "temp", (value) => value >= 0 && value <= 2],
  ["topK", "top_k", (value) => Number.isInteger(value) && value >= 0],
  ["topP", "top_p", (value) => value > 0 && value <= 1],
  ["minP", "min_p", (value) => value >= 0 && value <= 1],
  ["repeatPenalty", "penalty_repeat", (value) => value >= 0.01 && value <= 10],
];

/** A checkpoint's own settings, where it has any. A value that makes no sense is left out. */
export function samplingDefaults(metadata: Metadata): SamplingDefaults {
  const own = KEYS.flatMap(([option, key, valid]) => {
    const value = metadata.get(`general.sampling.${key}`);
    return typeof value === "number" && valid(value) ? [[option, value]] : [];
  });
  return { ...SAMPLING_DEFAULTS, ...Object.fromEntries(own) };
}
