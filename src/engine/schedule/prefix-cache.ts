/**
 * Finds the part of a prompt that the key-value cache already holds, by its tokens. It looks at sequences in use, and
 * at those of ended requests, which are kept until their pages are needed. A new sequence begins with the longest
 * prefix that any of them shares with its tokens. Logits do not depend on how a prompt is cut, so reused pages hold the
 * same bits that computing them again would give.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Executor, Sequence } from "../../runtime/types.ts";
import { mayShare, type Sharing, sharedLength } from "./shared-prefix.ts";

/** A sequence and its tokens; tokens beyond the sequence's length are not computed yet. */
export interface Holder extends Sharing {
  readonly tokens: readonly number[];
  readonly sequence: Sequence | undefined;
  /** Its keys and values were not computed here, so no other sequence may copy them. */
  readonly isPrivate?: boolean;
}

interface Kept extends Sharing {
  readonly tokens: number[];
  readonly sequence: Sequence;
}

interface Match {
  readonly sequence: Sequence;
  readonly length: number;
  /** The kept sequence; undefined if the sequence is in use. */
  readonly kept: Kept | undefined;
}

/** Fewer shared tokens (a BOS, a role's header) are not worth the copy of a page. */
const MIN_SHARED = 8;
/** Most kept sequences. This bounds the time of a search; each kept sequence also takes one of `maxSequences`. */
const MAX_KEPT = 256;

export class PrefixCache {
  readonly #executor: Executor;
  readonly #live = new Set<Holder>();
  /** Kept sequences, the least recently used first. */
  readonly #kept = new Set<Kept>();
  readonly #enabled: boolean;

  /** @param enabled whether tokens are reused; otherwise every token is computed */
  constructor(executor: Executor, enabled = true) {
    this.#executor = executor;
    this.#enabled = enabled;
  }

  /** Lets others copy the tokens that `holder` has computed, until `retire`. */
  register(holder: Holder): void {
    this.#live.add(holder);
  }

  /**
   * A sequence that holds the longest known prefix of `tokens`, without the last token, whose logits are wanted.
   * @throws NibbleError `context_full` where all of the runtime's sequences are in use
   */
  acquire(tokens: readonly number[], sharing: Sharing = {}): Sequence {
    const match = this.#find(tokens, sharing, MIN_SHARED - 1);
    return match ? this.#begin(match) : this.#withFreeSequence(() => this.#executor.createSequence(sharing.adapters));
  }

  /** Returns `sequence`, or replaces it by another that holds more of `tokens`. */
  extend(sequence: Sequence, tokens: readonly number[], sharing: Sharing): Sequence {
    const match = this.#find(tokens, sharing, sequence.length + MIN_SHARED - 1);
    if (!match) return sequence;
    sequence.dispose(); // The other one may need its place.
    return this.#begin(match);
  }

  /** A copy of a sequence, or of its first `length` tokens. @throws NibbleError `context_full` where all of the runtime's sequences are in use */
  fork(sequence: Sequence, length?: number): Sequence {
    return this.#withFreeSequence(() => sequence.fork(length));
  }

