import { describe, expect, it } from "vitest";
import { Candidates, largest } from "../../../src/engine/sample/candidates.ts";
import { SAMPLING_DEFAULTS } from "../../../src/engine/sample/defaults.ts";
import { logprobs } from "../../../src/engine/sample/logprobs.ts";
import type { SamplingOptions } from "../../../src/engine/sample/options.ts";
import { uniform } from "../../../src/engine/sample/random.ts";
import { Sampler } from "../../../src/engine/sample/sampler.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";
import { neutral } from "./neutral.ts";

const tokenizer = new FakeTokenizer();
const make = (options: Partial<SamplingOptions>, candidates: Candidates) =>
  new Sampler({ ...neutral, ...options }, { candidates, tokenizer, endIds: tokenizer.endIds });
const sampler = (options: Partial<SamplingOptions>, size: number) => make(options, new Candidates(size));

let counter = 0;
const random = () => uniform(99, counter++, 0);
const randomLogits = (size: number, spread = 12) =>
  Float32Array.from({ length: size }, () => Math.fround((random() - 0.5) * spread));

/** The plain implementation of the chain, with full sorts and Math.exp. Returns the probability of each id. */
function reference(logits: Float32Array, tokens: readonly number[], o: SamplingOptions): Map<number, number> {
  let list = Array.from(logits, (logit, id) => ({ id, logit: logit + (o.logitBias.get(id) ?? 0) }));
  const recent = o.repeatLastN < 0 ? tokens : o.repeatLastN === 0 ? [] : tokens.slice(-o.repeatLastN);
  for (const entry of list) {
    const count = recent.filter((id) => id === entry.id).length;
    if (count === 0) continue;
    entry.logit = entry.logit > 0 ? entry.logit / o.repeatPenalty : entry.logit * o.repeatPenalty;
    entry.logit -= count * o.frequencyPenalty + o.presencePenalty;
  }
  list.sort((a, b) => b.logit - a.logit || a.id - b.id);
  const softmax = (temperature: number) => {
    const weights = list.map(({ logit }) => Math.exp((logit - list[0]!.logit) / temperature));
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / total);
  };
  if (o.temperature === 0) return new Map([[list[0]!.id, 1]]);
  if (o.topK > 0) list = list.slice(0, o.topK);
  if (o.topP < 1) {
    let sum = 0;
    const last = softmax(1).findIndex((p) => (sum += p) >= o.topP);
    if (last >= 0) list = list.slice(0, last + 1);
  }
  if (o.minP > 0) {
    const p = softmax(1);
    list = list.filter((_, i) => p[i]! >= o.minP * p[0]!);
  }
  const p = softmax(o.temperature);
  return new Map(list.map(({ id }, i) => [id, p[i]!]));
}

