/**
 * A vocabulary, told apart by an alphabet: tokens of its characters alone, by their length, and the tree of all others.
 * Of Llama 3's 128,000 tokens 6,000 are left when the alphabet is what may stand in a JSON string as it is.
 * @module
 */
import { type CharSet, contains } from "./char-set.ts";
import { MAX_RUN } from "./runs.ts";
import { NO_TOKEN, SEVERAL, type TokenTrie } from "./token-trie.ts";

export interface TokenRuns {
  /** Masks of the tokens with at most so many characters; the last one has them all. */
  readonly upTo: readonly Uint32Array[];
  /** Nodes of the whole tree at which they end, by their length. */
  readonly ofLength: readonly (readonly number[])[];
  readonly others: TokenTrie;
}

/** Alphabets that are kept for a vocabulary: about 1 MB each for 128,000 tokens. */
const MAX_KEPT = 12;
const kept = new WeakMap<TokenTrie, Map<string, TokenRuns>>();

/** Takes 5 ms for 128,000 tokens, once for each alphabet. */
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
  const words = (trie.vocabSize + 31) >> 5;
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const upTo = [new Uint32Array(words)];
  const byLength: number[][] = Array.from({ length: longest + 1 }, () => []);
  for (let node = 1; node < lengths.length; node++) {
    if (lengths[node]! > 0 && trie.tokens[node] !== NO_TOKEN) byLength[lengths[node]!]!.push(node);
  }
  for (let length = 1; length <= longest; length++) {
    const nodes = byLength[length]!;
    const mask = nodes.length === 0 ? upTo[length - 1]! : upTo[length - 1]!.slice();
    for (const node of nodes) {
      const token = trie.tokens[node]!;
      for (const id of token === SEVERAL ? trie.several.get(node)! : [token]) mask[id >> 5]! |= 1 << (id & 31);
    }
    upTo.push(mask);
  }
  return { upTo, ofLength: byLength, others: without(trie, lengths) };
}

/** By node: characters of its text if they are all of the alphabet, complete, and not too many; otherwise 0. */
function textLengths({ bytes, depths, maxDepth }: TokenTrie, alphabet: CharSet): Uint8Array {
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => Number(contains(alphabet, code)));
  const lengths = new Uint8Array(bytes.length);
  // By depth: complete characters (-1: not of the alphabet), continuation bytes to come, the character so far.
  const counts = new Int16Array(maxDepth + 1);
  const waits = new Uint8Array(maxDepth + 1);
  const codes = new Int32Array(maxDepth + 1);
  for (let node = 1; node < bytes.length; node++) {
    const depth = depths[node]!;
    const byte = bytes[node]!;
    const count = counts[depth - 1]!;
    const wait = waits[depth - 1]!;
    let next = count;
    let waiting = 0;
    let code = byte;
    if (wait > 0) {
      code = (codes[depth - 1]! << 6) | (byte & 0x3f);
      waiting = wait - 1;
      // A second byte must not make what fewer bytes spell, too.
      const short =
        (codes[depth - 1] === 0 && wait === 2 && byte < 0xa0) || (codes[depth - 1] === 0 && wait === 3 && byte < 0x90);
      if (byte >> 6 !== 2 || short) next = -1;
      else if (waiting === 0) next = contains(alphabet, code) ? count + 1 : -1;
    } else if (byte < 0x80) next = ascii[byte] ? count + 1 : -1;
    else if (byte < 0xc2 || byte > 0xf4) next = -1;
    else {
      waiting = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
      code = byte & (0x3f >> waiting);
    }
    if (count < 0) next = -1;
    counts[depth] = next >= MAX_RUN ? -1 : next;
    waits[depth] = next < 0 ? 0 : waiting;
    codes[depth] = code;
    lengths[node] = waiting === 0 ? Math.max(0, counts[depth]!) : 0;
  }
  return lengths;
}

/** The tree of the tokens whose length is 0. */
function without(trie: TokenTrie, lengths: Uint8Array): TokenTrie {
  const { bytes, depths, tokens, ends } = trie;
  const needed = new Uint8Array(bytes.length);
  const path = new Int32Array(trie.maxDepth + 1);
  for (let node = 1; node < bytes.length; node++) {
    path[depths[node]!] = node;
    if (tokens[node] === NO_TOKEN || lengths[node]! > 0) continue;
    for (let depth = depths[node]!; depth > 0 && !needed[path[depth]!]; depth--) needed[path[depth]!] = 1;
  }
  const nodes = [0];
  for (let node = 1; node < bytes.length; node = needed[node] ? node + 1 : ends[node]!)
    if (needed[node]) nodes.push(node);
  const several = new Map<number, readonly number[]>();
  const kept = Int32Array.from(nodes, (node, at) => {
    if (lengths[node]! > 0) return NO_TOKEN;
    if (tokens[node] === SEVERAL) several.set(at, trie.several.get(node)!);
    return tokens[node]!;
  });
  const newDepths = Uint16Array.from(nodes, (node) => depths[node]!);
  const newEnds = new Int32Array(nodes.length).fill(nodes.length);
  const parents = new Int32Array(nodes.length);
  const open: number[] = [];
  for (const [at, depth] of newDepths.entries()) {
    while (open.length > 0 && newDepths[open.at(-1)!]! >= depth) newEnds[open.pop()!] = at;
    parents[at] = open.at(-1) ?? 0;
    open.push(at);
  }
  return {
    vocabSize: trie.vocabSize,
    bytes: Uint8Array.from(nodes, (node) => bytes[node]!),
    depths: newDepths,
    parents,
    ends: newEnds,
    tokens: kept,
    several,
    maxDepth: trie.maxDepth,
  };
}
