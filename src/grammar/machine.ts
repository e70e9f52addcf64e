/**
 * Reads bytes by a compiled grammar. All readings of the text so far are followed at once, Earley's way (1970): calls of
 * one rule at one place share a frame, so that ambiguity costs polynomial and not exponential work. States are built
 * when they are first reached and kept, which makes a deterministic automaton of what a grammar's texts have in common.
 * @module
 */
import { checkLimit, MAX_ITEMS, MAX_TOKEN_WORK } from "./limits.ts";
import type { Program } from "./program.ts";
import type { Runs } from "./runs.ts";

/** Where a rule goes on when it ends: behind each of its calls, inside the caller's frame. */
export interface Frame {
  readonly id: number;
  readonly backs: readonly number[];
  readonly frames: readonly Frame[];
  /** The text may end when the rule ends. */
  readonly outermost: boolean;
}

export interface State {
  /** Row of the table of next states; of the machine's generation in which it was made. */
  readonly id: number;
  readonly generation: number;
  /** Nodes that can read a byte, each in its frame, in order of frames. */
  readonly nodes: readonly number[];
  readonly frames: readonly Frame[];
  /** The text may end here. */
  readonly mayEnd: boolean;
}

/** Entries of the table of next states, and frames, before everything is forgotten: what is needed is built again. */
const MAX_TABLE = 1 << 20;
const MAX_FRAMES = 20_000;
/** How far one token's mask may go beyond that. */
const OVERRUN = 4;

/** What an item costs in the name of a state or frame, in steps. */
const NAME_COST = 4;

/** The state from which nothing can be read. */
export const DEAD = 0;
const UNKNOWN = -1;

export class Machine {
  readonly outermost: Frame = { id: 0, backs: [], frames: [], outermost: true };
  /** Counts how often everything was forgotten. */
  generation = 0;
  /** Next state by state and byte class: `table[id * classes + class]`, -1 where it is not known. */
  table: Int32Array;
  readonly classes: number;
  readonly start: State;
  readonly #program: Program;
  readonly #maxFrames: number;
  #frameIds = 1;
  #states: State[] = [];
  #work = 0;
  readonly #stateIds = new Map<string, State>();
  readonly #frames = new Map<string, Frame>();
  /** State by a node in a frame. */
  readonly #singles = new Map<number, number>();

  /** @param maxFrames for tests */
  constructor(program: Program, maxFrames: number = MAX_FRAMES) {
    this.#program = program;
    this.#maxFrames = maxFrames;
    this.classes = program.bytes.length;
    this.table = new Int32Array(64 * this.classes).fill(UNKNOWN);
    this.#addDead();
    this.start = this.closure([program.starts[0]!], [this.outermost]);
  }

  get runs(): Runs {
    return this.#program.runs;
  }

  get classOf(): Uint8Array {
    return this.#program.classOf;
  }

  state(id: number): State {
    return this.#states[id]!;
  }

