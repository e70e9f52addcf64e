/**
 * Reads a syntax tree before it runs: collects the names and blocks of the template, and reports the errors that Jinja2
 * reports at compile time.
 * @module
 */
import { MAX_DEPTH } from "./budget.ts";
import { fail } from "./errors.ts";
import { isFilter } from "./filters.ts";
import {
  type Block,
  type Body,
  childrenOf,
  type Expression,
  type MacroDefinition,
  type Statement,
  type Target,
} from "./nodes.ts";
import { findHiddenNames, type HiddenNames } from "./symbols.ts";
import { isTest } from "./tests.ts";

/** Which of the special names the body of a macro reads. */
export interface MacroUse {
  readonly caller: boolean;
  readonly kwargs: boolean;
  readonly varargs: boolean;
}

export interface Analysis {
  /** All names that the template reads. */
  readonly names: ReadonlySet<string>;
  readonly blocks: ReadonlyMap<string, Block>;
  readonly macros: ReadonlyMap<MacroDefinition, MacroUse>;
  readonly hidden: HiddenNames;
}

export function analyze(body: Body): Analysis {
  const analyzer = new Analyzer();
  analyzer.body(body, { soft: false, loop: false, top: true });
  const { names, blocks, macros } = analyzer;
  return { names, blocks, macros, hidden: findHiddenNames(body) };
}

interface Place {
  /** Inside of an `if`, where unknown filters and tests are errors only when they are evaluated. */
  readonly soft: boolean;
  /** Inside of a `for`, where `loop` cannot be assigned. */
  readonly loop: boolean;
  /** Outside of all blocks except `if`. `extends` is allowed only here. */
  readonly top: boolean;
}

class Analyzer {
  readonly names = new Set<string>();
  readonly blocks = new Map<string, Block>();
  readonly macros = new Map<MacroDefinition, MacroUse>();
  /** For each macro around the current place, the names that its body reads. */
  readonly #open: Set<string>[] = [];
  #line = 0;
  #depth = 0;

  body(body: Body, place: Place): void {
    for (const statement of body) {
      this.#line = statement.line;
      this.#statement(statement, place);
    }
  }

  #statement(statement: Statement, place: Place): void {
    const inner = { ...place, soft: false, top: false };
    switch (statement.type) {
      case "output":
        for (const part of statement.parts) if (typeof part !== "string") this.#expression(part, place.soft);
        break;
      case "if":
        for (const { test, body } of statement.branches) {
          this.#expression(test, true);
          this.body(body, { ...place, soft: true });
        }
        this.body(statement.otherwise, { ...place, soft: true });
        break;
      case "for": {
        const { target, iterable, test, body, otherwise } = statement;
        this.#target(target, { ...inner, loop: true });
        this.#expression(iterable, place.soft);
        this.#expression(test, false);
        this.body(body, { ...inner, loop: true });
        this.body(otherwise, { ...inner, loop: true });
        break;
      }
      case "set":
        this.#expression(statement.value, place.soft);
        this.#target(statement.target, place);
        break;
      case "setBlock":
        this.#expression(statement.filter, false);
        this.body(statement.body, inner);
        this.#target(statement.target, place);
        break;
      case "macro":
        this.#macro(statement, inner);
        break;
      case "callBlock":
        this.#expression(statement.call, place.soft);
        this.#macro(statement.caller, inner);
        break;
      case "filterBlock":
        this.#expression(statement.filter, false);
        this.body(statement.body, inner);
        break;
      case "with":
        for (const value of statement.values) this.#expression(value, place.soft);
        this.body(statement.body, inner);
        break;
      case "autoescape":
        this.#expression(statement.value, place.soft);
        this.body(statement.body, inner);
        break;
      case "generation":
        this.body(statement.body, inner);
        break;
      case "block":
        if (this.blocks.has(statement.name)) fail(`the block '${statement.name}' is defined twice`, statement.line);
        this.blocks.set(statement.name, statement);
        this.body(statement.body, inner);
        break;
      case "load":
        if (statement.tag === "extends" && !place.top)
          fail("'extends' must not stand inside of a block", statement.line);
        this.#expression(statement.source, place.soft);
    }
  }

  #target(target: Target, place: Place): void {
    if (target.type === "tuple") for (const item of target.items) this.#target(item, place);
    else if (target.type === "member") this.#read(target.object);
    else if (place.loop && target.name === "loop") fail("'loop' cannot be assigned inside of a loop", this.#line);
  }

  #macro(macro: MacroDefinition, place: Place): void {
    for (const { value } of macro.parameters) this.#expression(value, false);
    const read = new Set<string>();
    this.#open.push(read);
    this.body(macro.body, place);
    this.#open.pop();
    const has = (name: string) => macro.parameters.find((parameter) => parameter.name === name);
    const caller = has("caller");
    if (caller && !caller.value && read.has("caller")) fail("the parameter 'caller' needs a default", this.#line);
    this.macros.set(macro, {
      caller: read.has("caller"),
      kwargs: read.has("kwargs") && !has("kwargs"),
      varargs: read.has("varargs") && !has("varargs"),
    });
  }

  #read(name: string): void {
    this.names.add(name);
    for (const read of this.#open) read.add(name);
  }

  #expression(node: Expression | undefined, soft: boolean): void {
    if (!node) return;
    if (++this.#depth > MAX_DEPTH) fail(`an expression nests deeper than ${MAX_DEPTH} levels`, this.#line);
    if (node.type === "name") this.#read(node.name);
    if (node.type === "filter" || node.type === "test") {
      const known = node.type === "filter" ? isFilter(node.name) : isTest(node.name);
      if (!known && !soft) fail(`there is no ${node.type} named '${node.name}'`, this.#line);
    }
    for (const child of childrenOf(node)) this.#expression(child, soft || node.type === "condition");
    this.#depth--;
  }
}
