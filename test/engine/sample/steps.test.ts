/** Each step, and the chain in any order, against a simple reference with full sorts. */
import { describe, expect, it } from "vitest";
import { Candidates } from "../../../src/engine/sample/candidates.ts";
import { Dry } from "../../../src/engine/sample/dry.ts";
import { SAMPLERS, type SamplerName, type SamplingOptions } from "../../../src/engine/sample/options.ts";
import { Penalties } from "../../../src/engine/sample/penalties.ts";
import { uniform } from "../../../src/engine/sample/random.ts";
import { Sampler } from "../../../src/engine/sample/sampler.ts";
import { minP, temperature, topK, topNSigma, topP, typicalP, xtc } from "../../../src/engine/sample/steps.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";
import {
  distribution,
  mirostat,
  type ReferenceState,
  type ReferenceStep,
  softmax,
  steps,
} from "../../helpers/sampling-reference.ts";
import { neutral } from "./neutral.ts";

const tokenizer = new FakeTokenizer();
const looks = {
  textOf: (id: number) => tokenizer.token(id),
  idsOf: (text: string) => tokenizer.encode(text, { special: false, addBos: false }),
};

let counter = 0;
const random = () => uniform(2026, counter++, 0);
const below = (n: number) => Math.floor(random() * n);
const pick = <T>(...choices: T[]) => choices[below(choices.length)]!;
const randomLogits = (size: number, spread: number) =>
  Float32Array.from({ length: size }, () => Math.fround((random() - 0.5) * spread));
/** Text of few letters, so that it repeats itself, with line ends and quotes between. */
const randomText = (length: number) => Array.from({ length }, () => pick(97, 97, 98, 99, 10, 34));

function apply(name: SamplerName, candidates: Candidates, { options: o, tokens, u }: ReferenceState): void {
  if (name === "penalties") new Penalties(o).apply(candidates, tokens);
  if (name === "dry") new Dry(o, tokenizer).apply(candidates, tokens);
  if (name === "top_n_sigma") topNSigma(candidates, o.topNSigma);
  if (name === "top_k") topK(candidates, o.topK);
  if (name === "typ_p") typicalP(candidates, o.typicalP, o.minKeep);
  if (name === "top_p") topP(candidates, o.topP, o.minKeep);
  if (name === "min_p") minP(candidates, o.minP, o.minKeep);
  if (name === "xtc") xtc(candidates, o, u);
  if (name === "temperature") temperature(candidates, o.temperature, o.dynatempRange, o.dynatempExponent);
}

/** Settings of each step: neutral ones, usual ones, ends of the range. */
const TABLE: Readonly<Record<(typeof SAMPLERS)[number], readonly Partial<SamplingOptions>[]>> = {
  penalties: [
    { repeatPenalty: 1.3 },
    { repeatPenalty: 0.8, repeatLastN: -1 },
    { presencePenalty: 0.7, repeatLastN: 5 },
    { frequencyPenalty: 0.4 },
    { frequencyPenalty: -2, presencePenalty: -2, repeatPenalty: 10, repeatLastN: 1 },
    { repeatPenalty: 2, repeatLastN: 0 },
  ],
  dry: [
    { dryMultiplier: 0.8 },
    { dryMultiplier: 0.8, drySequenceBreakers: [] },
    { dryMultiplier: 1, dryBase: 1, dryAllowedLength: 0 },
    { dryMultiplier: 0.5, dryAllowedLength: 1, dryPenaltyLastN: 12 },
    { dryMultiplier: 2, dryBase: 3, dryAllowedLength: 3, drySequenceBreakers: ["ab", 'c"'] },
    { dryMultiplier: 1, dryAllowedLength: 1, drySequenceBreakers: ["bb", "bc", "abab"] },
  ],
  top_n_sigma: [{ topNSigma: 1 }, { topNSigma: 0.1 }, { topNSigma: 3 }, { topNSigma: 0 }, { topNSigma: -1 }],
  top_k: [{ topK: 0 }, { topK: 1 }, { topK: 40 }, { topK: 1e9 }],
  typ_p: [
    { typicalP: 0.9 },
    { typicalP: 0.2 },
    { typicalP: 1e-9 },
    { typicalP: 0.999 },
    { typicalP: 1 },
    { typicalP: 0.1, minKeep: 7 },
  ],
  top_p: [{ topP: 0.95 }, { topP: 0.5 }, { topP: 1e-9 }, { topP: 0.9999 }, { topP: 1 }, { topP: 0.1, minKeep: 9 }],
  min_p: [{ minP: 0.05 }, { minP: 0.9 }, { minP: 1 }, { minP: 0 }, { minP: 0.5, minKeep: 6 }],
  xtc: [
    { xtcProbability: 1 },
    { xtcProbability: 0.5, xtcThreshold: 0.02 },
    { xtcProbability: 1, xtcThreshold: 0.0005 },
    { xtcProbability: 1, xtcThreshold: 0.5 },
    { xtcProbability: 1, xtcThreshold: 0.51 },
    { xtcProbability: 1, xtcThreshold: 0 },
    { xtcProbability: 1, xtcThreshold: 0.01, minKeep: 30 },
    { xtcProbability: 0 },
  ],
  temperature: [
    { temperature: 0 },
    { temperature: 0.3 },
    { temperature: 2 },
    { temperature: 1, dynatempRange: 0.5 },
    { temperature: 0.5, dynatempRange: 1, dynatempExponent: 2 },
    { temperature: 0, dynatempRange: 1 },
    { temperature: 1, dynatempRange: 1, dynatempExponent: 0 },
  ],
};

