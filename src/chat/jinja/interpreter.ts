/**
 * Runs the statements of a template. Expressions are evaluated in evaluator.ts.
 * @module
 */
import type { Analysis } from "./analysis.ts";
import type { Budget } from "./budget.ts";
import { fail } from "./errors.ts";
import { Evaluator } from "./evaluator.ts";
import { Namespace } from "./globals.ts";
import { iterate, toList } from "./iterate.ts";
import { Loop } from "./loop.ts";
import { Macro } from "./macro.ts";
import type { Body, For, MacroDefinition, Statement, Target } from "./nodes.ts";
import { escapeHtml, toText } from "./printing.ts";
import { Scope } from "./scope.ts";
import { Callable, isTrue, itemsOf, Markup, PyObject, Undefined, type Value } from "./values.ts";

/** A `break` or `continue` that has not reached its loop yet. */
type Signal = "break" | "continue" | undefined;

/** The text that a block has written so far. */
class Output {
  readonly #budget: Budget;
  #text = "";

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  write(text: string): void {
    this.#budget.grow(this.#text.length + text.length, text.length);
    this.#text += text;
  }

  get text(): string {
    return this.#text;
  }
}

/** Renders one template once. */
export class Interpreter extends Evaluator {
  readonly #analysis: Analysis;
  readonly #top: Scope;
  /** The line of the current statement. */
  line = 1;

  constructor(analysis: Analysis, variables: ReadonlyMap<string, Value>, budget: Budget) {
    super(budget);
    this.#analysis = analysis;
    const given = new Scope();
    for (const [name, value] of variables) given.set(name, value);
    this.#top = new Scope(given);
    if (analysis.names.has("self")) this.#top.set("self", new Self((name) => this.#namedBlock(name)));
  }

  run(body: Body): string {
    const out = new Output(this.budget);
    this.#hide(body, this.#top);
    this.#body(body, this.#top, out);
    return out.text;
  }

