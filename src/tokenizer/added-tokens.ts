/**
 * Added tokens (`<|eot_id|>`, `<think>`): found in raw text before anything else happens to it.
 * Semantics of Hugging Face's `AddedVocabulary`: leftmost, then longest.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { characterClasses, SPACE, WORD } from "./unicode.ts";

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Control tokens: text that spells them stays text when a caller asks so, and decoding can leave them out. */
  readonly special: boolean;
  /** Eat the whitespace before or behind. */
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  /** Only between characters that are not of a word. */
  readonly singleWord?: boolean;
  /** Sought in normalised text rather than in the text as it came. */
  readonly normalized?: boolean;
}

/** Bounds the work at each position of a text. The longest in public files have some 60 characters. */
const MAX_CONTENT = 1024;

export class AddedTokenMatcher {
  readonly #tokens: readonly AddedToken[];
  // A trie of UTF-16 units: the node reached from `node` by `unit` is #children.get(node * 65536 + unit).
  readonly #children = new Map<number, number>();
  readonly #tokenAt = new Map<number, AddedToken>();
  readonly #isFirst = new Uint8Array(65536);

  /** @throws NibbleError `bad_tokenizer` for an empty or overlong content */
  constructor(tokens: readonly AddedToken[]) {
    this.#tokens = tokens;
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

  /** Cuts `text` in order: `onText` gets what lies between tokens (never empty), `onToken` each token. */
  split(text: string, special: boolean, onText: (text: string) => void, onToken: (id: number) => void): void {
    const { length } = text;
    let done = 0; // everything before has been given out
    for (let at = 0; at < length && this.#tokens.length > 0; ) {
      const token = this.#isFirst[text.charCodeAt(at)] === 1 ? this.#longestAt(text, at) : undefined;
      if (token === undefined) {
        at++;
        continue;
      }
      const end = at + token.content.length;
      const asText = (token.special && !special) || (token.singleWord === true && !standsAlone(text, at, end));
      if (!asText) {
        const start = token.lstrip === true ? whitespaceStart(text, done, at) : at;
        if (start > done) onText(text.slice(done, start));
        onToken(token.id);
        done = token.rstrip === true ? characterClasses().skipWhile(text, end, length, SPACE) : end;
      }
      at = Math.max(end, done);
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

function standsAlone(text: string, start: number, end: number): boolean {
  const classes = characterClasses();
  const isWord = (at: number): boolean => (classes.flags(text.codePointAt(at)!) & WORD) !== 0;
  const isPair = start > 1 && text.codePointAt(start - 2)! > 0xffff;
  return !(start > 0 && isWord(isPair ? start - 2 : start - 1)) && !(end < text.length && isWord(end));
}

/** Where the whitespace that ends at `end` begins, not before `from`. */
function whitespaceStart(text: string, from: number, end: number): number {
  const classes = characterClasses();
  let start = end;
  while (start > from && (classes.flags(text.charCodeAt(start - 1)) & SPACE) !== 0) start--;
  return start;
}
