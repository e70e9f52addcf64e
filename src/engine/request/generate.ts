/**
 * From the options of `model.generate` to checked settings.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { checkIds, checkNumber, checkSignal, Fields, invalid, type Range } from "../../base/fields.ts";
import type { GenerationSettings } from "../generate.ts";
import { checkLora } from "../lora.ts";
import { SAMPLING_DEFAULTS, type SamplingDefaults } from "../sample/defaults.ts";
import { type NumericSetting, SAMPLERS, SAMPLING_RANGES, type SamplerName } from "../sample/options.ts";
import { randomSeed } from "../sample/random.ts";
import type { RequestContext } from "./request.ts";
import { checkGrammar, compileNamed } from "./structured.ts";

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
  "grammar",
  "reasoningBudget",
  "contextShift",
  "keep",
  "lora",
  "signal",
];

const MAX_STOPS = 16;
const MAX_STOP_LENGTH = 256;
const MAX_BREAKERS = 16;
/** llama.cpp's. */
const MAX_BREAKER_LENGTH = 40;
const MAX_BAD_WORDS = 128;
const MAX_BAD_WORD_LENGTH = 256;

/** Sampling settings, each from its field or else from the defaults. @param nameOf the field of a setting */
export function checkSampling(
  fields: Fields,
  defaults: SamplingDefaults,
  nameOf: (setting: string) => string = (setting) => setting,
): SamplingDefaults {
  const numbers = Object.entries(SAMPLING_RANGES) as [NumericSetting, Range][];
  const checked = numbers.map(([setting, range]) => [setting, fields.number(nameOf(setting), range)]);
  const texts = (setting: "drySequenceBreakers" | "badWords", most: number, longest: number) =>
    checkTexts(fields, nameOf(setting), most, longest) ?? defaults[setting];
  return {
    ...defaults,
    ...Object.fromEntries(checked.filter(([, value]) => value !== undefined)),
    samplers: checkSamplers(fields) ?? defaults.samplers,
    drySequenceBreakers: texts("drySequenceBreakers", MAX_BREAKERS, MAX_BREAKER_LENGTH),
    badWords: texts("badWords", MAX_BAD_WORDS, MAX_BAD_WORD_LENGTH),
  };
}

/** An order of steps: their names, each at most once. */
function checkSamplers(fields: Fields): readonly SamplerName[] | undefined {
  const names = fields.array("samplers", SAMPLERS.length);
  const wrong = names?.find((name, i) => !SAMPLERS.includes(name as SamplerName) || names.indexOf(name) < i);
  if (wrong !== undefined) throw fields.invalid("samplers", `some of ${SAMPLERS.join(", ")}, each once`, wrong);
  return names as readonly SamplerName[] | undefined;
}

function checkTexts(fields: Fields, key: string, most: number, longest: number): readonly string[] | undefined {
  return fields.array(key, most)?.map((text) => {
    if (typeof text === "string" && text.length > 0 && text.length <= longest) return text;
    throw fields.invalid(key, `strings of 1 to ${longest} characters`, text);
  });
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
  const grammar = checkGrammar(fields.get("grammar"));
  const names = [...Object.keys(SAMPLING_DEFAULTS), "allowedTokens", "logitBias", "seed"];
  const sampling = new Fields(fields.get("sampling") ?? {}, names, "sampling", "invalid_argument");
  const contextShift = fields.boolean("contextShift");
  const promptLogprobs = fields.number("promptLogprobs", { min: 0, max: context.vocabSize, integer: true });
  const least = promptLogprobs === undefined ? 1 : 0;
  const maxTokens = fields.number("maxTokens", { min: least, integer: true });
  if (contextShift && maxTokens === undefined) throw fields.invalid("maxTokens", "it with contextShift", undefined);
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
