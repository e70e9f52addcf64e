/**
 * DRY ("don't repeat yourself", p-e-w 2024): a token that would continue a repetition of earlier text becomes less
 * likely, exponentially in the length of the repetition. Repetitions end at breakers such as the end of a line.
 * @module
 */
import { log, pow } from "../../base/math.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import type { Candidates } from "./candidates.ts";

export interface DryOptions {
  readonly dryMultiplier: number;
  readonly dryBase: number;
  readonly dryAllowedLength: number;
  readonly dryPenaltyLastN: number;
  readonly drySequenceBreakers: readonly string[];
}

/** llama.cpp's limit: the power of the base stays below the largest float32, of which this is the logarithm. */
const MAX_LOG = 88.7228391;
/** llama.cpp's limit for the tokens of a breaker behind its first. */
const MAX_TAIL = 20;

/** The DRY step of one request. */
export class Dry {
  readonly #options: DryOptions;
  readonly #tokenizer: Tokenizer;
  /**
   * For each token, the token sequences that complete a breaker after it. An empty sequence means that the token
   * contains a breaker.
   */
  readonly #tails = new Map<number, readonly (readonly number[])[]>();
  readonly #tailIds = new Map<string, readonly number[]>();

  constructor(options: DryOptions, tokenizer: Tokenizer) {
    this.#options = options;
    this.#tokenizer = tokenizer;
  }

  /**
   * Subtracts multiplier * base^(length - allowedLength) from the logits of tokens that would continue a repetition.
   * @param tokens prompt and answer so far
   */
  apply(candidates: Candidates, tokens: readonly number[]): void {
    const { dryMultiplier, dryBase, dryAllowedLength, dryPenaltyLastN } = this.#options;
    const recent = dryPenaltyLastN < 0 ? tokens : tokens.slice(Math.max(0, tokens.length - dryPenaltyLastN));
    if (recent.length <= dryAllowedLength) return;
    const limit = this.#sinceBreaker(recent);
    if (limit < dryAllowedLength) return;
    const maxPower = dryBase > 1.000001 ? MAX_LOG / log(dryBase) : Infinity;
    candidates.change(this.#repeats(recent, limit), (logit, length) => {
      const power = Math.min(length - dryAllowedLength, Math.floor(maxPower));
      return logit - dryMultiplier * pow(dryBase, power);
    });
  }

  /** The number of tokens behind the last breaker. */
  #sinceBreaker(tokens: readonly number[]): number {
    const last = tokens.length - 1;
    for (let back = 0; back <= last; back++) {
      const tails = this.#tailsOf(tokens[last - back]!);
      const fits = tails.filter(
        (tail) => tail.length <= back && tail.every((id, i) => id === tokens[last - back + 1 + i]),
      );
      if (fits.length > 0) return back - Math.max(...fits.map((tail) => tail.length));
    }
    return tokens.length;
  }

  /**
   * The length of the repetition that each token would continue. For each position, the length of the match between the
   * text before it and the end of the text is the Z-function of the reversed text, which takes linear time.
   */
  #repeats(tokens: readonly number[], limit: number): ReadonlyMap<number, number> {
    const { dryAllowedLength } = this.#options;
    const count = tokens.length;
    const common = new Int32Array(count);
    const last = count - 1;
    const repeats = new Map<number, number>();
    let [left, right] = [0, 0];
    for (let i = 1; i < count; i++) {
      let length = i < right ? Math.min(right - i, common[i - left]!) : 0;
      while (i + length < count && tokens[last - length] === tokens[last - i - length]) length++;
      common[i] = length;
      if (i + length > right) [left, right] = [i, i + length];
      const repeated = Math.min(length, limit);
      const next = tokens[last - i + 1]!;
      if (repeated < dryAllowedLength || repeated <= (repeats.get(next) ?? -1)) continue;
      if (this.#tailsOf(next).every((tail) => tail.length > 0)) repeats.set(next, repeated);
    }
    return repeats;
  }

  /** Computed only for tokens that occur, since a whole vocabulary would take 100 ms. */
  #tailsOf(id: number): readonly (readonly number[])[] {
    const known = this.#tails.get(id);
    if (known) return known;
    const text = this.#tokenizer.token(id);
    const tails = this.#options.drySequenceBreakers.flatMap((breaker) =>
      text.includes(breaker) ? [[]] : overlaps(text, breaker).map((length) => this.#tail(breaker.slice(length))),
    );
    this.#tails.set(id, tails);
    return tails;
  }

  #tail(text: string): readonly number[] {
    let ids = this.#tailIds.get(text);
    if (!ids) {
      ids = this.#tokenizer.encode(text, { special: false, addBos: false }).slice(0, MAX_TAIL);
      this.#tailIds.set(text, ids);
    }
    return ids;
  }
}

/** The lengths of the prefixes of a breaker with which a text ends. */
function overlaps(text: string, breaker: string): number[] {
  const lengths: number[] = [];
  for (let length = 1; length < breaker.length; length++) {
    if (text.endsWith(breaker.slice(0, length))) lengths.push(length);
  }
  return lengths;
}
