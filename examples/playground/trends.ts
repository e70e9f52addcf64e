/**
 * The model's memory and speed over the time in which it works, each as a line with its figures in words.
 * @module
 */
import type { MemoryPlan } from "nibble-llm/browser";
import { PAGE_TOKENS } from "../../src/runtime/layout.ts";
import { byId, megabytes } from "./dom.ts";

/** Points of a line; when it has more, every second one is left out. */
const MOST_POINTS = 240;

/** A point: milliseconds of work, the value, and whether the line begins anew with it. */
interface Point {
  readonly at: number;
  readonly value: number;
  readonly first: boolean;
}

/** When a value was measured. */
export interface Step {
  /** Milliseconds that the value holds for. */
  readonly milliseconds: number;
  /** Whether the model did nothing before. */
  readonly first: boolean;
}

/** A figure of the page (`figcaption span` for words, `path` for the line) that shows a value over time. */
class Trend {
  readonly #words: HTMLElement;
  readonly #line: SVGPathElement;
  readonly #none: string;
  #points: Point[] = [];

  constructor(figure: HTMLElement) {
    this.#words = figure.querySelector("figcaption span")!;
    this.#line = figure.querySelector("path")!;
    this.#none = this.#words.textContent!;
  }

  /** Milliseconds of work. */
  get worked(): number {
    return this.#points.at(-1)?.at ?? 0;
  }

  get values(): readonly number[] {
    return this.#points.map(({ value }) => value);
  }

  clear(): void {
    this.#points = [];
    this.#words.textContent = this.#none;
    this.#line.setAttribute("d", "");
  }

  add(value: number, { milliseconds, first }: Step): void {
    if (first || this.#points.length === 0) this.#points.push({ at: this.worked, value, first: true });
    this.#points.push({ at: this.worked + milliseconds, value, first: false });
    if (this.#points.length > MOST_POINTS) this.#points = this.#points.filter(({ first }, i) => first || i % 2 === 1);
  }

  /** @param top the value at the upper edge */
  draw(top: number, words: string): void {
    this.#words.textContent = words;
    const [width, height] = [100 / (this.worked || 1), 100 / (top || 1)];
    const steps = this.#points.map(
      ({ at, value, first }) => `${first ? "M" : "L"}${(at * width).toFixed(2)} ${(100 - value * height).toFixed(2)}`,
    );
    this.#line.setAttribute("d", steps.join(""));
  }
}

export class Trends {
  readonly #memory = new Trend(byId("memory-trend"));
  readonly #speed = new Trend(byId("speed-trend"));
  #plan: MemoryPlan | undefined;
  #loadedAt = 0;

  /** Begins with another model. */
  plan(plan: MemoryPlan): void {
    this.#plan = plan;
    this.#loadedAt = performance.now();
    this.#memory.clear();
    this.#speed.clear();
  }

  /** @param weights bytes of weights that are in memory so far */
  load(weights: number): void {
    const now = performance.now();
    this.#hold(weights, 0, { milliseconds: now - this.#loadedAt, first: false });
    this.#loadedAt = now;
  }

  /** @param rate tokens per second during the step @param tokens tokens of the conversation in the key-value cache */
  answer(rate: number, tokens: number, step: Step): void {
    this.#hold(this.#plan?.weights ?? 0, tokens, step);
    const speed = this.#speed;
    speed.add(rate, step);
    const [least, most] = [Math.min(...speed.values), Math.max(...speed.values)];
    const range = `${rounded(least)} to ${rounded(most)} in ${(speed.worked / 1000).toFixed(1)} s`;
    speed.draw(most, `${rounded(rate)} (${range})`);
  }

  #hold(weights: number, tokens: number, step: Step): void {
    const plan = this.#plan;
    if (!plan) return;
    const pages = Math.min(plan.pageCount, Math.ceil(tokens / PAGE_TOKENS));
    const held = plan.total - plan.weights - plan.kvCache + weights + pages * plan.pageBytes;
    this.#memory.add(held, step);
    this.#memory.draw(plan.total, `${megabytes(held)} of ${megabytes(plan.total)} in use`);
  }
}

/** A rate with the digits that say something: `7.4`, `412`. */
export const rounded = (rate: number): string => (rate < 10 ? rate.toFixed(1) : `${Math.round(rate)}`);
