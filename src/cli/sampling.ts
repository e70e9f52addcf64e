/**
 * Flags of sampling: llama.cpp's names, one for each setting.
 * @module
 */
import type { SamplingDefaults } from "../engine/sample/defaults.ts";
import {
  type NumericSetting,
  SAMPLERS,
  SAMPLING_RANGES,
  type SamplerName,
  type SamplingOptions,
} from "../engine/sample/options.ts";
import { randomSeed } from "../engine/sample/random.ts";
import { type Flag, number, numbers, repeated, toggle, type Values } from "./flags.ts";

/** Names, what stands for the value, and help. */
const NUMBERS: Readonly<Record<NumericSetting, readonly [names: string, placeholder: string, help: string]>> = {
  temperature: ["--temp", "T", "0: always the likeliest token"],
  dynatempRange: ["--dynatemp-range", "X", "the temperature goes so far below and above, with the entropy (0: off)"],
  dynatempExponent: ["--dynatemp-exp", "X", "how it does"],
  topK: ["--top-k", "N", "only the N likeliest tokens (0: all)"],
  topP: ["--top-p", "P", "only the likeliest tokens that make up P (1: all)"],
  minP: ["--min-p", "P", "only tokens at least P times as likely as the likeliest"],
  typicalP: ["--typical, --typical-p", "P", "only tokens of usual surprise that make up P (1: all)"],
  topNSigma: ["--top-nsigma, --top-n-sigma", "X", "only logits within X standard deviations of the highest (-1: all)"],
  xtcProbability: ["--xtc-probability", "P", "how often all top choices but one are left out (0: never)"],
  xtcThreshold: ["--xtc-threshold", "P", "what is a top choice (above 0.5: nothing)"],
  minKeep: ["--min-keep", "N", "tokens that top-p, typical, min-p and xtc leave at least"],
  repeatPenalty: ["--repeat-penalty", "X", "on tokens of the recent text (1: none)"],
  repeatLastN: ["--repeat-last-n", "N", "how many tokens are recent (-1: all, 0: none)"],
  presencePenalty: ["--presence-penalty", "X", "off the logits of recent tokens"],
  frequencyPenalty: ["--frequency-penalty", "X", "off them for each time that they came"],
  dryMultiplier: ["--dry-multiplier", "X", "DRY, against repeated sequences (0: off)"],
  dryBase: ["--dry-base", "X", "its penalty grows by X with each repeated token"],
  dryAllowedLength: ["--dry-allowed-length", "N", "longest sequence without a penalty"],
  dryPenaltyLastN: ["--dry-penalty-last-n", "N", "how far it looks back (-1: all, 0: off)"],
  mirostat: ["--mirostat", "N", "Mirostat 1 or 2 instead of the steps but --temp (0: off)"],
  mirostatTau: ["--mirostat-ent", "X", "its target, bits a token"],
  mirostatEta: ["--mirostat-lr", "X", "its learning rate"],
  minTokens: ["--min-tokens", "N", "no end token before so many tokens"],
};

const numericFlags = Object.fromEntries(
  Object.entries(NUMBERS).map(([setting, [names, placeholder, help]]) => [
    setting,
    number(names, placeholder, SAMPLING_RANGES[setting as NumericSetting], help),
  ]),
) as Record<NumericSetting, Flag<number>>;

const samplers: Flag<SamplerName[]> = {
  names: ["--samplers"],
  placeholder: "NAMES",
  expected: `some of ${SAMPLERS.join(";")}, each once`,
  help: `the steps, in their order (default ${SAMPLERS.join(";")})`,
  read(value) {
    const names = value.split(";").map((name) => SAMPLERS.find((known) => known === name));
    return new Set(names).size === names.length && !names.includes(undefined) ? (names as SamplerName[]) : undefined;
  },
};

/** `15043+1`, `15043-2.5` or `15043-inf`, llama.cpp's. */
function readBias(value: string): readonly [number, number] | undefined {
  const [, id, bias] = /^(\d{1,9})([+-]\d*\.?\d+|-inf)$/.exec(value) ?? [];
  return id === undefined ? undefined : [Number(id), bias === "-inf" ? -Infinity : Number(bias)];
}

const nonEmpty = (value: string): string | undefined => value || undefined;

type SamplingFlags = Readonly<Record<NumericSetting, Flag<number>>> & {
  readonly seed: Flag<number>;
  readonly samplers: Flag<SamplerName[]>;
  readonly dryBreakers: Flag<string[]>;
  readonly logitBias: Flag<(readonly [id: number, bias: number])[]>;
  readonly allowedTokens: Flag<number[]>;
  readonly badWords: Flag<string[]>;
  readonly ignoreEos: Flag<boolean>;
};

export const samplingFlags: SamplingFlags = {
  seed: number("-s, --seed", "N", { integer: true }, "seed of the random numbers (-1: another every time)"),
  samplers,
  ...numericFlags,
  dryBreakers: repeated(
    ...(["--dry-sequence-breaker", "TEXT", "text, or none"] as const),
    "sequences do not reach over this; the first one replaces those of the model; more than once, or none",
    nonEmpty,
  ),
  logitBias: repeated(
    ...(["-l, --logit-bias", "ID+X", "ID+X, ID-X or ID-inf"] as const),
    "on one token's logit, such as 15043+1; -inf forbids it; more than once",
    readBias,
  ),
  allowedTokens: numbers(
    "--allowed-tokens",
    "IDS",
    { min: 0, integer: true },
    "only these tokens, with commas between",
  ),
  badWords: repeated("--bad-word", "TEXT", "text", "a word that must not come; more than once", nonEmpty),
  ignoreEos: toggle("--ignore-eos", "go on after an end token"),
};

/** A request's settings: what flags do not say is the model's. @param endIds of the model, forbidden by `--ignore-eos` */
export function samplingOptions(
  given: Values<SamplingFlags>,
  defaults: SamplingDefaults,
  endIds: readonly number[],
): SamplingOptions {
  const settings = Object.keys(NUMBERS) as NumericSetting[];
  const bans = given.ignoreEos ? endIds.map((id) => [id, -Infinity] as const) : [];
  return {
    ...defaults,
    ...Object.fromEntries(settings.map((setting) => [setting, given[setting] ?? defaults[setting]])),
    samplers: given.samplers ?? defaults.samplers,
    drySequenceBreakers: given.dryBreakers?.filter((text) => text !== "none") ?? defaults.drySequenceBreakers,
    badWords: given.badWords ?? defaults.badWords,
    allowedTokens: given.allowedTokens && new Set(given.allowedTokens),
    logitBias: new Map([...(given.logitBias ?? []), ...bans]),
    seed: given.seed === undefined || given.seed === -1 ? randomSeed() : given.seed,
  };
}
