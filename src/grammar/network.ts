/**
 * Grammars as networks of nodes over bytes (a recursive transition network, Woods 1970): edges read a byte, or call a
 * rule and go on behind it. Built with free edges (Thompson 1968); `program.ts` takes those out.
 * @module
 */
import { type CharSet, intersect, MAX_CODE_POINT, utf8Sequences } from "./char-set.ts";
import { edgesByTarget, isEmpty } from "./dfa.ts";
import { type Expression, type Grammar, rule } from "./expression.ts";
import { checkLimit, MAX_ALTERNATIVES, MAX_NODES, MAX_REPEAT, spend } from "./limits.ts";

export interface ByteEdge {
  readonly from: number;
  readonly to: number;
  readonly target: number;
  /** A byte of a character of a set, which is an edge of its own, too. */
  readonly ofSet: boolean;
}

/** Reads a character of a set: what byte edges and calls spell out. */
export interface CharEdge {
  /** Number of the set. */
  readonly set: number;
  readonly target: number;
}

export interface Call {
  readonly rule: number;
  readonly back: number;
  /** The characters that the rule begins with are edges of their own, too. */
  readonly ofSet: boolean;
}

const utf8 = new TextEncoder();

/** Rules up to this size and without loops are put where they are called: a call costs more than their nodes. */
const INLINE_SIZE = 24;
const FEW_COPIES = 16;
/** What a node costs until it is compiled, in steps. */
const NODE_COST = 6;
const FEW_SEQUENCES = 6;

export class Network {
  readonly free: number[][] = [];
  readonly bytes: ByteEdge[][] = [];
  readonly calls: Call[][] = [];
  readonly chars: CharEdge[][] = [];
  readonly sets: CharSet[] = [];
  readonly #setIds = new Map<string, number>();
  /** By set: its UTF-8 sequences, and the rule of its characters beyond ASCII. */
  readonly #spelled: (readonly (readonly number[])[])[] = [];
  readonly #wide: number[] = [];
  /** By rule; -1 for rules that nobody calls. */
  readonly starts: number[];
  readonly ends: number[];
  readonly #rules: Expression[];
  readonly #sizes: number[];
  readonly #queue: number[] = [0];

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
    this.chars.push([]);
    return this.calls.push([]) - 1;
  }

  #enter(rule: number): void {
    this.starts[rule] = this.#node();
    this.ends[rule] = this.#node();
  }

  #enterOnce(rule: number): void {
    if (this.starts[rule] !== -1) return;
    this.#enter(rule);
    this.#queue.push(rule);
  }

  /** Adds an expression behind a node and gives the node after it. */
  #add(expression: Expression, from: number): number {
    switch (expression.kind) {
      case "literal":
        return utf8.encode(expression.text).reduce((node, byte) => this.#byte(node, byte, byte), from);
      case "bytes": {
        const target = this.#node();
        const { ranges } = expression;
        for (let i = 0; i < ranges.length; i += 2) {
          this.bytes[from]!.push({ from: ranges[i]!, to: ranges[i + 1]!, target, ofSet: false });
        }
        return target;
      }
      case "chars":
        return this.#chars(expression.set, from, this.#node());
      case "sequence":
        return expression.parts.reduce((node, part) => this.#add(part, node), from);
      case "choice": {
        checkLimit("grammar: alternatives", expression.parts.length, MAX_ALTERNATIVES);
        const end = this.#node();
        for (const part of expression.parts) this.free[this.#add(part, this.#stepTo(part, from))]!.push(end);
        return end;
      }
      case "repeat":
        return this.#repeat(expression.part, expression.min, expression.max, from);
      case "rule": {
        const { index } = expression;
        if (this.#sizes[index]! <= INLINE_SIZE) return this.#add(this.#rules[index]!, from);
        this.#enterOnce(index);
        const back = this.#node();
        const sets = singleChars(this.#rules[index]!);
        for (const set of sets) this.#charEdge(from, set, back);
        this.calls[from]!.push({ rule: index, back, ofSet: sets.length > 0 });
        return back;
      }
      case "automaton": {
        const { dfa, spell } = expression;
        const end = this.#node();
        if (isEmpty(dfa)) return end;
        const nodes = dfa.accepts.map(() => this.#node());
        this.free[from]!.push(nodes[0]!);
        for (const [state, node] of nodes.entries()) {
          if (dfa.accepts[state]) this.free[node]!.push(end);
          for (const [target, set] of edgesByTarget(dfa, state)) {
            const spelled = spell(set);
            if (spelled.kind === "chars") this.#chars(spelled.set, node, nodes[target]!);
            else this.free[this.#add(spelled, this.#stepTo(spelled, node))]!.push(nodes[target]!);
          }
        }
        return end;
      }
    }
  }

  #byte(from: number, low: number, high: number): number {
    const target = this.#node();
    this.bytes[from]!.push({ from: low, to: high, target, ofSet: false });
    return target;
  }

  /** A node behind `from` that nothing leads back to, so that loops stay their own. */
  #step(from: number): number {
    const node = this.#node();
    this.free[from]!.push(node);
    return node;
  }

  /** Where a part may begin: just here, if it is certain that it does not lead back to its beginning. */
  #stepTo(part: Expression, from: number): number {
    return this.#isSmall(part) ? from : this.#step(from);
  }

  /** The ends of sequences that spell alike share their nodes. */
  #chars(set: readonly number[], from: number, end: number): number {
    const id = this.#charEdge(from, set, end);
    const sequences = this.#sequences(id);
    if (sequences.length > FEW_SEQUENCES && sequences[0]![0]! < 0x80) {
      // Characters beyond ASCII are nodes once, not behind each node that reads them.
      const rule = this.#beyondAscii(id);
      this.#enterOnce(rule);
      this.calls[from]!.push({ rule, back: end, ofSet: true });
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
    const key = set.join();
    let id = this.#setIds.get(key);
    if (id === undefined) this.#setIds.set(key, (id = this.sets.push(set) - 1));
    this.chars[from]!.push({ set: id, target });
    return id;
  }

  #sequences(set: number): readonly (readonly number[])[] {
    return (this.#spelled[set] ??= utf8Sequences(this.sets[set]!));
  }

  #beyondAscii(set: number): number {
    return (this.#wide[set] ??= this.#addRule({
      kind: "chars",
      set: intersect(this.sets[set]!, [0x80, MAX_CODE_POINT]),
    }));
  }

  /** Many copies are calls of one rule instead. */
  #asRule(part: Expression): Expression {
    return rule(this.#addRule(part));
  }

  #addRule(part: Expression): number {
    const index = this.#rules.push(part) - 1;
    this.#sizes.push(INLINE_SIZE + 1);
    this.starts.push(-1);
    this.ends.push(-1);
    return index;
  }

  /** Copies of it cost little; a rule in its place would hide that it reads a character. */
  #isSmall(part: Expression): boolean {
    if (part.kind === "rule") return this.#sizes[part.index]! > INLINE_SIZE;
    if (part.kind === "choice") return part.parts.length <= 3 && part.parts.every((each) => this.#isSmall(each));
    return part.kind === "chars" || part.kind === "bytes";
  }

  #repeat(part: Expression, min: number, max: number, from: number): number {
    const copies = Number.isFinite(max) ? max : min + 1;
    checkLimit("grammar: repetitions", copies, MAX_REPEAT + 1);
    if (copies > FEW_COPIES && !this.#isSmall(part)) part = this.#asRule(part);
    for (let i = 0; i < min; i++) from = this.#add(part, this.#stepTo(part, from));
    const end = this.#node();
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#step(from);
      this.free[this.#add(part, loop)]!.push(loop);
      this.free[loop]!.push(end);
      return end;
    }
    for (let i = min; i < max; i++) {
      this.free[from]!.push(end);
      from = this.#add(part, this.#stepTo(part, from));
    }
    this.free[from]!.push(end);
    return end;
  }
}

