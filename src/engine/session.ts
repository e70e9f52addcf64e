/**
 * A token sequence under the caller's own control: logits in hand, no sampling.
 * @module
 */
import { NibbleError } from "../errors.ts";
import type { Executor, Sequence } from "../runtime/types.ts";

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
   * @returns a copy of the logits, [rows, vocabSize] in one array: 1 row, a row for each token, or none
   * @throws NibbleError `invalid_argument`, `context_full`, `disposed`, `poisoned`
   */
  forward(tokens: ArrayLike<number>, { logits = "last" }: ForwardOptions = {}): Float32Array {
    const sequence = this.#live();
    const { vocabSize, maxBatchTokens, maxLogitRows, contextLength } = this.#executor;
    const count = tokens.length;
    const ids = Array.from(tokens);
    const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
    if (wrong !== undefined) {
      throw new NibbleError("invalid_argument", `expected token ids from 0 to ${vocabSize - 1}, got ${wrong}`);
    }
    if (count === 0) throw new NibbleError("invalid_argument", "forward: expected at least one token, got none");
    if (!["last", "all", "none"].includes(logits)) {
      throw new NibbleError("invalid_argument", `logits: expected "last", "all" or "none", got ${String(logits)}`);
    }
    const before = sequence.length;
    if (before + count > contextLength) {
      throw new NibbleError(
        "context_full",
        `the session holds ${before} tokens and ${count} more were given; the context holds ${contextLength}`,
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

  /** Forgets all tokens from `length` on. */
  truncate(length: number): void {
    const sequence = this.#live();
    if (!Number.isInteger(length) || length < 0 || length > sequence.length) {
      throw new NibbleError("invalid_argument", `truncate: expected 0 to ${sequence.length}, got ${length}`);
    }
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
