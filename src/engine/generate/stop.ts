/**
 * Finds stop strings in a stream of text, wherever the borders of tokens are.
 * @module
 */
export interface StopResult {
  /** Text that is certainly before any stop string. */
  readonly text: string;
  /** The string that ended the text. */
  readonly stop: string | undefined;
}

/**
 * The automaton of Aho and Corasick (1975) over UTF-16 units. It takes linear time in the length of the text for any
 * number of strings. Its state says how much of the text's end may still become a stop string, and only that part is
 * held back. The string that is complete first ends the text; of several that end at the same place, the longest one.
 */
export class StopMatcher {
  /** Edges of the trie, keyed by node * 65536 + unit. Node 0 is the root. */
  readonly #edges = new Map<number, number>();
  readonly #depth: number[] = [0];
  readonly #fail: number[] = [0];
  /** Length of the longest string that ends at a node, 0 if none does. */
  readonly #match: number[] = [0];
  #node = 0;
  #held = "";

  constructor(stops: readonly string[]) {
    for (const stop of stops) this.#insert(stop);
    this.#link();
  }

  push(text: string): StopResult {
    if (this.#depth.length === 1) return { text, stop: undefined };
    const all = this.#held + text;
    for (let i = this.#held.length; i < all.length; i++) {
      this.#node = this.#next(this.#node, all.charCodeAt(i));
      const length = this.#match[this.#node]!;
      if (length > 0) {
        this.#held = "";
        return { text: all.slice(0, i + 1 - length), stop: all.slice(i + 1 - length, i + 1) };
      }
    }
    const safe = all.length - this.#depth[this.#node]!;
    this.#held = all.slice(safe);
    return { text: all.slice(0, safe), stop: undefined };
  }

  /** Ends the text. Returns the text that was held back. */
  end(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  #insert(stop: string): void {
    let node = 0;
    for (let i = 0; i < stop.length; i++) {
      const edge = node * 65536 + stop.charCodeAt(i);
      let child = this.#edges.get(edge);
      if (child === undefined) {
        child = this.#depth.length;
        this.#edges.set(edge, child);
        this.#depth.push(this.#depth[node]! + 1);
        this.#fail.push(0);
        this.#match.push(0);
      }
      node = child;
    }
    if (node > 0) this.#match[node] = stop.length;
  }

  /** Failure links, in order of depth: from a node to the longest proper end of its text that begins some string. */
  #link(): void {
    const edges = [...this.#edges].sort(([, a], [, b]) => this.#depth[a]! - this.#depth[b]!);
    for (const [edge, child] of edges) {
      const parent = Math.floor(edge / 65536);
      if (parent > 0) this.#fail[child] = this.#next(this.#fail[parent]!, edge % 65536);
      this.#match[child] ||= this.#match[this.#fail[child]!]!;
    }
  }

  #next(node: number, unit: number): number {
    for (;;) {
      const child = this.#edges.get(node * 65536 + unit);
      if (child !== undefined) return child;
      if (node === 0) return 0;
      node = this.#fail[node]!;
    }
  }
}
