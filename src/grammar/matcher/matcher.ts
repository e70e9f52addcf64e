/**
 * Matches bytes against a compiled grammar.
 *
 * All readings of the text so far are followed at once, as Earley's parser does (1970): calls of one rule at one place
 * share a frame, so ambiguity costs polynomial instead of exponential time. States are built when they are first
 * reached and kept in a table, which becomes a deterministic automaton.
 * @module
 */
import { checkLimit, MAX_TOKEN_WORK } from "../limits.ts";
import type { CompiledGrammar, Runs, TokenEdge } from "../network/compiled-grammar.ts";
import { FrameStore } from "./frame-store.ts";
import { DEAD, type Frame, HALTED, Items, NOTHING_TAKEN, type State, type Taken } from "./state.ts"; // biome-ignore format: one line
import { StateStore, UNKNOWN } from "./state-store.ts";

/**
 * Most entries of the table, and most frames. Beyond them all states are dropped, and built again when they are needed.
 */
const MAX_TABLE = 1 << 20;
const MAX_FRAMES = 20_000;
/** One token's mask may exceed these limits by this factor. */
const OVERRUN = 4;
/** The cost of an item in the key of a state or frame, in steps. */
const KEY_COST = 4;

export class Matcher {
  /** The number of byte classes. */
  readonly classes: number;
  /** The state before the first byte. */
  readonly start: State;
  readonly grammar: CompiledGrammar;
  readonly #maxFrames: number;
  /** Steps of the current token. */
  #work = 0;
  readonly #states: StateStore;
  readonly #frames = new FrameStore(OVERRUN * MAX_FRAMES);
  /** The state of a single node in a frame. */
  readonly #singles = new Map<number, number>();

  /** @param maxFrames frames that are kept; tests make it small */
  constructor(grammar: CompiledGrammar, maxFrames: number = MAX_FRAMES) {
    this.grammar = grammar;
    this.#maxFrames = maxFrames;
    this.classes = grammar.classBytes.length;
    this.#states = new StateStore(this.classes, OVERRUN * MAX_TABLE);
    this.start = this.closure([grammar.starts[0]!], [this.outermost]);
  }

  get outermost(): Frame {
    return this.#frames.outermost;
  }

  get runs(): Runs {
    return this.grammar.runs;
  }

  /** The class of each byte. */
  get classOf(): Uint8Array {
    return this.grammar.classOf;
  }

  /** The next state by state and byte class: `table[id * classes + class]`, or -1 where it is not known. */
  get table(): Int32Array {
    return this.#states.table;
  }

  /** The number of times that all states were dropped. */
  get generation(): number {
    return this.#states.generation;
  }

  state(id: number): State {
    return this.#states.get(id);
  }

