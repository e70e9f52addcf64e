/**
 * Chooses the next token from logits.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import { BadWords } from "./bad-words.ts";
import { type Candidates, checkFinite, largest } from "./candidates.ts";
import { Dry } from "./dry.ts";
import { infill } from "./infill.ts";
import type { Probs, TokenProb } from "./logprobs.ts";
import { Mirostat } from "./mirostat.ts";
import { activeSteps, type SamplerName, type SamplingOptions } from "./options.ts";
import { Penalties } from "./penalties.ts";
import { uniform } from "./random.ts";
import { minP, temperature, topK, topNSigma, topP, typicalP, xtc } from "./steps.ts";
import {
  addToken,
  emptyMask,
  fewTokens,
  fullMask,
  hasToken,
  intersect,
  removeToken,
  type TokenMask,
} from "./token-mask.ts";

/** The buffers that a sampler shares with the others of its model, and facts of its request. */
export interface SamplerParts {
  /** Buffers for the vocabulary; may be shared by all samplers of a model. */
  readonly candidates: Candidates;
  readonly tokenizer: Tokenizer;
  /** Tokens that do not come before `minTokens`. */
  readonly endIds: ReadonlySet<number>;
}

/** Tokens up to this number are few. Their logits are in at most as many groups of rows of the LM head. */
export const FEW = 256;

/** The place of the token that is drawn, which decides its random numbers. */
export interface TokenPlace {
  /** Index of the token in the answer. */
  readonly position: number;
  /** Which of several answers to one request. */
  readonly choice: number;
}

/** The sampler of one request: its options, and the state that steps keep from token to token. */
export class Sampler {
  readonly #options: SamplingOptions;
  readonly #candidates: Candidates;
  readonly #endIds: ReadonlySet<number>;
  readonly #tokenizer: Tokenizer;
  readonly #steps: readonly SamplerName[];
  readonly #penalties: Penalties;
  readonly #dry: Dry;
  readonly #mirostat: Mirostat | undefined;
  readonly #badWords: BadWords | undefined;
  /** Only finite biases; the others are in `#allowed`. */
  readonly #bias: ReadonlyMap<number, number>;
  /** The tokens that the request allows at all; undefined: all. */
  readonly #allowed: TokenMask | undefined;
  readonly #scratch: TokenMask;
  /** Whether the last token was drawn from the candidates. */
  #drawn = false;

  constructor(options: SamplingOptions, { candidates, tokenizer, endIds }: SamplerParts) {
    const vocabSize = candidates.ids.length;
    this.#options = options;
    this.#candidates = candidates;
    this.#endIds = endIds;
    this.#tokenizer = tokenizer;
    this.#steps = neededSteps(options);
    this.#penalties = new Penalties(options);
    this.#dry = new Dry(options, tokenizer);
    this.#mirostat = options.mirostat > 0 ? new Mirostat(options, vocabSize) : undefined;
    this.#badWords = options.badWords.length > 0 ? new BadWords(options.badWords, tokenizer) : undefined;
    this.#bias = new Map([...options.logitBias].filter(([, bias]) => bias !== -Infinity));
    this.#allowed = allowed(options, vocabSize);
    this.#scratch = emptyMask(vocabSize);
  }

