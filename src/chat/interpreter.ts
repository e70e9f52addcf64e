/**
 * `@huggingface/jinja`'s interpreter with a budget. Every node costs one step; an operation whose own work grows
 * with its operands is charged for it *before* it runs. To see operands first, they are evaluated here and handed
 * to the library as constants.
 *
 * The attacks that this stops were measured on the bare library (reliability.md 1.4): range(1e9) ends the process,
 * 1500 x 1500 iterations block the event loop for 12.7 s, 22 doublings make 8 MiB in 2 ms.
 * @module
 */

import { Budget, SORT } from "./budget.ts";
import { type Environment, Interpreter, type Node, type Value } from "./jinja.ts";
import { MAX_DEPTH, templateError } from "./limits.ts";
import { elements } from "./sizes.ts";

interface Constant extends Node {
  readonly value: Value;
}
interface For extends Node {
  readonly iterable: Node & { readonly lhs: Node };
}
interface Binary extends Node {
  readonly operator: { readonly value: string };
  readonly left: Node;
  readonly right: Node;
}
interface Member extends Node {
  readonly object: Node;
  readonly property: Node;
}
interface Argument extends Node {
  readonly argument: Node; // of SpreadExpression and KeywordSpreadExpression
  readonly value: Node; // of KeywordArgumentExpression
}
interface Filter extends Node {
  readonly operand: Node;
  readonly body: readonly Node[]; // of FilterStatement
  readonly filter: Node & {
    readonly value: string;
    readonly callee: { readonly value: string };
    readonly args: Argument[];
  };
}

/** One pass of a `for` makes two scopes and a `loop` mapping: about 4 us. */
const ITERATION = 32;
/** A macro call makes a scope: about 1 us. */
const CALL = 8;
/** `break` and `continue` are exceptions inside the library. */
const EXCEPTION = 32;
/** Facts about a syntax tree that do not change from render to render. */
export interface Program {
  readonly root: Node;
  /** Expressions that stand in a block: their value becomes text. */
  readonly printed: ReadonlySet<Node>;
  /** Arguments of calls: whoever receives them may go through all their elements. */
  readonly passed: ReadonlySet<Node>;
  /** Nodes below a macro or call block: defining one walks its body. */
  readonly sizes: ReadonlyMap<Node, number>;
  /** Every name that the template reads. */
  readonly names: ReadonlySet<string>;
}

export class BoundedInterpreter extends Interpreter {
  /** What this render may still cost. */
  readonly budget: Budget = new Budget();
  readonly #program: Program;
  #depth = 0;

  constructor(environment: Environment, program: Program) {
    super(environment);
    this.#program = program;
  }

  override evaluate(node: Node | undefined, environment: Environment): Value {
    if (node === undefined) return super.evaluate(node, environment);
    if (node.type === "Constant") return (node as Constant).value;
    this.budget.spend(1);
    if (this.#depth >= MAX_DEPTH) throw templateError(`evaluation nests deeper than ${MAX_DEPTH}`);
    this.#depth++;
    try {
      const result = this.#dispatch(node, environment);
      const { value } = result;
      if (typeof value === "string") {
        this.budget.string(value.length);
        this.budget.spend(value.length >> 6);
      } else if (typeof value === "object" && value !== null) {
        if (Array.isArray(value)) this.budget.list(value.length);
        if (this.#program.printed.has(node)) this.budget.deep(result);
        if (this.#program.passed.has(node)) this.budget.spend(elements(result));
      }
      return result;
    } finally {
      this.#depth--; // also when a `break` passes through
    }
  }

  #dispatch(node: Node, environment: Environment): Value {
    switch (node.type) {
      case "Identifier":
        return this.#lookUp((node as Node & { value: string }).value, environment);
      case "For":
        return this.#for(node as For, environment);
      case "Macro":
      case "CallStatement":
        this.budget.spend(this.#program.sizes.get(node) ?? 0);
        return super.evaluate(node, environment);
      case "CallExpression":
        this.budget.spend(CALL);
        return super.evaluate(node, environment);
      case "Break":
      case "Continue":
        this.budget.spend(EXCEPTION);
        return super.evaluate(node, environment);
      case "BinaryExpression":
        return this.#binary(node as Binary, environment);
      case "MemberExpression":
        return this.#member(node as Member, environment);
      case "FilterExpression":
        return this.#filter(node as Filter, this.evaluate((node as Filter).operand, environment), environment);
      case "FilterStatement": {
        const block = { type: "Program", body: (node as Filter).body };
        return this.#filter(node as Filter, super.evaluate(block, environment), environment);
      }
      default:
        return super.evaluate(node, environment);
    }
  }

  /** The library throws and catches an error for every unknown name; chat templates test for many of them. */
  #lookUp(name: string, environment: Environment): Value {
    for (let scope: Environment | undefined = environment; scope; scope = scope.parent) {
      const value = scope.variables.get(name);
      if (value !== undefined) return value;
    }
    return super.evaluate(undefined, environment);
  }

  #for(node: For, environment: Environment): Value {
    const filtered = node.iterable.type === "SelectExpression";
    const items = this.evaluate(filtered ? node.iterable.lhs : node.iterable, environment);
    this.budget.spend(elements(items) * ITERATION);
    const iterable = filtered ? { ...node.iterable, lhs: constant(items) } : constant(items);
    return super.evaluate({ ...node, iterable } as Node, environment);
  }

  #binary(node: Binary, environment: Environment): Value {
    const operator = node.operator.value;
    if (operator === "and" || operator === "or") return super.evaluate(node, environment);
    const left = this.evaluate(node.left, environment);
    const right = this.evaluate(node.right, environment);
    if (operator === "in" || operator === "not in") {
      if (typeof right.value === "string" && typeof left.value === "string") {
        this.budget.find(right.value, left.value);
      } else {
        this.budget.spend(elements(right));
      }
    } else if (Array.isArray(left.value) !== Array.isArray(right.value)) {
      // `~`, `+` and a loose `==` turn the list into text.
      if (Array.isArray(left.value)) this.budget.deep(left);
      if (Array.isArray(right.value)) this.budget.deep(right);
    } else {
      this.budget.spend(elements(left) + elements(right));
      if (operator === "~" && Array.isArray(left.value)) {
        this.budget.deep(left);
        this.budget.deep(right);
      }
    }
    return super.evaluate({ ...node, left: constant(left), right: constant(right) } as Node, environment);
  }

