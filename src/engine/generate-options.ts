/**
 * From the options of `model.generate` to checked settings.
 * @module
 */
import { NibbleError } from "../errors.ts";
import type { SamplingDefaults } from "./defaults.ts";
import { checkIds, checkNumber, checkSignal, Fields, invalid, type Range } from "./fields.ts";
import type { GenerationSettings } from "./generate.ts";
import { randomSeed } from "./random.ts";
import type { RequestContext } from "./request.ts";

const OPTIONS = ["prompt", "maxTokens", "sampling", "stop", "endIds", "logprobs", "choice", "draftMax", "signal"];

const MAX_STOPS = 16;
const MAX_STOP_LENGTH = 256;

const PENALTY: Range = { min: -2, max: 2 };
const SAMPLING: Readonly<Record<keyof SamplingDefaults, Range>> = {
  temperature: { min: 0, max: 2 },
  topK: { min: 0, integer: true },
  topP: { above: 0, max: 1 },
  minP: { min: 0, max: 1 },
  repeatPenalty: { min: 0.01, max: 10 },
  repeatLastN: { min: -1, integer: true },
  presencePenalty: PENALTY,
  frequencyPenalty: PENALTY,
};

/** Sampling settings, each from its field or else from the defaults. @param nameOf the field of a setting */
export function checkSampling(
  fields: Fields,
  defaults: SamplingDefaults,
  nameOf: (setting: string) => string = (setting) => setting,
): SamplingDefaults {
  const settings = Object.entries(SAMPLING) as [keyof SamplingDefaults, Range][];
  const checked = settings.map(([setting, range]) => [
    setting,
    fields.number(nameOf(setting), range) ?? defaults[setting],
  ]);
  return Object.fromEntries(checked) as SamplingDefaults;
}

/** One text that ends an answer, or several. */
export function checkStops(fields: Fields): readonly string[] {
  const stop = fields.get("stop");
  const stops = typeof stop === "string" ? [stop] : (stop ?? []);
  if (!Array.isArray(stops) || stops.length > MAX_STOPS)
    throw fields.invalid("stop", `a string or an array of at most ${MAX_STOPS} strings`, stop);
  return stops.map((text: unknown) => {
    if (typeof text === "string" && text.length > 0 && text.length <= MAX_STOP_LENGTH) return text;
    throw fields.invalid("stop", `strings of 1 to ${MAX_STOP_LENGTH} characters`, text);
  });
}

/**
 * What a caller leaves out is the model's: its sampling settings, its end tokens; a random seed.
 * @throws NibbleError `invalid_argument` that names the option, `context_full`
 */
export function checkGenerateOptions(options: unknown, context: RequestContext): GenerationSettings {
  const fields = new Fields(options, OPTIONS, "", "invalid_argument");
  const prompt = checkPrompt(fields.get("prompt"), context);
  const names = [...Object.keys(SAMPLING), "logitBias", "seed"];
  const sampling = new Fields(fields.get("sampling") ?? {}, names, "sampling", "invalid_argument");
  return {
    prompt,
    maxTokens: fields.number("maxTokens", { min: 1, integer: true }),
    sampling: {
      ...checkSampling(sampling, context.defaults),
      logitBias: checkBias(sampling, context),
      seed: sampling.number("seed", { integer: true }) ?? randomSeed(),
    },
    stop: checkStops(fields),
    endIds: checkEndIds(fields.get("endIds"), context),
    logprobs: fields.number("logprobs", { min: 0, max: context.vocabSize, integer: true }),
    choice: fields.number("choice", { min: 0, max: 2 ** 32 - 1, integer: true }),
    draftMax: fields.number("draftMax", { min: 0, integer: true }),
    signal: checkSignal(fields),
  };
}

/**
 * @returns a copy
 * @throws NibbleError `invalid_argument` or `context_full`
 */
export function checkPrompt(prompt: unknown, { vocabSize, contextLength }: RequestContext): number[] {
  const ids = checkIds("prompt", prompt, vocabSize);
  if (ids.length === 0) throw invalid("prompt", "at least one token", prompt, "invalid_argument");
  if (ids.length >= contextLength) {
    throw new NibbleError(
      "context_full",
      `the prompt has ${ids.length} tokens; the context holds ${contextLength} and the answer needs at least one`,
      { param: "prompt" },
    );
  }
  return ids;
}

function checkEndIds(value: unknown, { endIds, vocabSize }: RequestContext): ReadonlySet<number> {
  if (value === undefined) return endIds;
  return new Set(checkIds("endIds", value instanceof Set ? [...value] : value, vocabSize));
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
