/**
 * The runtime as the engine sees it: sequences with a key-value cache, and one call that runs a mixed batch.
 * @module
 */
import type { NibbleError } from "../base/errors.ts";

/** How strongly each of the model's adapters is applied, in their order. Where it is undefined, none is. */
export type AdapterScales = readonly number[];

/** A token sequence with its cached keys and values. Dispose it to give its pages back. */
export interface Sequence {
  /** Tokens whose keys and values are cached. */
  readonly length: number;
  /** The scales of the adapters. They apply to all tokens of the sequence, because keys and values depend on them. */
  readonly adapters: AdapterScales | undefined;
  /**
   * Makes another sequence with the first `length` tokens (default: all), or `knownLength(length)` of them. The two share
   * pages; a shared page is copied before it is written.
   */
  fork(length?: number): Sequence;
  /**
   * The number of free pages that appending `count` tokens takes: new pages, and a copy of the last page where it is
   * shared.
   */
  pagesNeeded(count: number): number;
  /**
   * The most tokens, up to `length`, that the sequence can go back to: all of them for attention. Recurrent layers can go
   * back only to a position whose state was kept (states.ts).
   */
  knownLength(length: number): number;
  /** Drops all tokens from `length` on, or from `knownLength(length)` on: `length` tells which. */
  truncate(length: number): void;
  /** Lets other sequences take its slots for states, until `wake`. It cannot be continued meanwhile. */
  rest(): void;
  /**
   * Ends `rest`; the sequence may have become shorter, where its last state was taken.
   * @throws NibbleError `context_full` where all states belong to sequences in use
   */
  wake(): void;
  /** The tokens that `savePages` saves: those of full pages, for recurrent layers up to a border whose state is kept. */
  readonly savedLength: number;
  /** A copy of the pages of `savedLength` tokens, and of the state after them. */
  savePages(): Uint8Array;
  /**
   * Fills an empty sequence with what `savePages` copied, on this executor or one with the same fingerprint.
   * @param length its `savedLength`
   * @throws NibbleError `context_full` where too few pages are free; nothing has changed then
   */
  restorePages(pages: Uint8Array, length: number): void;
  dispose(): void;
}

/** Part of a batch: tokens to append to a sequence, and for which of them logits are wanted. */
export interface BatchItem {
  readonly sequence: Sequence;
  readonly tokens: ArrayLike<number>;
  /** A number stands for that many of the last tokens. */
  readonly logits: "none" | "first" | "last" | "all" | number;
  /** The token type of each token, 0 or more, for models that have them (default 0). */
  readonly types?: ArrayLike<number> | undefined;
  /** How many of the last tokens are drafts, which `truncate` may drop again (default 0). Their states are kept. */
  readonly drafts?: number;
}

/** How many rows of logits an item wants: the first one, or so many of its last tokens. */
export function logitRows({ tokens, logits }: Pick<BatchItem, "tokens" | "logits">): number {
  const { length } = tokens;
  if (typeof logits === "number") return logits;
  return logits === "all" ? length : logits === "none" ? 0 : Math.min(1, length);
}

/** Runs a model. All calls are synchronous; the caller yields to the host between them. */
export interface Executor {
  readonly vocabSize: number;
  /** Width of the hidden states. */
  readonly hiddenSize: number;
  /** Width of the head's results: the vocabulary, or what an embedding model makes of a pooled state. */
  readonly headSize: number;
  /** Whether the model predicts the next token of a text. */
  readonly generates: boolean;
  /** Whether the head takes the pooled state of a text. Otherwise it is that of a language model. */
  readonly poolsStates: boolean;
  /** Whether tokens attend to those after them. Then one call reads a sequence whole, and nothing can be appended to it. */
  readonly bidirectional: boolean;
  /** Most tokens that a sequence may hold. */
  readonly contextLength: number;
  /** Most token rows of one `forward` call, over all items, and most rows that may ask for logits. */
  readonly maxBatchTokens: number;
  readonly maxLogitRows: number;
  /** Free pages of the key-value cache, which the scheduler may still hand out; tokens and bytes per page. */
  readonly freePages: number;
  readonly pageTokens: number;
  readonly pageBytes: number;
  /** Bytes of a state of the recurrent layers; 0 where there are none. */
  readonly stateBytes: number;
  /** How many more sequences can be in use, as far as states go; `Infinity` without recurrent layers. */
  readonly freeStates: number;
  /** Most drafts of a sequence in a batch after which its states are kept; `Infinity` without recurrent layers. */
  readonly maxDrafts: number;
  /**
   * Resolves when nothing can be computed any more, after a trap or where a thread has ended: to the error `poisoned` that
   * later calls throw.
   */
  readonly lost: Promise<NibbleError>;
  /**
   * Four 32-bit words, a hash of the model and of everything else that cached keys and values depend on. Computed at
   * the first call.
   */
  fingerprint(): Uint32Array;
  /** How many pages hold the tokens of these sequences; a shared page counts once. */
  pagesOf(sequences: readonly Sequence[]): number;
  /**
   * @throws NibbleError `context_full` where all sequences are in use, `invalid_argument` for adapters that there are
   * not
   */
  createSequence(adapters?: AdapterScales): Sequence;
  /**
   * Appends the tokens of every item and computes logits for the rows that ask.
   * Returns one Float32Array view [vocabSize] per asking row, in order; views are valid until the next call.
   * On an error no sequence has changed.
   * @throws NibbleError `context_full`, `invalid_argument`, `disposed`, `poisoned`
   */
  forward(batch: readonly BatchItem[]): Float32Array[];
  /**
   * Does the same, but the rows hold the logits of these tokens alone, with the same bits. What the rows hold of others is
   * not defined.
   */
  forwardSome(batch: readonly BatchItem[], tokens: readonly number[]): Float32Array[];
  /**
   * Does the same without the head. Returns the states after the final norm, [hiddenSize], one for each row that asks
   * for logits; all rows of a batch may ask.
   */
  hiddenStates(batch: readonly BatchItem[]): Float32Array[];
  /**
   * Runs the head on states [hiddenSize], at most `maxLogitRows` of them. Returns views [headSize], as `forward` does.
   * @throws NibbleError `invalid_argument`, `disposed`, `poisoned`
   */
  runHead(states: readonly Float32Array[]): Float32Array[];
  dispose(): void;
}
