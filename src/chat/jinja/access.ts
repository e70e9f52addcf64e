/**
 * Attributes, keys and slices, with the rules of Jinja2's sandbox: `a.b` looks for an attribute first, `a['b']` for a key
 * first. Methods that change a value, and names that begin with `_`, are undefined.
 * @module
 */
import { asCount } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { charactersIn, sliceCharacters } from "./code-points.ts";
import { collectionMethod, isMutator } from "./collection-methods.ts";
import { fail } from "./errors.ts";
import { numberAttribute } from "./number-methods.ts";
import { repr } from "./printing.ts";
import { formatMethod } from "./str-format.ts";
import { stringMethod } from "./string-methods.ts";
import {
  Dict,
  integerOf,
  itemsOf,
  Markup,
  NONE,
  PyObject,
  Range,
  Tuple,
  textOf,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** Names of attributes that every dict of Python has. Keys with such a name are reached by `['name']` only. */
const INTERNAL =
  /^__(class|class_getitem|contains|delattr|delitem|dir|doc|eq|format|ge|getattribute|getitem|getstate|gt|hash|init|init_subclass|ior|iter|le|len|lt|ne|new|or|reduce|reduce_ex|repr|reversed|ror|setattr|setitem|sizeof|str|subclasshook)__$/;

/** `object.name` */
export function getAttribute(object: Value, name: string, budget: Budget): Value {
  return (
    attributeOf(object, name, budget) ??
    (object instanceof Dict ? object.get(name) : undefined) ??
    missing(object, name, budget)
  );
}

/** `object[key]` */
export function getItem(object: Value, key: Value, budget: Budget): Value {
  if (object instanceof Undefined) object.fail();
  const found = itemOf(object, key);
  if (found !== undefined) return found;
  const name = textOf(key);
  return (name === undefined ? undefined : attributeOf(object, name, budget)) ?? missing(object, key, budget);
}

function missing(object: Value, key: Value, budget: Budget): Undefined {
  return new Undefined(`'${typeName(object)}' object has no attribute or element ${repr(key, budget)}`);
}

/** An attribute or method, but no key; undefined if there is none. */
export function attributeOf(object: Value, name: string, budget: Budget): Value | undefined {
  if (INTERNAL.test(name)) return unsafe(object, name);
  const text = textOf(object);
  if (text !== undefined) {
    const self = object as string | Markup;
    const formats = name === "format" || name === "format_map";
    return formats
      ? formatMethod(self, name, { attribute: getAttribute, item: getItem }, budget)
      : stringMethod(self, name, budget);
  }
  if (isMutator(object, name)) return unsafe(object, name);
  const own = object instanceof PyObject ? object.attribute(name, budget) : undefined;
  if (own !== undefined) return name.startsWith("_") ? unsafe(object, name) : own;
  if (typeof object === "number" || integerOf(object) !== undefined)
    return numberAttribute(object as number | bigint, name);
  return collectionMethod(object, name, budget);
}

function unsafe(object: Value, name: string): Undefined {
  return new Undefined(`access to the attribute '${name}' of a '${typeName(object)}' object is unsafe`);
}

function itemOf(object: Value, key: Value): Value | undefined {
  if (object instanceof Dict) return Array.isArray(key) || key instanceof Dict ? undefined : object.get(key);
  const index = integerOf(key);
  if (index === undefined) return undefined;
  const text = textOf(object);
  const length =
    text === undefined ? (object instanceof Range ? object.length() : itemsOf(object)?.length) : charactersIn(text);
  if (length === undefined) return undefined;
  const at = Number(index < 0n ? index + BigInt(length) : index);
  if (at < 0 || at >= length) return undefined;
  if (text !== undefined) return like(object, sliceCharacters(text, at, at + 1));
  return object instanceof Range ? object.start + object.step * BigInt(at) : itemsOf(object)![at];
}

/** The text, marked as safe if `model` is. */
export function like(model: Value, text: string): string | Markup {
  return model instanceof Markup ? new Markup(text) : text;
}

/** `object[start:stop:step]` */
export function getSlice(object: Value, bounds: readonly Value[], budget: Budget): Value {
  if (object instanceof Undefined) object.fail();
  const text = textOf(object);
  const items = text === undefined ? itemsOf(object) : undefined;
  const length =
    text === undefined
      ? (items?.length ?? (object instanceof Range ? object.length() : undefined))
      : charactersIn(text);
  if (length === undefined) fail(`'${typeName(object)}' object cannot be sliced`);
  const [start, stop, step] = sliceBounds(bounds, length);
  if (text !== undefined) budget.spend(step === 1 ? text.length / 64 : text.length);
  if (text !== undefined && step === 1) return like(object, sliceCharacters(text, start, Math.max(start, stop)));
  if (object instanceof Range) {
    const at = (place: number) => object.start + object.step * BigInt(place);
    return new Range(at(start), at(stop), object.step * BigInt(step));
  }
  const source = items ?? [...text!];
  const taken: Value[] = [];
  if (text === undefined) budget.list(Math.max(0, Math.ceil((stop - start) / step)));
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) taken.push(source[i]!);
  if (text !== undefined) return like(object, taken.join(""));
  return object instanceof Tuple ? new Tuple(taken) : taken;
}

/** The start, end and step of a slice, by the rules of Python's `slice.indices`. */
function sliceBounds(bounds: readonly Value[], length: number): readonly [start: number, stop: number, step: number] {
  const given = bounds.map((bound) => (bound === NONE ? undefined : asCount(bound, 0)));
  const step = given[2] ?? 1;
  if (step === 0) fail("a slice's step cannot be zero");
  const [lowest, highest] = step > 0 ? [0, length] : [-1, length - 1];
  const place = (value: number | undefined, otherwise: number) =>
    value === undefined ? otherwise : Math.max(lowest, Math.min(highest, value < 0 ? value + length : value));
  return [place(given[0], step > 0 ? lowest : highest), place(given[1], step > 0 ? highest : lowest), step];
}
