/**
 * States of a matcher: nodes of a compiled grammar, each in the frame of the rule that it belongs to.
 * @module
 */
import { checkLimit, MAX_ITEMS } from "../limits.ts";

/** The places where a rule returns when it ends: the node after each of its calls, in the caller's frame. */
export interface Frame {
  readonly id: number;
  readonly backs: readonly number[];
  readonly frames: readonly Frame[];
  /** Whether the text may end when the rule ends. */
  readonly outermost: boolean;
  /** The items so far, in the frame of a list whose items must differ. */
  readonly taken: Taken | undefined;
  /** Whether the frame belongs to an item of such a list. */
  readonly isItem: boolean;
  /** Whether the frame is inside such an item; and whether it is inside such a list, but not inside an item. */
  readonly inItem: boolean;
  readonly inList: boolean;
  /** Whether no further item of the list may begin. */
  readonly isHalted: boolean;
}

/** The texts of items. */
export interface Taken {
  readonly texts: ReadonlySet<string>;
  /** Equal for equal texts. */
  readonly key: string;
}

export interface State {
  /** The row in the matcher's table of next states. It is valid for the generation in which the state was made. */
  readonly id: number;
  readonly generation: number;
  /** The nodes that can read a byte or a token, sorted by frame. */
  readonly nodes: readonly number[];
  /** The frame of each node. */
  readonly frames: readonly Frame[];
  /** Whether the text may end here. */
  readonly mayEnd: boolean;
  /** Inside an item that must differ from others: its bytes so far, as characters up to U+00FF. */
  readonly trail: string | undefined;
}

export const NOTHING_TAKEN: Taken = { texts: new Set(), key: "[]" };
/** Marks a list in which no further item may begin. */
export const HALTED: Taken = { texts: new Set(), key: "halted" };

/** The id of the state from which nothing can be read. */
export const DEAD = 0;

/** A set of nodes in frames. */
export class Items {
  nodes: number[] = [];
  frames: Frame[] = [];
  readonly #nodeCount: number;
  readonly #seen = new Set<number>();

  /** @param nodeCount the number of nodes of the grammar */
  constructor(nodeCount: number) {
    this.#nodeCount = nodeCount;
  }

  /** Equal for equal sets that are sorted. */
  get key(): string {
    return this.nodes.map((node, i) => `${node}:${this.frames[i]!.id}`).join();
  }

  /** @throws NibbleError `invalid_argument` if the text can be read in too many ways */
  add(node: number, frame: Frame): void {
    const item = frame.id * this.#nodeCount + node;
    if (this.#seen.has(item)) return;
    this.#seen.add(item);
    this.nodes.push(node);
    this.frames.push(frame);
    checkLimit("grammar: ways to read the text", this.nodes.length, MAX_ITEMS);
  }

  addAll(nodes: readonly number[], frames: readonly Frame[]): void {
    for (const [i, node] of nodes.entries()) this.add(node, frames[i]!);
  }

  sort(): void {
    if (this.nodes.length < 2) return;
    const order = this.nodes.map((_, i) => i);
    order.sort((a, b) => this.frames[a]!.id - this.frames[b]!.id || this.nodes[a]! - this.nodes[b]!);
    [this.nodes, this.frames] = [order.map((i) => this.nodes[i]!), order.map((i) => this.frames[i]!)];
  }
}
