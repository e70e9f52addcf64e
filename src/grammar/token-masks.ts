/**
 * Which tokens may come in a state: a walk through the vocabulary's tree beside the machine.
 *
 * Almost everything that a state allows does not depend on what stands around its rule: inside of a JSON string all that
 * stays inside is allowed, whatever the string belongs to. So a walk is made once for a set of nodes, as if its frame
 * were the outermost one, and notes the places where the rule can end inside of a token. For a state of a real text only
 * these few subtrees are walked anew. (XGrammar, Dong et al. 2024, tells tokens apart that way.)
 * @module
 */
import { DEAD, type Frame, type Machine, type State } from "./machine.ts";
import { SEVERAL, type TokenTrie } from "./token-trie.ts";

/** One bit a token, as samplers take them: `mask[id >> 5]`, bit `id & 31`. */
type TokenMask = Uint32Array;

interface Walked {
  readonly mask: TokenMask;
  /** Nodes of the tree that have children and where the rule can end. */
  readonly exits: readonly number[];
}

/** Bytes of masks that are kept for one grammar: 16 kB a mask with 128,000 tokens. */
const MAX_BYTES = 1 << 24;

export class TokenMasks {
  readonly machine: Machine;
  readonly #trie: TokenTrie;
  /** State at each depth of a walk. */
  readonly #stack: Int32Array;
  readonly #walked = new Map<State, Walked>();
  readonly #masks = new Map<State, TokenMask>();
  #generation = 0;

  constructor(machine: Machine, trie: TokenTrie) {
    this.machine = machine;
    this.#trie = trie;
    this.#stack = new Int32Array(trie.maxDepth + 1);
  }

  /** Tokens whose bytes the grammar can read next. Do not change it. */
  mask(from: State): TokenMask {
    const state = this.machine.refresh(from);
    const known = this.#masks.get(state);
    if (known) return known;
    this.#forget();
    const mask = this.#compute(state);
    this.#masks.set(state, mask);
    return mask;
  }

  #compute(state: State): TokenMask {
    const parts = byFrame(state);
    let mask: TokenMask | undefined;
    let own = false; // the mask is ours to change
    const covered = new Set<string>();
    for (const { frame, nodes } of parts) {
      // What is called from here was walked with it: callers come first, their frames are older.
      const names = nodes.map((node) => `${node} ${frame.id}`);
      if (names.every((name) => covered.has(name))) continue;
      const whole = this.machine.closure(nodes, nodes.map(() => frame)); // biome-ignore format: one line
      for (const [i, node] of whole.nodes.entries()) covered.add(`${node} ${whole.frames[i]!.id}`);
      const walked = this.#local(nodes);
      if (!mask) mask = walked.mask;
      else {
        if (!own) mask = mask.slice();
        own = true;
        for (let i = 0; i < mask.length; i++) mask[i]! |= walked.mask[i]!;
      }
      if (walked.exits.length === 0 || frame === this.machine.outermost) continue;
      const after = this.machine.after(frame);
      if (after.nodes.length === 0) continue;
      if (!own) mask = mask.slice();
      own = true;
      for (const exit of walked.exits) this.#walk(after, exit, mask);
    }
    return mask ?? new Uint32Array((this.#trie.vocabSize + 31) >> 5);
  }

  #local(nodes: readonly number[]): Walked {
    const { outermost } = this.machine;
    const state = this.machine.closure(
      nodes,
      nodes.map(() => outermost),
    );
    const known = this.#walked.get(state);
    if (known) return known;
    const mask = new Uint32Array((this.#trie.vocabSize + 31) >> 5);
    const exits: number[] = [];
    this.#walk(state, 0, mask, exits);
    const walked = { mask, exits };
    this.#walked.set(state, walked);
    return walked;
  }

  /** Adds the tokens below a node of the tree that can be read from a state. */
  #walk(start: State, root: number, mask: TokenMask, exits?: number[]): void {
    const { machine } = this;
    const trie = this.#trie;
    const stack = this.#stack;
    stack[trie.depths[root]!] = start.id * machine.classes;
    const end = trie.ends[root]!;
    for (let node = root + 1; ; ) {
      node = walkKnown(trie, machine, stack, node, end, mask, exits);
      if (node >= end) return;
      machine.advance(stack[trie.depths[node]! - 1]! / machine.classes, machine.classOf[trie.bytes[node]!]!);
    }
  }

  /** Masks go when they take too much, and when the machine has forgotten its states: nothing would find them again. */
  #forget(): void {
    const bytes = (this.#masks.size + this.#walked.size) * (this.#trie.vocabSize >> 3);
    if (bytes < MAX_BYTES && this.#generation === this.machine.generation) return;
    this.#generation = this.machine.generation;
    this.#masks.clear();
    this.#walked.clear();
  }
}

/** States list their nodes in order of frames. */
function byFrame({ nodes, frames }: State): { frame: Frame; nodes: number[] }[] {
  const parts: { frame: Frame; nodes: number[] }[] = [];
  for (const [i, node] of nodes.entries()) {
    const last = parts.at(-1);
    if (last?.frame === frames[i]) last!.nodes.push(node);
    else parts.push({ frame: frames[i]!, nodes: [node] });
  }
  return parts;
}

/**
 * Walks from `node` on to `end`, or to the first node whose state is not in the table yet. For a new state this runs over
 * nearly the whole tree (275,000 nodes for 128,000 tokens, 10 ns each): tables of numbers, no objects.
 */
function walkKnown(
  { bytes, depths, ends, tokens, several }: TokenTrie,
  machine: Machine,
  stack: Int32Array,
  node: number,
  end: number,
  mask: TokenMask,
  exits: number[] | undefined,
): number {
  const { table, classOf, classes } = machine;
  const bits = new Int32Array(mask.buffer, mask.byteOffset, mask.length); // no numbers beyond 31 bits
  while (node < end) {
    const depth = depths[node]!;
    const id = table[stack[depth - 1]! + classOf[bytes[node]!]!]!;
    if (id === DEAD) {
      node = ends[node]!;
      continue;
    }
    if (id < 0) return node;
    const token = tokens[node]!;
    if (token >= 0) bits[token >> 5]! |= 1 << (token & 31);
    else if (token === SEVERAL) addSeveral(several.get(node)!, bits);
    if (exits && ends[node]! > node + 1 && machine.state(id).mayEnd) exits.push(node);
    stack[depth] = id * classes;
    node++;
  }
  return node;
}

function addSeveral(ids: readonly number[], bits: Int32Array): void {
  for (const id of ids) bits[id >> 5]! |= 1 << (id & 31);
}
