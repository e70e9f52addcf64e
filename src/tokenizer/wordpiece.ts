/**
 * WordPiece (Schuster and Nakajima 2012), the model of BERT's tokenizer: a word is cut into the longest tokens of the
 * vocabulary, from its beginning on; a word that cannot be cut so is one unknown token.
 *
 * Our vocabularies have the spelling of GGUF: a token that begins a word has a space in front (`\u2581` in the file), and one
 * that continues a word has none. (BERT's own files write `##` in front of those.)
 * @module
 */
import { writeUtf8 } from "../base/utf8.ts";
import { SPACE_MARK } from "./sentencepiece.ts";
import { characterClasses } from "./unicode.ts";
import { SPACE } from "./unicode-flags.ts";
import type { Alphabet, Vocabulary } from "./vocabulary.ts";

const SPACE_BYTE = 0x20;

/** A `\u2581` at the beginning of a token is a space; everything else stands for itself. */
export const wordPiece: Alphabet = {
  write(spelling, start, end, target) {
    const { bytes } = target;
    const isWord = spelling[start] === 0xe2 && spelling[start + 1] === 0x96 && spelling[start + 2] === 0x81;
    if (isWord) bytes[target.length++] = SPACE_BYTE;
    for (let i = isWord ? start + 3 : start; i < end; i++) bytes[target.length++] = spelling[i]!;
    return true;
  },
};

/** The spelling of a token of BERT's own files as a GGUF has it. */
export function ggufSpelling(token: string, prefix: string): string {
  return token.startsWith(prefix) ? token.slice(prefix.length) : SPACE_MARK + token;
}

export interface WordPieceOptions {
  /** The token for a word that cannot be cut. */
  readonly unknownId: number;
  /** A word of more characters is unknown. */
  readonly maxCharacters: number;
}

export class WordPieceEncoder {
  readonly #vocabulary: Vocabulary;
  readonly #options: WordPieceOptions;
  readonly #longest: number;
  readonly #bytes: Uint8Array;

  constructor(vocabulary: Vocabulary, options: WordPieceOptions) {
    this.#vocabulary = vocabulary;
    this.#options = options;
    this.#longest = vocabulary.longest;
    this.#bytes = new Uint8Array(3 * 2 * options.maxCharacters + 1);
  }

  /** Appends the ids of the word `text[start..end)`; white space has none. */
  encode(text: string, start: number, end: number, ids: number[]): void {
    if (characterClasses().flags(text.codePointAt(start)!) & SPACE) return;
    const { unknownId, maxCharacters } = this.#options;
    if (end - start > maxCharacters && characters(text, start, end) > maxCharacters) {
      ids.push(unknownId);
      return;
    }
    const bytes = this.#bytes;
    bytes[0] = SPACE_BYTE;
    const length = 1 + writeUtf8(text, start, end, bytes.subarray(1));
    const before = ids.length;
    for (let at = 0; at < length; ) {
      const found = this.#longestAt(at, length);
      if (!found) {
        ids.length = before;
        ids.push(unknownId);
        return;
      }
      ids.push(found.id);
      at = found.end;
    }
  }

  /** The longest token that the bytes from `start` begin with, and where it ends. */
  #longestAt(start: number, length: number): { id: number; end: number } | undefined {
    const bytes = this.#bytes;
    // The space in front of a word is no token of it.
    const least = start === 0 ? 2 : start + 1;
    for (let end = Math.min(length, start + this.#longest); end >= least; end--) {
      if (end < length && (bytes[end]! & 0xc0) === 0x80) continue; // within a character
      const id = this.#vocabulary.find(bytes, start, end);
      if (id >= 0) return { id, end };
    }
    return undefined;
  }
}

function characters(text: string, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) count++;
  return count;
}
