/**
 * Matches bytes against a compiled grammar.
 *
 * All readings of the text so far are followed at once, as Earley's parser does (1970): calls of one rule at one place
 * share a frame, so ambiguity costs polynomial instead of exponential time. States are built when they are first reached
 * and kept in a table, which becomes a deterministic automaton of what the texts of a grammar have in common.
 * @module
 */
import { checkLimit, MAX_TOKEN_WORK } from "../limits.ts";
import type { CompiledGrammar, Runs, TokenEdge } from "../network/compiled-grammar.ts";
import { DEAD, type Frame, Items, type State } from "./state.ts";

/** Entries of the table, and frames, from which on everything is forgotten. What is needed is then built again. */
const MAX_TABLE = 1 << 20;
const MAX_FRAMES = 20_000;
/** One token's mask may exceed these limits by this factor. */
const OVERRUN = 4;
/** Rows of a new table. */
const FIRST_STATES = 64;
/** What an item costs in the key of a state or frame, in steps. */
const KEY_COST = 4;

const UNKNOWN = -1;

export class Matcher {
  readonly outermost: Frame = { id: 0, backs: [], frames: [], outermost: true };
  /** How often everything was forgotten. */
  generation = 0;
  /** The next state by state and byte class: `table[id * classes + class]`, or -1 where it is not known. */
  table: Int32Array;
  /** The number of byte classes. */
  readonly classes: number;
  /** The state before the first byte. */
  readonly start: State;
  readonly #grammar: CompiledGrammar;
  readonly #maxFrames: number;
  #nextFrameId = 1;
  #states: State[] = [];
  /** Steps of the current token. */
  #work = 0;
  readonly #stateByKey = new Map<string, State>();
  readonly #frameByKey = new Map<string, Frame>();
  /** The state of a single node in a frame. */
  readonly #singles = new Map<number, number>();

  /** @param maxFrames frames that are kept; tests make it small */
  constructor(grammar: CompiledGrammar, maxFrames: number = MAX_FRAMES) {
    this.#grammar = grammar;
    this.#maxFrames = maxFrames;
    this.classes = grammar.classBytes.length;
    this.table = this.#emptyTable(FIRST_STATES);
    this.#addDead();
    this.start = this.closure([grammar.starts[0]!], [this.outermost]);
  }

  get runs(): Runs {
    return this.#grammar.runs;
  }

  /** The class of each byte. */
  get classOf(): Uint8Array {
    return this.#grammar.classOf;
  }

  state(id: number): State {
    return this.#states[id]!;
  }

  /**
   * Begins a token, and forgets everything if it takes too much memory.
   * @returns the same state in the current generation
   */
  refresh(state: State): State {
    this.#work = 0;
    if (this.#states.length * this.classes > MAX_TABLE || this.#frameByKey.size > this.#maxFrames) this.#forget();
    if (state.generation === this.generation) return state;
    const items = this.#items();
    items.addAll(state.nodes, state.frames);
    return this.#keep(items, state.mayEnd);
  }

  /**
   * The state after the bytes of a token.
   * @throws NibbleError `invalid_argument` if the text can be read in too many ways
   */
  read(from: State, bytes: Uint8Array): State {
    return this.readOn(this.refresh(from), bytes);
  }

  /** The same as part of a token that has begun. */
  readOn(from: State, bytes: Uint8Array): State {
    let { id } = from;
    for (const byte of bytes) {
      const byteClass = this.classOf[byte]!;
      const next = this.table[id * this.classes + byteClass]!;
      id = next === UNKNOWN ? this.advance(id, byteClass) : next;
    }
    return this.#states[id]!;
  }

  /**
   * The state after a token that the grammar may name, or whose bytes it may read.
   * @param bytes empty for a token that is no text
   */
  readToken(from: State, id: number, bytes: Uint8Array): State {
    const state = this.refresh(from);
    const asText = bytes.length > 0 ? this.readOn(state, bytes) : this.#states[DEAD]!;
    const nodes: number[] = [];
    const frames: Frame[] = [];
    for (const [edge, frame] of this.tokenEdges(state)) {
      if ((edge.id === id) === edge.negated) continue;
      nodes.push(edge.target);
      frames.push(frame);
    }
    if (nodes.length === 0) return asText;
    return this.closure([...asText.nodes, ...nodes], [...asText.frames, ...frames], asText.mayEnd);
  }

  /** The edges that read a token in a state, each with its frame. */
  tokenEdges({ nodes, frames }: State): [edge: TokenEdge, frame: Frame][] {
    return nodes.flatMap((node, i) =>
      this.#grammar.nodes[node]!.tokens.map((edge): [TokenEdge, Frame] => [edge, frames[i]!]),
    );
  }

  isDead(state: State): boolean {
    return state.nodes.length === 0 && !state.mayEnd;
  }

  /** Computes the next state for a byte class, whose entry in the table is not known yet. */
  advance(id: number, byteClass: number): number {
    const byte = this.#grammar.classBytes[byteClass]!;
    const state = this.#states[id]!;
    const nodes: number[] = [];
    const frames: Frame[] = [];
    for (const [i, node] of state.nodes.entries()) {
      const edges = this.#grammar.nodes[node]!.bytes;
      this.#spend(edges.length);
      for (const { from, to, target } of edges) {
        if (byte < from || byte > to) continue;
        nodes.push(target);
        frames.push(state.frames[i]!);
      }
    }
    const next = this.#next(nodes, frames);
    this.table[id * this.classes + byteClass] = next;
    return next;
  }

  #next(nodes: readonly number[], frames: readonly Frame[]): number {
    if (nodes.length === 0) return DEAD;
    if (nodes.length > 1) return this.closure(nodes, frames).id;
    // Most bytes lead to a single node, and many bytes lead to the same one.
    const item = frames[0]!.id * this.#grammar.nodes.length + nodes[0]!;
    let id = this.#singles.get(item);
    if (id === undefined) this.#singles.set(item, (id = this.closure(nodes, frames).id));
    return id;
  }

