/**
 * Checks the fields of requests and options about sampling and the end of an answer.
 * @module
 */
import { checkNumber, conflict, type Fields, invalid, type Range } from "../../base/fields.ts";
import type { SamplingDefaults } from "../sample/defaults.ts";
import {
  type NumericSetting,
  SAMPLER_NAMES,
  SAMPLING_RANGES,
  type SamplerName,
  type SamplingOptions,
} from "../sample/options.ts";
import { randomSeed } from "../sample/random.ts";
import type { RequestContext } from "./context.ts";

const MAX_STOPS = 16;
const MAX_STOP_LENGTH = 256;
const MAX_BREAKERS = 16;
/** llama.cpp's limit. */
const MAX_BREAKER_LENGTH = 40;
const MAX_BAD_WORDS = 128;
const MAX_BAD_WORD_LENGTH = 256;
const MAX_BIASES = 1024;
/** OpenAI's limit. */
const MAX_BIAS = 100;

/**
 * Reads each sampling setting from its field, or else from the defaults.
 * @param nameOf returns the field of a setting
 */
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

/** llama.cpp's letters of the steps: "kpmt" is the order top-k, top-p, min-p, temperature. */
const LETTERS: ReadonlyMap<string, SamplerName> = new Map([
  ["e", "penalties"],
  ["d", "dry"],
  ["s", "top_n_sigma"],
  ["k", "top_k"],
  ["y", "typ_p"],
  ["p", "top_p"],
  ["m", "min_p"],
  ["x", "xtc"],
  ["t", "temperature"],
  ["i", "infill"],
]);

/** Reads an order of steps: their names or their letters, each at most once. */
function checkSamplers(fields: Fields): readonly SamplerName[] | undefined {
  const value = fields.get("samplers");
  const letters = typeof value === "string" && value.length <= SAMPLER_NAMES.length;
  const names = letters
    ? [...value].map((letter) => LETTERS.get(letter) ?? letter)
    : fields.array("samplers", SAMPLER_NAMES.length);
  for (const [i, name] of (names ?? []).entries())
    if (!SAMPLER_NAMES.includes(name as SamplerName) || names!.indexOf(name) < i)
      throw fields.invalid("samplers", `some of ${SAMPLER_NAMES.join(", ")}, each once`, name ?? null);
  return names as readonly SamplerName[] | undefined;
}

function checkTexts(fields: Fields, key: string, most: number, longest: number): readonly string[] | undefined {
  return fields.array(key, most)?.map((text) => {
    if (typeof text === "string" && text.length > 0 && text.length <= longest) return text;
    throw fields.invalid(key, `strings of 1 to ${longest} characters`, text);
  });
}

/** Reads the texts that end an answer. Empty texts are ignored. */
export function checkStops(fields: Fields): readonly string[] {
  const stop = fields.get("stop");
  const stops = typeof stop === "string" ? [stop] : (stop ?? []);
  if (!Array.isArray(stops) || stops.length > MAX_STOPS)
    throw fields.invalid("stop", `a string or an array of at most ${MAX_STOPS} strings`, stop);
  for (const text of stops)
    if (typeof text !== "string" || text.length > MAX_STOP_LENGTH)
      throw fields.invalid("stop", `strings of 1 to ${MAX_STOP_LENGTH} characters`, text ?? null);
  return stops.filter((text) => text !== "");
}

/** The settings of a request for sampling and the end of its answer. */
export interface RequestSampling {
  readonly sampling: SamplingOptions;
  readonly stop: readonly string[];
  readonly endIds: ReadonlySet<number>;
}