  /** Makes the scope of a body, in which its own names are undefined at first. */
  #scope(body: Body, parent: Scope): Scope {
    return this.#hide(body, new Scope(parent));
  }

  #hide(body: Body, scope: Scope): Scope {
    for (const name of this.#analysis.hidden.get(body) ?? []) scope.set(name, new Undefined(`'${name}' is undefined`));
    return scope;
  }

  #body(body: Body, scope: Scope, out: Output): Signal {
    for (const statement of body) {
      this.budget.enter();
      this.line = statement.line;
      const signal = this.#statement(statement, scope, out);
      this.budget.leave();
      if (signal) return signal;
    }
    return undefined;
  }

  #statement(statement: Statement, scope: Scope, out: Output): Signal {
    switch (statement.type) {
      case "output":
        for (const part of statement.parts)
          this.#print(typeof part === "string" ? part : this.evaluate(part, scope), part, out);
        return undefined;
      case "if": {
        const branch = statement.branches.find(({ test }) => isTrue(this.evaluate(test, scope)));
        return this.#body(branch ? branch.body : statement.otherwise, scope, out);
      }
      case "for":
        return this.#for(statement, scope, out, { elements: this.evaluate(statement.iterable, scope), depth: 0 });
      case "set": {
        const value = this.evaluate(statement.value, scope);
        this.#assign(statement.target, value, scope);
        return undefined;
      }
      case "setBlock":
      case "filterBlock": {
        const inner = this.#scope(statement.body, scope);
        const written = new Output(this.budget);
        const signal = this.#body(statement.body, inner, written);
        if (signal) return signal;
        const text = this.#safe(written.text);
        const value = statement.filter ? this.filter(statement.filter, inner, text) : text;
        if (statement.type === "setBlock") this.#assign(statement.target, this.#safe(value), scope);
        else out.write(toText(value, this.budget));
        return undefined;
      }
      case "macro":
        scope.set(statement.name!, this.#macro(statement, scope));
        return undefined;
      case "callBlock":
        out.write(toText(this.call(statement.call, scope, this.#macro(statement.caller, scope)), this.budget));
        return undefined;
      case "with": {
        const inner = this.#scope(statement.body, scope);
        for (const [i, target] of statement.targets.entries()) {
          this.#assign(target, this.evaluate(statement.values[i]!, scope), inner);
        }
        return this.#body(statement.body, inner, out);
      }
      case "autoescape": {
        const before = this.autoescape;
        this.autoescape = isTrue(this.evaluate(statement.value, scope));
        const signal = this.#body(statement.body, this.#scope(statement.body, scope), out);
        this.autoescape = before;
        return signal;
      }
      case "generation":
        return this.#body(statement.body, this.#scope(statement.body, scope), out);
      case "block":
        if (statement.required) fail(`the required block '${statement.name}' is not defined`);
        this.#body(statement.body, this.#scope(statement.body, statement.scoped ? scope : this.#top), out);
        return undefined;
      case "load": {
        const source = this.evaluate(statement.source, scope);
        if (statement.ignoreMissing && itemsOf(source)?.length === 0) return undefined;
        fail(`'${statement.tag}' is not supported: there are no other templates to load`);
        return undefined;
      }
      default:
        return statement.type;
    }
  }

  #print(value: Value, part: unknown, out: Output): void {
    const escaped = this.autoescape && typeof part !== "string";
    out.write(escaped ? escapeHtml(value, this.budget).text : toText(value, this.budget));
  }

  /** Marks the text of a block as safe where HTML is escaped, because it was escaped when it was written. */
  #safe(value: Value): Value {
    return this.autoescape && !(value instanceof Markup) ? new Markup(toText(value, this.budget)) : value;
  }

  #for(node: For, scope: Scope, out: Output, { elements, depth }: { elements: Value; depth: number }): Signal {
    const source = node.test ? this.#selected(node, elements, scope) : iterate(elements, this.budget);
    const recurse = (inner: Value, level: number) => this.#recurse(node, scope, { elements: inner, depth: level });
    const options = { budget: this.budget, depth, recurse: node.recursive ? recurse : undefined };
    const loop = new Loop(node.test ? undefined : elements, source, options);
    // As in Jinja2, the `else` also runs if every pass was left by `break` or `continue`.
    let complete = false;
    for (let value = loop.next(); value !== undefined; value = loop.next()) {
      this.budget.spend(2);
      const inner = this.#scope(node.body, scope);
      this.#assign(node.target, value, inner);
      inner.set("loop", loop);
      const signal = this.#body(node.body, inner, out);
      if (signal === "break") break;
      if (!signal) complete = true;
    }
    return complete ? undefined : this.#body(node.otherwise, this.#scope(node.otherwise, scope), out);
  }

  #recurse(node: For, scope: Scope, state: { elements: Value; depth: number }): Value {
    const out = new Output(this.budget);
    this.#for(node, scope, out, state);
    return this.#safe(out.text);
  }

  *#selected(node: For, elements: Value, scope: Scope): Generator<Value> {
    for (const element of iterate(elements, this.budget)) {
      const inner = new Scope(scope);
      this.#assign(node.target, element, inner);
      if (isTrue(this.evaluate(node.test!, inner))) yield element;
    }
  }

  #assign(target: Target, value: Value, scope: Scope): void {
    if (target.type === "name") scope.set(target.name, value);
    else if (target.type === "tuple") {
      const values = toList(value, this.budget);
      if (values.length !== target.items.length)
        fail(`${values.length} values cannot be assigned to ${target.items.length} names`);
      for (const [i, item] of target.items.entries()) this.#assign(item, values[i]!, scope);
    } else {
      const namespace = scope.get(target.object);
      if (!(namespace instanceof Namespace))
        fail(`'${target.object}' is no namespace: its attributes cannot be assigned`);
      namespace.set(target.name, value);
    }
  }

  #macro(definition: MacroDefinition, scope: Scope): Macro {
    const { name, parameters, body } = definition;
    const use = this.#analysis.macros.get(definition)!;
    const escapes = this.autoescape;
    const render = (bound: ReadonlyMap<string, Value | undefined>): Value => {
      this.budget.enter();
      const inner = this.#scope(body, scope);
      for (const [key, value] of bound) inner.set(key, value ?? new Undefined(`the parameter '${key}' is not given`));
      for (const parameter of parameters) {
        if (parameter.value && bound.get(parameter.name) === undefined)
          inner.set(parameter.name, this.evaluate(parameter.value, inner));
      }
      const before = this.autoescape;
      const { line } = this;
      this.autoescape = escapes;
      const out = new Output(this.budget);
      this.#body(body, inner, out);
      this.autoescape = before;
      this.line = line;
      this.budget.leave();
      return this.#safe(out.text);
    };
    return new Macro({ name, parameters: parameters.map((parameter) => parameter.name), use, render });
  }

  /** The function `self.name`, which renders a block again. */
  #namedBlock(name: string): Value | undefined {
    const block = this.#analysis.blocks.get(name);
    return (
      block &&
      new Callable(name, () => {
        this.budget.enter();
        const out = new Output(this.budget);
        this.#body(block.body, this.#scope(block.body, this.#top), out);
        this.budget.leave();
        return this.#safe(out.text);
      })
    );
  }
}

class Self extends PyObject {
  readonly type = "TemplateReference";
  readonly #block: (name: string) => Value | undefined;
  constructor(block: (name: string) => Value | undefined) {
    super();
    this.#block = block;
  }
  override attribute(name: string): Value | undefined {
    return this.#block(name);
  }
  override print(): string {
    return "<TemplateReference None>";
  }
}
