/**
 * Evaluates expressions.
 * @module
 */
import { getAttribute, getItem, getSlice } from "./access.ts";
import type { Budget } from "./budget.ts";
import { fail } from "./errors.ts";
import type { FilterContext } from "./filter-context.ts";
import { applyFilter } from "./filters.ts";
import { iterate } from "./iterate.ts";
import type { Call, CallArguments, Expression, Filter } from "./nodes.ts";
import { binary, compare, concatenate, unary } from "./operators.ts";
import { toText } from "./printing.ts";
import type { Scope } from "./scope.ts";
import { applyTest } from "./tests.ts";
import {
  type Arguments,
  Dict,
  isTrue,
  NONE,
  PyObject,
  Tuple,
  textOf,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** Evaluates expressions in a scope. The interpreter of statements extends it. */
export class Evaluator {
  readonly budget: Budget;
  /** Whether HTML is escaped, which `{% autoescape true %}` turns on. */
  protected autoescape = false;

  readonly #context: FilterContext;

  constructor(budget: Budget) {
    this.budget = budget;
    this.#context = this.#filterContext();
  }

  #filterContext(): FilterContext {
    const { budget } = this;
    const escapes = () => this.autoescape;
    const nameOf = (name: Value) => (name instanceof Undefined ? name.fail() : toText(name, budget));
    return {
      budget,
      get autoescape() {
        return escapes();
      },
      filter(name, value, args) {
        return applyFilter(this, nameOf(name), value, args) ?? fail(`there is no filter named '${nameOf(name)}'`);
      },
      test(name, value, args) {
        return applyTest(nameOf(name), value, args, budget) ?? fail(`there is no test named '${nameOf(name)}'`);
      },
    };
  }

  protected evaluate(node: Expression, scope: Scope): Value {
    this.budget.enter();
    const value = this.#evaluate(node, scope);
    this.budget.leave();
    return value;
  }

  #evaluate(node: Expression, scope: Scope): Value {
    switch (node.type) {
      case "constant":
        return node.value;
      case "name":
        return scope.get(node.name) ?? this.#unknown(node.name);
      case "tuple":
        return new Tuple(this.#all(node.items, scope));
      case "list":
        return this.#all(node.items, scope);
      case "concat":
        return concatenate(this.#all(node.items, scope), this.autoescape, this.budget);
      case "dict":
        return Dict.of(
          node.items.map((pair) => [this.evaluate(pair[0], scope), this.evaluate(pair[1], scope)] as const),
        );
      case "unary":
        return node.operator === "not"
          ? !isTrue(this.evaluate(node.operand, scope))
          : unary(node.operator, this.evaluate(node.operand, scope));
      case "binary":
        return binary(node.operator, this.evaluate(node.left, scope), this.evaluate(node.right, scope), this.budget);
      case "logic": {
        const left = this.evaluate(node.left, scope);
        return isTrue(left) === (node.operator === "or") ? left : this.evaluate(node.right, scope);
      }
      case "compare":
        return this.#compare(this.evaluate(node.first, scope), node.rest, scope);
      case "attribute":
        return getAttribute(this.evaluate(node.object, scope), node.name, this.budget);
      case "item":
        return getItem(this.evaluate(node.object, scope), this.evaluate(node.key, scope), this.budget);
      case "slice": {
        const object = this.evaluate(node.object, scope);
        return getSlice(
          object,
          node.bounds.map((bound) => (bound ? this.evaluate(bound, scope) : NONE)),
          this.budget,
        );
      }
      case "call":
        return this.call(node, scope);
      case "filter":
        return this.filter(node, scope, undefined);
      case "test":
        return this.#context.test(node.name, this.evaluate(node.operand, scope), this.#arguments(node.args, scope));
      case "condition":
        if (isTrue(this.evaluate(node.test, scope))) return this.evaluate(node.yes, scope);
        return node.no
          ? this.evaluate(node.no, scope)
          : new Undefined("an 'if' without 'else' was false and gave nothing");
    }
  }

  #all(items: readonly Expression[], scope: Scope): Value[] {
    return items.map((item) => this.evaluate(item, scope));
  }

  #unknown(name: string): Undefined {
    return new Undefined(`'${name}' is undefined`);
  }

  /** Compares a chain such as `a < b < c`. Each operand is evaluated once; evaluation stops at the first false comparison. */
  #compare(first: Value, rest: readonly (readonly [operator: string, operand: Expression])[], scope: Scope): boolean {
    let left = first;
    for (const [operator, operand] of rest) {
      const right = this.evaluate(operand, scope);
      if (!compare(operator, left, right, this.budget)) return false;
      left = right;
    }
    return true;
  }

  protected call(node: Call, scope: Scope, caller?: Value): Value {
    const callee = this.evaluate(node.callee, scope);
    const args = this.#arguments(node.args, scope);
    if (!(callee instanceof PyObject) || !callee.call) fail(`'${typeName(callee)}' object is not callable`);
    return callee.call(caller === undefined ? args : { ...args, named: new Map([...args.named, ["caller", caller]]) });
  }

  /** Applies a filter to its operand, or to the text of the block around it. */
  protected filter(node: Filter, scope: Scope, text: Value | undefined): Value {
    const { operand } = node;
    const inner =
      operand?.type === "filter" ? this.#nested(operand, scope, text) : operand && this.evaluate(operand, scope);
    return this.#context.filter(node.name, inner ?? text!, this.#arguments(node.args, scope));
  }

  #nested(node: Filter, scope: Scope, text: Value | undefined): Value {
    this.budget.enter();
    const value = this.filter(node, scope, text);
    this.budget.leave();
    return value;
  }

  #arguments({ positional, named, spread, namedSpread }: CallArguments, scope: Scope): Arguments {
    const values = this.#all(positional, scope);
    const byName = new Map(named.map(([name, value]) => [name, this.evaluate(value, scope)]));
    if (spread) for (const value of iterate(this.evaluate(spread, scope), this.budget)) values.push(value);
    if (namedSpread) {
      const mapping = this.evaluate(namedSpread, scope);
      if (!(mapping instanceof Dict)) fail(`'**' needs a mapping, got '${typeName(mapping)}'`);
      for (const [key, value] of mapping.pairs()) {
        const name = textOf(key) ?? fail("keywords must be texts");
        if (byName.has(name)) fail(`the keyword argument '${name}' is given twice`);
        byName.set(name, value);
        this.budget.spend(1);
      }
    }
    return { positional: values, named: byName };
  }
}
