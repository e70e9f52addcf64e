/**
 * Added tokens, such as `<|eot_id|>` and `<think>`: they are found in a text before it is cut into pieces. As in Hugging
 * Face's `AddedVocabulary`, the leftmost is found first, and of several at one place the longest.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { characterClasses } from "./unicode.ts";
import { SPACE, WORD } from "./unicode-flags.ts";

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** True for a control token. A caller can have text that spells it stay text, and decoding can leave it out. */
  readonly special: boolean;
  /** Whether the whitespace in front of it belongs to it. */
  readonly lstrip?: boolean;
  /** Whether the whitespace after it belongs to it. */
  readonly rstrip?: boolean;
  /** Whether it is found only where no word character stands next to it. */
  readonly singleWord?: boolean;
  /** Whether it is looked for in the normalised text rather than in the raw text. */
  readonly normalized?: boolean;
}

/** Bounds the work per position of a text. The longest added tokens in public files have some 60 characters. */
const MAX_CONTENT = 1024;

export class AddedTokenMatcher {
  readonly #tokens: readonly AddedToken[];
  /** A trie of UTF-16 units: `unit` leads from `node` to #children.get(node * 65536 + unit). */
  readonly #children = new Map<number, number>();
  readonly #tokenAt = new Map<number, AddedToken>();
  readonly #isFirst = new Uint8Array(65536);
  /** Whether the character at a place is whitespace that can belong to a token. No such character is a surrogate pair. */
  readonly #isStripped: (text: string, at: number) => boolean;

  /**
   * @param spaces whether a space can belong to a token (`lstrip`, `rstrip`). In text that a normaliser of SentencePiece
   *   has marked, spaces stand for `▁`, which is no whitespace.
   * @throws NibbleError `bad_tokenizer` for a token without text, or with more than `MAX_CONTENT` characters
   */
  constructor(tokens: readonly AddedToken[], spaces = true) {
    this.#tokens = tokens;
    this.#isStripped = (text, at) =>
      (spaces || text.charCodeAt(at) !== 0x20) && (characterClasses().flags(text.charCodeAt(at)) & SPACE) !== 0;
    let nodes = 1;
    for (const token of tokens) {
      const { content } = token;
      if (content.length === 0 || content.length > MAX_CONTENT) {
        throw new NibbleError(
          "bad_tokenizer",
          `added token ${token.id}: expected 1 to ${MAX_CONTENT} characters, got ${content.length}`,
        );
      }
      this.#isFirst[content.charCodeAt(0)] = 1;
      let node = 0;
      for (let i = 0; i < content.length; i++) {
        const key = node * 65536 + content.charCodeAt(i);
        node = this.#children.get(key) ?? nodes++;
        this.#children.set(key, node);
      }
      this.#tokenAt.set(node, token);
    }
  }

  /**
   * Walks through `text` in order: calls `onToken` for each token, and `onText` for the text between two of them if there
   * is any.
   * @param special whether text that spells a control token is that token
   */
  split(text: string, special: boolean, onText: (text: string) => void, onToken: (id: number) => void): void {
    const { length } = text;
    let done = 0; // everything before it has been passed on
    for (let at = 0; at < length && this.#tokens.length > 0; ) {
      const token = this.#isFirst[text.charCodeAt(at)] === 1 ? this.#longestAt(text, at) : undefined;
      if (token === undefined) {
        at++;
        continue;
      }
      const end = at + token.content.length;
      const asText = (token.special && !special) || (token.singleWord === true && !standsAlone(text, at, end));
      if (!asText) {
        let start = at;
        if (token.lstrip === true) {
          start = Math.max(at, done);
          while (start > done && this.#isStripped(text, start - 1)) start--;
        }
        let stop = end;
        if (token.rstrip === true) while (stop < length && this.#isStripped(text, stop)) stop++;
        if (start > done) onText(text.slice(done, start));
        if (stop > start) onToken(token.id);
        done = stop;
      }
      // As in Hugging Face, a token that begins inside of the whitespace that belongs to the one before is found, too.
      at = end;
    }
    if (done < length) onText(done === 0 ? text : text.slice(done));
  }

  #longestAt(text: string, start: number): AddedToken | undefined {
    let found: AddedToken | undefined;
    let node: number | undefined = 0;
    for (let at = start; at < text.length; at++) {
      node = this.#children.get(node * 65536 + text.charCodeAt(at));
      if (node === undefined) break;
      found = this.#tokenAt.get(node) ?? found;
    }
    return found;
  }
}

/** Whether no word character stands next to `text[start..end)`. */
function standsAlone(text: string, start: number, end: number): boolean {
  const classes = characterClasses();
  const isWord = (at: number): boolean => (classes.flags(text.codePointAt(at)!) & WORD) !== 0;
  const isPair = start > 1 && text.codePointAt(start - 2)! > 0xffff;
  return !(start > 0 && isWord(isPair ? start - 2 : start - 1)) && !(end < text.length && isWord(end));
}
