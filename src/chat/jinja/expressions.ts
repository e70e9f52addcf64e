/**
 * Parses expressions, with the precedence of Jinja2's parser.
 * @module
 */
import { fail } from "./errors.ts";
import type { Call, CallArguments, Expression, Filter } from "./nodes.ts";
import { TokenCursor } from "./token-cursor.ts";
import { NONE, type Value } from "./values.ts";

const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);
/** Names of constants. */
export const CONSTANTS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["none", NONE],
  ["None", NONE],
]);
/** Tokens that can begin the argument of a test that is written without parentheses. */
const ARGUMENT_STARTS: ReadonlySet<string> = new Set(["name", "string", "integer", "float", "[", "{"]);
const NO_ARGUMENTS: CallArguments = { positional: [], named: [] };

/** Parses expressions. The parser of statements extends it. */
export class ExpressionParser extends TokenCursor {
  /** An expression, or a tuple such as `a, b`. With `condition: false` an `if` is not a part of it. */
  protected tuple(options: { condition?: boolean; empty?: boolean } = {}): Expression {
    const items: Expression[] = [];
    let comma = false;
    while (!this.endsTuple()) {
      items.push(options.condition === false ? this.#or() : this.expression());
      if (!this.skip(",")) break;
      comma = true;
    }
    if (items.length === 1 && !comma) return items[0]!;
    if (items.length === 0 && (!options.empty || comma)) this.unexpected("an expression");
    return { type: "tuple", items };
  }

  protected endsTuple(): boolean {
    const { type } = this.current;
    return type === "}}" || type === "%}" || type === ")";
  }

  protected expression(): Expression {
    return this.deeper(() => {
      let value = this.#or();
      while (this.skipName("if")) {
        const test = this.#or();
        value = { type: "condition", test, yes: value, no: this.skipName("else") ? this.expression() : undefined };
      }
      return value;
    });
  }

  #or(): Expression {
    let left = this.#and();
    while (this.skipName("or")) left = { type: "logic", operator: "or", left, right: this.#and() };
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.skipName("and")) left = { type: "logic", operator: "and", left, right: this.#not() };
    return left;
  }

  #not(): Expression {
    if (!this.skipName("not")) return this.#compare();
    return { type: "unary", operator: "not", operand: this.deeper(() => this.#not()) };
  }

  #compare(): Expression {
    const first = this.#sum();
    const rest: [string, Expression][] = [];
    for (;;) {
      if (COMPARISONS.has(this.current.type)) rest.push([this.next().type, this.#sum()]);
      else if (this.skipName("in")) rest.push(["in", this.#sum()]);
      else if (this.isName("not") && this.isName("in", this.following)) {
        this.next();
        this.next();
        rest.push(["not in", this.#sum()]);
      } else return rest.length === 0 ? first : { type: "compare", first, rest };
    }
  }

  #sum(): Expression {
    return this.#binary(["+", "-"], () => this.#concat());
  }

  #concat(): Expression {
    const items = [this.#product()];
    while (this.skip("~")) items.push(this.#product());
    return items.length === 1 ? items[0]! : { type: "concat", items };
  }

  #product(): Expression {
    return this.#binary(["*", "/", "//", "%"], () => this.#binary(["**"], () => this.#unary(true)));
  }

  /** Binary operators group from the left; unlike in Python, `**` does so too. */
  #binary(operators: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    while (operators.includes(this.current.type)) {
      left = { type: "binary", operator: this.next().type, left, right: operand() };
    }
    return left;
  }

  #unary(filters: boolean): Expression {
    const { type } = this.current;
    let value: Expression;
    if (type === "-" || type === "+") {
      this.next();
      value = { type: "unary", operator: type, operand: this.deeper(() => this.#unary(false)) };
    } else value = this.#primary();
    value = this.#postfix(value);
    return filters ? this.#filters(value) : value;
  }

  #primary(): Expression {
    const { type, value } = this.current;
    switch (type) {
      case "name": {
        this.next();
        const constant = CONSTANTS.get(value as string);
        return constant === undefined ? { type: "name", name: value as string } : { type: "constant", value: constant };
      }
      case "string": {
        let text = "";
        while (this.current.type === "string") text += this.next().value;
        return { type: "constant", value: text };
      }
      case "integer":
      case "float":
        return { type: "constant", value: this.next().value };
      case "(": {
        this.next();
        const inner = this.tuple({ empty: true });
        this.expect(")");
        return inner;
      }
      case "[":
        return { type: "list", items: this.#sequence("]", () => this.expression()) };
      case "{":
        return { type: "dict", items: this.#sequence("}", () => this.#pair()) };
      default:
        this.unexpected("an expression");
    }
  }

  #sequence<T>(close: string, item: () => T): T[] {
    this.next();
    const items: T[] = [];
    while (this.current.type !== close) {
      if (items.length > 0) {
        this.expect(",");
        if (this.current.type === close) break;
      }
      items.push(item());
    }
    this.next();
    return items;
  }

  #pair(): [Expression, Expression] {
    const key = this.expression();
    this.expect(":");
    return [key, this.expression()];
  }

  #postfix(start: Expression): Expression {
    let value = start;
    for (;;) {
      if (this.skip(".")) value = this.#member(value);
      else if (this.skip("[")) value = this.#subscript(value);
      else if (this.current.type === "(") value = this.#call(value);
      else return value;
    }
  }

  #filters(start: Expression): Expression {
    let value = start;
    for (;;) {
      if (this.current.type === "|") value = this.filter(value);
      else if (this.isName("is")) value = this.#test(value);
      else if (this.current.type === "(") value = this.#call(value);
      else return value;
    }
  }

  #member(object: Expression): Expression {
    const { type, value } = this.current;
    if (type === "integer") {
      this.next();
      return { type: "item", object, key: { type: "constant", value } };
    }
    return { type: "attribute", object, name: this.expectName() };
  }

  #subscript(object: Expression): Expression {
    const keys: Expression[] = [];
    let bounds: (Expression | undefined)[] | undefined;
    while (this.current.type !== "]") {
      if (keys.length > 0) this.expect(",");
      const part = (end: boolean) => (this.current.type === ":" || end ? undefined : this.expression());
      const start = part(false);
      if (this.skip(":")) {
        const ends = () => this.current.type === "]" || this.current.type === ",";
        const stop = part(ends());
        bounds = [start, stop, this.skip(":") ? part(ends()) : undefined];
        if (keys.length > 0 || this.current.type !== "]") this.unexpected("']'");
      } else keys.push(start!);
    }
    this.next();
    if (bounds) return { type: "slice", object, bounds };
    return { type: "item", object, key: keys.length === 1 ? keys[0]! : { type: "tuple", items: keys } };
  }

