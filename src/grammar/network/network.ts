/**
 * Expressions as a network with free edges (Thompson 1968). `compile-network.ts` removes the free edges.
 * @module
 */
import { type Expression, type Grammar, rule } from "../expression.ts";
import { checkLimit, MAX_ALTERNATIVES, MAX_NODES, MAX_REPEAT, spend } from "../limits.ts";
import { type CharSet, intersect, MAX_CODE_POINT } from "../regular/char-set.ts";
import { utf8Sequences } from "../regular/utf8-ranges.ts";
import type { ByteEdge, Call, CharEdge, TokenEdge } from "./compiled-grammar.ts";
import { INLINE_SIZE, inlineSizes, isSmall, singleChars } from "./inline.ts";

/** More copies than this of a part become calls of one rule. */
const FEW_COPIES = 16;
/** The cost of a node until it is compiled, in steps. */
const NODE_COST = 6;
/** Sets with more UTF-8 sequences than this read their characters beyond ASCII by a rule. */
const FEW_SEQUENCES = 6;

const utf8 = new TextEncoder();

export class Network {
  readonly free: number[][] = [];
  readonly bytes: ByteEdge[][] = [];
  readonly calls: Call[][] = [];
  readonly tokens: TokenEdge[][] = [];
  readonly chars: CharEdge[][] = [];
  /** The sets that character edges read. */
  readonly sets: CharSet[] = [];
  /** The first and last node of each rule; -1 for a rule that is not called. */
  readonly starts: number[];
  readonly ends: number[];
  readonly #rules: Expression[];
  readonly #sizes: number[];
  /** The rules that are called. */
  readonly #queue: number[] = [];
  readonly #setIds = new Map<string, number>();
  readonly #knownSets = new Map<CharSet, number>();
  /** For each set its UTF-8 sequences, and the rule that reads its characters beyond ASCII. */
  readonly #sequencesOf: (readonly (readonly number[])[])[] = [];
  readonly #beyondAsciiOf: number[] = [];

  /** @throws NibbleError `invalid_argument` if it is too large */
  constructor({ rules }: Grammar) {
    this.#rules = [...rules];
    this.#sizes = inlineSizes(rules);
    this.starts = rules.map(() => -1);
    this.ends = rules.map(() => -1);
    this.#enter(0);
    for (const index of this.#queue) {
      const end = this.#add(this.#rules[index]!, this.starts[index]!);
      this.free[end]!.push(this.ends[index]!);
    }
  }

  get size(): number {
    return this.free.length;
  }

