/**
 * Finds the names that a scope hides, by the rules of `jinja2.idtracking`. A name that a scope assigns before it reads it is
 * a variable of this scope from the scope's start, and undefined until it is assigned, even if an outer variable has the
 * same name. So `{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% set x = 1 %}` prints nothing for any outer `x`.
 * @module
 */
import { type Body, childrenOf, type Expression, type MacroDefinition, type Statement, type Target } from "./nodes.ts";

/** For the body of each scope, the names that are undefined at its start. */
export type HiddenNames = ReadonlyMap<Body, readonly string[]>;

/** Whether a name is a variable of the scope that is undefined at first, or comes from outside. */
type Origin = "own" | "outside";

interface Frame {
  readonly parent: Frame | undefined;
  readonly origins: Map<string, Origin>;
  readonly stored: Set<string>;
}

/** The hidden names of all scopes of a template. */
export function findHiddenNames(root: Body): HiddenNames {
  const hidden = new Map<Body, readonly string[]>();
  scope(root, newFrame(undefined), hidden);
  return hidden;
}

function newFrame(parent: Frame | undefined, parameters: Iterable<string> = []): Frame {
  return { parent, origins: new Map(Array.from(parameters, (name) => [name, "outside"])), stored: new Set(parameters) };
}

function knows(frame: Frame | undefined, name: string): boolean {
  return frame !== undefined && (frame.origins.has(name) || knows(frame.parent, name));
}

/** Visits a scope, then the scopes inside of it. */
function scope(body: Body, frame: Frame, hidden: Map<Body, readonly string[]>): void {
  visitBody(body, frame);
  const names = [...frame.origins].filter(([, origin]) => origin === "own").map(([name]) => name);
  if (names.length > 0) hidden.set(body, names);
  for (const statement of body) inner(statement, frame, hidden);
}

function inner(statement: Statement, frame: Frame, hidden: Map<Body, readonly string[]>): void {
  const open = (body: Body, parameters: Iterable<string> = []) => scope(body, newFrame(frame, parameters), hidden);
  const macro = ({ parameters, body }: MacroDefinition) => {
    const own = newFrame(frame, [...parameters.map(({ name }) => name), "caller", "kwargs", "varargs"]);
    for (const { value } of parameters) load(value, own);
    scope(body, own, hidden);
  };
  switch (statement.type) {
    case "if":
      for (const { body } of statement.branches) for (const nested of body) inner(nested, frame, hidden);
      for (const nested of statement.otherwise) inner(nested, frame, hidden);
      break;
    case "for":
      open(statement.body, ["loop", ...namesOf(statement.target)]);
      open(statement.otherwise);
      break;
    case "with":
      open(statement.body, statement.targets.flatMap(namesOf));
      break;
    case "macro":
      macro(statement);
      break;
    case "callBlock":
      macro(statement.caller);
      break;
    case "block":
      scope(statement.body, newFrame(undefined, ["self", "super"]), hidden);
      break;
    case "setBlock":
    case "filterBlock":
    case "autoescape":
    case "generation":
      open(statement.body);
  }
}

function visitBody(body: Body, frame: Frame): void {
  for (const statement of body) visit(statement, frame);
}

function visit(statement: Statement, frame: Frame): void {
  switch (statement.type) {
    case "output":
      for (const part of statement.parts) if (typeof part !== "string") load(part, frame);
      break;
    case "if":
      visitIf(statement, frame);
      break;
    case "for":
      load(statement.iterable, frame);
      break;
    case "set":
      load(statement.value, frame);
      store(statement.target, frame);
      break;
    case "setBlock":
      store(statement.target, frame);
      break;
    case "macro":
      storeName(statement.name!, frame);
      break;
    case "callBlock":
      load(statement.call, frame);
      break;
    case "filterBlock":
      load(statement.filter, frame);
      break;
    case "with":
      for (const value of statement.values) load(value, frame);
      break;
    case "load":
      load(statement.source, frame);
  }
}

/** A name that only some branches assign comes from outside in the others. */
function visitIf({ branches, otherwise }: Extract<Statement, { type: "if" }>, frame: Frame): void {
  const before = new Set(frame.stored);
  const copy = (): Frame => ({ parent: frame.parent, origins: new Map(frame.origins), stored: new Set(frame.stored) });
  load(branches[0]!.test, frame);
  const [first, others, last] = [copy(), copy(), copy()];
  visitBody(branches[0]!.body, first);
  for (const { test, body } of branches.slice(1)) {
    load(test, others);
    visitBody(body, others);
  }
  visitBody(otherwise, last);
  for (const branch of [first, others, last]) {
    for (const [name, origin] of branch.origins) {
      const assigned = branch.stored.has(name) && !before.has(name);
      if (assigned || !frame.origins.has(name)) frame.origins.set(name, assigned ? "outside" : origin);
    }
    for (const name of branch.stored) frame.stored.add(name);
  }
}

function load(node: Expression | undefined, frame: Frame): void {
  if (!node) return;
  if (node.type === "name" && !knows(frame, node.name)) frame.origins.set(node.name, "outside");
  for (const child of childrenOf(node)) load(child, frame);
}

function store(target: Target, frame: Frame): void {
  if (target.type === "tuple") for (const item of target.items) store(item, frame);
  else if (target.type === "name") storeName(target.name, frame);
  else load({ type: "name", name: target.object }, frame);
}

function storeName(name: string, frame: Frame): void {
  frame.stored.add(name);
  if (!frame.origins.has(name)) frame.origins.set(name, knows(frame.parent, name) ? "outside" : "own");
}

function namesOf(target: Target): string[] {
  if (target.type === "tuple") return target.items.flatMap(namesOf);
  return target.type === "name" ? [target.name] : [];
}