  #call(callee: Expression): Call {
    return { type: "call", callee, args: this.#arguments() };
  }

  #arguments(): CallArguments {
    const { line } = this.expect("(");
    const positional: Expression[] = [];
    const named: [string, Expression][] = [];
    let spread: Expression | undefined;
    let namedSpread: Expression | undefined;
    const check = (fine: boolean) => fine || fail("invalid arguments of a call", line);
    while (this.current.type !== ")") {
      if (this.skip("**")) {
        check(!namedSpread);
        namedSpread = this.expression();
      } else if (this.skip("*")) {
        check(!spread && !namedSpread);
        spread = this.expression();
      } else if (this.current.type === "name" && this.following.type === "=") {
        const name = this.expectName();
        check(!namedSpread && !named.some(([other]) => other === name));
        this.next();
        named.push([name, this.expression()]);
      } else {
        check(!spread && !namedSpread && named.length === 0);
        positional.push(this.expression());
      }
      if (this.current.type !== ")") this.expect(",");
    }
    this.next();
    return { positional, named, spread, namedSpread };
  }

  /** Parses `| name` or `| name(...)` from the `|` on. */
  protected filter<T extends Expression | undefined>(operand: T): Filter {
    this.next();
    return this.filterName(operand);
  }

  protected filterName(operand: Expression | undefined): Filter {
    const name = this.#dotted();
    return { type: "filter", operand, name, args: this.current.type === "(" ? this.#arguments() : NO_ARGUMENTS };
  }

  #dotted(): string {
    let name = this.expectName();
    while (this.skip(".")) name += `.${this.expectName()}`;
    return name;
  }

  #test(operand: Expression): Expression {
    this.next();
    const negated = this.skipName("not");
    const name = this.#dotted();
    let args = NO_ARGUMENTS;
    if (this.current.type === "(") args = this.#arguments();
    else if (ARGUMENT_STARTS.has(this.current.type) && !["else", "or", "and"].some((word) => this.isName(word))) {
      if (this.isName("is")) fail("tests cannot be chained with 'is'", this.current.line);
      args = { positional: [this.#postfix(this.#primary())], named: [] };
    }
    const test: Expression = { type: "test", operand, name, args };
    return negated ? { type: "unary", operator: "not", operand: test } : test;
  }
}
