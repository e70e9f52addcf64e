/**
 * Compiles a JSON Schema to a grammar of the JSON texts that it allows.
 *
 * A **goal** is a set of schemas that a value must satisfy all at once. A **case** is a goal with one alternative chosen
 * of each `anyOf` and `oneOf`. Each goal becomes a rule, so schemas that refer to themselves become recursive rules.
 *
 * Every text of the grammar is valid, but not every valid text is in the grammar: properties come in the order of the
 * schema, none beyond those listed unless `additionalProperties` or `minProperties` asks for them, numbers with bounds
 * have no exponent, and limits on lengths and counts above 2,000 are taken as 2,000.
 * @module
 */
import { choice, type Expression, type Grammar, rule } from "../expression.ts";
import { checkLimit, grammarError, MAX_ALTERNATIVES, MAX_DEPTH, MAX_RULES, spend } from "../limits.ts";
import type { Case, Goal, SchemaContext } from "./context.ts";
import { type Alternatives, isSchema, type RawSchema, type SchemaNode } from "./node.ts";
import { readSchemaNode } from "./reader.ts";
import { resolveReference } from "./references.ts";
import { caseExpression, caseTypes, isVoidCase } from "./value.ts";

/** What looking at one schema of one case costs, in steps of an automaton. */
const SCHEMA_COST = 10;
/** What a rule costs, in steps. */
const RULE_COST = 30;
/** How many properties and items deep alternatives are compared. */
const VOID_DEPTH = 3;
/** Nested objects and arrays. A property of an object is two of them deeper than the object's schema. */
const MAX_JSON_DEPTH = 2 * MAX_DEPTH;
const MAX_JSON_SIZE = 50_000;

/**
 * @throws NibbleError `invalid_argument` that names the keyword for what is not valid or not supported, for schemas
 * beyond the limits, and for those that allow nothing
 */
export function schemaGrammar(schema: unknown): Grammar {
  return new SchemaCompiler(checkSchema(schema), 0).compile([]);
}

/** The same for values that must be objects, with rules that are numbered from `firstRule` on. */
export function objectGrammar(schema: unknown, firstRule: number): Grammar {
  return new SchemaCompiler(checkSchema(schema), firstRule).compile([OBJECT]);
}

const OBJECT: RawSchema = { type: "object" };

function checkSchema(schema: unknown): RawSchema {
  if (!isSchema(schema)) throw grammarError("schema: expected an object, true or false");
  const seen = new Set<unknown>();
  let level: unknown[] = [schema];
  for (let depth = 0; level.length > 0; depth++) {
    checkLimit("schema: depth of its JSON", depth, MAX_JSON_DEPTH);
    for (const value of level) seen.add(value);
    checkLimit("schema: objects and arrays in it", seen.size, MAX_JSON_SIZE);
    const inside = level.flatMap((value) => Object.values(value as object));
    level = [...new Set(inside)].filter((value) => typeof value === "object" && value !== null && !seen.has(value));
  }
  return schema;
}

class SchemaCompiler implements SchemaContext {
  readonly #root: RawSchema;
  readonly #firstRule: number;
  readonly #nodes: SchemaNode[] = [];
  readonly #nodeIds = new Map<RawSchema, number>();
  readonly #rules: (Expression | undefined)[] = [];
  readonly #names: string[] = [];
  readonly #ruleIds = new Map<string, number>();
  /** Rules to define and alternatives to compare. A queue instead of recursion, since a schema may be deep. */
  readonly #pending: (() => void)[] = [];
  /** The `oneOf`s that are compared or will be. */
  readonly #compared = new Set<Alternatives>();

  constructor(root: RawSchema, firstRule: number) {
    this.#root = root;
    this.#firstRule = firstRule;
  }

