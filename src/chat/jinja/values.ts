/**
 * Values of templates, which are Python's: an integer is a bigint, a float a number, a list an array (nothing changes
 * one), everything else with parts or behaviour a `PyObject`.
 * @module
 */
import type { Budget } from "./budget.ts";
import { charactersIn } from "./code-points.ts";
import { fail } from "./errors.ts";

export type Value = boolean | bigint | number | string | readonly Value[] | PyObject;

/** What a call passes. */
export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** What has attributes, can be called, gone through or measured. The defaults say that it cannot. */
export abstract class PyObject {
  /** Python's name of the type. */
  abstract readonly type: string;

  attribute(_name: string, _budget: Budget): Value | undefined {
    return undefined;
  }

  /** undefined: it cannot be called. */
  call?(args: Arguments): Value;

  /** undefined: it cannot be gone through. */
  elements(): Iterable<Value> | undefined {
    return undefined;
  }

  /** undefined: it has no length. */
  length(): number | undefined {
    return undefined;
  }

  /** As Python's `repr` writes it; `write` writes parts. */
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

export const NONE: PyObject = new None();

/** An argument for which `none` says the same as leaving it out. */
export function unlessNone(value: Value | undefined): Value | undefined {
  return value === NONE ? undefined : value;
}

/** Text that is marked as safe HTML: what joins it is escaped. */
export class Markup extends PyObject {
  readonly type = "Markup";
  readonly text: string;
  constructor(text: string) {
    super();
    this.text = text;
  }
}

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

/** A pair of `groupby`: prints as a tuple, has names for its parts. */
export class Group extends Tuple {
  override attribute(name: string): Value | undefined {
    return name === "grouper" ? this.items[0] : name === "list" ? this.items[1] : undefined;
  }
}

/** What equal keys have in common: 1, 1.0 and True are one key. */
type Hash = string | bigint | number | PyObject;

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
  /** While a dict is being made: templates cannot change one. An equal key stays as it was first written. */
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

/** Characters of a tuple's hash: a tuple that holds one tuple twice, and so on, must not grow without bound. */
const MAX_TUPLE_KEY = 4096;

/** @throws JinjaError for a list or dict, which cannot be keys. */
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

/** `dict.keys()`, `dict.values()`, `dict.items()`. */
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

/** A generator: it makes its elements when they are asked for, and gives each of them once. */
export class Lazy extends PyObject {
  readonly type = "generator";
  readonly #source: Iterator<Value>;
  constructor(source: Iterator<Value>) {
    super();
    this.#source = source;
  }
  /** Without `return`: who stops early leaves the rest for the next one. */
  override elements(): Iterable<Value> {
    return { [Symbol.iterator]: () => ({ next: () => this.#source.next() }) };
  }
}

/** What an unknown name or key gives: empty text, nothing to go through; everything else fails with the message. */
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

/** A function or method of ours. */
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

export function typeName(value: Value): string {
  if (value instanceof PyObject) return value.type;
  if (typeof value === "object") return "list";
  return { boolean: "bool", bigint: "int", number: "float", string: "str" }[typeof value as string] ?? "";
}

/** The characters of a text, marked as safe or not; undefined for other values. */
export function textOf(value: Value | undefined): string | undefined {
  return typeof value === "string" ? value : value instanceof Markup ? value.text : undefined;
}

/** An integer or a truth value, which counts as one; undefined for other values. */
export function integerOf(value: Value | undefined): bigint | undefined {
  return typeof value === "bigint" ? value : typeof value === "boolean" ? BigInt(value) : undefined;
}

/** Items of a list or tuple; undefined for other values. */
export function itemsOf(value: Value | undefined): readonly Value[] | undefined {
  return Array.isArray(value) ? value : value instanceof Tuple ? value.items : undefined;
}

/** undefined: the value has no length. */
export function lengthOf(value: Value): number | undefined {
  const text = textOf(value);
  if (text !== undefined) return charactersIn(text);
  return value instanceof PyObject ? value.length() : itemsOf(value)?.length;
}

export function isTrue(value: Value): boolean {
  if (typeof value === "object") return value !== NONE && lengthOf(value) !== 0;
  return Boolean(value);
}

/** undefined: the value cannot be gone through. */
export function elementsOf(value: Value): Iterable<Value> | undefined {
  return textOf(value) ?? (value instanceof PyObject ? value.elements() : itemsOf(value));
}
