/**
 * Sampling settings of a request that names none.
 * @module
 */
import type { JsonObject } from "../formats/types.ts";
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

/**
 * A checkpoint's own settings from generation_config.json, where it has any. `do_sample: false` means greedy.
 * A value that makes no sense is left out.
 */
export function samplingDefaults(generationConfig: JsonObject | undefined): SamplingDefaults {
  const number = (key: string, fallback: number, valid: (value: number) => boolean) => {
    const value = generationConfig?.get(key);
    return typeof value === "number" && valid(value) ? value : fallback;
  };
  const base = SAMPLING_DEFAULTS;
  const temperature = number("temperature", base.temperature, (value) => value >= 0 && value <= 2);
  return {
    ...base,
    temperature: generationConfig?.get("do_sample") === false ? 0 : temperature,
    topK: number("top_k", base.topK, (value) => Number.isInteger(value) && value >= 0),
    topP: number("top_p", base.topP, (value) => value > 0 && value <= 1),
    minP: number("min_p", base.minP, (value) => value >= 0 && value <= 1),
    repeatPenalty: number("repetition_penalty", base.repeatPenalty, (value) => value >= 0.01 && value <= 10),
  };
}
