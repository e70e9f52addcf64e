/**
 * Filters of lists and mappings. `map`, `select` and others make their elements when these are asked for, like generators
 * of Python.
 * @module
 */
import { asCount } from "./arguments.ts";
import { itemsOfDict } from "./collection-methods.ts";
import { compareValues, equals } from "./comparison.ts";
import { fail } from "./errors.ts";
import {
  attributeGetter,
  type Filter,
  type FilterContext,
  type FilterTable,
  type Given,
  ignoreCase,
} from "./filter-context.ts";
import { iterate, toList } from "./iterate.ts";
import {
  type Arguments,
  Dict,
  elementsOf,
  Group,
  hash,
  isTrue,
  itemsOf,
  Lazy,
  lengthOf,
  Markup,
  Range,
  Tuple,
  textOf,
  typeName,
  Undefined,
  unlessNone,
  type Value,
  View,
} from "./values.ts";

export const LIST_FILTERS: FilterTable = new Map<string, Filter>([
  ["batch", ["linecount fill_with?", batch]],
  ["dictsort", ["case_sensitive? by? reverse?", dictSort]],
  ["first", ["", first]],
  ["groupby", ["attribute default? case_sensitive?", groupBy]],
  ["items", ["", items]],
  ["last", ["", last]],
  ["list", ["", ({ budget }, value) => toList(value, budget)]],
  ["map", ["*", map]],
  ["max", ["case_sensitive? attribute?", (context, value, given) => extreme(context, value, given, 1)]],
  ["min", ["case_sensitive? attribute?", (context, value, given) => extreme(context, value, given, -1)]],
  ["random", ["", random]],
  ["reject", ["*", (context, value, _given, args) => select(context, value, args, { attribute: false, keeps: false })]],
  [
    "rejectattr",
    ["*", (context, value, _given, args) => select(context, value, args, { attribute: true, keeps: false })],
  ],
  ["reverse", ["", reverse]],
  ["select", ["*", (context, value, _given, args) => select(context, value, args, { attribute: false, keeps: true })]],
  [
    "selectattr",
    ["*", (context, value, _given, args) => select(context, value, args, { attribute: true, keeps: true })],
  ],
  ["slice", ["slices fill_with?", slice]],
  ["sort", ["reverse? case_sensitive? attribute?", sort]],
  ["unique", ["case_sensitive? attribute?", unique]],
]);

const given = (value: Value | undefined): boolean => value !== undefined && isTrue(value);

function batch({ budget }: FilterContext, value: Value, [count, fill]: Given): Value {
  const size = asCount(count, 1);
  const generate = function* (): Generator<Value> {
    let row: Value[] = [];
    for (const item of iterate(value, budget)) {
      if (row.length === size) {
        yield row;
        row = [];
      }
      row.push(item);
    }
    if (row.length === 0) return;
    if (unlessNone(fill) !== undefined && row.length < size) {
      budget.list(size);
      row = [...row, ...Array<Value>(size - row.length).fill(fill!)];
    }
    yield row;
  };
  return new Lazy(generate());
}

function slice({ budget }: FilterContext, value: Value, [count, fill]: Given): Value {
  const slices = asCount(count, 1);
  const generate = function* (): Generator<Value> {
    const all = toList(value, budget);
    if (slices === 0) fail("division by zero");
    const size = Math.floor(all.length / slices);
    const larger = all.length - size * slices;
    let start = 0;
    for (let i = 0; i < slices; i++) {
      budget.spend(1);
      const end = start + size + (i < larger ? 1 : 0);
      const part = all.slice(start, end);
      if (unlessNone(fill) !== undefined && i >= larger) part.push(fill!);
      start = end;
      yield part;
    }
  };
  return new Lazy(generate());
}

function dictSort({ budget }: FilterContext, value: Value, [caseSensitive, by, reversed]: Given): Value {
  if (value instanceof Undefined) value.fail();
  if (!(value instanceof Dict)) fail(`dictsort takes a mapping, got '${typeName(value)}'`);
  const at = ["key", "value"].indexOf(by === undefined ? "key" : (textOf(by) ?? ""));
  if (at < 0) fail("dictsort: by is 'key' or 'value'");
  const fold = given(caseSensitive) ? (key: Value) => key : ignoreCase;
  const all = itemsOfDict(value);
  return sorted({ budget }, all, (item) => fold((item as Tuple).items[at]!), given(reversed));
}

/** Sorts by a key, which is computed once per element. The sort is stable. */
function sorted(
  { budget }: Pick<FilterContext, "budget">,
  all: readonly Value[],
  key: (item: Value) => Value,
  reversed = false,
): Value[] {
  budget.list(all.length);
  const keyed = all.map((item) => [key(item), item] as const);
  const order = ([a]: readonly [Value, Value], [b]: readonly [Value, Value]) => {
    budget.spend(1);
    return compareValues(a, b, budget);
  };
  keyed.sort(reversed ? (a, b) => -order(a, b) : order);
  return keyed.map(([, item]) => item);
}

function first({ budget }: FilterContext, value: Value): Value {
  for (const item of iterate(value, budget)) return item;
  return new Undefined("there is no first item: the sequence is empty");
}

function last({ budget }: FilterContext, value: Value): Value {
  const backwards = reversedElements(value) ?? fail(`'${typeName(value)}' object cannot be reversed`);
  budget.list(lengthOf(value) ?? 0);
  for (const item of backwards()) return item;
  return new Undefined("there is no last item: the sequence is empty");
}

