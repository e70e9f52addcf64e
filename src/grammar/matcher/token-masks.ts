/**
 * Finds the tokens that may come in a state, by a walk through the trie of the vocabulary together with the matcher.
 *
 * A state is a set of nodes in frames, and a token may come where one of them can read it. The tokens that a node can
 * read within its rule do not depend on the rules around it: the tokens that stay inside a JSON string are the same
 * wherever the string is. So the walk is made once per node, as if its frame were the outermost one, and records the
 * places where the rule can end inside a token (its exits). For a state of a real text only these few subtrees are
 * walked again. XGrammar (Dong et al. 2024) divides tokens in the same way. Tokens of a run's alphabet need no walk at
 * all (`token-runs.ts`).
 * @module
 */
import { certainBytes } from "./certain.ts";
import { mayDiffer, restsOf, withoutRepeats } from "./differing.ts";
import type { Matcher } from "./matcher.ts";
import { DEAD, type Frame, type State } from "./state.ts";
import { type TokenRuns, tokenRuns } from "./token-runs.ts";
import { pathTo, SEVERAL, type TokenTrie, tokensAt } from "./token-trie.ts";

/** One bit per token, as samplers take it: bit `id & 31` of `mask[id >> 5]`. */
type TokenMask = Uint32Array;

/** The result of a walk from a node in the outermost frame. */
interface LocalMask {
  readonly mask: TokenMask;
  /** Nodes of the tree where the rule can end, with tokens below them that are not in the mask. */
  readonly exits: readonly number[];
  readonly trie: TokenTrie;
  /** The number of nodes below the exits. */
  readonly below: number;
}

/** Bytes of masks that are kept for one grammar. A mask takes 16 kB with 128,000 tokens. */
const MAX_BYTES = 1 << 24;
/** Tokens of a run's alphabet that may be tried one by one, which takes 0.3 us each. */
const MAX_TRIED = 2000;
/** Bytes of text that must come which are looked for: more than the tokens that are checked in one step. */
const MAX_CERTAIN = 96;

export class TokenMasks {
  readonly matcher: Matcher;
  readonly #trie: TokenTrie;
  /** The state at each depth of a walk. */
  readonly #stack: Int32Array;
  readonly #runs: readonly TokenRuns[];
  /** Local masks by the nodes of the grammar. */
  readonly #local = new Map<string, LocalMask>();
  readonly #masks = new Map<State, TokenMask>();
  #generation = 0;

  constructor(matcher: Matcher, trie: TokenTrie) {
    this.matcher = matcher;
    this.#trie = trie;
    this.#stack = new Int32Array(trie.maxDepth + 1);
    this.#runs = matcher.runs.alphabets.map((alphabet) => tokenRuns(trie, alphabet));
  }

  /**
   * The tokens whose bytes the grammar can read next. The caller must not change the mask.
   * @throws NibbleError `invalid_argument` if the text can be read in too many ways
   */
  mask(from: State): TokenMask {
    const state = this.matcher.refresh(from);
    const known = this.#masks.get(state);
    if (known) return known;
    this.#forget();
    const mask = this.#compute(state);
    this.#addNamed(mask, state);
    this.#masks.set(state, mask);
    return mask;
  }