  /**
   * The next token.
   * @param logits [vocabSize]; not changed
   * @param tokens prompt and answer so far
   * @param constraint tokens that a grammar, for instance, allows; undefined: all
   * @throws NibbleError `non_finite_logits` if a logit is not finite, `invalid_request` if every token is forbidden
   */
  sample(logits: Float32Array, tokens: readonly number[], place: TokenPlace, constraint?: TokenMask): number {
    this.#drawn = false;
    const mask = this.#mask(tokens, place.position, constraint);
    const greedy = isGreedy(this.#options) && this.#steps[0] === "temperature";
    if (greedy && !mask && this.#bias.size === 0) return argmax(logits);

    const candidates = this.#candidates;
    candidates.reset(logits, mask);
    if (candidates.size === 0) {
      throw new NibbleError("invalid_request", "every token is forbidden by logit_bias or a constraint");
    }
    if (this.#bias.size > 0) candidates.change(this.#bias, (logit, bias) => logit + bias);
    for (const step of this.#steps) {
      if (step === "infill") this.#infill(mask);
      else this.#apply(step, tokens, place);
    }
    this.#mirostat?.narrow(candidates);
    return this.#draw(uniform(this.#options.seed, place.position, place.choice));
  }

  /**
   * The tokens that may come next, if they are few: `sample` reads no other logits. If it is only one, `sample` returns it
   * whatever its logit is.
   */
  few(tokens: readonly number[], place: TokenPlace, constraint?: TokenMask): readonly number[] | undefined {
    const mask = this.#mask(tokens, place.position, constraint);
    return mask && fewTokens(mask, FEW);
  }

  /** Takes a token that alone may come, instead of `sample`. Steps that keep a state are told of it. */
  takeOnly(): void {
    this.#drawn = false;
    this.#mirostat?.observe(1);
  }

  /** The probabilities with which `sample` drew the token `id`, and the `k` highest ones. */
  probs(id: number, k: number): Probs {
    const { ids, weights, size } = this.#candidates;
    // A token that was not drawn (a greedy choice or a forced token) has probability 1.
    if (!this.#drawn) return { id, prob: 1, top: [{ id, prob: 1 }].slice(0, k) };
    let total = 0;
    for (let i = 0; i < size; i++) total += weights[i]!;
    const entry = (i: number): TokenProb => ({ id: ids[i]!, prob: weights[i]! / total });
    const top = Array.from(largest(weights, size, k), entry).filter(({ prob }) => prob > 0);
    return { ...entry(ids.subarray(0, size).indexOf(id)), id, top };
  }

  /** The step needs to know which end token may come. */
  #infill(mask: TokenMask | undefined): void {
    const { eosId } = this.#tokenizer;
    const may = (id: number): boolean => this.#endIds.has(id) && (mask === undefined || hasToken(mask, id));
    const end = eosId !== undefined && may(eosId) ? eosId : [...this.#endIds].find(may);
    infill(this.#candidates, { tokenizer: this.#tokenizer, endIds: this.#endIds, end });
  }

  #apply(step: Exclude<SamplerName, "infill">, tokens: readonly number[], { position, choice }: TokenPlace): void {
    const o = this.#options;
    const candidates = this.#candidates;
    switch (step) {
      case "penalties":
        this.#penalties.apply(candidates, tokens);
        break;
      case "dry":
        this.#dry.apply(candidates, tokens);
        break;
      case "top_n_sigma":
        topNSigma(candidates, o.topNSigma);
        break;
      case "top_k":
        topK(candidates, o.topK);
        break;
      case "typ_p":
        typicalP(candidates, o.typicalP, o.minKeep);
        break;
      case "top_p":
        topP(candidates, o.topP, o.minKeep);
        break;
      case "min_p":
        minP(candidates, o.minP, o.minKeep);
        break;
      case "xtc":
        xtc(candidates, o, uniform(o.seed, position, choice, 1));
        break;
      case "temperature":
        temperature(candidates, o.temperature, this.#mirostat ? 0 : o.dynatempRange, o.dynatempExponent);
        break;
    }
  }

  /** The tokens that may come at this position; undefined: all. */
  #mask(tokens: readonly number[], position: number, constraint: TokenMask | undefined): TokenMask | undefined {
    const early = position < this.#options.minTokens;
    if (!early && !this.#badWords) {
      if (!constraint) return this.#allowed;
      if (!this.#allowed) return constraint;
    }
    const mask = this.#scratch;
    mask.set(this.#allowed ?? fullMask(this.#candidates.ids.length));
    if (constraint) intersect(mask, constraint);
    if (early) for (const id of this.#endIds) removeToken(mask, id);
    this.#badWords?.forbid(mask, tokens, position);
    return mask;
  }

  /** Picks a token by its probability. @param u a random number in [0, 1) */
  #draw(u: number): number {
    const candidates = this.#candidates;
    const total = candidates.weigh();
    const { weights, ids, size } = candidates;
    const target = total * u;
    let sum = 0;
    let last = 0;
    for (let i = 0; i < size; i++) {
      if (weights[i] === 0) continue;
      last = i;
      sum += weights[i]!;
      if (sum > target) break;
    }
    this.#mirostat?.observe(weights[last]! / total);
    this.#drawn = true;
    return ids[last]!;
  }
}

/** Whether the temperature is 0, whatever the distribution. */
function isGreedy({ temperature, dynatempRange, mirostat }: SamplingOptions): boolean {
  return temperature === 0 && (dynatempRange === 0 || mirostat > 0);
}

/** Steps that never remove the most likely token. Before a temperature of 0 they change nothing. */
const KEEP_BEST: readonly SamplerName[] = ["top_n_sigma", "top_k", "top_p", "min_p"];

/** Steps that may remove it, by what the steps before them have left. */
const DROP_BEST: readonly SamplerName[] = ["xtc", "typ_p", "infill"];

function neededSteps(options: SamplingOptions): readonly SamplerName[] {
  const steps = activeSteps(options);
  const end = steps.indexOf("temperature");
  if (end < 0 || !isGreedy(options)) return steps;
  const before = steps.slice(0, end);
  const change = before.filter((step) => !KEEP_BEST.includes(step));
  const dropping = before.some((step) => DROP_BEST.includes(step));
  return [...(dropping ? before : change), "temperature"];
}

/** The tokens that a request allows at every position; undefined: all. */
function allowed({ allowedTokens, logitBias }: SamplingOptions, vocabSize: number): TokenMask | undefined {
  const banned = [...logitBias].filter(([, bias]) => bias === -Infinity);
  if (!allowedTokens && banned.length === 0) return undefined;
  const mask = allowedTokens ? emptyMask(vocabSize) : fullMask(vocabSize);
  for (const id of allowedTokens ?? []) addToken(mask, id);
  for (const [id] of banned) removeToken(mask, id);
  return mask;
}

/** @throws NibbleError `non_finite_logits` */
function argmax(logits: Float32Array): number {
  checkFinite(logits);
  let best = 0;
  let highest = logits[0]!;
  for (let id = 1; id < logits.length; id++) {
    const logit = logits[id]!;
    if (logit > highest) [best, highest] = [id, logit];
  }
  return best;
}
