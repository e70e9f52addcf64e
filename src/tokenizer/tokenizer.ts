/**
 * What every tokenizer does around its model: added tokens, normalisation, pieces, BOS, and ids back to text.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { writeUtf8 } from "../base/utf8.ts";
import { Utf8Decoder } from "../base/utf8-stream.ts";
import { type AddedToken, AddedTokenMatcher } from "./added-tokens.ts";
import { forEachPiece, type Stage } from "./pretokenizer.ts";
import type { EncodeOptions, StreamDecoder, Tokenizer } from "./types.ts";
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
  /** How ids become text, where it is more than joining bytes. */
  readonly decoding?: Decoding;
}

export interface Decoding {
  /** U+FFFD for every byte of an unfinished character, not one for all. */
  readonly eachByte?: boolean;
  /** Leave out, at the start of a text, one space, or all those of the first token. */
  readonly strip?: "space" | "spaces";
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

/** `</s>` is an HTML tag, too: in Gemma's vocabulary it is one, beside `<s>`, and no control token. */
const endsTurn = ({ content, special }: AddedToken): boolean =>
  END_TEXTS.has(content) && (special || content !== "</s>");

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
    const endIds = new Set([...parts.endIds, ...added.filter(endsTurn).map(({ id }) => id)]);
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
   * Text to ids. EOS is added on request only, also where the files ask for it (`add_eos_token`): that is for training,
   * a prompt that ends a turn has no answer. A lone surrogate counts as U+FFFD.
   * @throws NibbleError `invalid_argument` if BOS or EOS is asked for and the model has none
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    const { special = true, addBos = this.addBos, addEos = false } = options;
    const ids: number[] = [];
    if (addBos) ids.push(required(this.bosId, "addBos", "BOS"));
    const end = addEos ? [required(this.eosId, "addEos", "EOS")] : [];
    const { stages, encoder, normalize } = this.#parts;
    const onPiece = (piece: string, start: number, end: number): void => encoder.encode(piece, start, end, ids);
    let isFirst = true;
    const onToken = (id: number): void => {
      ids.push(id);
      isFirst = false;
    };
    const onNormalized = (part: string): void => {
      forEachPiece(stages, part, 0, part.length, onPiece, isFirst);
      isFirst = false;
    };
    const onRaw = (part: string): void =>
      this.#normalized.split(normalize?.(part) ?? part, special, onNormalized, onToken);
    this.#raw.split(text, special, onRaw, onToken);
    ids.push(...end);
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

function required(id: number | undefined, param: string, name: string): number {
  if (id !== undefined) return id;
  throw new NibbleError("invalid_argument", `${param}: expected false, as this model has no ${name} token`, { param });
}

/** `bytes` without up to `most` spaces in front. */
function withoutSpaces(bytes: Uint8Array, most: number): Uint8Array {
  let start = 0;
  while (start < most && bytes[start] === 0x20) start++;
  return bytes.subarray(start);
}

function badId(id: number, size: number): NibbleError {
  return new NibbleError("bad_tokenizer", `tokenizer: expected ids below ${size}, got ${id}`);
}