describe("the chain equals a simple reference", () => {
  const pick = <T>(...choices: T[]) => choices[Math.floor(random() * choices.length)]!;
  it("as a distribution: the support, and chi-square of 400 draws each", () => {
    let tooFar = 0;
    for (let i = 0; i < 300; i++) {
      const size = pick(2, 5, 40, 300, 1000);
      const logits = randomLogits(size, pick(1, 6, 20));
      const tokens = Array.from({ length: 30 }, () => Math.floor(random() * Math.min(size, 25)));
      const options: SamplingOptions = {
        ...neutral,
        temperature: pick(0, 0.3, 0.8, 1, 2),
        topK: pick(0, 1, 3, 40, 2000),
        topP: pick(1, 0.95, 0.5, 0.01),
        minP: pick(0, 0.05, 0.5, 1),
        repeatPenalty: pick(1, 1.3, 0.7),
        repeatLastN: pick(0, -1, 5, 64),
        presencePenalty: pick(0, 0.5, -1),
        frequencyPenalty: pick(0, 0.2, -0.3),
        logitBias: new Map(
          pick(
            [],
            [[1, 3]],
            [
              [0, -100],
              [1, 100],
            ],
          ) as [number, number][],
        ),
        seed: i,
      };
      const expected = reference(logits, tokens, options);
      const s = sampler(options, size);
      const seen = new Map<number, number>();
      const n = 400;
      for (let k = 0; k < n; k++) {
        const id = s.sample(logits, tokens, { position: k, choice: 0 });
        seen.set(id, (seen.get(id) ?? 0) + 1);
      }
      for (const id of seen.keys()) expect(expected.has(id)).toBe(true);
      // Chi-square over tokens that should come at least 5 times, the rest in one bin.
      let [chi, bins, restSeen, restExpected] = [0, 0, n, n];
      for (const [id, p] of expected) {
        if (p * n < 5) continue;
        const got = seen.get(id) ?? 0;
        chi += (got - p * n) ** 2 / (p * n);
        bins++;
        restSeen -= got;
        restExpected -= p * n;
      }
      if (restExpected > 5) chi += (restSeen - restExpected) ** 2 / restExpected;
      else bins--;
      if (chi > bins + 4 * Math.sqrt(2 * Math.max(bins, 1)) + 6) tooFar++;
    }
    expect(tooFar).toBeLessThanOrEqual(1); // about p = 0.001 each
  });

  it("chi-square on one known distribution, 100,000 draws", () => {
    const p = [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.03125];
    const s = sampler({}, p.length);
    const logits = Float32Array.from(p, (x) => Math.log(x) + 3);
    const seen = new Array<number>(p.length).fill(0);
    for (let i = 0; i < 100_000; i++) seen[s.sample(logits, [], { position: i, choice: 0 })]!++;
    const chi = seen.reduce((sum, n, i) => sum + (n - p[i]! * 1e5) ** 2 / (p[i]! * 1e5), 0);
    expect(chi).toBeLessThan(20.5); // 5 degrees of freedom, p = 0.001
  });
});

