/**
 * Macros, and the bodies of call blocks.
 * @module
 */
import type { MacroUse } from "./analysis.ts";
import { fail } from "./errors.ts";
import { type Arguments, Dict, NONE, PyObject, Tuple, Undefined, type Value } from "./values.ts";

/** The variables of a macro's body. A parameter that has its default is undefined. */
export type Bound = ReadonlyMap<string, Value | undefined>;

interface MacroOptions {
  readonly name: string | null;
  readonly parameters: readonly string[];
  readonly use: MacroUse;
  readonly render: (bound: Bound) => Value;
}

/** A macro, or the body of a call block as `caller`. */
export class Macro extends PyObject {
  readonly type = "Macro";
  readonly #options: MacroOptions;

  constructor(options: MacroOptions) {
    super();
    this.#options = options;
  }

  override call({ positional, named }: Arguments): Value {
    const { name, parameters, use, render } = this.#options;
    const bound = new Map<string, Value | undefined>();
    const rest = new Map(named);
    parameters.forEach((parameter, i) => {
      bound.set(parameter, i < positional.length ? positional[i] : rest.get(parameter));
      if (i >= positional.length) rest.delete(parameter);
    });
    if (use.caller && !parameters.includes("caller")) {
      bound.set("caller", rest.get("caller") ?? new Undefined("no caller is defined"));
      rest.delete("caller");
    }
    if (use.kwargs) bound.set("kwargs", Dict.of(rest));
    else for (const key of rest.keys()) fail(`the macro '${name}' takes no keyword argument '${key}'`);
    if (use.varargs) bound.set("varargs", new Tuple(positional.slice(parameters.length)));
    else if (positional.length > parameters.length) {
      fail(`the macro '${name}' takes at most ${parameters.length} arguments, got ${positional.length}`);
    }
    return render(bound);
  }

  override attribute(attribute: string): Value | undefined {
    const { name, parameters, use } = this.#options;
    switch (attribute) {
      case "name":
        return name ?? NONE;
      case "arguments":
        return new Tuple(parameters);
      case "catch_kwargs":
        return use.kwargs;
      case "catch_varargs":
        return use.varargs;
      case "caller":
        return use.caller;
      case "explicit_caller":
        return parameters.includes("caller");
      default:
        return undefined;
    }
  }

  override print(write: (value: Value) => string): string {
    return `<Macro ${this.#options.name === null ? "anonymous" : write(this.#options.name)}>`;
  }
}
