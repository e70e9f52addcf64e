/**
 * The values of templates, which are those of Python. An integer is a bigint, a float is a number, a list is an array that
 * nothing changes. All other values with parts or behaviour are `PyObject`s.
 * @module
 */
import type { Budget } from "./budget.ts";
import { charactersIn } from "./code-points.ts";
import { fail } from "./errors.ts";

/** A value of a template. */
export type Value = boolean | bigint | number | string | readonly Value[] | PyObject;

/** The arguments of a call. */
export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** A value with attributes, elements, a length or a call. By default it has none of these. */
export abstract class PyObject {
  /** The name of its type in Python. */
  abstract readonly type: string;

  attribute(_name: string, _budget: Budget): Value | undefined {
    return undefined;
  }

  /** Calls it; undefined if it cannot be called. */
  call?(args: Arguments): Value;

  /** Its elements; undefined if it cannot be iterated. */
  elements(): Iterable<Value> | undefined {
    return undefined;
  }

  /** Its length; undefined if it has none. */
  length(): number | undefined {
    return undefined;
  }

  /** Its text, as Python's `repr` writes it. `write` does the same for its parts. */
  print(_write: (value: Value) => string): string {
    return `<${this.type} object>`;
  }
}

class None extends PyObject {
  readonly type = "NoneType";
  override print(): string {
    return "None";
  }
}

/** Python's None. */
export const NONE: PyObject = new None();

/** An argument for which None means the same as no argument. */
export function unlessNone(value: Value | undefined): Value | undefined {
  return value === NONE ? undefined : value;
}

/** Text that is marked as safe HTML. Texts that are added to it are escaped. */
export class Markup extends PyObject {
  readonly type = "Markup";
  readonly text: string;
  constructor(text: string) {
    super();
    this.text = text;
  }
}

/** A tuple. */
export class Tuple extends PyObject {
  readonly type: string = "tuple";
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }
  override elements(): Iterable<Value> {
    return this.items;
  }
  override length(): number {
    return this.items.length;
  }
}

/** An element of `groupby`, a tuple with names for its parts. */
export class Group extends Tuple {
  override attribute(name: string): Value | undefined {
    return name === "grouper" ? this.items[0] : name === "list" ? this.items[1] : undefined;
  }
}

/** A value that is the same for equal keys, such as 1, 1.0 and True. */
type Hash = string | bigint | number | PyObject;

/** A dict, in the order of its keys. */
export class Dict extends PyObject {
  readonly type = "dict";
  readonly #entries = new Map<Hash, readonly [key: Value, value: Value]>();

  static of(pairs: Iterable<readonly [Value, Value]>): Dict {
    const dict = new Dict();
    for (const [key, value] of pairs) dict.set(key, value);
    return dict;
  }
  get(key: Value): Value | undefined {
    return this.#entries.get(hash(key))?.[1];
  }
  has(key: Value): boolean {
    return this.#entries.has(hash(key));
  }
  /** Only for making a dict, since templates cannot change one. Of equal keys the first is kept, with the last value. */
  set(key: Value, value: Value): void {
    const hashed = hash(key);
    this.#entries.set(hashed, [this.#entries.get(hashed)?.[0] ?? key, value]);
  }
  get size(): number {
    return this.#entries.size;
  }
  pairs(): Iterable<readonly [key: Value, value: Value]> {
    return this.#entries.values();
  }
  keys(): Value[] {
    return Array.from(this.#entries.values(), ([key]) => key);
  }
  override elements(): Iterable<Value> {
    return this.keys();
  }
  override length(): number {
    return this.#entries.size;
  }
}

/** Most characters of a tuple's hash, so that tuples that hold the same tuple many times cannot make it huge. */
const MAX_TUPLE_KEY = 4096;

/** The hash of a key. @throws JinjaError for lists, dicts and views, which cannot be keys */
export function hash(value: Value): Hash {
  if (typeof value === "boolean") return BigInt(value);
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) return Undefined.prototype;
  if (value instanceof Tuple) {
    const text = `\0(${value.items.map((item) => `${typeof hash(item)} ${String(hash(item))}`)})`;
    return text.length <= MAX_TUPLE_KEY ? text : fail(`a tuple is too long for a key`);
  }
  if (Array.isArray(value) || value instanceof Dict || value instanceof View)
    fail(`unhashable type: '${typeName(value)}'`);
  return value as Hash;
}

