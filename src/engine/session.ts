/**
 * A token sequence under the caller's own control: logits in hand, no sampling.
 * @module
 */
import { NibbleError } from "../errors.ts";
import type { Executor, Sequence } from "../runtime/types.ts";
import { checkIds, checkNumber, Fields, invalid } from "./fields.ts";

export interface ForwardOptions {
  /** Logits for the last token (default), for each, or for none. */
  readonly logits?: "last" | "all" | "none";
}

export class Session {
  readonly #executor: Executor;
  readonly #sequence: Sequence;
  readonly #open: Set<Session>;
  #disposed = false;

  /** @param open where the session is listed until it is disposed */
  constructor(executor: Executor, sequence: Sequence, open: Set<Session>) {
    this.#executor = executor;
    this.#sequence = sequence;
    this.#open = open;
    open.add(this);
  }

  /** Tokens so far. */
  get length(): number {
    return this.#live().length;
  }

  /**
   * Appends tokens. On an error nothing is appended.
   * @param tokens ids in an array or a typed array
   * @returns a copy of the logits, [rows, vocabSize] in one array: 1 row, a row for each token, or none
   * @throws NibbleError `invalid_argument`, `context_full` (the conversation's `contextLength`, or the `cacheTokens` of
   * all together, are used up), `disposed`, `poisoned`
   */
  forward(tokens: ArrayLike<number>, options?: ForwardOptions): Float32Array {
    const sequence = this.#live();
    const { vocabSize, maxBatchTokens, maxLogitRows, contextLength } = this.#executor;
    const ids = checkIds("tokens", tokens, vocabSize);
    const count = ids.length;
    if (count === 0) throw invalid("tokens", "at least one token", tokens, "invalid_argument");
    const fields = new Fields(options ?? {}, ["logits"], "", "invalid_argument");
    const logits = fields.oneOf("logits", ["last", "all", "none"]) ?? "last";
    const before = sequence.length;
    if (before + count > contextLength) {
      throw new NibbleError(
        "context_full",
        `the session holds ${before} tokens and ${count} more were given; the context holds ${contextLength} (contextLength)`,
      );
    }
    const rows = logits === "all" ? count : logits === "last" ? 1 : 0;
    const result = new Float32Array(rows * vocabSize);
    const step = logits === "all" ? Math.min(maxBatchTokens, maxLogitRows) : maxBatchTokens;
    try {
      let filled = 0;
      for (let start = 0; start < count; start += step) {
        const part = ids.slice(start, start + step);
        const wanted = logits === "last" && start + step < count ? "none" : logits;
        for (const row of this.#executor.forward([{ sequence, tokens: part, logits: wanted }])) {
          result.set(row, filled);
          filled += vocabSize;
        }
      }
    } catch (error) {
      if (sequence.length > before) sequence.truncate(before);
      throw error;
    }
    return result;
  }

  /** Another session with the same tokens; nothing is computed again. */
  fork(): Session {
    return new Session(this.#executor, this.#live().fork(), this.#open);
  }

  /** Forgets all tokens from `length` on. @throws NibbleError `invalid_argument` beyond the session's length */
  truncate(length: number): void {
    const sequence = this.#live();
    checkNumber("length", length, { min: 0, max: sequence.length, integer: true }, "invalid_argument");
    sequence.truncate(length);
  }

  /** Gives the pages back. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#open.delete(this);
    this.#sequence.dispose();
  }

  #live(): Sequence {
    if (this.#disposed) throw new NibbleError("disposed", "the session is disposed");
    return this.#sequence;
  }
}