  /** @param more schemas that values must satisfy besides the root */
  compile(more: readonly RawSchema[]): Grammar {
    this.goalRule([this.#root, ...more].map((raw) => this.node(raw, "#")));
    for (const task of this.#pending) task();
    return { rules: this.#rules as Expression[], names: this.#names };
  }

  node(raw: RawSchema, where: string): SchemaNode {
    let id = this.#nodeIds.get(raw);
    if (id === undefined) {
      id = this.#nodes.length;
      checkLimit("schema: schemas in it", id, MAX_RULES * 2);
      this.#nodeIds.set(raw, id);
      this.#nodes.push(readSchemaNode(raw, id, where));
    }
    return this.#nodes[id]!;
  }

  goalRule(goal: Goal): Expression {
    const nodes = [...new Set(goal)].sort((a, b) => a.id - b.id);
    const name = nodes.map(({ where }) => where).join(" and ") || "any value";
    const key = `goal ${nodes.map(({ id }) => id).join()}`;
    return this.named(key, name.slice(0, 200), () =>
      choice(...this.cases(nodes).map((each) => caseExpression(each, this))),
    );
  }

  named(key: string, name: string, define: () => Expression): Expression {
    const known = this.#ruleIds.get(key);
    if (known !== undefined) return rule(this.#firstRule + known);
    const index = this.#rules.push(undefined) - 1;
    checkLimit("schema: rules", index, MAX_RULES - 1);
    spend(RULE_COST);
    this.#names.push(name);
    this.#ruleIds.set(key, index);
    this.#pending.push(() => {
      this.#rules[index] = define();
    });
    return rule(this.#firstRule + index);
  }

  cases(goal: Goal, settled: ReadonlySet<object> = new Set()): Case[] {
    const found: Case[] = [];
    const open: { nodes: Set<SchemaNode>; done: ReadonlySet<object> }[] = [];
    const add = (nodes: Set<SchemaNode>, done: ReadonlySet<object>, more: readonly SchemaNode[]) => {
      this.#expand(nodes, more);
      spend(nodes.size * SCHEMA_COST);
      // Most combinations of alternatives allow no type and end here.
      if (caseTypes([...nodes]).length > 0) open.push({ nodes, done });
    };
    add(new Set(), settled, goal);
    for (let state = open.pop(); state; state = open.pop()) {
      const { nodes, done } = state;
      const owner = [...nodes].find((node) => node.alternatives.some((each) => !done.has(each)));
      if (!owner) {
        found.push([...nodes].sort((a, b) => a.id - b.id));
        continue;
      }
      const alternatives = owner.alternatives.find((each) => !done.has(each))!;
      const members = alternatives.schemas.map((raw, i) => this.node(raw, `${owner.where}/${i}`));
      if (alternatives.exclusive) this.#compareLater(owner, alternatives, members);
      const next = new Set([...done, alternatives]);
      for (const member of members.toReversed()) add(new Set(nodes), next, [member]);
    }
    checkLimit("schema: alternatives", found.length, MAX_ALTERNATIVES);
    return found;
  }

  /** Adds schemas, and what they refer to. */
  #expand(nodes: Set<SchemaNode>, more: readonly SchemaNode[]): void {
    const queue = [...more];
    for (let node = queue.pop(); node; node = queue.pop()) {
      if (nodes.has(node)) continue;
      nodes.add(node);
      if (node.ref !== undefined) queue.push(this.node(resolveReference(node.ref, this.#root), node.ref));
      for (const [i, raw] of node.allOf.entries()) queue.push(this.node(raw, `${node.where}/allOf/${i}`));
    }
  }

  /** A grammar cannot tell that two alternatives of `oneOf` hold at once, so that must be impossible. */
  #compareLater(owner: SchemaNode, alternatives: Alternatives, members: readonly SchemaNode[]): void {
    if (this.#compared.has(alternatives)) return;
    this.#compared.add(alternatives);
    this.#pending.push(() => {
      for (const [i, a] of members.entries()) {
        for (const b of members.slice(i + 1)) {
          if (this.#isVoid([owner, a, b], VOID_DEPTH, new Set([alternatives]))) continue;
          throw grammarError(
            `schema: oneOf at ${owner.where}: ${a.where} and ${b.where} may hold at once, which is not supported; anyOf allows both`,
          );
        }
      }
    });
  }

  isVoid(goal: Goal, depth: number): boolean {
    return this.#isVoid(goal, depth, new Set());
  }

  #isVoid(goal: Goal, depth: number, settled: ReadonlySet<object>): boolean {
    return this.cases(goal, settled).every((each) => isVoidCase(each, this, depth));
  }
}
