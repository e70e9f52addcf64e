/**
 * The tokenizer as the rest of the program sees it.
 * @module
 */
import type { Around } from "./around.ts";
import type { FimTokens } from "./fim.ts";

/** Options of `Tokenizer.encode`. */
export interface EncodeOptions {
  /** Whether text that spells a special token is that token (default true). User-defined tokens are always found. */
  special?: boolean;
  /** Whether BOS comes first. Default: what the model's files say (`Tokenizer.addBos`). */
  addBos?: boolean;
  /** Whether EOS comes last (default false). */
  addEos?: boolean;
  /** Most ids. A text that has more is refused as soon as that is known, often before any of it is read. Default: no limit. */
  limit?: number;
  /**
   * How many ids suffice, for a text that will be cut: reading ends with the piece in which there are so many. The first
   * `enough` ids are those of the whole text, and some more may follow. Default: all are read.
   */
  enough?: number;
}

/** Turns text into token ids and back. Ids are whole numbers from 0 to `vocabSize - 1`. */
export interface Tokenizer {
  /** How many ids there are. */
  readonly vocabSize: number;
  /** The token that begins a text, if the model has one. */
  readonly bosId: number | undefined;
  /** The token that ends a text, if the model has one. */
  readonly eosId: number | undefined;
  /** Every id that ends a turn: EOS, end-of-turn and end-of-message tokens, tokens whose text is a known end marker, and those after which another text would begin (`fimEnds`). */
  readonly endIds: ReadonlySet<number>;
  /** Whether the model's files ask for BOS in front of raw text. */
  readonly addBos: boolean;
  /** The tokens that the model's files put around texts that are complete, such as ones that are embedded. */
  readonly around: Around;
  /** The tokens by which the model fills a gap in a text. */
  readonly fim: FimTokens;
  /**
   * The ids of a text. A lone surrogate counts as U+FFFD.
   * @throws NibbleError `invalid_argument` if BOS or EOS is asked for and the model has none; `limit_exceeded` beyond `limit`
   */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * The text of ids. Bytes that are not UTF-8 become U+FFFD, and an id beyond the vocabulary stands for no bytes.
   * `skipSpecial` (default false) leaves special tokens out.
   * @throws NibbleError `invalid_argument` for a number that is not an id
   */
  decode(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): string;
  /** Decodes ids one by one, and never returns half a character. */
  decoder(options?: { skipSpecial?: boolean }): StreamDecoder;
  /** The text that one token stands for. Bytes that are not UTF-8 by themselves become U+FFFD. */
  token(id: number): string;
  /** A copy of the bytes that a token stands for. */
  tokenBytes(id: number): Uint8Array;
  /** The id of a token by its literal text, such as `<|eot_id|>`; undefined if there is none. */
  idOf(content: string): number | undefined;
  /** Whether a token is special, that is a control token. */
  isSpecial(id: number): boolean;
}

/** Turns ids into text one by one. */
export interface StreamDecoder {
  /** The text that `id` completes. The bytes of an unfinished character are kept for the next call. */
  push(id: number): string;
  /** Ends the text: U+FFFD if a character is unfinished, else an empty string. */
  end(): string;
}
