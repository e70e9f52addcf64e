/**
 * Measures the speed of an answer: by counting tokens while they come, and by the engine's own figure at the end.
 * @module
 */
import type { Timings, Usage } from "nibble-llm/browser";
import { rounded, type Trends } from "./trends.ts";

/** Milliseconds between two figures. */
const STEP = 100;

export class Meter {
  readonly #place: HTMLElement;
  readonly #trends: Trends;
  #counted = { at: 0, tokens: 0 };
  #first = { at: 0, tokens: 0 };
  #usage: Usage | undefined;
  #drawn = false;

  constructor(place: HTMLElement, trends: Trends) {
    this.#place = place;
    this.#trends = trends;
    place.textContent = "";
  }

  /** To be called with the counts up to each piece. */
  count(usage: Usage): void {
    this.#usage = usage;
    const now = { at: performance.now(), tokens: usage.completion_tokens };
    if (this.#first.at === 0) this.#counted = this.#first = now;
    if (now.at - this.#counted.at < STEP) return;
    this.#draw(rateBetween(this.#counted, now), now.at);
    this.#place.textContent = perSecond(rateBetween(this.#first, now));
    this.#counted = now;
  }

  /** The tokens of the answer and its speed, in words; "" if there was no token. */
  end(timings?: Timings): string {
    const now = { at: performance.now(), tokens: this.#usage?.completion_tokens ?? 0 };
    const rate = timings ? timings.predicted_per_second : rateBetween(this.#first, now);
    if (now.tokens === 0) return "";
    if (!this.#drawn) this.#draw(rate, now.at); // the answer was shorter than a step
    this.#place.textContent = perSecond(rate);
    return `${now.tokens} tokens, ${perSecond(rate)}`;
  }

  #draw(rate: number, at: number): void {
    const step = { milliseconds: at - this.#counted.at, first: !this.#drawn };
    this.#trends.answer(rate, this.#usage!.total_tokens, step);
    this.#drawn = true;
  }
}

interface Count {
  readonly at: number;
  readonly tokens: number;
}

const rateBetween = (from: Count, to: Count): number =>
  to.at > from.at ? ((to.tokens - from.tokens) / (to.at - from.at)) * 1000 : 0;

const perSecond = (rate: number): string => `${rounded(rate)} tokens/s`;
