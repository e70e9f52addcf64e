/**
 * Which tokens may come in a state: a walk through the vocabulary's tree beside the machine.
 *
 * A state is nodes in frames, and a token may come where one of them can read it. What a node can read does not depend on
 * what stands around its rule: inside of a JSON string all that stays inside is allowed, whatever the string belongs to.
 * So the walk is made once for a node, as if its frame were the outermost one, and notes the places where the rule can
 * end inside of a token. For a state of a real text only these few subtrees are walked anew. (XGrammar, Dong et al. 2024,
 * tells tokens apart that way.) Tokens of a run's alphabet need no walk at all (`token-runs.ts`).
 * @module
 */
import { DEAD, type Frame, type Machine, type State } from "./machine.ts";
import { type TokenRuns, tokenRuns } from "./token-runs.ts";
import { pathTo, SEVERAL, type TokenTrie } from "./token-trie.ts";

/** One bit a token, as samplers take them: `mask[id >> 5]`, bit `id & 31`. */
type TokenMask = Uint32Array;

interface Walked {
  readonly mask: TokenMask;
  /** Nodes of a tree where the rule can end, with tokens below them that are not in the mask. */
  readonly exits: readonly number[];
  readonly trie: TokenTrie;
  /** Nodes below the exits. */
  readonly below: number;
}

/** Bytes of masks that are kept for one grammar: 16 kB a mask with 128,000 tokens. */
const MAX_BYTES = 1 << 24;

/** Tokens of a run's alphabet that are looked at one by one: 0.3 us each. */
const MAX_OPEN = 2000;

export class TokenMasks {
  readonly machine: Machine;
  readonly #trie: TokenTrie;
  /** State at each depth of a walk. */
  readonly #stack: Int32Array;
  readonly #runs: readonly TokenRuns[];
  /** By nodes of the grammar. */
  readonly #walked = new Map<string, Walked>();
  readonly #masks = new Map<State, TokenMask>();
  #generation = 0;

  constructor(machine: Machine, trie: TokenTrie) {
    this.machine = machine;
    this.#trie = trie;
    this.#stack = new Int32Array(trie.maxDepth + 1);
    this.#runs = machine.runs.alphabets.map((alphabet) => tokenRuns(trie, alphabet));
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
    const { machine } = this;
    const mask = new Uint32Array((this.#trie.vocabSize + 31) >> 5);
    const covered = new Set<string>();
    let below = 0;
    for (const { frame, nodes } of byFrame(state, machine.runs.alphabetOf)) {
      // What is called from here was walked with it: callers come first, their frames are older.
      const names = nodes.map((node) => `${node} ${frame.id}`);
      if (names.every((name) => covered.has(name))) continue;
      const whole = machine.closure(nodes, nodes.map(() => frame)); // biome-ignore format: one line
      for (const [i, node] of whole.nodes.entries()) covered.add(`${node} ${whole.frames[i]!.id}`);
      const walked = this.#local(nodes);
      for (let word = 0; word < mask.length; word++) mask[word]! |= walked.mask[word]!;
      if (walked.exits.length === 0 || frame === machine.outermost) continue;
      const after = machine.after(frame);
      if (after.nodes.length === 0) continue;
      below += walked.below;
      // A rule that can end anywhere and is followed by one like it: all at once is less.
      if (below > this.#trie.bytes.length) return this.#whole(state).mask;
      for (const exit of walked.exits) this.#walk(walked.trie, after, exit, mask);
    }
    return mask;
  }

  /** Of one node with a run, or of all in a frame that have none. */
  #local(nodes: readonly number[]): Walked {
    const key = nodes.join();
    const known = this.#walked.get(key);
    if (known) return known;
    const { outermost } = this.machine;
    const state = this.machine.closure(nodes, nodes.map(() => outermost)); // biome-ignore format: one line
    const walked = this.#run(state, nodes[0]!) ?? this.#whole(state);
    this.#walked.set(key, walked);
    return walked;
  }

  #whole(state: State): Walked {
    const trie = this.#trie;
    const mask = new Uint32Array((trie.vocabSize + 31) >> 5);
    return withExits(mask, this.#walk(trie, state, 0, mask, []), trie);
  }

  /** Tokens of the node's alphabet by their length, then all others. */
  #run(state: State, node: number): Walked | undefined {
    const { alphabetOf, all, some } = this.machine.runs;
    const runs = this.#runs[alphabetOf[node]!];
    if (!runs) return undefined;
    const { upTo, others } = runs;
    const [from, to] = [Math.min(all[node]!, upTo.length - 1), Math.min(some[node]!, upTo.length - 1)];
    const open = runs.ofLength.slice(from + 1, to + 1).flat();
    if (open.length > MAX_OPEN) return undefined;
    const mask = upTo[from]!.slice();
    const exits = this.#walk(others, state, 0, mask, []);
    for (const at of open) if (this.#reads(state, at)) addTokens(this.#trie, at, mask);
    return withExits(mask, exits, others);
  }

  #reads(from: State, node: number): boolean {
    const { machine } = this;
    let { id } = from;
    for (const byte of pathTo(this.#trie, node)) {
      const kind = machine.classOf[byte]!;
      const next = machine.table[id * machine.classes + kind]!;
      id = next >= 0 ? next : machine.advance(id, kind);
      if (id === DEAD) return false;
    }
    return true;
  }

  /** Adds the tokens below a node of the tree that can be read from a state. */
  #walk(trie: TokenTrie, start: State, root: number, mask: TokenMask, exits?: number[]): number[] {
    const { machine } = this;
    const stack = this.#stack;
    stack[trie.depths[root]!] = start.id * machine.classes;
    const end = trie.ends[root]!;
    for (let node = root + 1; ; ) {
      node = walkKnown(trie, machine, stack, node, end, mask, exits);
      if (node >= end) return exits ?? [];
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

function withExits(mask: TokenMask, exits: readonly number[], trie: TokenTrie): Walked {
  return { mask, exits, trie, below: exits.reduce((sum, exit) => sum + trie.ends[exit]! - exit, 0) };
}

/** States list their nodes in order of frames. Those that have a run stand alone. */
function byFrame({ nodes, frames }: State, alphabetOf: Int8Array): { frame: Frame; nodes: number[] }[] {
  const parts: { frame: Frame; nodes: number[] }[] = [];
  let group: number[] = [];
  for (const [i, node] of nodes.entries()) {
    const frame = frames[i]!;
    if (frame !== frames[i - 1]) group = [];
    if (alphabetOf[node]! >= 0) parts.push({ frame, nodes: [node] });
    else if (group.push(node) === 1) parts.push({ frame, nodes: group });
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

function addTokens({ tokens, several }: TokenTrie, node: number, mask: TokenMask): void {
  const token = tokens[node]!;
  for (const id of token === SEVERAL ? several.get(node)! : [token]) mask[id >> 5]! |= 1 << (id & 31);
}

function addSeveral(ids: readonly number[], bits: Int32Array): void {
  for (const id of ids) bits[id >> 5]! |= 1 << (id & 31);
}