/** @throws NibbleError `invalid_request` with `param` */
export function checkRequestSampling(fields: Fields, context: RequestContext): RequestSampling {
  const ignoreEnd = fields.boolean("ignore_eos") ?? false;
  const endIds = ignoreEnd ? [] : context.endIds;
  const logitBias = checkBias(fields, context);
  const banned = checkIdList(fields, "banned_token_ids", MAX_BIASES, context) ?? [];
  for (const id of [...banned, ...(ignoreEnd ? context.endIds : [])]) logitBias.set(id, -Infinity);
  const stopIds = checkIdList(fields, "stop_token_ids", MAX_BIASES, context) ?? [];
  const allowedIds = checkIdList(fields, "allowed_token_ids", context.vocabSize, context);
  return {
    stop: checkStops(fields),
    endIds: new Set([...endIds, ...stopIds]),
    sampling: {
      ...checkSampling(fields, context.defaults, requestName),
      ...checkRepetition(fields),
      allowedTokens: allowedIds && new Set(allowedIds),
      logitBias,
      seed: checkSeed(fields),
    },
  };
}

/**
 * -1 stands for a random seed, as in llama-server. Clients send seeds of 64 bits too, which JSON's parser has rounded: the
 * nearest double is as good a seed.
 */
function checkSeed(fields: Fields): number {
  const seed = fields.get("seed") ?? -1;
  if (typeof seed !== "number" || !Number.isInteger(seed) || Math.abs(seed) > 2 ** 64)
    throw fields.invalid("seed", "an integer of at most 64 bits", seed);
  return seed === -1 ? randomSeed() : seed;
}

/** The field of a request for a setting: `topK` is `top_k`. */
export function requestName(setting: string): string {
  return setting.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Reads vLLM's name for `repeat_penalty`, with which penalties look back on all of the text. */
function checkRepetition(fields: Fields): { repeatPenalty: number; repeatLastN: number } | undefined {
  const penalty = fields.number("repetition_penalty", SAMPLING_RANGES.repeatPenalty);
  if (penalty === undefined) return undefined;
  if (fields.get("repeat_penalty") !== undefined)
    throw conflict("repetition_penalty", "repeat_penalty", "both set the same penalty");
  return { repeatPenalty: penalty, repeatLastN: -1 };
}

/**
 * Reads biases, which are added to logits, as OpenAI's object or llama-server's list of pairs. Their keys are token ids
 * or texts, and a bias for a text applies to each of its tokens. `false` forbids a token.
 */
function checkBias(fields: Fields, context: RequestContext): Map<number, number> {
  const value = fields.get("logit_bias");
  if (value === undefined) return new Map();
  if (typeof value !== "object") throw invalid("logit_bias", "an object from token ids to numbers", value);
  const entries: (readonly unknown[])[] = Array.isArray(value)
    ? Array.from(value, checkPair)
    : Object.entries(value as object).map(([key, bias]) => [/^\d{1,9}$/.test(key) ? Number(key) : key, bias]);
  if (entries.length > MAX_BIASES) throw invalid("logit_bias", `at most ${MAX_BIASES} tokens`, value);
  const biases = new Map<number, number>();
  for (const [token, bias] of entries) {
    const number =
      bias === false ? -Infinity : checkNumber("logit_bias", bias ?? null, { min: -MAX_BIAS, max: MAX_BIAS });
    const ids = typeof token === "string" && token !== "" ? context.encode(token) : [token];
    for (const id of ids) biases.set(checkId("logit_bias", id, context), number);
  }
  return biases;
}

function checkPair(pair: unknown): readonly unknown[] {
  if (Array.isArray(pair) && pair.length === 2) return pair;
  throw invalid("logit_bias", "pairs of a token and a number", pair ?? null);
}

function checkIdList(
  fields: Fields,
  key: string,
  most: number,
  context: RequestContext,
): readonly number[] | undefined {
  return fields.array(key, most)?.map((id) => checkId(key, id, context));
}

/** @throws NibbleError `invalid_request` that names `param` */
export function checkId(param: string, value: unknown, { vocabSize }: RequestContext): number {
  return checkNumber(param, value, { min: 0, max: vocabSize - 1, integer: true });
}
