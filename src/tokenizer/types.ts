/**
 * The tokenizer as the rest of the program sees it.
 * @module
 */
export interface EncodeOptions {
  /** Parse text that spells a special token as that token (default true). User-defined tokens are always parsed. */
  special?: boolean;
  /** Put BOS first; default: what the model's files say (`addBos`). */
  addBos?: boolean;
  /** Put EOS behind (default false). */
  addEos?: boolean;
}

export interface Tokenizer {
  /** Number of ids, 0 .. vocabSize - 1. */
  readonly vocabSize: number;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  /** Every id that ends a turn: eos, eot, eom, and tokens whose text is a known end marker. */
  readonly endIds: ReadonlySet<number>;
  /** Whether the model's files ask for a BOS in front of raw text. */
  readonly addBos: boolean;
  encode(text: string, options?: EncodeOptions): number[];
  /** Ids to text; invalid UTF-8 becomes U+FFFD. `skipSpecial` (default false) leaves special tokens out. */
  decode(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): string;
  /** Streaming decode: never emits half a character. */
  decoder(options?: { skipSpecial?: boolean }): StreamDecoder;
  /** The token as text: byte-level alphabets are undone; bytes that are not UTF-8 alone show as U+FFFD. */
  token(id: number): string;
  /** The bytes that a token stands for. */
  tokenBytes(id: number): Uint8Array;
  /** The id of a token by its literal content, such as `<|eot_id|>`. */
  idOf(content: string): number | undefined;
  isSpecial(id: number): boolean;
}

export interface StreamDecoder {
  /** Text that is complete now; an unfinished UTF-8 sequence waits. */
  push(id: number): string;
  /** What waits, with U+FFFD for an unfinished sequence. */
  end(): string;
}
