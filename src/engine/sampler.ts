/**
 * From logits to the next token.
 * @module
 */
import { NibbleError } from "../errors.ts";
import { exp, log } from "../math.ts";
import { type Candidates, largest, nonFinite } from "./candidates.ts";
import { uniform } from "./random.ts";
import { bias, draw, maximum, minP, penalties, topK, topP } from "./samplers.ts";

/** How to choose. The steps run in llama.cpp's order: bias, penalties, top-k, top-p, min-p, temperature, draw. */
export interface SamplingOptions {
  /** 0: always the most likely token, of equals the one with the lowest id. */
  readonly temperature: number;
  /** 0: all. */
  readonly topK: number;
  /** 1: all. */
  readonly topP: number;
  /** 0: all. */
  readonly minP: number;
  /** 1: none. */
  readonly repeatPenalty: number;
  /** Tokens that penalties look back on, prompt included; 0: none, -1: all. */
  readonly repeatLastN: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly logitBias: ReadonlyMap<number, number>;
  readonly seed: number;
}

/** One request's sampler: options, and the counts that penalties need. */
export class Sampler {
  readonly #options: SamplingOptions;
  readonly #candidates: Candidates;
  readonly #counts = new Map<number, number>();
  #counted = 0;

  /** @param candidates buffers for the vocabulary; may be shared by all samplers of a model */
  constructor(options: SamplingOptions, candidates: Candidates) {
    this.#options = options;
    this.#candidates = candidates;
  }

  /**
   * The next token.
   * @param logits [vocabSize]; not changed
   * @param tokens prompt and answer so far
   * @param position index of the token in the answer: the counter of the random numbers
   * @param choice which of several answers
   * @throws NibbleError `non_finite_logits` if a logit is not finite, or every token is forbidden
   */
  sample(logits: Float32Array, tokens: readonly number[], position: number, choice = 0): number {
    const { temperature, logitBias, repeatPenalty, presencePenalty, frequencyPenalty, repeatLastN } = this.#options;
    const penalized = repeatLastN !== 0 && (repeatPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0);
    if (temperature === 0 && !penalized && logitBias.size === 0) return argmax(logits);

    const candidates = this.#candidates;
    candidates.load(logits);
    bias(candidates, logitBias);
    if (penalized) {
      penalties(candidates, this.#count(tokens), repeatPenalty, frequencyPenalty, presencePenalty);
    }
    const max = maximum(candidates);
    if (max === Number.NEGATIVE_INFINITY) {
      throw new NibbleError("non_finite_logits", "every token is forbidden by logit_bias or a constraint");
    }
    if (temperature === 0) return candidates.logits.indexOf(max);
    topK(candidates, this.#options.topK);
    topP(candidates, this.#options.topP);
    minP(candidates, this.#options.minP);
    return draw(candidates, temperature, uniform(this.#options.seed, position, choice));
  }

  /** Counts of the last `repeatLastN` tokens, brought up to date. */
  #count(tokens: readonly number[]): ReadonlyMap<number, number> {
    const { repeatLastN } = this.#options;
    const counts = this.#counts;
    for (; this.#counted < tokens.length; this.#counted++) {
      const id = tokens[this.#counted]!;
      counts.set(id, (counts.get(id) ?? 0) + 1);
      if (repeatLastN < 0 || this.#counted < repeatLastN) continue;
      const old = tokens[this.#counted - repeatLastN]!;
      const count = counts.get(old)! - 1;
      if (count > 0) counts.set(old, count);
      else counts.delete(old);
    }
    return counts;
  }
}

/** @throws NibbleError `non_finite_logits` */
function argmax(logits: Float32Array): number {
  let best = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (logit - logit !== 0) throw nonFinite(logit, id);
    if (logit > logits[best]!) best = id;
  }
  return best;
}

export interface TokenLogprob {
  readonly id: number;
  /** Natural logarithm of the probability. */
  readonly logprob: number;
}

export interface Logprobs extends TokenLogprob {
  /** Most likely first; of equals the lower id. */
  readonly top: readonly TokenLogprob[];
}

/** Log-softmax of the model's logits, before any sampling step: for token `id` and the `k` most likely ones. */
export function logprobs(logits: Float32Array, id: number, k: number): Logprobs {
  const ranked = largest(logits, logits.length, Math.max(1, k));
  const max = logits[ranked[0]!]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += exp(logits[i]! - max);
  const normalizer = max + log(sum);
  const entry = (token: number): TokenLogprob => ({ id: token, logprob: logits[token]! - normalizer });
  return { ...entry(id), top: Array.from(ranked.subarray(0, k), entry) };
}
