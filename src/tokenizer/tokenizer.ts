/**
 * The steps of every tokenizer around its model: it finds added tokens, normalises text, cuts it into pieces, puts BOS
 * first, and turns ids back into text.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { writeUtf8 } from "../base/utf8.ts";
import { Utf8Decoder } from "../base/utf8-stream.ts";
import type { Metadata } from "../formats/checkpoint.ts";
import { type AddedToken, AddedTokenMatcher } from "./added-tokens.ts";
import { type Around, symmetric } from "./around.ts";
import { type FimTokens, fimEnds, fimTokens } from "./fim.ts";
import { forEachPiece, type Stage } from "./pretokenizer.ts";
import type { EncodeOptions, StreamDecoder, Tokenizer } from "./types.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** The model of a tokenizer. */
export interface PieceEncoder {
  /** Appends the ids of the piece `text[start..end)` to `ids`. */
  encode(text: string, start: number, end: number, ids: number[]): void;
  /** A number of ids that the piece has at least, found in much less time than the ids. Without it, that is none. */
  fewest?(text: string, start: number, end: number): number;
}

/** The result of the readers of GGUF metadata and of tokenizer.json. */
export interface TokenizerParts {
  readonly vocabulary: Vocabulary;
  readonly encoder: PieceEncoder;
  readonly stages: readonly Stage[];
  /** Normalises the text between two added tokens. `isFirst` says that nothing stands before it. */
  readonly normalize: ((text: string, isFirst?: boolean) => string) | undefined;
  /** Whether spaces of normalised text stand for `▁`. */
  readonly marksSpaces?: boolean;
  readonly added: readonly AddedToken[];
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  /** Tokens that end a turn according to the files, beside EOS and the added tokens of `END_TEXTS`. */
  readonly endIds: Iterable<number>;
  readonly addBos: boolean;
  /** Default: BOS in front if it is asked for, and nothing behind. */
  readonly around?: Around;
  /** How ids become text, if that is more than joining the bytes of the tokens. */
  readonly decoding?: Decoding;
}

export interface Decoding {
  /** Whether each byte of an unfinished character becomes U+FFFD, rather than all its bytes together. */
  readonly eachByte?: boolean;
  /** The spaces left out at the start of a text: one space, or all spaces of the first token. */
  readonly strip?: "space" | "spaces";
}

/** End markers of public models. An added token with such a text ends a turn, even if no key says so. */
const END_TEXTS: ReadonlySet<string> = new Set([
  "<|eot_id|>",
  "<|eom_id|>",
  "<|end_of_text|>",
  "<|im_end|>",
  "<|endoftext|>",
  "<|end|>",
  "<end_of_turn>",
  "<eos>",
  "</s>",
  "<｜end▁of▁sentence｜>",
  "<EOT>",
  "▁<EOT>", // CodeLlama
]);

/** `</s>` must be a control token, too: in Gemma's vocabulary it is an HTML tag (strikethrough) and ends no turn. */
const endsTurn = ({ content, special }: AddedToken): boolean =>
  END_TEXTS.has(content) && (special || content !== "</s>");

function tooMany(limit: number): NibbleError {
  return new NibbleError("limit_exceeded", `the text has more than ${limit} tokens`);
}

