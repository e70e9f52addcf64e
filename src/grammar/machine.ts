/**
 * Reads bytes by a compiled grammar. All readings of the text so far are followed at once, Earley's way (1970): calls of
 * one rule at one place share a frame, so that ambiguity costs polynomial and not exponential work. States are built
 * when they are first reached and kept, which makes a deterministic automaton of what a grammar's texts have in common.
 * @module
 */
import { checkLimit, MAX_ITEMS } from "./limits.ts";
import type { Program } from "./program.ts";

/** Where a rule goes on when it ends: behind each of its calls, inside the caller's frame. */
export interface Frame {
  readonly id: number;
  readonly backs: readonly number[];
  readonly frames: readonly Frame[];
  /** The text may end when the rule ends. */
  readonly outermost: boolean;
}

export interface State {
  /** Nodes that can read a byte, each in its frame, in order of frames. */
  readonly nodes: readonly number[];
  readonly frames: readonly Frame[];
  /** The text may end here. */
  readonly mayEnd: boolean;
  /** By byte class, as far as known. */
  next: (State | undefined)[];
}

/** States and frames that are kept. When there are more, all are forgotten: what is needed is built again. */
const MAX_KEPT = 20_000;

export class Machine {
  readonly outermost: Frame = { id: 0, backs: [], frames: [], outermost: true };
  readonly dead: State = { nodes: [], frames: [], mayEnd: false, next: [] };
  readonly start: State;
  /** Counts how often everything was forgotten. */
  generation = 0;
  readonly #program: Program;
  readonly #classes: number;
  #frameIds = 1;
  readonly #states = new Map<string, State>();
  readonly #frames = new Map<string, Frame>();

  constructor(program: Program) {
    this.#program = program;
    this.#classes = program.bytes.length;
    this.start = this.closure([program.starts[0]!], [this.outermost]);
  }

  get classOf(): Uint8Array {
    return this.#program.classOf;
  }

  /** The state after a byte; `dead` if it cannot come. */
  step(state: State, byte: number): State {
    const kind = this.#program.classOf[byte]!;
    return state.next[kind] ?? this.advance(state, kind);
  }

  /** The state after a token's bytes. */
  read(state: State, bytes: Uint8Array): State {
    for (const byte of bytes) state = this.step(state, byte);
    return state;
  }

  /** The same for a byte class whose next state is not known yet. */
  advance(state: State, kind: number): State {
    const byte = this.#program.bytes[kind]!;
    const nodes: number[] = [];
    const frames: Frame[] = [];
    for (const [i, node] of state.nodes.entries()) {
      for (const { from, to, target } of this.#program.nodes[node]!.bytes) {
        if (byte < from || byte > to) continue;
        nodes.push(target);
        frames.push(state.frames[i]!);
      }
    }
    const next = nodes.length === 0 ? this.dead : this.closure(nodes, frames);
    state.next[kind] = next;
    return next;
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
      if (!this.#program.nodes[items.nodes[i]!]!.accepts) continue;
      const frame = items.frames[i]!;
      mayEnd ||= frame.outermost;
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
      for (const [j, node] of frame.backs.entries()) backs.add(node, frame.frames[j]!);
    }
    if (outermost && backs.nodes.length === 0) return this.outermost;
    backs.sort();
    const key = `${outermost} ${backs.key}`;
    const known = this.#frames.get(key);
    if (known) return known;
    this.#forget(this.#frames.size);
    const frame = { id: this.#frameIds++, backs: backs.nodes, frames: backs.frames, outermost };
    this.#frames.set(key, frame);
    return frame;
  }

  #keep(items: Items, mayEnd: boolean): State {
    const kept = new Items(this.#program.nodes.length);
    for (const [i, node] of items.nodes.entries()) {
      if (this.#program.nodes[node]!.bytes.length > 0) kept.add(node, items.frames[i]!);
    }
    if (kept.nodes.length === 0 && !mayEnd) return this.dead;
    kept.sort();
    const key = `${mayEnd} ${kept.key}`;
    const known = this.#states.get(key);
    if (known) return known;
    this.#forget(this.#states.size);
    const state: State = { nodes: kept.nodes, frames: kept.frames, mayEnd, next: new Array(this.#classes) };
    this.#states.set(key, state);
    return state;
  }

  /** Edges between states are cut, too, so that only states in use stay in memory. */
  #forget(size: number): void {
    if (size < MAX_KEPT) return;
    this.generation++;
    for (const state of this.#states.values()) state.next = new Array(this.#classes);
    this.#states.clear();
    this.#frames.clear();
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
