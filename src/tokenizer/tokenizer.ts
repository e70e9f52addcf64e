/**
 * What every tokenizer does around its model: added tokens, normalisation, pieces, BOS, and ids back to text.
 * @module
 */
import { NibbleError } from "../errors.ts";
import { type AddedToken, AddedTokenMatcher } from "./added-tokens.ts";
import { forEachPiece, type Stage } from "./pretokenizer.ts";
import type { EncodeOptions, StreamDecoder, Tokenizer } from "./types.ts";
import { Utf8Decoder, writeUtf8 } from "./utf8.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** What the readers of GGUF metadata and tokenizer.json give. */
export interface TokenizerParts {
  readonly vocabulary: Vocabulary;
  /** The model: appends the ids of the piece `text[start..end)`. */
  readonly encoder: { encode(text: string, start: number, end: number, ids: number[]): void };
  readonly stages: readonly Stage[];
  readonly normalize: ((text: string) => string) | undefined;
  readonly added: readonly AddedToken[];
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  /** Ends of a turn that the files name, besides eos and the known texts. */
  readonly endIds: Iterable<number>;
  readonly addBos: boolean;
}

/** End markers of public models: an added token with such a text ends a turn even where no key says so. */
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
]);

export class TextTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly endIds: ReadonlySet<number>;
  readonly addBos: boolean;
  readonly #parts: TokenizerParts;
  readonly #raw: AddedTokenMatcher;
  readonly #normalized: AddedTokenMatcher;
  readonly #addedIds: ReadonlyMap<string, number>;
  readonly #special: ReadonlySet<number>;

  /** @throws NibbleError `bad_tokenizer` for an id beyond the vocabulary */
  constructor(parts: TokenizerParts) {
    const { added, vocabulary, normalize } = parts;
    const endIds = new Set([
      ...parts.endIds,
      ...added.filter((token) => END_TEXTS.has(token.content)).map(({ id }) => id),
    ]);
    if (parts.eosId !== undefined) endIds.add(parts.eosId);
    for (const id of [...endIds, parts.bosId ?? 0]) {
      if (id >= vocabulary.size) throw badId(id, vocabulary.size);
    }
    this.vocabSize = vocabulary.size;
    this.bosId = parts.bosId;
    this.eosId = parts.eosId;
    this.endIds = endIds;
    this.addBos = parts.addBos && parts.bosId !== undefined;
    this.#parts = parts;
    this.#raw = new AddedTokenMatcher(added.filter((token) => token.normalized !== true));
    this.#normalized = new AddedTokenMatcher(
      added
        .filter((token) => token.normalized === true)
        .map((token) => ({ ...token, content: normalize?.(token.content) ?? token.content })),
    );
    this.#addedIds = new Map(added.map(({ content, id }) => [content, id]));
    this.#special = new Set(added.filter(({ special }) => special).map(({ id }) => id));
  }

  /**
   * Text to ids. A lone surrogate counts as U+FFFD.
   * @throws NibbleError `invalid_argument` if BOS is asked for and the model has none
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    const { special = true, addBos = this.addBos } = options;
    const ids: number[] = [];
    if (addBos) {
      if (this.bosId === undefined) {
        throw new NibbleError("invalid_argument", "addBos: expected false, as this model has no BOS token", {
          param: "addBos",
        });
      }
      ids.push(this.bosId);
    }
    const { stages, encoder, normalize } = this.#parts;
    const onToken = (id: number): void => void ids.push(id);
    const onPiece = (piece: string, start: number, end: number): void => encoder.encode(piece, start, end, ids);
    const onNormalized = (part: string): void => forEachPiece(stages, part, 0, part.length, onPiece);
    const onRaw = (part: string): void =>
      this.#normalized.split(normalize?.(part) ?? part, special, onNormalized, onToken);
    this.#raw.split(text, special, onRaw, onToken);
    return ids;
  }

  /**
   * Ids to text. An id beyond the vocabulary stands for nothing, as in Hugging Face (models may have padding rows).
   * @throws NibbleError `invalid_argument` for what is no id at all
   */
  decode(ids: ArrayLike<number>, options: { skipSpecial?: boolean } = {}): string {
    const decoder = this.decoder(options);
    let text = "";
    for (let i = 0; i < ids.length; i++) text += decoder.push(ids[i]!);
    return text + decoder.end();
  }

  decoder(options: { skipSpecial?: boolean } = {}): StreamDecoder {
    const utf8 = new Utf8Decoder();
    return {
      push: (id) => (options.skipSpecial === true && this.isSpecial(id) ? "" : utf8.push(this.#bytes(id))),
      end: () => utf8.end(),
    };
  }

  token(id: number): string {
    return this.decode([id]);
  }

  tokenBytes(id: number): Uint8Array {
    return this.#bytes(id).slice();
  }

  idOf(content: string): number | undefined {
    const added = this.#addedIds.get(content);
    if (added !== undefined) return added;
    const bytes = new Uint8Array(3 * content.length);
    const id = this.#parts.vocabulary.find(bytes, 0, writeUtf8(content, 0, content.length, bytes, 0));
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
    return this.#parts.vocabulary.bytesOf(id);
  }
}

function badId(id: number, size: number): NibbleError {
  return new NibbleError("bad_tokenizer", `tokenizer: expected ids below ${size}, got ${id}`);
}
