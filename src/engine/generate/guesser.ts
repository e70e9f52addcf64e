/**
 * Guesses the next tokens of an answer, for drafts: from its constraint, and from the logits of a draft model.
 * @module
 */
import { exp } from "../../base/math.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import type { CallConstraint } from "../constrain/call-constraint.ts";
import type { Constraint } from "../constrain/constraint.ts";
import { type Candidates, largest } from "../sample/candidates.ts";
import type { GrammarGuesses, Guess } from "../sample/guess.ts";
import { FEW, Sampler, type TokenPlace } from "../sample/sampler.ts";
import { fewTokens } from "../sample/token-mask.ts";
import type { DraftGuesser } from "../schedule/draft-model.ts";
import type { GenerationSettings } from "./settings.ts";

/** The parts of a model that are needed to choose tokens. */
export interface ChooserParts {
  readonly tokenizer: Tokenizer;
  readonly candidates: Candidates;
}

/** The state of an answer from which guesses go on. */
export interface AnswerState {
  /** The place of the next token. */
  readonly place: TokenPlace;
  /** A copy of the answer's constraint, which the guesser changes. */
  readonly constraint: Constraint | CallConstraint | undefined;
  readonly guesses: GrammarGuesses | undefined;
}

/** How many of the most likely tokens a probability is computed among, as llama.cpp does for --draft-p-min. */
const TOP = 10;

export class Guesser implements DraftGuesser {
  readonly #settings: GenerationSettings;
  readonly #parts: ChooserParts;
  readonly #state: AnswerState;
  #position: number;
  #ended = false;
  #sampler: Sampler | undefined;

  constructor(settings: GenerationSettings, parts: ChooserParts, state: AnswerState) {
    this.#settings = settings;
    this.#parts = parts;
    this.#state = state;
    this.#position = state.place.position;
  }

  /** Whether nothing may follow the guesses so far. */
  get done(): boolean {
    return this.#ended || (this.#state.constraint?.done ?? false);
  }

  /** A guess that needs no logits, where the constraint leaves few tokens. */
  known(): Guess | undefined {
    const { constraint, guesses } = this.#state;
    const mask = constraint?.mask();
    return mask && guesses?.guess({ mask, certain: () => constraint!.certain() });
  }

  /** The tokens that may follow the guesses so far, if they are few: no other logits are read there. */
  few(): readonly number[] | undefined {
    if (this.done) return [];
    const mask = this.#state.constraint?.mask();
    return mask && fewTokens(mask, FEW);
  }

  /**
   * The token that the request's sampling would choose by the logits of a draft model, with the random number of its place:
   * where both models agree on the probabilities, they choose the same token. The probability is that of the most likely
   * token, as in llama.cpp.
   */
  guess(logits: Float32Array): Guess {
    const { candidates } = this.#parts;
    const { constraint, place } = this.#state;
    const mask = constraint?.mask();
    candidates.reset(logits, mask);
    const top = largest(candidates.logits, candidates.size, TOP);
    let sum = 0;
    for (const at of top) sum += exp(candidates.logits[at]! - candidates.logits[top[0]!]!);
    this.#sampler ??= samplerOf(this.#settings, this.#parts);
    return { id: this.#sampler.sample(logits, [], { ...place, position: this.#position }, mask), probability: 1 / sum };
  }

  /** Takes a guess, so that the next one follows it. */
  accept(id: number): void {
    this.#position++;
    this.#state.constraint?.accept(id);
    this.#ended = this.#settings.endIds.has(id);
  }
}

/** The request's sampling without the steps that look back on the text, which a guess would change for good. */
function samplerOf({ sampling, endIds }: GenerationSettings, parts: ChooserParts): Sampler {
  const samplers = sampling.samplers.filter((name) => name !== "penalties" && name !== "dry");
  return new Sampler({ ...sampling, samplers, mirostat: 0, badWords: [] }, { ...parts, endIds });
}