/** The result of `dict.keys()`, `dict.values()` or `dict.items()`. */
export class View extends PyObject {
  readonly type: string;
  readonly items: readonly Value[];
  constructor(type: "dict_keys" | "dict_values" | "dict_items", items: readonly Value[]) {
    super();
    this.type = type;
    this.items = items;
  }
  override elements(): Iterable<Value> {
    return this.items;
  }
  override length(): number {
    return this.items.length;
  }
  override print(write: (value: Value) => string): string {
    return `${this.type}(${write(this.items)})`;
  }
}

/** The result of `range()`. */
export class Range extends PyObject {
  readonly type = "range";
  readonly start: bigint;
  readonly stop: bigint;
  readonly step: bigint;
  constructor(start: bigint, stop: bigint, step: bigint) {
    super();
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
  override attribute(name: string): Value | undefined {
    return name === "start" ? this.start : name === "stop" ? this.stop : name === "step" ? this.step : undefined;
  }
  override *elements(): Iterable<Value> {
    for (let i = 0n, n = BigInt(this.length()); i < n; i++) yield this.start + i * this.step;
  }
  override length(): number {
    const { start, stop, step } = this;
    const span = step > 0n ? stop - start + step - 1n : start - stop - step - 1n;
    return Math.max(0, Number(span / (step > 0n ? step : -step)));
  }
  override print(): string {
    return `range(${this.start}, ${this.stop}${this.step === 1n ? "" : `, ${this.step}`})`;
  }
}

/** A generator, which makes its elements when they are asked for, and each of them once. */
export class Lazy extends PyObject {
  readonly type = "generator";
  readonly #source: Iterator<Value>;
  constructor(source: Iterator<Value>) {
    super();
    this.#source = source;
  }
  /** The iterator has no `return`, so that a loop that stops early leaves the rest for later loops. */
  override elements(): Iterable<Value> {
    return { [Symbol.iterator]: () => ({ next: () => this.#source.next() }) };
  }
}

/** The value of an unknown name or key. It is an empty text without elements; all other operations fail. */
export class Undefined extends PyObject {
  readonly type = "Undefined";
  readonly message: string;
  constructor(message: string) {
    super();
    this.message = message;
  }
  fail(): never {
    fail(this.message);
  }
  override attribute(): never {
    this.fail();
  }
  override call(): never {
    this.fail();
  }
  override elements(): Iterable<Value> {
    return [];
  }
  override length(): number {
    return 0;
  }
  override print(): string {
    return "Undefined";
  }
}

/** A function or method. */
export class Callable extends PyObject {
  readonly type: string;
  readonly name: string;
  override readonly call: (args: Arguments) => Value;
  constructor(name: string, call: (args: Arguments) => Value) {
    super();
    this.type = "builtin_function_or_method";
    this.name = name;
    this.call = call;
  }
  override print(): string {
    return `<built-in function ${this.name}>`;
  }
}

/** The name of a value's type in Python. */
export function typeName(value: Value): string {
  if (value instanceof PyObject) return value.type;
  if (typeof value === "object") return "list";
  return { boolean: "bool", bigint: "int", number: "float", string: "str" }[typeof value as string] ?? "";
}

/** The text of a `str` or of safe text; undefined for other values. */
export function textOf(value: Value | undefined): string | undefined {
  return typeof value === "string" ? value : value instanceof Markup ? value.text : undefined;
}

/** The number of an integer or boolean; undefined for other values. */
export function integerOf(value: Value | undefined): bigint | undefined {
  return typeof value === "bigint" ? value : typeof value === "boolean" ? BigInt(value) : undefined;
}

/** The items of a list or tuple; undefined for other values. */
export function itemsOf(value: Value | undefined): readonly Value[] | undefined {
  return Array.isArray(value) ? value : value instanceof Tuple ? value.items : undefined;
}

/** The length of a value; undefined if it has none. */
export function lengthOf(value: Value): number | undefined {
  const text = textOf(value);
  if (text !== undefined) return charactersIn(text);
  return value instanceof PyObject ? value.length() : itemsOf(value)?.length;
}

/** `bool(value)` */
export function isTrue(value: Value): boolean {
  if (typeof value === "object") return value !== NONE && lengthOf(value) !== 0;
  return Boolean(value);
}

/** The elements of a value; undefined if it cannot be iterated. */
export function elementsOf(value: Value): Iterable<Value> | undefined {
  return textOf(value) ?? (value instanceof PyObject ? value.elements() : itemsOf(value));
}
