/** Texts of a grammar, drawn at random by its token masks, as if by a model with random logits. */
import { Matcher } from "../../src/grammar/matcher/matcher.ts";
import { TokenMasks } from "../../src/grammar/matcher/token-masks.ts";
import { buildTokenTrie, type TokenTrie } from "../../src/grammar/matcher/token-trie.ts";
import type { CompiledGrammar } from "../../src/grammar/network/compiled-grammar.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { FakeTokenizer } from "../helpers/fake-tokenizer.ts";

/** Longer tokens, some of which end in the middle of a character or run over the ends of strings. */
// biome-ignore format: a list
const PIECES = [
  '{"', '"}', '":', '": ', '", "', '",', '"]', '[[', ']]', '}}', '[]', '{}', '""', 'true', 'false', 'null', ' null', '-1',
  '00', '12', '123', '0.5', '.25', 'e5', 'E-2', '\\"', '\\u00', '\\n', '\n  ', '\n', 'foo', 'bar', 'baz', '"foo": ',
  '"bar": [', 'a', 'ab', 'abc', 'hello', ' world', '2024-', '-01', 'T12:', ':30', 'é', '日本', '😀', '"é',
];
const BROKEN = [[0xe6, 0x97], [0xa5, 0x22], [0xf0, 0x9f], [0x98, 0x80], [0xc3]]; // biome-ignore format: a list

/** Bytes, special tokens, and pieces of several bytes. */
export class PiecesTokenizer extends FakeTokenizer {
  override readonly vocabSize: number;
  readonly #pieces: Uint8Array[];

  constructor(more: readonly string[] = []) {
    super();
    const texts = [...PIECES, ...more].map((text) => new TextEncoder().encode(text));
    this.#pieces = [...texts, ...BROKEN.map((bytes) => Uint8Array.from(bytes))];
    this.vocabSize = 300 + this.#pieces.length;
  }

  override tokenBytes(id: number): Uint8Array {
    return this.#pieces[id - 300] ?? super.tokenBytes(id);
  }

  override isSpecial(id: number): boolean {
    return id >= 256 && id < 300;
  }

  /** The token of a text, or the tokens of its bytes. */
  idsOf(text: string): number[] {
    const special = this.idOf(text);
    if (special !== undefined) return [special];
    const bytes = new TextEncoder().encode(text);
    const piece = this.#pieces.findIndex((each) => each.length > 1 && Buffer.compare(each, bytes) === 0);
    return piece < 0 ? [...bytes] : [300 + piece];
  }
}

export const hasToken = (mask: Uint32Array, id: number): boolean => ((mask[id >> 5]! >>> (id & 31)) & 1) === 1;

export const pieces: PiecesTokenizer = new PiecesTokenizer();
export const piecesTrie: TokenTrie = buildTokenTrie(pieces);

export type Random = () => number;

/** mulberry32: the same texts in every run. */
export function random(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The characters that end a value soonest. Inside of a string it is the quote. */
const code = (char: string) => char.charCodeAt(0);
const CLOSING = ["}", "]", "n", "u", "l", '"', ":"].map(code);

export interface Drawn {
  readonly bytes: Uint8Array;
  /** Whether the text ended; false if it became too long. */
  readonly complete: boolean;
}

/** @param wander tokens after which the shortest way to the end is taken */
export function drawText(
  grammar: CompiledGrammar,
  next: Random,
  wander = 40,
  tokenizer: Tokenizer = pieces,
  trie: TokenTrie = piecesTrie,
): Drawn {
  const matcher = new Matcher(grammar);
  const masks = new TokenMasks(matcher, trie);
  const bytes: number[] = [];
  let state = matcher.start;
  for (let step = 0; step < wander + 2000; step++) {
    if (state.mayEnd && (step > wander || next() < 0.3)) return { bytes: Uint8Array.from(bytes), complete: true };
    const mask = masks.mask(state);
    const ids = tokensOf(mask);
    const may = (id: number) => hasToken(mask, id);
    if (ids.length === 0) {
      if (state.mayEnd) return { bytes: Uint8Array.from(bytes), complete: true };
      throw new Error(`no token may come after ${new TextDecoder().decode(Uint8Array.from(bytes))}`);
    }
    let id = ids[Math.floor(next() * ids.length)]!;
    const inString = may(code("x")) && may(code('"'));
    const closing = inString ? [code('"')] : CLOSING.filter(may);
    if (closing.length > 0 && (step > wander || next() < 0.2)) {
      id = step > wander ? closing[0]! : closing[Math.floor(next() * closing.length)]!;
    }
    state = matcher.read(state, tokenizer.tokenBytes(id));
    bytes.push(...tokenizer.tokenBytes(id));
    if (matcher.isDead(state)) throw new Error(`the mask allowed a token that the matcher refuses: ${id}`);
  }
  return { bytes: Uint8Array.from(bytes), complete: false };
}

export function tokensOf(mask: Uint32Array): number[] {
  const ids: number[] = [];
  for (const [word, bits] of mask.entries()) {
    for (let rest = bits; rest !== 0; rest &= rest - 1) ids.push(word * 32 + 31 - Math.clz32(rest & -rest));
  }
  return ids;
}

/** Whether a grammar reads a whole text, byte by byte. */
export function accepts(grammar: CompiledGrammar, text: string | Uint8Array): boolean {
  const matcher = new Matcher(grammar);
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return matcher.read(matcher.start, bytes).mayEnd;
}
