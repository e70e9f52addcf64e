/**
 * The variable `loop` of a `for`.
 * @module
 */
import { bind } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { equals } from "./comparison.ts";
import { fail } from "./errors.ts";
import { type Arguments, Callable, lengthOf, PyObject, Tuple, Undefined, type Value } from "./values.ts";

interface LoopOptions {
  readonly budget: Budget;
  /** The depth of a recursive loop, from 0. */
  readonly depth: number;
  /** Renders the body for other elements. Only recursive loops have it. */
  readonly recurse: ((elements: Value, depth: number) => Value) | undefined;
}

/** Walks over the elements of a loop, and has the attributes that a template reads. */
export class Loop extends PyObject {
  readonly type = "LoopContext";
  readonly #options: LoopOptions;
  #source: Iterator<Value>;
  #length: number | undefined;
  #index = -1;
  #previous: Value | undefined;
  #current: Value | undefined;
  /** An element that was read before its turn. */
  #ahead: IteratorResult<Value> | undefined;
  #changed: Value | undefined;

  constructor(value: Value | undefined, source: Iterator<Value>, options: LoopOptions) {
    super();
    this.#source = source;
    this.#length = value === undefined ? undefined : lengthOf(value);
    this.#options = options;
  }

  /** The next element; undefined at the end. */
  next(): Value | undefined {
    const { done, value } = this.#peek();
    if (done) return undefined;
    this.#ahead = undefined;
    this.#index++;
    this.#previous = this.#current;
    this.#current = value;
    return value;
  }

  /** As in Jinja2, iterating over `loop` takes the elements that are left, each with the loop itself. */
  override *elements(): Iterable<Value> {
    for (let value = this.next(); value !== undefined; value = this.next()) yield new Tuple([value, this]);
  }

  #peek(): IteratorResult<Value> {
    this.#ahead ??= this.#source.next();
    return this.#ahead;
  }

  /** The number of elements. To count those of a generator, all of them are made. */
  override length(): number {
    if (this.#length === undefined) {
      const rest: Value[] = [];
      for (let next = this.#peek(); !next.done; next = this.#source.next()) rest.push(next.value);
      this.#ahead = undefined;
      this.#source = rest.values();
      this.#length = this.#index + 1 + rest.length;
    }
    return this.#length;
  }

  override attribute(name: string): Value | undefined {
    switch (name) {
      case "index":
        return BigInt(this.#index + 1);
      case "index0":
        return BigInt(this.#index);
      case "length":
        return BigInt(this.length());
      case "revindex":
        return BigInt(this.length() - this.#index);
      case "revindex0":
        return BigInt(this.length() - this.#index - 1);
      case "first":
        return this.#index === 0;
      case "last":
        return this.#peek().done === true;
      case "depth":
        return BigInt(this.#options.depth + 1);
      case "depth0":
        return BigInt(this.#options.depth);
      case "previtem":
        return this.#index === 0 ? new Undefined("there is no previous item") : this.#previous;
      case "nextitem": {
        const { done, value } = this.#peek();
        return done ? new Undefined("there is no next item") : value;
      }
      case "cycle":
        return new Callable(
          name,
          ({ positional }) => positional[this.#index % positional.length] ?? fail("loop.cycle: no items are given"),
        );
      case "changed":
        return new Callable(name, ({ positional }) => this.#isChanged(new Tuple(positional)));
      default:
        return undefined;
    }
  }

  #isChanged(values: Value): boolean {
    if (this.#changed !== undefined && equals(this.#changed, values, this.#options.budget)) return false;
    this.#changed = values;
    return true;
  }

  override call(args: Arguments): Value {
    const [elements] = bind("loop", "iterable", args);
    const { recurse, depth } = this.#options;
    if (!recurse) fail("a loop that is called must be marked as 'recursive'");
    return recurse(elements!, depth + 1);
  }

  override print(): string {
    return `<LoopContext ${this.#index + 1}/${this.length()}>`;
  }
}
