/**
 * Scalings of RoPE for long contexts: each makes frequencies, and some a factor of cosines and sines. Numbers are rounded to
 * f32 where transformers (modeling_rope_utils.py) rounds them.
 * @module
 */
import { log, pow } from "../base/math.ts";

const f = Math.fround;

/** Inverse frequencies, f32[dims / 2], and the factor of cosines and sines. */
export interface Rotation {
  readonly frequencies: Float32Array<ArrayBuffer>;
  readonly factor: number;
}

/**
 * RoPE without scaling: `fround(1 / fround(theta ^ fround(2j / dims)))` for j = 0 .. dims / 2 - 1. These are the roundings of
 * transformers; with fewer of them, a third of the entries would differ in the last bit.
 */
export function inverseFrequencies(theta: number, dims: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: dims / 2 }, (_, j) => 1 / f(pow(theta, f((2 * j) / dims))));
}

/** Parameters of Llama 3's scaling: long wavelengths are stretched by `factor`, short ones stay, others get a blend. */
export interface Llama3Scaling {
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  readonly originalContext: number;
}

/** Llama 3's scaling. Equal factors for low and high frequencies leave no blend between the stretched and the others. */
export function scaleLlama3(frequencies: Float32Array<ArrayBuffer>, scaling: Llama3Scaling): Float32Array<ArrayBuffer> {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContext } = scaling;
  return frequencies.map((frequency) => {
    const wavelength = f(f(2 * Math.PI) / frequency);
    if (wavelength < originalContext / highFrequencyFactor) return frequency;
    if (wavelength > originalContext / lowFrequencyFactor || lowFrequencyFactor === highFrequencyFactor)
      return frequency / factor;
    const smooth = f(
      f(f(originalContext / wavelength) - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor),
    );
    return f(f(f(1 - smooth) * frequency) / factor) + f(smooth * frequency);
  });
}

/** Parameters of YaRN (Peng et al. 2023, arXiv:2309.00071). */
export interface YarnScaling {
  readonly factor: number;
  /** Tokens of the context before it was stretched. */
  readonly originalContext: number;
  /** Rotations within the original context above which a frequency stays as it is. */
  readonly betaFast: number;
  /** Rotations within the original context below which a frequency is divided by `factor`. */
  readonly betaSlow: number;
  /** Whether the pairs at which the blend begins and ends are rounded to whole ones, outwards. */
  readonly truncate: boolean;
}

/** YaRN: frequencies of many rotations stay, those of few are divided by `factor`, and between them there is a ramp. */
export function scaleYarn(theta: number, dims: number, scaling: YarnScaling): Float32Array<ArrayBuffer> {
  const { factor, originalContext, betaFast, betaSlow, truncate } = scaling;
  const pairOf = (rotations: number): number =>
    (dims * log(originalContext / (rotations * 2 * Math.PI))) / (2 * log(theta));
  const [from, to] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(truncate ? Math.floor(from) : from, 0);
  let high = Math.min(truncate ? Math.ceil(to) : to, dims - 1);
  if (low === high) high += 0.001;
  return Float32Array.from({ length: dims / 2 }, (_, j) => {
    const power = f(pow(theta, f((2 * j) / dims)));
    const ramp = Math.min(Math.max(f(f(j - low) / f(high - low)), 0), 1);
    const kept = f(1 - ramp);
    return f(f(1 / f(factor * power)) * f(1 - kept)) + f(f(1 / power) * kept);
  });
}

/** YaRN's factor of cosines and sines, 0.1 m ln(factor) + 1, by which attention stays sharp in a long context. */
export function yarnMagnitude(factor: number, m = 1): number {
  return factor <= 1 ? 1 : 0.1 * m * log(factor) + 1;
}

/** LongRoPE (Ding et al. 2024, arXiv:2402.13753): each frequency has a divisor of its own, found by a search. */
export function scaleLongRope(theta: number, divisors: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const pairs = divisors.length;
  return Float32Array.from({ length: pairs }, (_, j) => 1 / f(f(divisors[j]!) * f(pow(theta, f(j / pairs)))));
}

/** The factor of cosines and sines that LongRoPE has where the file gives none; `ratio` is new context to original one. */
export function longRopeMagnitude(ratio: number, originalContext: number): number {
  return ratio <= 1 ? 1 : Math.sqrt(1 + log(ratio) / log(originalContext));
}

/**
 * NTK-aware scaling (bloc97 2023) stretches the base of the frequencies, here by a fixed alpha: theta alpha^(d / (d - 2)).
 * "Dynamic" scaling without an alpha does so only beyond the trained context, where a model is not run.
 */
export function stretchBase(theta: number, dims: number, alpha: number): number {
  return theta * pow(alpha, dims / (dims - 2));
}