  #node(): number {
    checkLimit("grammar: size", this.free.length, MAX_NODES);
    spend(NODE_COST);
    this.free.push([]);
    this.bytes.push([]);
    this.tokens.push([]);
    this.chars.push([]);
    return this.calls.push([]) - 1;
  }

  /** Makes sure that a rule has nodes. */
  #enter(index: number): void {
    if (this.starts[index] !== -1) return;
    this.starts[index] = this.#node();
    this.ends[index] = this.#node();
    this.#queue.push(index);
  }

  /** Adds an expression after the node `from` and returns the node after the expression. */
  #add(expression: Expression, from: number): number {
    switch (expression.kind) {
      case "literal":
        return utf8.encode(expression.text).reduce((node, byte) => this.#byte(node, byte), from);
      case "chars":
        return this.#chars(expression.set, from, this.#node());
      case "token": {
        const target = this.#node();
        this.tokens[from]!.push({ id: expression.id, negated: expression.negated, target });
        return target;
      }
      case "sequence":
        return expression.parts.reduce((node, part) => this.#add(part, node), from);
      case "choice":
        return this.#choice(expression.parts, from);
      case "repeat":
        return this.#repeat(expression, from);
      case "rule":
        return this.#call(expression.index, from);
      case "automaton":
        return this.#automaton(expression, from);
    }
  }

  #byte(from: number, byte: number): number {
    const target = this.#node();
    this.bytes[from]!.push({ from: byte, to: byte, target, ofSet: false });
    return target;
  }

  #choice(parts: readonly Expression[], from: number): number {
    checkLimit("grammar: alternatives", parts.length, MAX_ALTERNATIVES);
    const end = this.#node();
    for (const part of parts) this.free[this.#add(part, this.#before(part, from))]!.push(end);
    return end;
  }

  #repeat({ part, min, max }: Expression & { kind: "repeat" }, from: number): number {
    const copies = Number.isFinite(max) ? max : min + 1;
    checkLimit("grammar: repetitions", copies, MAX_REPEAT + 1);
    if (copies > FEW_COPIES && !this.#isSmall(part)) part = rule(this.#addRule(part));
    for (let i = 0; i < min; i++) from = this.#add(part, this.#before(part, from));
    const end = this.#node();
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#step(from);
      this.free[this.#add(part, loop)]!.push(loop);
      this.free[loop]!.push(end);
      return end;
    }
    for (let i = min; i < max; i++) {
      this.free[from]!.push(end);
      from = this.#add(part, this.#before(part, from));
    }
    this.free[from]!.push(end);
    return end;
  }

  #call(index: number, from: number): number {
    if (this.#sizes[index]! <= INLINE_SIZE) return this.#add(this.#rules[index]!, from);
    this.#enter(index);
    const back = this.#node();
    const sets = singleChars(this.#rules[index]!);
    for (const set of sets) this.#charEdge(from, set, back);
    this.calls[from]!.push({ rule: index, back, ofSet: sets.length > 0 });
    return back;
  }

  #automaton({ dfa, spell }: Expression & { kind: "automaton" }, from: number): number {
    const end = this.#node();
    const nodes = dfa.accepts.map(() => this.#node());
    const spellings = new Map<CharSet, Expression>();
    if (nodes.length > 0) this.free[from]!.push(nodes[0]!);
    for (const [state, node] of nodes.entries()) {
      if (dfa.accepts[state]) this.free[node]!.push(end);
      for (const { target, set } of dfa.edges[state]!) {
        let spelled = spellings.get(set);
        if (!spelled) spellings.set(set, (spelled = spell(set)));
        if (spelled.kind === "chars") this.#chars(spelled.set, node, nodes[target]!);
        else this.free[this.#add(spelled, this.#before(spelled, node))]!.push(nodes[target]!);
      }
    }
    return end;
  }

  /** A new node after `from` that no other node leads to. */
  #step(from: number): number {
    const node = this.#node();
    this.free[from]!.push(node);
    return node;
  }

  /** Where a part may begin: at `from` if no loop of the part can lead back there, otherwise at a node of its own. */
  #before(part: Expression, from: number): number {
    return this.#isSmall(part) ? from : this.#step(from);
  }

  #isSmall(part: Expression): boolean {
    return isSmall(part, this.#sizes);
  }

  /** Reads one character of a set between two nodes. Sequences that end alike share their last nodes. */
  #chars(set: CharSet, from: number, end: number): number {
    const id = this.#charEdge(from, set, end);
    const sequences = this.#sequences(id);
    if (sequences.length > FEW_SEQUENCES && sequences[0]![0]! < 0x80) {
      // The nodes of characters beyond ASCII are many, so all nodes that read this set share them.
      const beyondAscii = this.#beyondAscii(id);
      this.#enter(beyondAscii);
      this.calls[from]!.push({ rule: beyondAscii, back: end, ofSet: true });
      for (const [low, high] of sequences as [number, number][]) {
        if (low < 0x80) this.bytes[from]!.push({ from: low, to: high, target: end, ofSet: true });
      }
      return end;
    }
    const tails = new Map<string, number>();
    const tail = (sequence: readonly number[], at: number): number => {
      if (at === sequence.length) return end;
      const key = sequence.slice(at).join();
      const known = tails.get(key);
      if (known !== undefined) return known;
      const node = this.#node();
      tails.set(key, node);
      const target = tail(sequence, at + 2);
      this.bytes[node]!.push({ from: sequence[at]!, to: sequence[at + 1]!, target, ofSet: true });
      return node;
    };
    for (const sequence of sequences) {
      this.bytes[from]!.push({ from: sequence[0]!, to: sequence[1]!, target: tail(sequence, 2), ofSet: true });
    }
    return end;
  }

  #charEdge(from: number, set: CharSet, target: number): number {
    const id = this.#setId(set);
    this.chars[from]!.push({ set: id, target });
    return id;
  }

  #setId(set: CharSet): number {
    let id = this.#knownSets.get(set);
    if (id !== undefined) return id;
    const key = set.join();
    id = this.#setIds.get(key);
    if (id === undefined) this.#setIds.set(key, (id = this.sets.push(set) - 1));
    this.#knownSets.set(set, id);
    return id;
  }

  #sequences(set: number): readonly (readonly number[])[] {
    return (this.#sequencesOf[set] ??= utf8Sequences(this.sets[set]!));
  }

  #beyondAscii(set: number): number {
    return (this.#beyondAsciiOf[set] ??= this.#addRule({
      kind: "chars",
      set: intersect(this.sets[set]!, [0x80, MAX_CODE_POINT]),
    }));
  }

  #addRule(part: Expression): number {
    const index = this.#rules.push(part) - 1;
    this.#sizes.push(INLINE_SIZE + 1);
    this.starts.push(-1);
    this.ends.push(-1);
    return index;
  }
}