  #member(node: Member, environment: Environment): Value {
    const object = this.evaluate(node.object, environment);
    if (node.property.type === "SliceExpression") {
      this.budget.spend(typeof object.value === "string" ? object.value.length >> 2 : elements(object));
    }
    const result = super.evaluate({ ...node, object: constant(object) } as Node, environment);
    if (typeof result.value !== "function") return result;
    const { builtins } = object as unknown as { builtins: Map<string, Value> };
    // items(), keys(), values() and dictsort() go through all entries; the last compares them.
    if (object.value instanceof Map && builtins.get("get") !== result) this.budget.spend(object.value.size * SORT);
    return typeof object.value === "string" ? this.#method(object.value, builtins, result) : result;
  }

  /** `split` and `replace` are the string methods whose result can be much larger than the string. */
  #method(text: string, builtins: Map<string, Value>, method: Value): Value {
    const name = ["split", "replace"].find((candidate) => builtins.get(candidate) === method);
    if (name === undefined) return method;
    const call = method.value as (args: Value[], environment: Environment) => Value;
    const FunctionValue = method.constructor as new (value: typeof call) => Value;
    return new FunctionValue((args, environment) => {
      if (name === "split") this.budget.split(text, args[0]?.value);
      else this.budget.replace(text, args[0]?.value, args[1]?.value);
      return call(args, environment);
    });
  }

  #filter(node: Filter, operand: Value, environment: Environment): Value {
    let { filter } = node;
    const values: Value[] = [];
    if (filter.type === "CallExpression") {
      // `selectattr` insists on literals in the tree, so literals stay.
      const args = filter.args.map((argument) => this.#constantArgument(argument, values, environment));
      filter = { ...filter, args };
    }
    const name = filter.type === "CallExpression" ? filter.callee.value : filter.value;
    this.budget.filter(name, operand, values);
    return super.evaluate({ type: "FilterExpression", operand: constant(operand), filter } as Node, environment);
  }

  #constantArgument(argument: Argument, values: Value[], environment: Environment): Argument {
    const field = argument.type.includes("Spread") ? "argument" : "value";
    const plain = argument.type !== "KeywordArgumentExpression" && field === "value";
    const value = this.evaluate(plain ? argument : argument[field], environment);
    if (field === "argument" && Array.isArray(value.value)) values.push(...value.value.slice(0, 8));
    else if (field === "argument" && value.value instanceof Map) values.push(...value.value.values());
    else values.push(value);
    if (argument.type === "StringLiteral") return argument;
    return plain ? (constant(value) as unknown as Argument) : { ...argument, [field]: constant(value) };
  }
}

function constant(value: Value): Node {
  return { type: "Constant", value } as Node;
}
