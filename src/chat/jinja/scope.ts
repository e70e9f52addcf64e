/**
 * The variables of a template while it runs.
 * @module
 */
import type { Value } from "./values.ts";

/** The variables of a block. Loops, macros and blocks have a scope of their own, but `if` has none. */
export class Scope {
  readonly #names = new Map<string, Value>();
  readonly #parent: Scope | undefined;

  constructor(parent?: Scope) {
    this.#parent = parent;
  }

  get(name: string): Value | undefined {
    const own = this.#names.get(name);
    return own !== undefined || !this.#parent ? own : this.#parent.get(name);
  }

  set(name: string, value: Value): void {
    this.#names.set(name, value);
  }
}
