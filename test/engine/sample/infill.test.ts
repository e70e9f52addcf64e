/** llama.cpp's step "infill": what it keeps, worked out by hand from probabilities. */
import { describe, expect, it } from "vitest";
import { Candidates } from "../../../src/engine/sample/candidates.ts";
import { SAMPLING_DEFAULTS } from "../../../src/engine/sample/defaults.ts";
import { infill } from "../../../src/engine/sample/infill.ts";
import type { SamplingOptions } from "../../../src/engine/sample/options.ts";
import { Sampler } from "../../../src/engine/sample/sampler.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";

const TEXTS = ["a", "ab", "abc", "x", "y", "z", "</s>", "<end>", "u", "v", "w"];
const [EOS, END] = [6, 7];

class Texts extends FakeTokenizer {
  override readonly vocabSize: number = TEXTS.length;
  override readonly eosId: number = EOS;
  override readonly endIds: ReadonlySet<number> = new Set([END, EOS]);
  override tokenBytes(id: number): Uint8Array {
    return new TextEncoder().encode(TEXTS[id] ?? `#${id}`);
  }
  override isSpecial(id: number): boolean {
    return id === EOS || id === END;
  }
}
const tokenizer = new Texts();
const { endIds } = tokenizer;

/** The ids that stay of these probabilities, the best first. */
function kept(probabilities: Readonly<Record<number, number>>, end: number | "none" = EOS): number[] {
  const candidates = new Candidates(TEXTS.length);
  const logits = Float32Array.from(TEXTS, (_, id) => Math.log(probabilities[id] ?? 1e-30));
  candidates.reset(logits);
  candidates.keepFrom(-60); // those without a probability are no candidates
  infill(candidates, { tokenizer, endIds, end: end === "none" ? undefined : end });
  return [...candidates.ids.subarray(0, candidates.size)];
}

describe("the step infill", () => {
  it("keeps the end tokens alone where they are likely, by the number of candidates", () => {
    expect(kept({ 3: 0.5, 4: 0.38, [EOS]: 0.12 })).toEqual([EOS]); // 3 * 0.12 * 3 > 0.88
    expect(kept({ 3: 0.5, 4: 0.42, [EOS]: 0.04, [END]: 0.04 })).toEqual([EOS, END]); // 3 * 0.08 * 4 > 0.92
  });

  it("keeps likely texts, and end tokens beside them", () => {
    expect(kept({ 3: 0.6, 4: 0.39, [EOS]: 0.01 })).toEqual([3, 4, EOS]);
    expect(kept({ 3: 0.85, 4: 0.14, [EOS]: 0.01 })).toEqual([3, EOS]);
    // Of the two texts above a fifth, one has less than a third of what remains.
    expect(kept({ 3: 0.7, 4: 0.22, 5: 0.08 })).toEqual([3]);
  });

  it("counts a token for another one that begins with it, the likelier of both", () => {
    expect(kept({ 0: 0.15, 2: 0.1, 1: 0.05, 3: 0.19, 4: 0.19, 5: 0.32 })).toEqual([5, 0]);
    expect(kept({ 0: 0.1, 2: 0.15, 3: 0.19, 4: 0.19, 5: 0.37 })).toEqual([5, 2]);
  });

  it("ends the answer where no text is likely, by an end token that may come", () => {
    const unsure = { 3: 0.19, 4: 0.18, 5: 0.17, 8: 0.16, 9: 0.15, 10: 0.15 };
    expect(kept(unsure)).toEqual([EOS]);
    expect(kept({ ...unsure, [END]: 0.001 })).toEqual([END]);
    expect(kept(unsure, "none")).toEqual([3]);
  });
});

describe("in a request", () => {
  const options: SamplingOptions = {
    ...SAMPLING_DEFAULTS,
    samplers: ["top_k", "infill"],
    logitBias: new Map(),
    seed: 1,
  };
  const size = 300;
  const flat = new Float32Array(size);
  const sample = (change: Partial<SamplingOptions>, logits = flat): number => {
    const wide = Object.assign(new FakeTokenizer(), { tokenBytes: (id: number) => Uint8Array.of(id & 255, id >> 8) });
    const sampler = new Sampler({ ...options, ...change }, { candidates: new Candidates(size), tokenizer: wide, endIds: wide.endIds }); // biome-ignore format: one line
    return sampler.sample(logits, [], { position: 0, choice: 0 });
  };

  it("an unsure model ends, unless its end tokens are forbidden or it is too early", () => {
    expect(sample({})).toBe(257);
    expect(sample({ logitBias: new Map([[257, -Infinity]]) })).toBe(259);
    expect(sample({ minTokens: 1 })).toBe(0);
  });

  it("temperature 0 after it takes what it keeps, whatever steps come before", () => {
    const logits = Float32Array.from(flat, (_, id) => (id === 9 ? 3 : 0));
    const steps = ["top_k", "infill", "temperature"] as const;
    expect(sample({ samplers: steps, temperature: 0, topK: 40 }, logits)).toBe(9);
    expect(sample({ samplers: steps, temperature: 0, topK: 0 }, logits)).toBe(257);
  });
});