describe("sampling", () => {
  it("greedy takes the first of equals, with and without changes to the logits", () => {
    const logits = Float32Array.of(1, 5, 5, 2);
    expect(sampler({ temperature: 0 }, 4).sample(logits, [], { position: 0, choice: 0 })).toBe(1);
    expect(
      sampler({ temperature: 0, logitBias: new Map([[3, 3]]) }, 4).sample(logits, [], { position: 0, choice: 0 }),
    ).toBe(1);
    expect(
      sampler({ temperature: 0, logitBias: new Map([[1, -0.5]]) }, 4).sample(logits, [], { position: 0, choice: 0 }),
    ).toBe(2);
    expect([...logits]).toEqual([1, 5, 5, 2]);
  });

  it("draws depend on seed, position and choice only", () => {
    const logits = randomLogits(500);
    const draws = (seed: number, choice = 0) => {
      const s = sampler({ seed }, 500);
      return Array.from({ length: 40 }, (_, i) => s.sample(logits, [], { position: i, choice }));
    };
    expect(draws(5)).toEqual(draws(5));
    expect(draws(5)).not.toEqual(draws(6));
    expect(draws(5)).not.toEqual(draws(5, 1));
    const s = sampler({ seed: 5 }, 500);
    for (let i = 0; i < 7; i++) s.sample(logits, [], { position: 1000 + i, choice: 0 }); // earlier draws must not matter
    expect(s.sample(logits, [], { position: 3, choice: 0 })).toBe(draws(5)[3]);
  });

  it("gives these tokens on every host", () => {
    const logits = Float32Array.from({ length: 1000 }, (_, i) => ((i * 7919) % 1000) / 100);
    const s = sampler({ ...SAMPLING_DEFAULTS, seed: 12345, topK: 0, topP: 0.99, minP: 0, temperature: 1.3 }, 1000);
    expect(Array.from({ length: 8 }, (_, i) => s.sample(logits, [], { position: i, choice: 0 }))).toEqual([
      818, 1, 421, 706, 582, 470, 25, 619,
    ]);
  });

  it("shared buffers do not mix requests up", () => {
    const shared = new Candidates(300);
    const a = randomLogits(300);
    const b = randomLogits(300);
    const one = make({ topK: 5, seed: 1 }, shared);
    const two = make({ topP: 0.5, seed: 2 }, shared);
    for (let i = 0; i < 20; i++) {
      expect(one.sample(a, [], { position: i, choice: 0 })).toBe(
        sampler({ topK: 5, seed: 1 }, 300).sample(a, [], { position: i, choice: 0 }),
      );
      expect(two.sample(b, [], { position: i, choice: 0 })).toBe(
        sampler({ topP: 0.5, seed: 2 }, 300).sample(b, [], { position: i, choice: 0 }),
      );
    }
  });

  it("penalty counts follow a window that moves", () => {
    const logits = randomLogits(10, 1);
    const tokens: number[] = [];
    const options = { repeatLastN: 7, frequencyPenalty: 1, presencePenalty: 0.3, repeatPenalty: 1.2, temperature: 0 };
    const s = sampler(options, 10);
    for (let i = 0; i < 200; i++) {
      const id = s.sample(logits, tokens, { position: i, choice: 0 });
      expect(reference(logits, tokens, { ...neutral, ...options }).has(id)).toBe(true);
      tokens.push(id, Math.floor(random() * 10));
    }
  });

  it("logits that are not finite are an error, never a token", () => {
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      for (const temperature of [0, 1]) {
        for (const at of [0, 3, 9]) {
          const logits = randomLogits(10);
          logits[at] = bad;
          expect(() => sampler({ temperature }, 10).sample(logits, [], { position: 0, choice: 0 })).toThrow(
            expect.objectContaining({ code: "non_finite_logits" }),
          );
        }
      }
    }
  });

  it("-Infinity as a bias forbids a token; all forbidden is an error", () => {
    const logits = randomLogits(4);
    const ban = (...ids: number[]) => new Map(ids.map((id) => [id, -Infinity]));
    for (const temperature of [0, 2]) {
      for (let i = 0; i < 50; i++) {
        expect(
          sampler({ temperature, logitBias: ban(0, 1, 3) }, 4).sample(logits, [], { position: i, choice: 0 }),
        ).toBe(2);
      }
      expect(() =>
        sampler({ temperature, logitBias: ban(0, 1, 2, 3) }, 4).sample(logits, [], { position: 0, choice: 0 }),
      ).toThrow(expect.objectContaining({ code: "invalid_request" }));
    }
  });

  it("a very small temperature and huge logits stay in range", () => {
    const logits = Float32Array.of(3e38, -3e38, 2.9e38);
    expect(sampler({ temperature: 1e-300 }, 3).sample(logits, [], { position: 0, choice: 0 })).toBe(0);
    expect(sampler({ temperature: 2, minP: 0.1, topP: 0.9 }, 3).sample(logits, [], { position: 0, choice: 0 })).toBe(0);
  });
});

describe("largest", () => {
  it("equals a full sort, equals in order of position", () => {
    for (let i = 0; i < 300; i++) {
      const size = 1 + Math.floor(random() * 200);
      const values = Float64Array.from({ length: size }, () => Math.floor(random() * 20));
      const sorted = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
      const k = Math.floor(random() * (size + 5));
      expect([...largest(values, size, k)]).toEqual(sorted.slice(0, k));
    }
  });
});

describe("logprobs", () => {
  it("is the log-softmax of the model's logits", () => {
    const logits = randomLogits(1000);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    const got = logprobs(logits, 17, 20);
    expect(got.id).toBe(17);
    expect(got.logprob).toBeCloseTo(logits[17]! - Math.log(total), 12);
    const sorted = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]!);
    expect(got.top.map(({ id }) => id)).toEqual(sorted.slice(0, 20));
    for (const { id, logprob } of got.top) expect(logprob).toBeCloseTo(logits[id]! - Math.log(total), 12);
  });
  it("orders equals by id, and gives none when none are asked for", () => {
    expect(logprobs(Float32Array.of(1, 2, 2, 1), 3, 3).top.map(({ id }) => id)).toEqual([1, 2, 0]);
    expect(logprobs(Float32Array.of(0, 0), 1, 0)).toEqual({ id: 1, logprob: -Math.LN2, top: [] });
  });
});
