/**
 * Flags of sampling: llama.cpp's names, one for each setting of `src/engine/sample/options.ts`.
 * @module
 */
import type { SamplingDefaults } from "../engine/sample/defaults.ts";
import {
  type NumericSetting,
  SAMPLER_NAMES,
  SAMPLERS,
  SAMPLING_RANGES,
  type SamplerName,
  type SamplingOptions,
} from "../engine/sample/options.ts";
import { randomSeed } from "../engine/sample/random.ts";
import { type Flag, number, numbers, repeated, toggle, type Values } from "./flags.ts";

/** The names of each flag, the placeholder of its value, and its help. */
const NUMBERS: Readonly<Record<NumericSetting, readonly [names: string, placeholder: string, help: string]>> = {
  temperature: ["--temp, --temperature", "T", "temperature (0: always the likeliest token)"],
  dynatempRange: ["--dynatemp-range", "X", "how far the temperature follows the entropy, up and down (0: off)"],
  dynatempExponent: ["--dynatemp-exp", "X", "the exponent of that dependence"],
  topK: ["--top-k", "N", "keep only the N likeliest tokens (0: all)"],
  topP: ["--top-p", "P", "keep only the likeliest tokens whose probabilities add up to P (1: all)"],
  minP: ["--min-p", "P", "keep only tokens at least P times as likely as the likeliest (0: all)"],
  typicalP: ["--typical, --typical-p", "P", "keep only tokens of typical information that add up to P (1: all)"],
  topNSigma: [
    "--top-nsigma, --top-n-sigma",
    "X",
    "keep only logits within X standard deviations of the highest (-1: all)",
  ],
  xtcProbability: [
    "--xtc-probability",
    "P",
    "probability that all top choices but the least likely are removed (0: off)",
  ],
  xtcThreshold: ["--xtc-threshold", "P", "probability from which a token is a top choice (above 0.5: off)"],
  minKeep: ["--min-keep", "N", "top-p, typical, min-p and xtc keep at least N tokens"],
  repeatPenalty: ["--repeat-penalty", "X", "penalty on tokens of the recent text (1: none)"],
  repeatLastN: ["--repeat-last-n", "N", "how many tokens count as recent (-1: all, 0: none)"],
  presencePenalty: ["--presence-penalty", "X", "subtracted from the logits of recent tokens"],
  frequencyPenalty: ["--frequency-penalty", "X", "subtracted from the logits of recent tokens once per occurrence"],
  dryMultiplier: ["--dry-multiplier", "X", "strength of DRY, which penalises repeated sequences (0: off)"],
  dryBase: ["--dry-base", "X", "DRY's penalty grows by the factor X with each repeated token"],
  dryAllowedLength: ["--dry-allowed-length", "N", "the longest repetition without a penalty by DRY"],
  dryPenaltyLastN: ["--dry-penalty-last-n", "N", "how many tokens DRY looks back (-1: all, 0: off)"],
  mirostat: ["--mirostat", "N", "Mirostat 1 or 2 instead of all steps except --temp (0: off)"],
  mirostatTau: ["--mirostat-ent", "X", "Mirostat's target, in bits per token"],
  mirostatEta: ["--mirostat-lr", "X", "Mirostat's learning rate"],
  minTokens: ["--min-tokens", "N", "the answer cannot end before N tokens"],
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
  expected: `some of ${SAMPLER_NAMES.join(";")}, each once`,
  help: `the steps of sampling in their order (default ${SAMPLERS.join(";")})`,
  read(value) {
    const names = value.split(";").map((name) => SAMPLER_NAMES.find((known) => known === name));
    return new Set(names).size === names.length && !names.includes(undefined) ? (names as SamplerName[]) : undefined;
  },
};

/** Reads `15043+1`, `15043-2.5` or `15043-inf`, as llama.cpp writes a bias. */
function readBias(value: string): readonly [number, number] | undefined {
  const [, id, bias] = /^(\d{1,9})([+-](?:\d+(?:\.\d+)?|\.\d+)|-inf)$/.exec(value) ?? [];
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
  seed: number("-s, --seed", "N", { integer: true }, "seed of the random numbers (-1: another one every time)"),
  samplers,
  ...numericFlags,
  dryBreakers: repeated({
    names: "--dry-sequence-breaker",
    placeholder: "TEXT",
    expected: "text, or none",
    help: "a sequence ends here for DRY; replaces the model's own; may come more than once; none: no breakers",
    read: nonEmpty,
  }),
  logitBias: repeated({
    names: "-l, --logit-bias",
    placeholder: "ID+X",
    expected: "ID+X, ID-X or ID-inf",
    help: "added to one token's logit, such as 15043+1; -inf forbids the token; may come more than once",
    read: readBias,
  }),
  allowedTokens: numbers(
    "--allowed-tokens",
    "IDS",
    { min: 0, integer: true },
    "allow only these tokens, separated by commas",
  ),
  badWords: repeated({
    names: "--bad-word",
    placeholder: "TEXT",
    expected: "text",
    help: "text that the answer must not contain; may come more than once",
    read: nonEmpty,
  }),
  ignoreEos: toggle("--ignore-eos", "forbid end tokens, so that the answer goes on"),
};

/**
 * The settings of a request: the flags, and the model's own settings where no flag was given.
 * @param endIds the model's end tokens, which `--ignore-eos` forbids
 */
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
