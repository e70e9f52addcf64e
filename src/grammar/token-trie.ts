/**
 * All tokens of a vocabulary as one tree of bytes.
 * @module
 */
import type { Tokenizer } from "../tokenizer/types.ts";

/**
 * Nodes lie in the order of a walk (parent, then its children's trees), so that leaving a subtree out is one jump.
 * Node 0 is the root. Special tokens are not in it, but for those that stand for text: a grammar speaks of text.
 */
export interface TokenTrie {
  readonly vocabSize: number;
  /** The byte that leads to a node. */
  readonly bytes: Uint8Array;
  /** Bytes from the root. */
  readonly depths: Uint16Array;
  readonly parents: Int32Array;
  /** First node behind a node's subtree. */
  readonly ends: Int32Array;
  /** The token that ends at a node, or `NO_TOKEN`, or `SEVERAL`: tokens of the same bytes, which are in `several`. */
  readonly tokens: Int32Array;
  readonly several: ReadonlyMap<number, readonly number[]>;
  readonly maxDepth: number;
}

export const NO_TOKEN = -1;
export const SEVERAL = -2;

/** @param shown special tokens that are in a text as they are spelled */
export function buildTokenTrie(tokenizer: Tokenizer, shown: readonly string[] = []): TokenTrie {
  const { vocabSize, endIds } = tokenizer;
  const special = new Set(shown.map((text) => tokenizer.idOf(text)));
  const texts: { id: number; key: string }[] = [];
  let room = 1;
  for (let id = 0; id < vocabSize; id++) {
    if (endIds.has(id) || (tokenizer.isSpecial(id) && !special.has(id))) continue;
    const bytes = tokenizer.tokenBytes(id);
    if (bytes.length === 0 || bytes.length > 0xffff) continue;
    texts.push({ id, key: latin1(bytes) });
    room += bytes.length;
  }
  texts.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.id - b.id));

  const bytes = new Uint8Array(room);
  const depths = new Uint16Array(room);
  const parents = new Int32Array(room);
  const ends = new Int32Array(room);
  const tokens = new Int32Array(room).fill(NO_TOKEN);
  const several = new Map<number, number[]>();
  const path = [0]; // nodes from the root to the last token
  let size = 1;
  let maxDepth = 0;
  let previous = "";
  for (const { id, key } of texts) {
    let shared = 0;
    while (shared < previous.length && shared < key.length && previous[shared] === key[shared]) shared++;
    for (const node of path.splice(shared + 1)) ends[node] = size;
    for (let at = shared; at < key.length; at++) {
      bytes[size] = key.charCodeAt(at);
      depths[size] = at + 1;
      parents[size] = path.at(-1)!;
      path.push(size++);
    }
    const node = path.at(-1)!;
    const others = several.get(node);
    if (others) others.push(id);
    else if (tokens[node] === NO_TOKEN) tokens[node] = id;
    else {
      several.set(node, [tokens[node]!, id]);
      tokens[node] = SEVERAL;
    }
    maxDepth = Math.max(maxDepth, key.length);
    previous = key;
  }
  for (const node of path) ends[node] = size;
  return {
    vocabSize,
    bytes: bytes.slice(0, size),
    depths: depths.slice(0, size),
    parents: parents.slice(0, size),
    ends: ends.slice(0, size),
    tokens: tokens.slice(0, size),
    several,
    maxDepth,
  };
}

/** The bytes that lead to a node. */
export function pathTo({ bytes, depths, parents }: TokenTrie, node: number): Uint8Array {
  const path = new Uint8Array(depths[node]!);
  for (let at = node, left = path.length; left > 0; at = parents[at]!) path[--left] = bytes[at]!;
  return path;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
