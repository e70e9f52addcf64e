/**
 * Functions that every template can call.
 * @module
 */
import { asInteger, asText, bind } from "./arguments.ts";
import { type Budget, MAX_LIST } from "./budget.ts";
import { fromKeys, makeDict } from "./collection-methods.ts";
import { fail } from "./errors.ts";
import { type Arguments, Callable, Dict, NONE, PyObject, Range, Tuple, textOf, type Value } from "./values.ts";

/** `range`, `dict`, `namespace`, `cycler` and `joiner`; those of transformers are in template.ts. */
export function globalFunctions(budget: Budget): Map<string, Value> {
  return new Map<string, Value>([
    ["range", new Callable("range", makeRange)],
    ["dict", new DictMaker(budget)],
    ["namespace", new Callable("namespace", (args) => new Namespace(makeDict(args, budget)))],
    ["cycler", new Callable("cycler", (args) => new Cycler(bindAll("cycler", args)))],
    ["joiner", new Callable("joiner", (args) => new Joiner(asText(bind("joiner", "sep?", args)[0] ?? ", ")))],
    ["lipsum", new Callable("lipsum", () => fail("lipsum() is not supported: it makes text by chance"))],
  ]);
}

function makeRange(args: Arguments): Range {
  const [first, second, third] = bind("range", "/ start stop? step?", args);
  const step = asInteger(third ?? 1n);
  if (step === 0n) fail("range: the step must not be zero");
  const start = second === undefined ? 0n : asInteger(first!);
  const range = new Range(start, asInteger(second === undefined ? first! : second), step);
  if (range.length() > MAX_LIST) fail(`range: more than ${MAX_LIST} elements`);
  return range;
}

/** The positional arguments. @throws JinjaError if there are named ones */
function bindAll(name: string, args: Arguments): readonly Value[] {
  if (args.named.size > 0) fail(`${name}() takes no keyword arguments`);
  return args.positional;
}

class DictMaker extends PyObject {
  readonly type = "TemplateDict";
  readonly #budget: Budget;
  constructor(budget: Budget) {
    super();
    this.#budget = budget;
  }
  override call(args: Arguments): Value {
    return makeDict(args, this.#budget);
  }
  override attribute(name: string): Value | undefined {
    return name === "fromkeys" ? new Callable(name, (args) => fromKeys(args, this.#budget)) : undefined;
  }
}

/** Holds the attributes that `{% set ns.name = ... %}` assigns. It is the only value that a template can change. */
export class Namespace extends PyObject {
  readonly type = "Namespace";
  readonly #attributes = new Dict();
  constructor(attributes: Dict) {
    super();
    for (const [key, value] of attributes.pairs())
      this.set(textOf(key) ?? fail("a namespace has names that are texts"), value);
  }
  /** @throws JinjaError for a name that begins with `_` */
  set(name: string, value: Value): void {
    if (name.startsWith("_")) fail(`the name '${name}' in a namespace begins with '_'`);
    this.#attributes.set(name, value);
  }
  override attribute(name: string): Value | undefined {
    return this.#attributes.get(name);
  }
  override print(write: (value: Value) => string): string {
    return `<Namespace ${write(this.#attributes)}>`;
  }
}

class Cycler extends PyObject {
  readonly type = "Cycler";
  readonly #items: readonly Value[];
  #at = 0;
  constructor(items: readonly Value[]) {
    super();
    if (items.length === 0) fail("cycler: at least one item is needed");
    this.#items = items;
  }
  override attribute(name: string): Value | undefined {
    const action = (act: () => Value) =>
      new Callable(name, (args) => {
        bind(name, "/", args);
        return act();
      });
    switch (name) {
      case "items":
        return new Tuple(this.#items);
      case "pos":
        return BigInt(this.#at);
      case "current":
        return this.#items[this.#at];
      case "next":
        return action(() => {
          const item = this.#items[this.#at]!;
          this.#at = (this.#at + 1) % this.#items.length;
          return item;
        });
      case "reset":
        return action(() => {
          this.#at = 0;
          return NONE;
        });
      default:
        return undefined;
    }
  }
}

/** Returns an empty text at its first call, and its separator at all later ones. */
class Joiner extends PyObject {
  readonly type = "Joiner";
  readonly #separator: string;
  #used = false;
  constructor(separator: string) {
    super();
    this.#separator = separator;
  }
  override call(args: Arguments): Value {
    bind("joiner", "/", args);
    const text = this.#used ? this.#separator : "";
    this.#used = true;
    return text;
  }
  override attribute(name: string): Value | undefined {
    return name === "sep" ? this.#separator : name === "used" ? this.#used : undefined;
  }
}
