/**
 * Methods of lists, tuples, ranges and dicts. Those that change them are refused, as in Jinja2's immutable sandbox.
 * @module
 */
import { asCount, bind } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { equals } from "./comparison.ts";
import { fail } from "./errors.ts";
import { iterate, toList } from "./iterate.ts";
import {
  type Arguments,
  Callable,
  Dict,
  itemsOf,
  NONE,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";

const LIST_MUTATORS = /^(?:append|clear|pop|reverse|insert|sort|extend|remove)$/;
const DICT_MUTATORS = /^(?:clear|pop|popitem|setdefault|update)$/;

/** Whether a method of that name would change the object. */
export function isMutator(object: Value, name: string): boolean {
  return (Array.isArray(object) && LIST_MUTATORS.test(name)) || (object instanceof Dict && DICT_MUTATORS.test(name));
}

/** The method of a name; undefined if there is none. */
export function collectionMethod(object: Value, name: string, budget: Budget): Value | undefined {
  const call = object instanceof Dict ? dictMethod(object, name, budget) : sequenceMethod(object, name, budget);
  return call && new Callable(name, call);
}

function dictMethod(dict: Dict, name: string, budget: Budget): ((args: Arguments) => Value) | undefined {
  const none = (args: Arguments) => {
    bind(name, "/", args);
    budget.list(dict.size);
  };
  switch (name) {
    case "get":
      return (args) => {
        const [key, otherwise] = bind(name, "/ key default?", args);
        return dict.get(key!) ?? otherwise ?? NONE;
      };
    case "keys":
      return (args) => {
        none(args);
        return new View("dict_keys", dict.keys());
      };
    case "values":
      return (args) => {
        none(args);
        return new View(
          "dict_values",
          Array.from(dict.pairs(), ([, value]) => value),
        );
      };
    case "items":
      return (args) => {
        none(args);
        return new View("dict_items", itemsOfDict(dict));
      };
    case "copy":
      return (args) => {
        none(args);
        return dict;
      };
    case "fromkeys":
      return (args) => fromKeys(args, budget);
    default:
      return undefined;
  }
}

/** The pairs of a dict as tuples. */
export function itemsOfDict(dict: Dict): Tuple[] {
  return Array.from(dict.pairs(), (pair) => new Tuple(pair));
}

/** `dict.fromkeys(keys, value)` */
export function fromKeys(args: Arguments, budget: Budget): Dict {
  const [keys, value] = bind("fromkeys", "/ keys value?", args);
  return Dict.of(toList(keys!, budget).map((key) => [key, value ?? NONE]));
}

/** `dict(mapping or pairs, name=value)` */
export function makeDict(args: Arguments, budget: Budget): Dict {
  const [source] = bind("dict", "/ source?", { positional: args.positional, named: new Map() });
  const dict = new Dict();
  if (source instanceof Undefined) source.fail();
  if (source instanceof Dict) {
    budget.list(source.size);
    for (const [key, value] of source.pairs()) dict.set(key, value);
  } else if (source !== undefined) {
    for (const pair of iterate(source, budget)) {
      const items = toList(pair, budget);
      if (items.length !== 2) fail(`a dict is made of pairs, got ${items.length} elements`);
      dict.set(items[0]!, items[1]!);
    }
  }
  for (const [name, value] of args.named) dict.set(name, value);
  return dict;
}

function sequenceMethod(object: Value, name: string, budget: Budget): ((args: Arguments) => Value) | undefined {
  const items = (): readonly Value[] => itemsOf(object) ?? toList(object, budget);
  if (!itemsOf(object) && !(object instanceof Range)) return undefined;
  switch (name) {
    case "index":
      return (args) => {
        const [wanted, start, stop] = bind(name, object instanceof Range ? "/ value" : "/ value start? stop?", args);
        const all = items();
        const place = (given: Value | undefined, otherwise: number) => {
          const at = asCount(given, otherwise);
          return at < 0 ? Math.max(0, at + all.length) : at;
        };
        for (let i = place(start, 0), end = Math.min(all.length, place(stop, all.length)); i < end; i++) {
          budget.spend(1);
          if (equals(all[i]!, wanted!, budget)) return BigInt(i);
        }
        fail(`the value is not in the ${typeName(object)}`);
      };
    case "count":
      return (args) => {
        const [wanted] = bind(name, "/ value", args);
        budget.list(items().length);
        return BigInt(items().filter((item) => equals(item, wanted!, budget)).length);
      };
    case "copy":
      if (!Array.isArray(object)) return undefined;
      return (args) => {
        bind(name, "/", args);
        return object;
      };
    default:
      return undefined;
  }
}