  /**
   * The state after a token that the mask allows.
   * @throws NibbleError `invalid_argument` if the text can be read in too many ways
   */
  read(from: State, id: number): State {
    return this.matcher.readToken(from, id, this.#trie.textOf(id));
  }

  /**
   * The bytes with which every text goes on from a state, as far as they are worth knowing.
   * @throws NibbleError `invalid_argument` if the text can be read in too many ways
   */
  certain(from: State): Uint8Array {
    return certainBytes(this.matcher, from, MAX_CERTAIN);
  }

  /** Adds the tokens that the grammar names. */
  #addNamed(mask: TokenMask, state: State): void {
    for (const [{ id, negated }] of this.matcher.tokenEdges(state)) {
      const has = (mask[id >> 5]! >>> (id & 31)) & 1;
      if (negated) for (let token = 0; token < this.#trie.vocabSize; token++) mask[token >> 5]! |= 1 << (token & 31);
      if (!negated || has === 1) mask[id >> 5]! |= 1 << (id & 31);
      else mask[id >> 5]! &= ~(1 << (id & 31));
    }
  }

  #compute(state: State): TokenMask {
    const { matcher } = this;
    const mask = this.#emptyMask();
    const covered = new Set<string>();
    let below = 0;
    for (const { frame, nodes } of byFrame(state, matcher.runs.alphabetOf)) {
      // Rules that are called from here were walked with it: their frames are newer, so they come later in the state.
      if (nodes.every((node) => covered.has(`${node} ${frame.id}`))) continue;
      if (frame.inList) {
        const starts = matcher.beforeItem(nodes, frame);
        this.#walkList({ trie: this.#trie, roots: [0], mask }, state, starts);
        continue;
      }
      const whole = this.#closure(nodes, frame);
      for (const [i, node] of whole.nodes.entries()) covered.add(`${node} ${whole.frames[i]!.id}`);
      const local = this.#localMask(nodes, state, frame);
      for (let i = 0; i < mask.length; i++) mask[i]! |= local.mask[i]!;
      if (local.exits.length === 0 || frame === matcher.outermost) continue;
      if (frame.isItem) {
        this.#walkList({ trie: local.trie, roots: local.exits, mask }, state, matcher.afterItem(frame));
        continue;
      }
      const after = matcher.after(frame);
      if (after.nodes.length === 0) continue;
      below += local.below;
      // A rule that can end anywhere and is followed by a similar one has so many exits that a single walk over
      // everything is faster.
      if (below > this.#trie.bytes.length) return this.#walkAll(state).mask;
      for (const exit of local.exits) this.#walk({ trie: local.trie, root: exit, mask }, after);
    }
    return mask;
  }

  /** The mask of one node with a run, or of all nodes of a frame that have none, as if the frame were the outermost one. */
  #localMask(nodes: readonly number[], { trail }: State, frame: Frame): LocalMask {
    const key = nodes.join();
    let local = this.#local.get(key);
    if (!local) {
      const start = this.#closure(nodes, this.matcher.outermost);
      this.#local.set(key, (local = this.#walkRun(start, nodes[0]!) ?? this.#walkAll(start)));
    }
    if (!frame.isItem || trail === undefined) return local;
    return withoutRepeats(local, { matcher: this.matcher, trie: this.#trie, nodes, rests: restsOf(frame, trail) });
  }

  /**
   * Adds the tokens below some nodes of a tree that go on in a list whose items must differ. Those that begin another
   * item are found by a walk that does not compare items, and then tried one by one.
   */
  #walkList({ trie, roots, mask }: ListWalk, state: State, { halted, free }: { halted: State; free: State }): void {
    const found = this.#emptyMask();
    for (const root of roots) {
      this.#walk({ trie, root, mask }, halted);
      this.#walk({ trie, root, mask: found }, free);
    }
    for (const [i, bits] of found.entries()) {
      for (let rest = bits & ~mask[i]!; rest !== 0; rest &= rest - 1) {
        const id = i * 32 + 31 - Math.clz32(rest & -rest);
        if (mayDiffer(this.matcher, this.read(state, id))) mask[i]! |= rest & -rest;
      }
    }
  }

  #walkAll(state: State): LocalMask {
    const walk = { trie: this.#trie, root: 0, mask: this.#emptyMask(), exits: [] };
    this.#walk(walk, state);
    return localMask(walk);
  }

  /** Takes the tokens of the node's alphabet by their length, and walks over all others. */
  #walkRun(state: State, node: number): LocalMask | undefined {
    const { alphabetOf, all, some } = this.matcher.runs;
    const runs = this.#runs[alphabetOf[node]!];
    if (!runs) return undefined;
    const { upTo, ofLength, others } = runs;
    const [from, to] = [Math.min(all[node]!, upTo.length - 1), Math.min(some[node]!, upTo.length - 1)];
    const undecided = ofLength.slice(from + 1, to + 1).flat();
    if (undecided.length > MAX_TRIED) return undefined;
    const walk = { trie: others, root: 0, mask: upTo[from]!.slice(), exits: [] };
    this.#walk(walk, state);
    for (const at of undecided) {
      if (this.matcher.readOn(state, pathTo(this.#trie, at)).id === DEAD) continue;
      for (const id of tokensAt(this.#trie, at)) walk.mask[id >> 5]! |= 1 << (id & 31);
    }
    return localMask(walk);
  }

  /** Adds the tokens below the walk's root that can be read from a state. */
  #walk(walk: Walk, start: State): void {
    const { matcher } = this;
    const { trie, root } = walk;
    const stack = this.#stack;
    stack[trie.depths[root]!] = start.id * matcher.classes;
    const end = trie.ends[root]!;
    for (let node = root + 1; ; ) {
      node = walkKnown(walk, matcher, { stack, node, end });
      if (node >= end) return;
      matcher.advance(stack[trie.depths[node]! - 1]! / matcher.classes, matcher.classOf[trie.bytes[node]!]!);
    }
  }

  #closure(nodes: readonly number[], frame: Frame): State {
    return this.matcher.closure(
      nodes,
      nodes.map(() => frame),
    );
  }

  #emptyMask(): TokenMask {
    return new Uint32Array((this.#trie.vocabSize + 31) >> 5);
  }

  /** Drops the masks when they take too much memory, and when the matcher has dropped their states. */
  #forget(): void {
    const bytes = (this.#masks.size + this.#local.size) * (this.#trie.vocabSize >> 3);
    if (bytes < MAX_BYTES && this.#generation === this.matcher.generation) return;
    this.#generation = this.matcher.generation;
    this.#masks.clear();
    this.#local.clear();
  }
}

/** A walk over the tree below a root. Tokens that can be read are added to the mask. */
interface Walk {
  readonly trie: TokenTrie;
  readonly root: number;
  readonly mask: TokenMask;
  /** If it is given, the walk adds the nodes where the text may end with tokens below them. */
  readonly exits?: number[];
}

interface ListWalk extends Pick<Walk, "trie" | "mask"> {
  readonly roots: readonly number[];
}

function localMask({ trie, mask, exits }: Required<Walk>): LocalMask {
  return { mask, exits, trie, below: exits.reduce((sum, exit) => sum + trie.ends[exit]! - exit, 0) };
}

/** Divides a state, whose nodes are sorted by frame. Nodes that have a run stand alone. */
function byFrame({ nodes, frames }: State, alphabetOf: Int8Array): { frame: Frame; nodes: number[] }[] {
  const parts: { frame: Frame; nodes: number[] }[] = [];
  let together: number[] = [];
  for (const [i, node] of nodes.entries()) {
    const frame = frames[i]!;
    if (frame !== frames[i - 1]) together = [];
    if (alphabetOf[node]! >= 0) parts.push({ frame, nodes: [node] });
    else if (together.push(node) === 1) parts.push({ frame, nodes: together });
  }
  return parts;
}

/**
 * Walks from `node` to `end`, or to the first node whose state is not in the table yet, and returns where it stopped. For
 * a new state this runs over nearly the whole tree (275,000 nodes for 128,000 tokens, 10 ns each), so it works on arrays
 * of numbers alone.
 */
function walkKnown(
  { trie, mask, exits }: Walk,
  matcher: Matcher,
  { stack, node, end }: { stack: Int32Array; node: number; end: number },
): number {
  const { bytes, depths, ends, tokens } = trie;
  const { table, classOf, classes } = matcher;
  const bits = new Int32Array(mask.buffer, mask.byteOffset, mask.length); // signed, since 32 bits need no wide numbers
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
    else if (token === SEVERAL) for (const each of tokensAt(trie, node)) bits[each >> 5]! |= 1 << (each & 31);
    if (exits && ends[node]! > node + 1 && matcher.state(id).mayEnd) exits.push(node);
    stack[depth] = id * classes;
    node++;
  }
  return node;
}