  /**
   * Ends a holder's use of its sequence. The sequence is kept for others until its pages are needed, if it holds
   * tokens that no other one holds; else it is disposed.
   */
  retire(holder: Holder): void {
    this.#live.delete(holder);
    const { sequence } = holder;
    if (!sequence) return;
    if (holder.isPrivate) {
      sequence.dispose();
      return;
    }
    const { length } = sequence;
    const within = (other: Holder) => mayShare(other, holder) && startsWith(other, holder.tokens, length);
    if (
      !this.#enabled ||
      length < MIN_SHARED ||
      [...this.#live].some((other) => !other.isPrivate && within(other)) ||
      this.#touch(within)
    ) {
      sequence.dispose();
      return;
    }
    for (const kept of this.#kept) {
      const { length: shorter } = kept.sequence;
      if (!mayShare(kept, holder)) continue;
      if (sequence.knownLength(shorter) < shorter) continue; // It alone has the state of recurrent layers there.
      if (shorter <= length && sharedLength(kept.tokens, holder.tokens, shorter) === shorter) this.#drop(kept);
    }
    sequence.rest();
    const { adapters, cacheSalt } = holder;
    this.#kept.add({ tokens: holder.tokens.slice(0, length), adapters, cacheSalt, sequence });
    if (this.#kept.size > MAX_KEPT) this.#dropOldest();
  }

  /** Frees the last page of the least recently used sequence. @returns false if no sequence is kept */
  reclaim(): boolean {
    const [oldest] = this.#kept;
    if (!oldest) return false;
    const { pageTokens } = this.#executor;
    const length = (Math.ceil(oldest.sequence.length / pageTokens) - 1) * pageTokens;
    if (length < MIN_SHARED) {
      this.#drop(oldest);
    } else {
      oldest.sequence.truncate(length);
      oldest.tokens.length = oldest.sequence.length;
    }
    return true;
  }

  /** Drops all kept sequences. */
  clear(): void {
    for (const kept of this.#kept) this.#drop(kept);
  }

  /** Pages that hold the tokens of registered holders. */
  get usedPages(): number {
    const sequences: Sequence[] = [];
    for (const { sequence } of this.#live) if (sequence) sequences.push(sequence);
    return this.#executor.pagesOf(sequences);
  }

  /** The number of leading `tokens` that some sequence holds, without the last token. */
  matchLength(tokens: readonly number[], sharing: Sharing): number {
    return this.#find(tokens, sharing, MIN_SHARED - 1)?.length ?? 0;
  }

  /** The longest match of more than `least` tokens. */
  #find(tokens: readonly number[], sharing: Sharing, least: number): Match | undefined {
    if (!this.#enabled) return undefined;
    let best: Match | undefined;
    let length = least;
    const consider = (holder: Holder, kept?: Kept): void => {
      if (holder.isPrivate) return;
      const { tokens: held, sequence } = holder;
      const most = Math.min(tokens.length - 1, held.length, sequence?.length ?? 0);
      // A longer match has the token at `length` too: most holders are told apart by one comparison.
      if (!sequence || most <= length || held[length] !== tokens[length]) return;
      if (!mayShare(holder, sharing)) return;
      const shared = sequence.knownLength(sharedLength(tokens, held, most));
      if (shared <= length) return;
      length = shared;
      best = { sequence, length, kept };
    };
    for (const kept of this.#kept) consider(kept, kept);
    for (const holder of this.#live) consider(holder);
    return best;
  }

  /** A kept sequence that the new one continues is taken over. Others are copied, since they may be wanted again. */
  #begin({ sequence, length, kept }: Match): Sequence {
    if (kept && sequence.length === length) return this.#takeOver(kept);
    if (kept) this.#kept.delete(kept);
    try {
      return this.fork(sequence, length);
    } catch (error) {
      // Without room for a copy, the kept sequence itself is used.
      if (!kept || !isFull(error) || this.#executor.freeStates === 0) throw error;
      sequence.truncate(length);
    } finally {
      if (kept) this.#kept.add(kept); // It is now the most recently used.
    }
    return this.#takeOver(kept);
  }

  #takeOver(kept: Kept): Sequence {
    kept.sequence.wake();
    this.#kept.delete(kept);
    return kept.sequence;
  }

  /** Runs `make`, which needs a free sequence; kept sequences are dropped until there is one. */
  #withFreeSequence(make: () => Sequence): Sequence {
    for (;;) {
      try {
        return make();
      } catch (error) {
        if (!isFull(error) || this.#executor.freeStates === 0 || !this.#dropOldest()) throw error;
      }
    }
  }

  /** Marks the first kept sequence that `fits` as the most recently used. */
  #touch(fits: (kept: Kept) => boolean): boolean {
    for (const kept of this.#kept) {
      if (!fits(kept)) continue;
      this.#kept.delete(kept);
      this.#kept.add(kept);
      return true;
    }
    return false;
  }

  #dropOldest(): boolean {
    const [oldest] = this.#kept;
    if (oldest) this.#drop(oldest);
    return oldest !== undefined;
  }

  #drop(kept: Kept): void {
    this.#kept.delete(kept);
    kept.sequence.dispose();
  }
}

function isFull(error: unknown): boolean {
  return error instanceof NibbleError && error.code === "context_full";
}

/** Whether another sequence can continue from the first `length` of `tokens` with what `holder` has computed. */
function startsWith(holder: Holder, tokens: readonly number[], length: number): boolean {
  if ((holder.sequence?.knownLength(length) ?? 0) < length || holder.tokens.length < length) return false;
  return sharedLength(holder.tokens, tokens, length) === length;
}