describe("one step", () => {
  for (const [name, cases] of Object.entries(TABLE) as [SamplerName, Partial<SamplingOptions>[]][]) {
    it.each(cases)(`${name} %j`, (settings) => {
      for (let round = 0; round < 25; round++) {
        const size = [1, 2, 3, 30, 300, 1500][round % 6]!;
        const logits = randomLogits(size, pick(0.5, 6, 25));
        const options = { ...neutral, ...settings };
        const state: ReferenceState = { ...looks, options, tokens: randomText(below(60)), u: random() };
        // Before it: nothing, a temperature, or a step that leaves its candidates sorted.
        const before: [SamplerName, Partial<SamplingOptions>][] = pick(
          [],
          [["temperature", { temperature: 0.7 }]],
          [
            ["temperature", { temperature: 1.4 }],
            ["top_k", { topK: 200 }],
          ],
        );
        const candidates = new Candidates(size);
        candidates.reset(logits);
        let list = Array.from(logits, (logit, id) => ({ id, logit }));
        for (const [step, given] of before) {
          apply(step, candidates, { ...state, options: { ...neutral, ...given } });
          list = steps[step as ReferenceStep](list, { ...state, options: { ...neutral, ...given } });
        }
        apply(name, candidates, state);
        list = steps[name as ReferenceStep](list, state);

        const ids = [...candidates.ids.subarray(0, candidates.size)];
        expect(ids.toSorted((a, b) => a - b)).toEqual(list.map(({ id }) => id).sort((a, b) => a - b));
        const total = candidates.weigh();
        const expected = new Map(softmax(list).map((p, i) => [list[i]!.id, p]));
        const errors = ids.map((id, i) => Math.abs(candidates.weights[i]! / total - expected.get(id)!));
        expect(Math.max(...errors)).toBeLessThanOrEqual(1e-10);
        // Later steps rely on `sorted`. Without it the order must be that of the ids.
        const { logits: left, sorted } = candidates;
        const misplaced = ids.findIndex((id, i) => i > 0 && (sorted ? left[i - 1]! < left[i]! : ids[i - 1]! >= id));
        expect(misplaced).toBe(-1);
      }
    });
  }
});

it("dry on text of two letters, with breakers of several tokens", () => {
  for (let round = 0; round < 400; round++) {
    const options: SamplingOptions = {
      ...neutral,
      dryMultiplier: 1,
      dryAllowedLength: below(3),
      dryPenaltyLastN: pick(-1, 20),
      drySequenceBreakers: pick(["aab"], ["bab", "bb"], ["abba"], ["baa", "aaa"]),
    };
    const state = { ...looks, options, tokens: Array.from({ length: below(40) }, () => pick(97, 98)), u: 0 };
    const candidates = new Candidates(100);
    candidates.reset(new Float32Array(100));
    new Dry(options, tokenizer).apply(candidates, state.tokens);
    const list = Array.from({ length: 100 }, (_, id) => ({ id, logit: 0 }));
    const errors = steps.dry(list, state).map(({ id, logit }) => Math.abs(candidates.logits[id]! - logit));
    expect(Math.max(...errors)).toBeLessThan(1e-9);
  }
});

