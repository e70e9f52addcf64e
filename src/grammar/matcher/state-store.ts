/**
 * The states of a matcher, with the table of next states: equal states are one object.
 * @module
 */
import { checkLimit } from "../limits.ts";
import { DEAD, type Items, type State } from "./state.ts";

/** An entry of the table that is not known yet. */
export const UNKNOWN = -1;
/** Rows of a new table. */
const FIRST_STATES = 64;

export class StateStore {
  /** The next state by state and byte class: `table[id * classes + class]`. */
  table: Int32Array = new Int32Array(0);
  /** How often the store was cleared. */
  generation = -1;
  readonly #classes: number;
  readonly #limit: number;
  #states: State[] = [];
  readonly #known = new Map<string, State>();

  /** @param classes the number of byte classes @param limit entries of the table */
  constructor(classes: number, limit: number) {
    this.#classes = classes;
    this.#limit = limit;
    this.clear();
  }

  get size(): number {
    return this.#states.length;
  }

  get(id: number): State {
    return this.#states[id]!;
  }

  /**
   * @param itemText the text of the item that is being read, if it must differ from others
   * @throws NibbleError `invalid_argument` if there are too many states
   */
  intern(items: Items, mayEnd: boolean, itemText: string | undefined): State {
    items.sort();
    const { nodes, frames } = items;
    const trail = frames.some(({ inItem }) => inItem) ? itemText : undefined;
    const key = `${mayEnd} ${items.key}${trail === undefined ? "" : ` ${trail}`}`;
    const known = this.#known.get(key);
    if (known) return known;
    const id = this.#states.length;
    checkLimit("grammar: states at one token", id * this.#classes, this.#limit);
    const state: State = { id, generation: this.generation, nodes, frames, mayEnd, trail };
    this.#states.push(state);
    this.#known.set(key, state);
    if (this.#states.length * this.#classes > this.table.length) {
      const grown = new Int32Array(this.table.length * 2).fill(UNKNOWN);
      grown.set(this.table);
      this.table = grown;
    }
    return state;
  }

  clear(): void {
    this.generation++;
    this.#known.clear();
    this.#states = [{ id: DEAD, generation: this.generation, nodes: [], frames: [], mayEnd: false, trail: undefined }];
    this.table = new Int32Array(FIRST_STATES * this.#classes).fill(UNKNOWN);
    this.table.fill(DEAD, 0, this.#classes);
  }
}