export class TextTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly endIds: ReadonlySet<number>;
  readonly addBos: boolean;
  readonly around: Around;
  readonly fim: FimTokens;
  readonly #parts: TokenizerParts;
  /** Finds the added tokens of raw text. */
  readonly #raw: AddedTokenMatcher;
  /** Finds the added tokens of normalised text. */
  readonly #normalized: AddedTokenMatcher;
  readonly #addedIds: ReadonlyMap<string, number>;
  /** The bytes of added tokens that normalisation changes. As in Hugging Face, they decode to their normalised text. */
  readonly #normalizedBytes = new Map<number, Uint8Array>();
  readonly #special: ReadonlySet<number>;

  /**
   * @param metadata may name the tokens that fill a gap
   * @throws NibbleError `bad_tokenizer` for an id beyond the vocabulary
   */
  constructor(parts: TokenizerParts, metadata: Metadata) {
    const { added, vocabulary, normalize } = parts;
    this.#parts = parts;
    this.#addedIds = new Map(added.map(({ content, id }) => [content, id]));
    this.fim = fimTokens(metadata, {
      size: vocabulary.size,
      added: (text) => this.#addedIds.get(text),
      any: (text) => this.#addedIds.get(text) ?? this.#find(vocabulary.bytesOfSpelling(text)),
    });
    const endIds = new Set([...parts.endIds, ...added.filter(endsTurn).map(({ id }) => id)]);
    if (parts.eosId !== undefined) endIds.add(parts.eosId);
    for (const id of fimEnds(this.fim)) endIds.add(id);
    for (const id of [...endIds, parts.bosId ?? 0]) {
      if (id >= vocabulary.size) throw badId(id, vocabulary.size);
    }
    this.vocabSize = vocabulary.size;
    this.bosId = parts.bosId;
    this.eosId = parts.eosId;
    this.endIds = endIds;
    this.addBos = parts.addBos && parts.bosId !== undefined;
    this.around = parts.around ?? symmetric(this.addBos ? [parts.bosId!] : [], [], []);
    this.#raw = new AddedTokenMatcher(added.filter((token) => token.normalized !== true));
    const normalized = added
      .filter((token) => token.normalized === true)
      .map((token) => ({ ...token, spelled: token.content, content: normalize?.(token.content) ?? token.content }));
    this.#normalized = new AddedTokenMatcher(normalized, parts.marksSpaces !== true);
    for (const { id, content, spelled } of normalized)
      if (content !== spelled) this.#normalizedBytes.set(id, vocabulary.bytesOfSpelling(content));
    this.#special = new Set(added.filter(({ special }) => special).map(({ id }) => id));
  }

  /**
   * Turns text into ids. EOS is added on request only, even if the files ask for it (`add_eos_token`): that is for training,
   * because a prompt that has ended its turn gets no answer. A lone surrogate counts as U+FFFD.
   * @throws NibbleError `invalid_argument` if BOS or EOS is asked for and the model has none; `limit_exceeded`
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    const { special = true, addBos = this.addBos, addEos = false, limit = Infinity, enough = Infinity } = options;
    const ids: number[] = [];
    if (addBos) ids.push(required(this.bosId, "addBos", "BOS"));
    const end = addEos ? [required(this.eosId, "addEos", "EOS")] : [];
    const { stages, encoder, normalize } = this.#parts;
    const onPiece = (piece: string, start: number, end: number): void => {
      if (ids.length >= enough) return;
      if (limit < Infinity && ids.length + (encoder.fewest?.(piece, start, end) ?? 0) > limit) throw tooMany(limit);
      encoder.encode(piece, start, end, ids);
    };
    let isFirst = true;
    const onToken = (id: number): void => {
      if (ids.length >= enough) return;
      ids.push(id);
      isFirst = false;
    };
    const onNormalized = (part: string): void => {
      if (ids.length >= enough) return;
      forEachPiece(stages, part, isFirst, onPiece);
      isFirst = false;
    };
    const onRaw = (part: string): void =>
      this.#normalized.split(normalize?.(part, isFirst) ?? part, special, onNormalized, onToken);
    this.#raw.split(text, special, onRaw, onToken);
    ids.push(...end);
    if (ids.length > limit) throw tooMany(limit);
    return ids;
  }

  /**
   * Turns ids into text. An id beyond the vocabulary stands for no bytes, as in Hugging Face: models can have more rows than
   * the tokenizer has tokens.
   * @throws NibbleError `invalid_argument` for a number that is not an id
   */
  decode(ids: ArrayLike<number>, options: { skipSpecial?: boolean } = {}): string {
    const decoder = this.decoder(options);
    let text = "";
    for (let i = 0; i < ids.length; i++) text += decoder.push(ids[i]!);
    return text + decoder.end();
  }

  decoder(options: { skipSpecial?: boolean } = {}): StreamDecoder {
    const { eachByte, strip } = this.#parts.decoding ?? {};
    const utf8 = new Utf8Decoder(eachByte);
    let isFirst = strip !== undefined;
    return {
      push: (id) => {
        if (options.skipSpecial === true && this.isSpecial(id)) return "";
        const bytes = this.#bytes(id);
        if (!isFirst || bytes.length === 0) return utf8.push(bytes);
        isFirst = false;
        return utf8.push(withoutSpaces(bytes, strip === "space" ? 1 : bytes.length));
      },
      end: () => utf8.end(),
    };
  }

  token(id: number): string {
    const utf8 = new Utf8Decoder();
    return utf8.push(this.#bytes(id)) + utf8.end();
  }

  tokenBytes(id: number): Uint8Array {
    return this.#bytes(id).slice();
  }

  idOf(content: string): number | undefined {
    const added = this.#addedIds.get(content);
    if (added !== undefined) return added;
    const bytes = new Uint8Array(3 * content.length);
    return this.#find(bytes.subarray(0, writeUtf8(content, 0, content.length, bytes)));
  }

  #find(bytes: Uint8Array): number | undefined {
    const id = this.#parts.vocabulary.find(bytes, 0, bytes.length);
    return id >= 0 ? id : undefined;
  }

  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }

  #bytes(id: number): Uint8Array {
    if (!Number.isInteger(id) || id < 0) {
      throw new NibbleError(
        "invalid_argument",
        `token id: expected a whole number from 0 to ${this.vocabSize - 1}, got ${id}`,
      );
    }
    return this.#normalizedBytes.get(id) ?? this.#parts.vocabulary.bytesOf(id);
  }
}

function required(id: number | undefined, param: string, name: string): number {
  if (id !== undefined) return id;
  throw new NibbleError("invalid_argument", `${param}: this model has no ${name} token to add`, { param });
}

/** `bytes` without the spaces at their start, of which at most `most` are removed. */
function withoutSpaces(bytes: Uint8Array, most: number): Uint8Array {
  let start = 0;
  while (start < most && bytes[start] === 0x20) start++;
  return bytes.subarray(start);
}

function badId(id: number, size: number): NibbleError {
  return new NibbleError("bad_tokenizer", `tokenizer: expected ids below ${size}, got ${id}`);
}
