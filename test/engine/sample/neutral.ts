/**
 * Sampling that leaves the model's distribution as it is, for tests that change one setting.
 * @module
 */
import { SAMPLING_DEFAULTS } from "../../../src/engine/sample/defaults.ts";
import type { SamplingOptions } from "../../../src/engine/sample/options.ts";

export const neutral: SamplingOptions = {
  ...SAMPLING_DEFAULTS,
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  logitBias: new Map(),
  seed: 1,
};
