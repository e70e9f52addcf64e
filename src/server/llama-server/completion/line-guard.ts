/**
 * Two bounds of llama-server's for completing code: `n_indent` ends an answer at a line with less white space before it,
 * and `t_max_predict_ms` ends it, after its first line, when it has taken too long.
 * @module
 */
import { type Timings, timingsOf } from "../../../engine/generate/timings.ts";

export interface LineBounds {
  /** Least white space before each line after the first; 0: no bound. */
  readonly indent: number;
  /** Milliseconds after the first token; 0: no bound. */
  readonly maxMs: number;
}

export class LineGuard {
  /** The answer ends here. */
  stopped = false;
  readonly #bounds: LineBounds;
  readonly #start: number = performance.now();
  #firstToken: number | undefined;
  /** White space at the beginning of this line so far; undefined: the line is the first one, or its text has begun. */
  #indent: number | undefined;
  #hasNewLine = false;

  constructor(bounds: LineBounds) {
    this.#bounds = bounds;
  }

  /** The part of a text that belongs to the answer. */
  push(text: string): string {
    this.#firstToken ??= performance.now();
    const { indent, maxMs } = this.#bounds;
    const kept = indent > 0 ? text.slice(0, this.#cut(text, indent)) : text;
    this.#hasNewLine ||= kept.includes("\n");
    if (maxMs > 0 && this.#hasNewLine && performance.now() - this.#firstToken > maxMs) this.stopped = true;
    return kept;
  }

  /** How many units of the text come before a line that is not indented enough. */
  #cut(text: string, indent: number): number {
    for (let i = 0; i < text.length; i++) {
      const unit = text[i]!;
      if (unit === "\n") this.#indent = 0;
      else if (this.#indent !== undefined && (unit === " " || unit === "\t")) this.#indent++;
      else if (this.#indent !== undefined && this.#indent < indent) {
        this.stopped = true;
        return i;
      } else this.#indent = undefined;
    }
    return text.length;
  }

  /** The figures of an answer that ended here, which the engine has not given. */
  timings(prompt: number, predicted: number): Timings {
    const first = this.#firstToken ?? performance.now();
    const [promptMs, predictedMs] = [first - this.#start, performance.now() - first];
    return timingsOf({ cached: 0, prompt, promptMs, predicted, predictedMs });
  }
}
