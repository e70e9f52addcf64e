/**
 * Patterns as nondeterministic automata (Thompson 1968).
 * @module
 */
import { checkLimit } from "../limits.ts";
import type { CharSet } from "./char-set.ts";
import type { Pattern } from "./pattern.ts";

const MAX_NFA_NODES = 20_000;

export type Lookahead = Pattern & { kind: "lookahead" };

/** A free edge under a condition: the start or end of the text, or a lookahead. */
export interface GuardedEdge {
  readonly guard: "start" | "end" | Lookahead;
  readonly target: number;
}

export class Nfa {
  readonly free: number[][] = [];
  readonly guarded: GuardedEdge[][] = [];
  readonly edges: { readonly set: CharSet; readonly target: number }[][] = [];
  /** The sets of all edges. */
  readonly sets: Set<CharSet> = new Set();

  node(): number {
    checkLimit("pattern: size", this.free.length, MAX_NFA_NODES);
    this.free.push([]);
    this.guarded.push([]);
    return this.edges.push([]) - 1;
  }

  /** Adds a pattern after the node `from` and returns the node after the pattern. The parser limits the tree's depth. */
  add(pattern: Pattern, from: number): number {
    switch (pattern.kind) {
      case "chars": {
        const target = this.node();
        this.sets.add(pattern.set);
        this.edges[from]!.push({ set: pattern.set, target });
        return target;
      }
      case "start":
      case "end":
      case "lookahead": {
        const target = this.node();
        this.guarded[from]!.push({ guard: pattern.kind === "lookahead" ? pattern : pattern.kind, target });
        return target;
      }
      case "sequence":
        return pattern.parts.reduce((node, part) => this.add(part, node), from);
      case "choice": {
        const end = this.node();
        for (const part of pattern.parts) this.free[this.add(part, this.#step(from))]!.push(end);
        return end;
      }
      case "repeat":
        return this.#repeat(pattern, from);
    }
  }

  #repeat({ part, min, max }: Pattern & { kind: "repeat" }, from: number): number {
    for (let i = 0; i < min; i++) from = this.add(part, this.#step(from));
    const end = this.node();
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#step(from);
      this.free[this.add(part, loop)]!.push(loop);
      this.free[loop]!.push(end);
      return end;
    }
    for (let i = min; i < max; i++) {
      this.free[from]!.push(end);
      from = this.add(part, this.#step(from));
    }
    this.free[from]!.push(end);
    return end;
  }

  /** A new node after `from` that no other node leads to. */
  #step(from: number): number {
    const node = this.node();
    this.free[from]!.push(node);
    return node;
  }
}