  /** Begins a token: forgets what takes too much memory. Gives the state as it is now, for it may have been forgotten. */
  refresh(state: State): State {
    this.#work = 0;
    if (this.#states.length * this.classes > MAX_TABLE || this.#frames.size > this.#maxFrames) this.#forget();
    if (state.generation === this.generation) return state;
    const items = new Items(this.#program.nodes.length);
    for (const [i, node] of state.nodes.entries()) items.add(node, state.frames[i]!);
    return this.#keep(items, state.mayEnd);
  }

  /**
   * The state after a token's bytes.
   * @throws NibbleError `invalid_argument` if the text can be read in too many ways
   */
  read(from: State, bytes: Uint8Array): State {
    let { id } = this.refresh(from);
    for (const byte of bytes) {
      const kind = this.classOf[byte]!;
      const next = this.table[id * this.classes + kind]!;
      id = next === UNKNOWN ? this.advance(id, kind) : next;
    }
    return this.#states[id]!;
  }

  isDead(state: State): boolean {
    return state.nodes.length === 0 && !state.mayEnd;
  }

  /** The next state for a byte class whose entry in the table is not known yet. */
  advance(id: number, kind: number): number {
    const byte = this.#program.bytes[kind]!;
    const state = this.#states[id]!;
    const nodes: number[] = [];
    const frames: Frame[] = [];
    for (const [i, node] of state.nodes.entries()) {
      const edges = this.#program.nodes[node]!.bytes;
      this.#spend(edges.length);
      for (const { from, to, target } of edges) {
        if (byte < from || byte > to) continue;
        nodes.push(target);
        frames.push(state.frames[i]!);
      }
    }
    const next =
      nodes.length === 0
        ? DEAD
        : nodes.length === 1
          ? this.#single(nodes[0]!, frames[0]!)
          : this.closure(nodes, frames).id;
    this.table[id * this.classes + kind] = next;
    return next;
  }

  /** Most bytes lead to one node; which one, many bytes share. */
  #single(node: number, frame: Frame): number {
    const item = frame.id * this.#program.nodes.length + node;
    let id = this.#singles.get(item);
    if (id === undefined) this.#singles.set(item, (id = this.closure([node], [frame]).id));
    return id;
  }

  /** The state behind the end of a rule. */
  after(frame: Frame): State {
    return this.closure(frame.backs, frame.frames, frame.outermost);
  }

  /**
   * The state that has these nodes, with rules that end here ended and rules that are called here begun.
   * @throws NibbleError `invalid_argument` if the text can be read in too many ways
   */
  closure(nodes: readonly number[], frames: readonly Frame[], mayEnd = false): State {
    const items = new Items(this.#program.nodes.length);
    for (const [i, node] of nodes.entries()) items.add(node, frames[i]!);
    for (let i = 0; i < items.nodes.length; i++) {
      this.#spend(1);
      if (!this.#program.nodes[items.nodes[i]!]!.accepts) continue;
      const frame = items.frames[i]!;
      mayEnd ||= frame.outermost;
      this.#spend(frame.backs.length);
      for (const [j, back] of frame.backs.entries()) items.add(back, frame.frames[j]!);
    }
    this.#call(items);
    return this.#keep(items, mayEnd);
  }

  /** Begins the rules that are called, callers before callees, so that a frame knows all of its callers. */
  #call(items: Items): void {
    const { nodes, order, ranks, starts } = this.#program;
    const callers = new Map<number, Items>();
    let lowest = order.length;
    const collect = (node: number, frame: Frame) => {
      this.#spend(nodes[node]!.calls.length);
      for (const { rule, back } of nodes[node]!.calls) {
        let list = callers.get(rule);
        if (!list) callers.set(rule, (list = new Items(nodes.length)));
        list.add(back, frame);
        lowest = Math.min(lowest, ranks[rule]!);
      }
    };
    for (const [i, node] of items.nodes.entries()) collect(node, items.frames[i]!);
    for (let rank = lowest, done = 0; done < callers.size; rank++) {
      const list = callers.get(order[rank]!);
      if (!list) continue;
      done++;
      const frame = this.#frame(list);
      const start = starts[order[rank]!]!;
      items.add(start, frame);
      collect(start, frame);
    }
  }

  /** A call with nothing behind it returns to where its caller returns: lists that recurse at their end stay flat. */
  #frame(callers: Items): Frame {
    this.#spend(callers.nodes.length * NAME_COST);
    const backs = new Items(this.#program.nodes.length);
    let outermost = false;
    for (const [i, back] of callers.nodes.entries()) {
      const { bytes, calls, accepts } = this.#program.nodes[back]!;
      const frame = callers.frames[i]!;
      if (bytes.length > 0 || calls.length > 0 || !accepts) {
        backs.add(back, frame);
        continue;
      }
      outermost ||= frame.outermost;
      this.#spend(frame.backs.length);
      for (const [j, node] of frame.backs.entries()) backs.add(node, frame.frames[j]!);
    }
    if (outermost && backs.nodes.length === 0) return this.outermost;
    backs.sort();
    const key = `${outermost} ${backs.key}`;
    const known = this.#frames.get(key);
    if (known) return known;
    checkLimit("grammar: depth", this.#frames.size, OVERRUN * MAX_FRAMES);
    const frame = { id: this.#frameIds++, backs: backs.nodes, frames: backs.frames, outermost };
    this.#frames.set(key, frame);
    return frame;
  }

  #keep(items: Items, mayEnd: boolean): State {
    this.#spend(items.nodes.length * NAME_COST);
    const kept = new Items(this.#program.nodes.length);
    for (const [i, node] of items.nodes.entries()) {
      if (this.#program.nodes[node]!.bytes.length > 0) kept.add(node, items.frames[i]!);
    }
    if (kept.nodes.length === 0 && !mayEnd) return this.#states[DEAD]!;
    kept.sort();
    const key = `${mayEnd} ${kept.key}`;
    const known = this.#stateIds.get(key);
    if (known) return known;
    const id = this.#states.length;
    const { generation } = this;
    const state: State = { id, generation, nodes: kept.nodes, frames: kept.frames, mayEnd };
    this.#states.push(state);
    this.#stateIds.set(key, state);
    checkLimit("grammar: states at one token", id * this.classes, OVERRUN * MAX_TABLE);
    if ((id + 1) * this.classes > this.table.length) {
      const grown = new Int32Array(this.table.length * 2).fill(UNKNOWN);
      grown.set(this.table);
      this.table = grown;
    }
    return state;
  }

  #addDead(): void {
    this.#states = [{ id: DEAD, generation: this.generation, nodes: [], frames: [], mayEnd: false }];
    this.table.fill(DEAD, 0, this.classes);
  }

  /** Bounds the time of one token. */
  #spend(steps: number): void {
    this.#work += steps;
    checkLimit("grammar: ways to read the text at one token", this.#work, MAX_TOKEN_WORK);
  }

  #forget(): void {
    this.generation++;
    this.table = new Int32Array(64 * this.classes).fill(UNKNOWN);
    this.#stateIds.clear();
    this.#singles.clear();
    this.#frames.clear();
    this.#addDead();
  }
}

/** Nodes in frames, each pair once. */
class Items {
  nodes: number[] = [];
  frames: Frame[] = [];
  readonly #nodeCount: number;
  readonly #seen = new Set<number>();

  constructor(nodeCount: number) {
    this.#nodeCount = nodeCount;
  }

  get key(): string {
    return this.nodes.map((node, i) => `${node}:${this.frames[i]!.id}`).join();
  }

  add(node: number, frame: Frame): void {
    const item = frame.id * this.#nodeCount + node;
    if (this.#seen.has(item)) return;
    this.#seen.add(item);
    this.nodes.push(node);
    this.frames.push(frame);
    checkLimit("grammar: ways to read the text", this.nodes.length, MAX_ITEMS);
  }

  sort(): void {
    if (this.nodes.length < 2) return;
    const order = this.nodes.map((_, i) => i);
    order.sort((a, b) => this.frames[a]!.id - this.frames[b]!.id || this.nodes[a]! - this.nodes[b]!);
    [this.nodes, this.frames] = [order.map((i) => this.nodes[i]!), order.map((i) => this.frames[i]!)];
  }
}
