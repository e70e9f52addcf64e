/**
 * All tokens of a vocabulary as one tree of bytes.
 * @module
 */
import type { Tokenizer } from "../../tokenizer/types.ts";

/**
 * Nodes are numbered in the order of a walk: a parent, then the trees of its children. So skipping a subtree is one jump.
 * Node 0 is the root. Special tokens are left out unless they stand for text, since a grammar describes text.
 */
export interface TokenTrie {
  readonly vocabSize: number;
  /** The byte that leads to a node. */
  readonly bytes: Uint8Array;
  /** The number of bytes from the root. */
  readonly depths: Uint16Array;
  readonly parents: Int32Array;
  /** The first node after a node's subtree. */
  readonly ends: Int32Array;
  /** The token that ends at a node, or `NO_TOKEN`, or `SEVERAL` if tokens with the same bytes are in `several`. */
  readonly tokens: Int32Array;
  readonly several: ReadonlyMap<number, readonly number[]>;
  readonly maxDepth: number;
  /** The bytes of a token; none for a token that is not in the tree. */
  textOf(id: number): Uint8Array;
}

export const NO_TOKEN = -1;
export const SEVERAL = -2;

const NO_BYTES = new Uint8Array(0);

/** A token, and its bytes as a string of characters up to U+00FF, whose order is that of the bytes. */
interface Entry {
  readonly id: number;
  readonly key: string;
}

/** @param shown special tokens that stand in a text as they are spelled */
export function buildTokenTrie(tokenizer: Tokenizer, shown: readonly string[] = []): TokenTrie {
  const entries = textTokens(tokenizer, shown);
  entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.id - b.id));
  const ids = new Set(entries.map(({ id }) => id));
  const room = entries.reduce((sum, { key }) => sum + key.length, 1);
  const bytes = new Uint8Array(room);
  const depths = new Uint16Array(room);
  const parents = new Int32Array(room);
  const ends = new Int32Array(room);
  const idsAt = new Map<number, number[]>();
  /** The nodes from the root to the last token. */
  const path = [0];
  let size = 1;
  let maxDepth = 0;
  let previous = "";
  for (const { id, key } of entries) {
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
    const ids = idsAt.get(node);
    if (ids) ids.push(id);
    else idsAt.set(node, [id]);
    maxDepth = Math.max(maxDepth, key.length);
    previous = key;
  }
  for (const node of path) ends[node] = size;
  return {
    vocabSize: tokenizer.vocabSize,
    bytes: bytes.slice(0, size),
    depths: depths.slice(0, size),
    parents: parents.slice(0, size),
    ends: ends.slice(0, size),
    ...tokensByNode(size, idsAt),
    maxDepth,
    textOf: (id) => (ids.has(id) ? tokenizer.tokenBytes(id) : NO_BYTES),
  };
}

/** The tokens that stand for text. */
function textTokens(tokenizer: Tokenizer, shown: readonly string[]): Entry[] {
  const { vocabSize, endIds } = tokenizer;
  const shownIds = new Set(shown.map((text) => tokenizer.idOf(text)));
  const entries: Entry[] = [];
  for (let id = 0; id < vocabSize; id++) {
    if (endIds.has(id) || (tokenizer.isSpecial(id) && !shownIds.has(id))) continue;
    const bytes = tokenizer.tokenBytes(id);
    if (bytes.length > 0 && bytes.length <= 0xffff) entries.push({ id, key: latin1(bytes) });
  }
  return entries;
}

function tokensByNode(size: number, idsAt: ReadonlyMap<number, readonly number[]>) {
  const tokens = new Int32Array(size).fill(NO_TOKEN);
  const several = new Map<number, readonly number[]>();
  for (const [node, ids] of idsAt) {
    if (ids.length === 1) tokens[node] = ids[0]!;
    else {
      tokens[node] = SEVERAL;
      several.set(node, ids);
    }
  }
  return { tokens, several };
}

/** The ids of the tokens that end at a node. */
export function tokensAt({ tokens, several }: TokenTrie, node: number): readonly number[] {
  const token = tokens[node]!;
  return token === SEVERAL ? several.get(node)! : token === NO_TOKEN ? [] : [token];
}

/** The nodes below the root on the way of a text, as far as there are any. */
export function pathDown({ bytes, ends }: TokenTrie, text: string): number[] {
  const path: number[] = [];
  let parent = 0;
  for (let at = 0; at < text.length; at++) {
    let node = parent + 1;
    while (node < ends[parent]! && bytes[node] !== text.charCodeAt(at)) node = ends[node]!;
    if (node >= ends[parent]!) break;
    path.push(node);
    parent = node;
  }
  return path;
}

/** The bytes that lead to a node. */
export function pathTo({ bytes, depths, parents }: TokenTrie, node: number): Uint8Array {
  const path = new Uint8Array(depths[node]!);
  for (let at = node, left = path.length; left > 0; at = parents[at]!) path[--left] = bytes[at]!;
  return path;
}

/** Bytes as a string of characters up to U+00FF. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
