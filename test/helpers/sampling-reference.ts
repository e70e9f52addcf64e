/**
 * llama.cpp's sampling steps, the simple way: a full sort and a softmax for every step, Math.exp and Math.log, no state,
 * quadratic searches. Shares nothing with src/engine but the options' names.
 */
import type { SamplerName, SamplingOptions } from "../../src/engine/sample/options.ts";

export interface Scored {
  id: number;
  logit: number;
}

const sorted = (list: readonly Scored[]) => [...list].sort((a, b) => b.logit - a.logit || a.id - b.id);

/** Probabilities in the list's order. */
export function softmax(list: readonly Scored[]): number[] {
  const max = Math.max(...list.map(({ logit }) => logit));
  const weights = list.map(({ logit }) => Math.exp(logit - max));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

const entropyOf = (p: readonly number[]) => p.reduce((sum, x) => (x > 0 ? sum - x * Math.log(x) : sum), 0);

/** As many of a list as have more than (or, with `reach`, at least) probability `p`, but `keep`. */
function massOf(list: readonly Scored[], weights: readonly number[], p: number, reach: boolean, keep: number) {
  let sum = 0;
  for (let i = 0; i < list.length; i++) {
    sum += weights[i]!;
    if ((reach ? sum >= p : sum > p) && i + 1 >= keep) return list.slice(0, i + 1);
  }
  return [...list];
}

export interface ReferenceState {
  readonly options: SamplingOptions;
  /** Prompt and answer. */
  readonly tokens: readonly number[];
  /** How a token looks, and the tokens of a text. */
  readonly textOf: (id: number) => string;
  readonly idsOf: (text: string) => readonly number[];
  /** Random number of xtc. */
  readonly u: number;
}

/** All steps but "infill", whose test has figures worked out by hand. */
export type ReferenceStep = Exclude<SamplerName, "infill">;

export const steps: Readonly<Record<ReferenceStep, (list: readonly Scored[], state: ReferenceState) => Scored[]>> = {
  penalties(list, { options: o, tokens }) {
    const recent = o.repeatLastN < 0 ? tokens : tokens.slice(Math.max(0, tokens.length - o.repeatLastN));
    return list.map(({ id, logit }) => {
      const count = recent.filter((token) => token === id).length;
      if (count === 0) return { id, logit };
      const repeated = logit <= 0 ? logit * o.repeatPenalty : logit / o.repeatPenalty;
      return { id, logit: repeated - count * o.frequencyPenalty - o.presencePenalty };
    });
  },

  dry(list, state) {
    const { options: o, tokens } = state;
    const recent = o.dryPenaltyLastN < 0 ? tokens : tokens.slice(Math.max(0, tokens.length - o.dryPenaltyLastN));
    return list.map(({ id, logit }) => {
      const length = longestRepeat(recent, id, state);
      if (length < o.dryAllowedLength || isBreaker(id, state)) return { id, logit };
      return { id, logit: logit - o.dryMultiplier * o.dryBase ** (length - o.dryAllowedLength) };
    });
  },

  top_n_sigma(list, { options: { topNSigma } }) {
    if (topNSigma <= 0 || list.length < 2) return [...list];
    const logits = list.map(({ logit }) => logit);
    const mean = logits.reduce((a, b) => a + b, 0) / logits.length;
    const sigma = Math.sqrt(logits.reduce((sum, logit) => sum + (logit - mean) ** 2, 0) / logits.length);
    return list.filter(({ logit }) => logit >= Math.max(...logits) - topNSigma * sigma);
  },

  top_k(list, { options: { topK } }) {
    return topK <= 0 ? [...list] : sorted(list).slice(0, topK);
  },

  typ_p(list, { options: { typicalP, minKeep } }) {
    if (typicalP >= 1) return [...list];
    const order = sorted(list);
    const p = softmax(order);
    const entropy = entropyOf(p);
    const far = order.map((entry, i) => ({ entry, p: p[i]!, distance: Math.abs(-Math.log(p[i]!) - entropy) }));
    far.sort((a, b) => a.distance - b.distance);
    const entries = far.map(({ entry }) => entry);
    return massOf(entries, far.map((one) => one.p), typicalP, false, minKeep); // biome-ignore format: one call
  },

  top_p(list, { options: { topP, minKeep } }) {
    const order = sorted(list);
    return topP >= 1 ? order : massOf(order, softmax(order), topP, true, minKeep);
  },

  min_p(list, { options: { minP, minKeep } }) {
    const order = sorted(list);
    const p = softmax(order);
    return minP <= 0 ? order : order.filter((_, i) => p[i]! >= minP * p[0]! || i < minKeep);
  },

  xtc(list, { options: { xtcProbability, xtcThreshold, minKeep }, u }) {
    const order = sorted(list);
    if (xtcProbability <= 0 || xtcThreshold > 0.5 || u > xtcProbability) return order;
    const top = softmax(order).filter((p) => p >= xtcThreshold).length;
    return top < 2 || order.length - (top - 1) < minKeep ? order : order.slice(top - 1);
  },

  temperature(list, { options: { temperature, dynatempRange, dynatempExponent } }) {
    let t = temperature;
    if (dynatempRange > 0) {
      if (list.length < 2) return [...list];
      const low = Math.max(0, temperature - dynatempRange);
      const entropy = entropyOf(softmax(list)) / Math.log(list.length);
      t = low + (temperature + dynatempRange - low) * entropy ** dynatempExponent;
    }
    return t > 0 ? list.map(({ id, logit }) => ({ id, logit: logit / t })) : sorted(list).slice(0, 1);
  },
};

/** Whether a breaker's text stands in the token's. */
function isBreaker(id: number, { options, textOf }: ReferenceState): boolean {
  return options.drySequenceBreakers.some((breaker) => textOf(id).includes(breaker));
}

/** Tokens of the longest earlier sequence that the text ends with and that `id` followed; not over a breaker. */
function longestRepeat(tokens: readonly number[], id: number, state: ReferenceState): number {
  const limit = sinceBreaker(tokens, state);
  let longest = -1;
  for (let at = 1; at < tokens.length; at++) {
    if (tokens[at] !== id) continue;
    let length = 0;
    while (length < at && tokens[at - 1 - length] === tokens[tokens.length - 1 - length]) length++;
    longest = Math.max(longest, Math.min(length, limit));
  }
  return limit < state.options.dryAllowedLength ? -1 : longest;
}

function sinceBreaker(tokens: readonly number[], { options, textOf, idsOf }: ReferenceState): number {
  for (let start = tokens.length - 1; start >= 0; start--) {
    let end = -1;
    for (const breaker of options.drySequenceBreakers) {
      const head = textOf(tokens[start]!);
      if (head.includes(breaker)) end = Math.max(end, start + 1);
      for (let length = 1; length < breaker.length; length++) {
        if (!head.endsWith(breaker.slice(0, length))) continue;
        const tail = idsOf(breaker.slice(length));
        const next = tokens.slice(start + 1, start + 1 + tail.length);
        if (tail.every((one, i) => next[i] === one)) end = Math.max(end, start + 1 + tail.length);
      }
    }
    if (end >= 0) return tokens.length - end;
  }
  return tokens.length;
}

/** Bans, biases, then the steps in the options' order. @returns id to probability */
export function distribution(logits: Float32Array, state: ReferenceState): Map<number, number> {
  const { options } = state;
  const allowed = ({ id }: Scored) =>
    options.logitBias.get(id) !== -Infinity && (options.allowedTokens?.has(id) ?? true);
  let list = Array.from(logits, (logit, id) => ({ id, logit })).filter(allowed);
  list = list.map(({ id, logit }) => ({ id, logit: logit + (options.logitBias.get(id) ?? 0) }));
  for (const name of options.mirostat > 0 ? [] : options.samplers) list = steps[name as ReferenceStep](list, state);
  const p = softmax(list);
  return new Map(list.map(({ id }, i) => [id, p[i]!]));
}

/** One step of mirostat. @returns tokens that may be drawn with their probabilities, and `mu` after each of them */
export function mirostat(
  logits: Float32Array,
  { mirostat: version, mirostatTau, mirostatEta, temperature }: SamplingOptions,
  mu: number,
): Map<number, { p: number; mu: number }> {
  let list = sorted(Array.from(logits, (logit, id) => ({ id, logit: logit / temperature })));
  const p = softmax(list);
  if (version === 2) {
    const end = p.findIndex((x) => -Math.log2(x) > mu);
    list = list.slice(0, end < 0 ? list.length : Math.max(1, end));
  } else {
    let [products, squares] = [0, 0];
    for (let i = 0; i < 99 && i < list.length - 1; i++) {
      const t = Math.log((i + 2) / (i + 1));
      products += t * Math.log(p[i]! / p[i + 1]!);
      squares += t * t;
    }
    const s = products / squares;
    const k = (((s - 1) * 2 ** mu) / (1 - logits.length ** -(s - 1))) ** (1 / s);
    list = list.slice(0, Math.max(1, Math.floor(k)));
  }
  const q = softmax(list);
  return new Map(list.map(({ id }, i) => [id, { p: q[i]!, mu: mu - mirostatEta * (-Math.log2(q[i]!) - mirostatTau) }]));
}