/** Sets of which an expression reads just one character, if all else that it reads begins with a text. */
function singleChars(expression: Expression): CharSet[] {
  if (expression.kind !== "choice") return [];
  const { parts } = expression;
  const isOther = (part: Expression) => part.kind === "sequence" && part.parts[0]?.kind === "literal";
  if (!parts.every((part) => part.kind === "chars" || isOther(part))) return [];
  return parts.flatMap((part) => (part.kind === "chars" ? [part.set] : []));
}

/** Size of each rule with everything it calls; beyond INLINE_SIZE for those that are large, loop or call themselves. */
function inlineSizes(rules: readonly Expression[]): number[] {
  const LARGE = INLINE_SIZE + 1;
  const sizes = rules.map(() => LARGE);
  const measure = (expression: Expression): number => {
    switch (expression.kind) {
      case "literal":
        return expression.text.length;
      case "chars":
      case "bytes":
        return 1;
      case "automaton":
        return LARGE;
      case "repeat":
        return Number.isFinite(expression.max) ? (1 + measure(expression.part)) * Math.max(1, expression.max) : LARGE;
      case "rule":
        return 1 + sizes[expression.index]!;
      default: {
        let sum = 1;
        for (const part of expression.parts) {
          sum += measure(part);
          if (sum > INLINE_SIZE) break;
        }
        return sum;
      }
    }
  };
  // Each round settles rules whose callees are settled. Few rounds: deep chains of small rules are calls from there on.
  for (let round = 0; round < 4; round++) {
    for (const [index, expression] of rules.entries()) sizes[index] = Math.min(LARGE, measure(expression));
  }
  return sizes;
}
