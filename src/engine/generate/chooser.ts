/**
 * Chooses the tokens of one answer: its sampler, within its constraint and its budget of reasoning.
 * @module
 */
import { begunBy } from "../../chat/turn.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import { CallConstraint } from "../constrain/call-constraint.ts";
import { Constraint } from "../constrain/constraint.ts";
import { ReasoningBudget } from "../constrain/reasoning-budget.ts";
import { GrammarGuesses } from "../sample/guess.ts";
import type { Probs } from "../sample/logprobs.ts";
import { Sampler, type TokenPlace } from "../sample/sampler.ts";
import { type ChooserParts, Guesser } from "./guesser.ts";
import type { GenerationSettings } from "./settings.ts";

/** Tokens at the end of a prompt that may spell `<think>`. */
const PROMPT_END = 32;

export class Chooser {
  readonly #settings: GenerationSettings;
  readonly #parts: ChooserParts;
  /** Prompt and answer so far: a list that grows while it is used. */
  readonly #tokens: readonly number[];
  readonly #sampler: Sampler;
  readonly #constraint: Constraint | CallConstraint | undefined;
  readonly #guesses: GrammarGuesses | undefined;
  readonly #budget: ReasoningBudget | undefined;
  /** Tokens of the answer. */
  #count = 0;
  /** Whether the last token was the budget's, and not the sampler's. */
  #closing = false;

  constructor(settings: GenerationSettings, parts: ChooserParts, tokens: readonly number[]) {
    const { reasoningBudget, endIds, prompt } = settings;
    const { tokenizer } = parts;
    this.#settings = settings;
    this.#parts = parts;
    this.#tokens = tokens;
    this.#sampler = new Sampler(settings.sampling, { ...parts, endIds });
    this.#constraint = constraintFor(settings, tokenizer);
    this.#guesses = this.#constraint && new GrammarGuesses(tokenizer);
    if (reasoningBudget !== undefined) {
      const begun = settings.begun ?? begunBy(tokenizer.decode(prompt.slice(-PROMPT_END)));
      this.#budget = new ReasoningBudget(reasoningBudget, tokenizer, begun);
    }
  }

  /** Whether the constraint is complete, so that nothing may follow. */
  get done(): boolean {
    return this.#constraint?.done ?? false;
  }

  get #place(): TokenPlace {
    return { position: this.#count, choice: this.#settings.choice ?? 0 };
  }

  /** The next token, by the logits [vocabSize] behind the tokens so far. @throws NibbleError as `Sampler.sample` */
  choose(logits: Float32Array): number {
    const forced = this.#budget?.forced;
    this.#closing = forced !== undefined;
    if (forced !== undefined) return forced;
    const mask = this.#constraint?.mask();
    const id = this.#sampler.sample(logits, this.#tokens, this.#place, mask);
    if (mask) this.#guesses!.learn(mask, id);
    return id;
  }

  /** The tokens that may come next, if they are few: `choose` reads no other logits, and none if it is only one. */
  few(): readonly number[] | undefined {
    const forced = this.#budget?.forced;
    return forced === undefined ? this.#sampler.few(this.#tokens, this.#place, this.#constraint?.mask()) : [forced];
  }

  /** Takes the token that alone may come, instead of `choose`. */
  takeOnly(): void {
    if (this.#budget?.forced === undefined) this.#sampler.takeOnly();
  }

  /** The probabilities with which `choose` chose the token `id`, and the `k` highest ones. */
  probs(id: number, k: number): Probs {
    if (this.#closing) return { id, prob: 1, top: [{ id, prob: 1 }].slice(0, k) };
    return this.#sampler.probs(id, k);
  }

  /** Takes the token that was chosen. */
  accept(id: number): void {
    this.#count++;
    this.#constraint?.accept(id);
    this.#budget?.accept(id);
  }

  /** Whether a constraint may tell what comes next. */
  get constrained(): boolean {
    return this.#constraint !== undefined;
  }

  /** Guesses the tokens that it may choose next. */
  guesser(): Guesser {
    const [place, constraint, guesses] = [this.#place, this.#constraint?.fork(), this.#guesses];
    return new Guesser(this.#settings, this.#parts, { place, constraint, guesses });
  }
}

function constraintFor(
  { constraint, endIds }: GenerationSettings,
  tokenizer: Tokenizer,
): Constraint | CallConstraint | undefined {
  if (!constraint) return undefined;
  if ("starts" in constraint) return new CallConstraint(constraint, tokenizer, endIds);
  return new Constraint(constraint, tokenizer, endIds);
}