  /**
   * Begins a token. If the states take too much memory, all are dropped.
   * @returns the same state in the current generation
   */
  refresh(state: State): State {
    this.#work = 0;
    if (this.#states.size * this.classes > MAX_TABLE || this.#frames.size > this.#maxFrames) this.#forget();
    if (state.generation === this.generation) return state;
    const items = this.#items();
    items.addAll(state.nodes, state.frames);
    return this.#keep(items, state.mayEnd, state.trail);
  }

  /**
   * The state after the bytes of a token.
   * @throws NibbleError `invalid_argument` if the text can be read in too many ways
   */
  read(from: State, bytes: Uint8Array): State {
    return this.readOn(this.refresh(from), bytes);
  }

  /** Like `read`, as part of a token that has begun. */
  readOn(from: State, bytes: Uint8Array): State {
    let { id } = from;
    for (const byte of bytes) {
      const byteClass = this.classOf[byte]!;
      const next = this.table[id * this.classes + byteClass]!;
      id = next === UNKNOWN ? this.advance(id, byteClass) : next;
    }
    return this.state(id);
  }

  /**
   * The state after a token that the grammar may name, or whose bytes it may read.
   * @param bytes empty for a token that is no text
   */
  readToken(from: State, id: number, bytes: Uint8Array): State {
    const state = this.refresh(from);
    const asText = bytes.length > 0 ? this.readOn(state, bytes) : this.state(DEAD);
    const nodes: number[] = [];
    const frames: Frame[] = [];
    for (const [edge, frame] of this.tokenEdges(state)) {
      if ((edge.id === id) === edge.negated) continue;
      nodes.push(edge.target);
      frames.push(frame);
    }
    if (nodes.length === 0) return asText;
    const { mayEnd, trail } = asText;
    return this.closure([...asText.nodes, ...nodes], [...asText.frames, ...frames], { mayEnd, trail });
  }

  /** The edges that read a token in a state, each with its frame. */
  tokenEdges({ nodes, frames }: State): (readonly [edge: TokenEdge, frame: Frame])[] {
    return nodes.flatMap((node, i) => this.grammar.nodes[node]!.tokens.map((edge) => [edge, frames[i]!] as const));
  }

  isDead(state: State): boolean {
    return state.nodes.length === 0 && !state.mayEnd;
  }

  /** Computes the next state for a byte class, whose entry in the table is not known yet. */
  advance(id: number, byteClass: number): number {
    const byte = this.grammar.classBytes[byteClass]!;
    const state = this.state(id);
    const nodes: number[] = [];
    const frames: Frame[] = [];
    for (const [i, node] of state.nodes.entries()) {
      const edges = this.grammar.nodes[node]!.bytes;
      this.#spend(edges.length);
      for (const { from, to, target } of edges) {
        if (byte < from || byte > to) continue;
        nodes.push(target);
        frames.push(state.frames[i]!);
      }
    }
    const trail = state.trail === undefined ? undefined : state.trail + String.fromCharCode(byte);
    const next = this.#next(nodes, frames, trail);
    this.table[id * this.classes + byteClass] = next;
    return next;
  }

  #next(nodes: readonly number[], frames: readonly Frame[], trail: string | undefined): number {
    if (nodes.length === 0) return DEAD;
    if (nodes.length > 1 || trail !== undefined) return this.closure(nodes, frames, { trail }).id;
    // Most bytes lead to a single node, and many bytes lead to the same one.
    const item = frames[0]!.id * this.grammar.nodes.length + nodes[0]!;
    let id = this.#singles.get(item);
    if (id === undefined) this.#singles.set(item, (id = this.closure(nodes, frames).id));
    return id;
  }

  /** The state after the end of the rule that a frame belongs to. */
  after(frame: Frame): State {
    return this.closure(frame.backs, frame.frames, { mayEnd: frame.outermost });
  }

