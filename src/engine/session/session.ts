/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A token sequence under the caller's control. It returns logits and does not sample.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { checkIds, checkNumber, Fields, invalid } from "../../base/fields.ts";
import type { Executor, Sequence } from "../../runtime/types.ts";
import type { Holder, PrefixCache } from "../schedule/prefix-cache.ts";
import { decodeSession, encodeSession } from "./session-file.ts";
import { type SessionKey, signed } from "./signature.ts";

/** Options of `forward`. */
export interface ForwardOptions {
  /** Logits for the last token (default), for each, or for none. */
  readonly logits?: "last" | "all" | "none";
}

/** The parts of a model that its sessions share. */
export interface SessionParts {
  readonly executor: Executor;
  readonly prefixes: PrefixCache;
  /** Sessions that are not disposed. */
  readonly open: Set<Session>;
  /** Only sessions and requests with the same text copy pages of each other, as `Sharing` says. */
  readonly cacheSalt?: string | undefined;
}

interface Held extends Holder {
  readonly tokens: number[];
  sequence: Sequence;
}

/** A sequence of tokens whose keys and values stay in the cache between calls. */
export class Session {
  readonly #parts: SessionParts;
  /** The tokens and pages that others may copy. */
  readonly #held: Held;
  #disposed = false;

  /** @param isPrivate the keys and values come from outside, so no other session or request may copy them */
  constructor(parts: SessionParts, sequence: Sequence, tokens: readonly number[] = [], isPrivate = false) {
    this.#parts = parts;
    const { cacheSalt } = parts;
    this.#held = { tokens: [...tokens], adapters: sequence.adapters, cacheSalt, sequence, isPrivate };
    parts.open.add(this);
    parts.prefixes.register(this.#held);
  }

  /** Tokens so far. */
  get length(): number {
    return this.#live().tokens.length;
  }

  /**
   * Appends tokens. On an error nothing is appended. Unless the logits of all tokens are wanted, tokens that other
   * sessions and requests have computed are copied instead of computed again.
   * @param tokens ids in an array or a typed array
   * @returns a copy of the logits, [rows, vocabSize] in one array: one row, a row per token, or none
   * @throws NibbleError `invalid_argument`, `disposed`, `poisoned`; `context_full` if the session's `contextLength` or
   * the `cacheTokens` of all sessions and requests together are used up
   */
  forward(tokens: ArrayLike<number>, options?: ForwardOptions): Float32Array {
    const held = this.#live();
    const { executor, prefixes } = this.#parts;
    const { vocabSize, maxBatchTokens, maxLogitRows, contextLength } = executor;
    const ids = checkIds("tokens", tokens, vocabSize);
    const count = ids.length;
    if (count === 0) throw invalid("tokens", "at least one token", tokens, "invalid_argument");
    const fields = new Fields(options ?? {}, ["logits"], "", "invalid_argument");
    const logits = fields.oneOf("logits", ["last", "all", "none"]) ?? "last";
    const before = held.tokens.length;
    if (before + count > contextLength) {
      throw new NibbleError(
        "context_full",
        `the session holds ${before} tokens and ${count} more were given; the context holds ${contextLength} (contextLength)`,
      );
    }
    const rows = logits === "all" ? count : logits === "last" ? 1 : 0;
    const result = new Float32Array(rows * vocabSize);
    const all = [...held.tokens, ...ids];
    try {
      if (logits !== "all") held.sequence = prefixes.extend(held.sequence, all, held);
      const { sequence } = held;
      let filled = 0;
      // Recurrent layers may have gone back further than `truncate` asked for: the tokens up to `before` come first then.
      for (let from = sequence.length; from < all.length; from = sequence.length) {
        const again = from < before;
        const most = logits === "all" && !again ? Math.min(maxBatchTokens, maxLogitRows) : maxBatchTokens;
        const part = all.slice(from, Math.min(from + most, again ? before : all.length));
        const wanted = again || (logits === "last" && from + part.length < all.length) ? "none" : logits;
        while (sequence.pagesNeeded(part.length) > executor.freePages && prefixes.reclaim());
        for (const row of executor.forward([{ sequence, tokens: part, logits: wanted }])) {
          result.set(row, filled);
          filled += vocabSize;
        }
      }
    } catch (error) {
      if (held.sequence.length > before) held.sequence.truncate(before);
      throw error;
    }
    for (const id of ids) held.tokens.push(id);
    return result;
  }

  /**
   * The session as bytes. `model.restore` continues it with the same bits on any host, build and number of threads, if
   * the model and its `kvType` are the same. The size is 4 bytes per token and the full pages of the cache, with
   * recurrent layers those up to a border whose state is kept, and that state.
   */
  save(): Uint8Array {
    const { tokens, sequence } = this.#live();
    const { adapters, savedLength } = sequence;
    return encodeSession({ tokens, adapters, savedLength, pages: sequence.savePages() }, this.#parts.executor);
  }

  /**
   * `save`, with a signature behind the bytes, by which `model.restoreSigned` knows that they were computed by someone
   * with the same key.
   * @throws NibbleError `invalid_argument` for a key that is none; `not_supported` for a session whose bytes came without
   * a signature, since nobody knows what is in them
   */
  async saveSigned(key: SessionKey): Promise<Uint8Array> {
    if (!this.#live().isPrivate) return signed(this.save(), key);
    throw new NibbleError(
      "not_supported",
      "the session was restored from bytes without a signature: it cannot be signed",
    );
  }

  /**
   * Opens a session from the bytes of `save`. Tokens after the last saved page are computed again: at most 31,
   * with recurrent layers those after the last border of a page whose state was kept.
   * @param shared whether others may copy the pages; only those of bytes whose signature is right may be
   * @throws NibbleError `bad_magic`, `unsupported_version`, `truncated`, `limit_exceeded`, `bad_value`, `context_full`
   */
  static restore(parts: SessionParts, bytes: Uint8Array, shared: boolean): Session {
    const { executor, prefixes } = parts;
    const { tokens, adapters, savedLength, pages } = decodeSession(bytes, executor);
    const needed = Math.ceil(tokens.length / executor.pageTokens);
    const sequence = prefixes.acquire([], { adapters });
    try {
      while (needed > executor.freePages && prefixes.reclaim());
      sequence.restorePages(pages, savedLength);
      for (let start = sequence.length; start < tokens.length; start += executor.maxBatchTokens) {
        const part = tokens.slice(start, start + executor.maxBatchTokens);
        executor.forward([{ sequence, tokens: part, logits: "none" }]);
      }
    } catch (error) {
      sequence.dispose();
      throw error;
    }
    return new Session(parts, sequence, tokens, !shared);
  }

  /** Another session with the same tokens. Nothing is computed again. */
  fork(): Session {
    const { sequence, tokens, isPrivate } = this.#live();
    return new Session(this.#parts, this.#parts.prefixes.fork(sequence), tokens, isPrivate);
  }

  /** Removes all tokens from `length` on. @throws NibbleError `invalid_argument` beyond the session's length */
  truncate(length: number): void {
    const { sequence, tokens } = this.#live();
    checkNumber("length", length, { min: 0, max: tokens.length, integer: true }, "invalid_argument");
    sequence.truncate(length);
    tokens.length = length;
  }

  /** Frees the pages as soon as others need them. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#parts.open.delete(this);
    this.#parts.prefixes.retire(this.#held);
  }

  /** `dispose`, for `using session = model.session()`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #live(): Held {
    if (this.#disposed) throw new NibbleError("disposed", "the session is disposed");
    return this.#held;
  }
}