/** Chi-square of draws against probabilities; tokens that come less than 5 times are one bin. 5 standard deviations. */
function expectDrawn(seen: ReadonlyMap<number, number>, expected: ReadonlyMap<number, number>, n: number): void {
  for (const id of seen.keys()) expect(expected.get(id) ?? 0).toBeGreaterThan(0);
  let [chi, bins, restSeen, restExpected] = [0, -1, n, n];
  for (const [id, p] of expected) {
    if (p * n < 5) continue;
    chi += ((seen.get(id) ?? 0) - p * n) ** 2 / (p * n);
    bins++;
    restSeen -= seen.get(id) ?? 0;
    restExpected -= p * n;
  }
  if (restExpected >= 5) {
    chi += (restSeen - restExpected) ** 2 / restExpected;
    bins++;
  }
  expect(chi).toBeLessThan(bins + 5 * Math.sqrt(2 * Math.max(1, bins)) + 5);
}

function draws(sampler: Sampler, logits: Float32Array, tokens: readonly number[], n: number): Map<number, number> {
  const seen = new Map<number, number>();
  for (let i = 0; i < n; i++) {
    const id = sampler.sample(logits, tokens, { position: i, choice: 0 });
    seen.set(id, (seen.get(id) ?? 0) + 1);
  }
  return seen;
}

describe("the chain", () => {
  const make = (options: SamplingOptions, size: number) =>
    new Sampler(options, { candidates: new Candidates(size), tokenizer, endIds: tokenizer.endIds });

  it("in any order and with any settings: 2,000 draws each have the reference's distribution", () => {
    for (let round = 0; round < 40; round++) {
      const size = pick(5, 40, 300);
      const logits = randomLogits(size, pick(2, 8, 20));
      const tokens = randomText(below(40)).map((id) => id % size);
      const shuffled = SAMPLERS.map((name) => ({ name, key: random() })).sort((a, b) => a.key - b.key);
      const chosen = SAMPLERS.flatMap((name) => (random() < 0.4 ? [pick(...TABLE[name])] : []));
      const options: SamplingOptions = {
        ...neutral,
        ...(Object.assign({}, ...chosen) as Partial<SamplingOptions>),
        samplers: pick<readonly SamplerName[]>(SAMPLERS, shuffled.map(({ name }) => name), shuffled.slice(0, 4).map(({ name }) => name)), // biome-ignore format: a list
        logitBias: pick(new Map(), new Map([[below(size), 2], [below(size), -Infinity]])), // biome-ignore format: a list
        allowedTokens: pick(undefined, undefined, new Set(Array.from({ length: size }, (_, id) => id).filter((id) => id % 3 > 0))), // biome-ignore format: a list
        seed: round,
      };
      const n = 2000;
      const seen = draws(make(options, size), logits, tokens, n);
      const at = (u: number) => distribution(logits, { ...looks, options, tokens, u });
      const [rare, usual] = [at(2), at(0)]; // without and with xtc
      const share = options.xtcProbability;
      const mixed = new Map([...rare.keys(), ...usual.keys()].map((id) => [
        id, (rare.get(id) ?? 0) * (1 - share) + (usual.get(id) ?? 0) * share,
      ])); // biome-ignore format: a list
      expectDrawn(seen, mixed, n);
    }
  });

  it("xtc happens with its probability", () => {
    const logits = Float32Array.of(2, 2, 2, 2);
    const seen = draws(make({ ...neutral, xtcProbability: 0.3, xtcThreshold: 0.1 }, 4), logits, [], 20_000);
    const usual = 0.7 / 4;
    expectDrawn(seen, new Map([[0, usual], [1, usual], [2, usual], [3, usual + 0.3]]), 20_000); // biome-ignore format: a list
  });

  it("mirostat 1 and 2 follow the reference's surprise from token to token", () => {
    for (const version of [1, 2]) {
      for (let round = 0; round < 20; round++) {
        const size = pick(50, 300);
        const options: SamplingOptions = {
          ...neutral,
          mirostat: version,
          mirostatTau: pick(1, 3, 5),
          mirostatEta: pick(0.1, 1),
          temperature: pick(0.7, 1, 1.5),
          topK: 1, // has no effect
          seed: round,
        };
        const sampler = make(options, size);
        let mu = 2 * options.mirostatTau;
        for (let position = 0; position < 40; position++) {
          const logits = randomLogits(size, pick(5, 15));
          const expected = mirostat(logits, options, mu);
          const id = sampler.sample(logits, [], { position, choice: 0 });
          expect(expected.has(id)).toBe(true);
          mu = expected.get(id)!.mu;
        }
      }
      const logits = randomLogits(60, 10);
      const options: SamplingOptions = { ...neutral, mirostat: version, mirostatTau: 2, mirostatEta: 0 };
      const seen = draws(make(options, 60), logits, [], 10_000);
      expectDrawn(seen, new Map([...mirostat(logits, options, 4)].map(([id, { p }]) => [id, p])), 10_000);
    }
  });
});
