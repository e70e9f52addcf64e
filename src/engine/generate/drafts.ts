/**
 * The drafts of one answer, and where they come from: what its constraint leaves, its own text, and a draft model.
 * @module
 */
import { DRAFT_MAX, DRAFT_MIN, DRAFT_P_MIN } from "../sample/defaults.ts";
import { DraftAccount, type Price } from "../schedule/draft-account.ts";
import type { Drafting } from "../schedule/draft-model.ts";
import { PromptLookup } from "../schedule/prompt-lookup.ts";
import type { Chooser } from "./chooser.ts";
import type { Engine } from "./engine.ts";
import type { GenerationSettings } from "./settings.ts";

/** The budgets at first, in steps. A draft model was loaded to be used. */
const GRAMMAR_BUDGET = 2;
const MODEL_BUDGET = 4;

/** An answer as its drafts see it. */
interface Drafted {
  /** Prompt and answer so far: a list that grows while it is used. */
  readonly tokens: readonly number[];
  readonly chooser: Chooser;
}

export class Drafts {
  /** The side of this answer for the draft model, if there is one. */
  readonly byModel: Drafting | undefined;
  readonly #chooser: Chooser;
  readonly #lookup: PromptLookup;
  readonly #grammar: DraftAccount = new DraftAccount(GRAMMAR_BUDGET);
  readonly #accounts: readonly DraftAccount[];
  readonly #max: number;
  #readable: readonly number[] | undefined;

  constructor(settings: GenerationSettings, engine: Engine, { tokens, chooser }: Drafted) {
    const { draftMax: max = DRAFT_MAX, draftMin: min = DRAFT_MIN, draftPMin = DRAFT_P_MIN } = settings;
    this.#chooser = chooser;
    this.#max = max;
    this.#lookup = new PromptLookup(tokens, engine.executor.vocabSize, { max, min });
    this.#accounts = [this.#grammar, this.#lookup.account];
    if (!engine.hasDraftModel || max === 0) return;
    const account = new DraftAccount(MODEL_BUDGET);
    this.#accounts = [...this.#accounts, account];
    this.byModel = { account, max, min, minProbability: draftPMin, guesser: () => chooser.guesser() };
  }

  /** Tokens drafted so far. */
  get drafted(): number {
    return this.#accounts.reduce((sum, { drafted }) => sum + drafted, 0);
  }

  /** The number of them that were correct. */
  get accepted(): number {
    return this.#accounts.reduce((sum, { accepted }) => sum + accepted, 0);
  }

  /** The only tokens whose logits are read behind those that `propose` proposed last; undefined: any may be read. */
  get readable(): readonly number[] | undefined {
    return this.#readable;
  }

  /** Up to `limit` tokens that may come next, without a draft model. */
  propose(limit: number, price: Price): readonly number[] {
    this.#readable = undefined;
    const draft = this.#chooser.constrained ? this.#byGrammar(Math.min(limit, this.#max), price) : [];
    return draft.length > 0 ? draft : this.#lookup.propose(limit, price);
  }

  /** Takes the next token of the answer. */
  confirm(id: number): void {
    for (const account of this.#accounts) account.confirm(id);
  }

  /** Tokens that the constraint leaves, as long as they can be guessed. */
  #byGrammar(limit: number, price: Price): readonly number[] {
    // Making guesses takes time, too.
    if (limit <= 0 || this.#grammar.budget < price(1) || this.#grammar.expected(1) < price(1)) {
      this.#grammar.pay([], 0);
      return [];
    }
    const guesser = this.#chooser.guesser();
    const tokens: number[] = [];
    const probabilities: number[] = [];
    const readable: (readonly number[] | undefined)[] = [];
    while (tokens.length < limit && !guesser.done) {
      const guess = guesser.known();
      if (!guess) break;
      tokens.push(guess.id);
      probabilities.push(guess.probability);
      guesser.accept(guess.id);
      readable.push(guesser.few());
    }
    const draft = tokens.slice(0, this.#grammar.worth(probabilities, price));
    this.#grammar.pay(draft, price(draft.length), probabilities);
    const rows = readable.slice(0, draft.length);
    if (draft.length > 0 && rows.every((row) => row !== undefined)) this.#readable = rows.flat();
    return draft;
  }
}