/** The elements in reverse order; undefined for values that cannot be reversed, such as generators. */
function reversedElements(value: Value): (() => Generator<Value>) | undefined {
  const known =
    value instanceof Tuple ||
    value instanceof Dict ||
    value instanceof View ||
    value instanceof Range ||
    value instanceof Undefined;
  if (!known && textOf(value) === undefined && !Array.isArray(value)) return undefined;
  return function* () {
    const all = itemsOf(value) ?? [...elementsOf(value)!];
    for (let i = all.length - 1; i >= 0; i--) yield all[i]!;
  };
}

function reverse({ budget }: FilterContext, value: Value): Value {
  const text = textOf(value);
  if (text !== undefined) {
    budget.string(text.length);
    const reversed = [...text].reverse().join("");
    return value instanceof Markup ? new Markup(reversed) : reversed;
  }
  budget.list(lengthOf(value) ?? 0);
  const backwards = reversedElements(value);
  return backwards ? new Lazy(backwards()) : toList(value, budget).reverse();
}

function groupBy({ budget }: FilterContext, value: Value, [path, otherwise, caseSensitive]: Given): Value {
  const get = attributeGetter(path, budget, otherwise);
  const key = given(caseSensitive) ? get : (item: Value) => ignoreCase(get(item));
  const groups: { key: Value; items: Value[] }[] = [];
  for (const item of sorted({ budget }, toList(value, budget), key)) {
    const own = key(item);
    const group = groups.at(-1);
    if (group && equals(group.key, own, budget)) group.items.push(item);
    else groups.push({ key: own, items: [item] });
  }
  return groups.map((group) => new Group([get(group.items[0]!), group.items]));
}

function items({ budget }: FilterContext, value: Value): Value {
  const generate = function* (): Generator<Value> {
    if (value instanceof Undefined) return;
    if (!(value instanceof Dict)) fail("items takes a mapping");
    budget.list(value.size);
    yield* itemsOfDict(value);
  };
  return new Lazy(generate());
}

function map(context: FilterContext, value: Value, _given: Given, args: Arguments): Value {
  const generate = function* (): Generator<Value> {
    if (!isTrue(value)) return;
    const apply = mapper(context, args);
    for (const item of iterate(value, context.budget)) yield apply(item);
  };
  return new Lazy(generate());
}

function mapper(context: FilterContext, { positional, named }: Arguments): (item: Value) => Value {
  if (positional.length === 0 && named.has("attribute")) {
    for (const name of named.keys())
      if (name !== "attribute" && name !== "default") fail(`map: unexpected argument '${name}'`);
    return attributeGetter(named.get("attribute"), context.budget, named.get("default"));
  }
  const [name, ...rest] = positional;
  if (name === undefined) fail("map takes the name of a filter, or an attribute");
  return (item) => context.filter(name, item, { positional: rest, named });
}

function select(
  context: FilterContext,
  value: Value,
  args: Arguments,
  how: { attribute: boolean; keeps: boolean },
): Value {
  const generate = function* (): Generator<Value> {
    if (!isTrue(value)) return;
    const [path, ...others] = how.attribute ? args.positional : [undefined, ...args.positional];
    if (how.attribute && path === undefined) fail("the name of an attribute is missing");
    const get = attributeGetter(path, context.budget);
    const [test, ...rest] = others;
    const holds = (item: Value) =>
      test === undefined ? isTrue(item) : context.test(test, item, { positional: rest as Value[], named: args.named });
    for (const item of iterate(value, context.budget)) if (holds(get(item)) === how.keeps) yield item;
  };
  return new Lazy(generate());
}

function extreme({ budget }: FilterContext, value: Value, [caseSensitive, path]: Given, sign: 1 | -1): Value {
  const get = attributeGetter(path, budget);
  const key = given(caseSensitive) ? get : (item: Value) => ignoreCase(get(item));
  let best: readonly [key: Value, item: Value] | undefined;
  for (const item of iterate(value, budget)) {
    const own = key(item);
    if (!best || sign * compareValues(own, best[0], budget) > 0) best = [own, item];
  }
  return best ? best[1] : new Undefined("there is no item to choose: the sequence is empty");
}

/** Chooses an element at random, as Jinja2 does. The prompt of such a template differs each time. */
function random({ budget }: FilterContext, value: Value): Value {
  const length = lengthOf(value) ?? fail(`object of type '${typeName(value)}' has no length`);
  if (length === 0) return new Undefined("there is no random item: the sequence is empty");
  if (value instanceof Dict || value instanceof View) fail("random takes a sequence");
  return toList(value, budget)[Math.floor(Math.random() * length)]!;
}

function sort({ budget }: FilterContext, value: Value, [reversed, caseSensitive, path]: Given): Value {
  const paths: (Value | undefined)[] = textOf(path)?.split(",") ?? [path];
  const getters = paths.map((one) => attributeGetter(one, budget));
  const fold = given(caseSensitive) ? (key: Value) => key : ignoreCase;
  return sorted({ budget }, toList(value, budget), (item) => getters.map((get) => fold(get(item))), given(reversed));
}

function unique({ budget }: FilterContext, value: Value, [caseSensitive, path]: Given): Value {
  const get = attributeGetter(path, budget);
  const fold = given(caseSensitive) ? (key: Value) => key : ignoreCase;
  const generate = function* (): Generator<Value> {
    const seen = new Set<unknown>();
    for (const item of iterate(value, budget)) {
      const key = hash(fold(get(item)));
      if (seen.has(key)) continue;
      seen.add(key);
      yield item;
    }
  };
  return new Lazy(generate());
}
