/**
 * A vocabulary divided by an alphabet: the tokens that consist of its characters, by their length, and the tree of all
 * others. If the alphabet is what may stand unescaped in a JSON string, 6,000 of Llama 3's 128,000 tokens are others.
 * @module
 */
import { MAX_RUN } from "../network/compiled-grammar.ts";
import { type CharSet, contains } from "../regular/char-set.ts";
import { NO_TOKEN, SEVERAL, type TokenTrie, tokensAt } from "./token-trie.ts";

export interface TokenRuns {
  /** Masks of the tokens with at most i characters, by i. The last one has all tokens of the alphabet. */
  readonly upTo: readonly Uint32Array[];
  /** The nodes of the whole tree at which they end, by their length. */
  readonly ofLength: readonly (readonly number[])[];
  readonly others: TokenTrie;
}

/** Alphabets that are kept for a vocabulary. They take about 1 MB each for 128,000 tokens. */
const MAX_KEPT = 12;
const kept = new WeakMap<TokenTrie, Map<string, TokenRuns>>();

/** Takes 5 ms for 128,000 tokens, once per alphabet. */
export function tokenRuns(trie: TokenTrie, alphabet: CharSet): TokenRuns {
  let known = kept.get(trie);
  if (!known) kept.set(trie, (known = new Map()));
  const key = alphabet.join();
  const runs = known.get(key) ?? divide(trie, alphabet);
  known.delete(key);
  known.set(key, runs);
  for (const oldest of known.keys()) if (known.size > MAX_KEPT) known.delete(oldest);
  return runs;
}

function divide(trie: TokenTrie, alphabet: CharSet): TokenRuns {
  const lengths = textLengths(trie, alphabet);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const upTo = [new Uint32Array((trie.vocabSize + 31) >> 5)];
  const ofLength: number[][] = Array.from({ length: longest + 1 }, () => []);
  for (let node = 1; node < lengths.length; node++) {
    if (lengths[node]! > 0 && trie.tokens[node] !== NO_TOKEN) ofLength[lengths[node]!]!.push(node);
  }
  for (let length = 1; length <= longest; length++) {
    const nodes = ofLength[length]!;
    const mask = nodes.length === 0 ? upTo[length - 1]! : upTo[length - 1]!.slice();
    for (const node of nodes) for (const id of tokensAt(trie, node)) mask[id >> 5]! |= 1 << (id & 31);
    upTo.push(mask);
  }
  return { upTo, ofLength, others: without(trie, lengths) };
}

/**
 * For each node the length of its text in characters, if the text consists of complete characters of the alphabet and is
 * not too long. Otherwise 0.
 */
function textLengths({ bytes, depths, maxDepth }: TokenTrie, alphabet: CharSet): Uint8Array {
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => Number(contains(alphabet, code)));
  const lengths = new Uint8Array(bytes.length);
  // Three values by depth: complete characters (-1 beyond the alphabet), continuation bytes that are still missing, and
  // the bits of the character so far.
  const counts = new Int16Array(maxDepth + 1);
  const missing = new Uint8Array(maxDepth + 1);
  const codes = new Int32Array(maxDepth + 1);
  for (let node = 1; node < bytes.length; node++) {
    const depth = depths[node]!;
    const byte = bytes[node]!;
    const count = counts[depth - 1]!;
    const left = missing[depth - 1]!;
    let next = count;
    let nowMissing = 0;
    let code = byte;
    if (left > 0) {
      code = (codes[depth - 1]! << 6) | (byte & 0x3f);
      nowMissing = left - 1;
      if (byte >> 6 !== 2 || isOverlong(codes[depth - 1]!, left, byte)) next = -1;
      else if (nowMissing === 0) next = contains(alphabet, code) ? count + 1 : -1;
    } else if (byte < 0x80) next = ascii[byte] ? count + 1 : -1;
    else if (byte < 0xc2 || byte > 0xf4) next = -1;
    else {
      nowMissing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
      code = byte & (0x3f >> nowMissing);
    }
    if (count < 0) next = -1;
    counts[depth] = next >= MAX_RUN ? -1 : next;
    missing[depth] = next < 0 ? 0 : nowMissing;
    codes[depth] = code;
    lengths[node] = nowMissing === 0 ? Math.max(0, counts[depth]!) : 0;
  }
  return lengths;
}

/** Whether a second byte makes a character that fewer bytes encode, too. */
const isOverlong = (bits: number, missing: number, byte: number): boolean =>
  bits === 0 && ((missing === 2 && byte < 0xa0) || (missing === 3 && byte < 0x90));

/** The tree of the tokens whose length is 0. */
function without(trie: TokenTrie, lengths: Uint8Array): TokenTrie {
  const nodes = nodesWithTokens(trie, (node) => lengths[node] === 0);
  const several = new Map<number, readonly number[]>();
  const tokens = Int32Array.from(nodes, (node, at) => {
    if (lengths[node]! > 0) return NO_TOKEN;
    if (trie.tokens[node] === SEVERAL) several.set(at, trie.several.get(node)!);
    return trie.tokens[node]!;
  });
  const depths = Uint16Array.from(nodes, (node) => trie.depths[node]!);
  const ends = new Int32Array(nodes.length).fill(nodes.length);
  const parents = new Int32Array(nodes.length);
  const open: number[] = [];
  for (const [at, depth] of depths.entries()) {
    while (open.length > 0 && depths[open.at(-1)!]! >= depth) ends[open.pop()!] = at;
    parents[at] = open.at(-1) ?? 0;
    open.push(at);
  }
  const bytes = Uint8Array.from(nodes, (node) => trie.bytes[node]!);
  return { ...trie, bytes, depths, parents, ends, tokens, several };
}

/** The nodes on the ways to the tokens that are wanted, in order. */
function nodesWithTokens(trie: TokenTrie, isWanted: (node: number) => boolean): number[] {
  const { bytes, depths, tokens, ends } = trie;
  const needed = new Uint8Array(bytes.length);
  const path = new Int32Array(trie.maxDepth + 1);
  for (let node = 1; node < bytes.length; node++) {
    path[depths[node]!] = node;
    if (tokens[node] === NO_TOKEN || !isWanted(node)) continue;
    for (let depth = depths[node]!; depth > 0 && !needed[path[depth]!]; depth--) needed[path[depth]!] = 1;
  }
  const nodes = [0];
  for (let node = 1; node < bytes.length; node = needed[node] ? node + 1 : ends[node]!) {
    if (needed[node]) nodes.push(node);
  }
  return nodes;
}