  /** The state after the end of the rule that a frame belongs to. */
  after(frame: Frame): State {
    return this.closure(frame.backs, frame.frames, frame.outermost);
  }

  /**
   * The state that has these nodes, after ending the rules that may end here and beginning those that are called here.
   * @throws NibbleError `invalid_argument` if the text can be read in too many ways
   */
  closure(nodes: readonly number[], frames: readonly Frame[], mayEnd = false): State {
    const items = this.#items();
    items.addAll(nodes, frames);
    for (let i = 0; i < items.nodes.length; i++) {
      this.#spend(1);
      if (!this.#grammar.nodes[items.nodes[i]!]!.accepts) continue;
      const frame = items.frames[i]!;
      mayEnd ||= frame.outermost;
      this.#spend(frame.backs.length);
      items.addAll(frame.backs, frame.frames);
    }
    this.#call(items);
    return this.#keep(items, mayEnd);
  }

  /** Begins the rules that are called. Callers come before callees, so that each frame knows all of its callers. */
  #call(items: Items): void {
    const { nodes, order, ranks, starts } = this.#grammar;
    const callers = new Map<number, Items>();
    let lowest = order.length;
    const collect = (node: number, frame: Frame) => {
      this.#spend(nodes[node]!.calls.length);
      for (const { rule, back } of nodes[node]!.calls) {
        let list = callers.get(rule);
        if (!list) callers.set(rule, (list = this.#items()));
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

  /** A call with nothing after it returns to where its caller returns, so rules that recurse at their end stay flat. */
  #frame(callers: Items): Frame {
    this.#spend(callers.nodes.length * KEY_COST);
    const backs = this.#items();
    let outermost = false;
    for (const [i, back] of callers.nodes.entries()) {
      const { bytes, calls, tokens, accepts } = this.#grammar.nodes[back]!;
      const frame = callers.frames[i]!;
      if (bytes.length + calls.length + tokens.length > 0 || !accepts) {
        backs.add(back, frame);
        continue;
      }
      outermost ||= frame.outermost;
      this.#spend(frame.backs.length);
      backs.addAll(frame.backs, frame.frames);
    }
    if (outermost && backs.nodes.length === 0) return this.outermost;
    backs.sort();
    const key = `${outermost} ${backs.key}`;
    const known = this.#frameByKey.get(key);
    if (known) return known;
    checkLimit("grammar: depth", this.#frameByKey.size, OVERRUN * MAX_FRAMES);
    const frame = { id: this.#nextFrameId++, backs: backs.nodes, frames: backs.frames, outermost };
    this.#frameByKey.set(key, frame);
    return frame;
  }

  #keep(items: Items, mayEnd: boolean): State {
    this.#spend(items.nodes.length * KEY_COST);
    const kept = this.#items();
    for (const [i, node] of items.nodes.entries()) {
      const { bytes, tokens } = this.#grammar.nodes[node]!;
      if (bytes.length + tokens.length > 0) kept.add(node, items.frames[i]!);
    }
    if (kept.nodes.length === 0 && !mayEnd) return this.#states[DEAD]!;
    kept.sort();
    const key = `${mayEnd} ${kept.key}`;
    const known = this.#stateByKey.get(key);
    if (known) return known;
    const id = this.#states.length;
    checkLimit("grammar: states at one token", id * this.classes, OVERRUN * MAX_TABLE);
    const { generation } = this;
    const state: State = { id, generation, nodes: kept.nodes, frames: kept.frames, mayEnd };
    this.#states.push(state);
    this.#stateByKey.set(key, state);
    this.#growTable();
    return state;
  }

  #growTable(): void {
    if (this.#states.length * this.classes <= this.table.length) return;
    const grown = new Int32Array(this.table.length * 2).fill(UNKNOWN);
    grown.set(this.table);
    this.table = grown;
  }

  #items(): Items {
    return new Items(this.#grammar.nodes.length);
  }

  #emptyTable(states: number): Int32Array {
    return new Int32Array(states * this.classes).fill(UNKNOWN);
  }

  #addDead(): void {
    this.#states = [{ id: DEAD, generation: this.generation, nodes: [], frames: [], mayEnd: false }];
    this.table.fill(DEAD, 0, this.classes);
  }

  /** Limits the time of one token. */
  #spend(steps: number): void {
    this.#work += steps;
    checkLimit("grammar: ways to read the text at one token", this.#work, MAX_TOKEN_WORK);
  }

  #forget(): void {
    this.generation++;
    this.table = this.#emptyTable(FIRST_STATES);
    this.#stateByKey.clear();
    this.#singles.clear();
    this.#frameByKey.clear();
    this.#addDead();
  }
}