  /**
   * The states after an item of a list whose items must differ, whatever it was: one in which no further item may begin,
   * and one in which any may.
   */
  afterItem({ backs, frames }: Frame): { halted: State; free: State } {
    const lists = (taken: Taken | undefined) => frames.map((list) => this.#frames.retaken(list, taken));
    return { halted: this.closure(backs, lists(HALTED)), free: this.closure(backs, lists(undefined)) };
  }

  /** Like `afterItem`, for nodes of such a list that can begin an item at once; that item is left out. */
  beforeItem(nodes: readonly number[], frame: Frame): { halted: State; free: State } {
    const frames = nodes.map(() => this.#frames.retaken(frame, HALTED));
    const halted = this.closure(nodes, frames);
    const items = this.#items();
    for (const [i, node] of halted.nodes.entries()) items.add(node, this.#frames.retaken(halted.frames[i]!, undefined));
    return { halted, free: this.#keep(items, halted.mayEnd, undefined) };
  }

  /**
   * The state that has these nodes, after ending the rules that may end here and beginning those that are called here.
   * @param trail the text of the item that is being read, if it must differ from others
   * @throws NibbleError `invalid_argument` if the text can be read in too many ways
   */
  closure(nodes: readonly number[], frames: readonly Frame[], { mayEnd = false, trail }: Partial<State> = {}): State {
    const items = this.#items();
    items.addAll(nodes, frames);
    for (let i = 0; i < items.nodes.length; i++) {
      this.#spend(1);
      if (!this.grammar.nodes[items.nodes[i]!]!.accepts) continue;
      const frame = items.frames[i]!;
      mayEnd ||= frame.outermost;
      this.#spend(frame.backs.length);
      if (frame.isItem) this.#endItem(items, frame, trail);
      else items.addAll(frame.backs, frame.frames);
    }
    const beginsItem = this.#call(items);
    return this.#keep(items, mayEnd, beginsItem ? "" : trail);
  }

  /** Begins the rules that are called. Callers come before callees, so that each frame knows all of its callers. */
  #call(items: Items): boolean {
    const { nodes, order, ranks, starts } = this.grammar;
    let beginsItem = false;
    const callers = new Map<number, Items>();
    let lowest = order.length;
    const collect = (node: number, frame: Frame) => {
      this.#spend(nodes[node]!.calls.length);
      for (const { rule, back } of nodes[node]!.calls) {
        if (frame.isHalted && this.grammar.unique?.items.has(rule)) continue;
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
      const frame = this.#frame(list, order[rank]!);
      beginsItem ||= frame.isItem;
      const start = starts[order[rank]!]!;
      items.add(start, frame);
      collect(start, frame);
    }
    return beginsItem;
  }

  /** Continues after an item, if no earlier item has its text. */
  #endItem(items: Items, { backs, frames }: Frame, trail: string | undefined): void {
    for (const [i, back] of backs.entries()) {
      const list = frames[i]!;
      if (!list.taken) items.add(back, list);
      else if (trail !== undefined && !list.taken.texts.has(trail)) items.add(back, this.#frames.take(list, trail));
    }
  }

  /** A call with nothing after it returns to where its caller returns, so rules that recurse at their end stay flat. */
  #frame(callers: Items, rule: number): Frame {
    this.#spend(callers.nodes.length * KEY_COST);
    const backs = this.#items();
    let outermost = false;
    for (const [i, back] of callers.nodes.entries()) {
      const { bytes, calls, tokens, accepts } = this.grammar.nodes[back]!;
      const frame = callers.frames[i]!;
      if (bytes.length + calls.length + tokens.length > 0 || !accepts || frame.taken) {
        backs.add(back, frame);
        continue;
      }
      outermost ||= frame.outermost;
      this.#spend(frame.backs.length);
      backs.addAll(frame.backs, frame.frames);
    }
    const unique = this.grammar.unique;
    const taken = unique?.lists.has(rule) ? NOTHING_TAKEN : undefined;
    const isItem = (unique?.items.has(rule) ?? false) && backs.frames.some((frame) => frame.taken);
    if (outermost && backs.nodes.length === 0 && !taken) return this.outermost;
    backs.sort();
    return this.#frames.intern({ backs: backs.nodes, frames: backs.frames, outermost, taken, isItem });
  }

  #keep(items: Items, mayEnd: boolean, itemText: string | undefined): State {
    this.#spend(items.nodes.length * KEY_COST);
    const kept = this.#items();
    for (const [i, node] of items.nodes.entries()) {
      const { bytes, tokens } = this.grammar.nodes[node]!;
      if (bytes.length + tokens.length > 0) kept.add(node, items.frames[i]!);
    }
    if (kept.nodes.length === 0 && !mayEnd) return this.state(DEAD);
    return this.#states.intern(kept, mayEnd, itemText);
  }

  #items(): Items {
    return new Items(this.grammar.nodes.length);
  }

  /** Limits the time of one token. */
  #spend(steps: number): void {
    this.#work += steps;
    checkLimit("grammar: ways to read the text at one token", this.#work, MAX_TOKEN_WORK);
  }

  #forget(): void {
    this.#states.clear();
    this.#singles.clear();
    this.#frames.clear();
  }
}
