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
import { checkLimit, grammarError, MAX_DEPTH, MAX_RULES, spend } from "../limits.ts";
import { CaseFinder, type CaseSource } from "./cases.ts";
import type { Case, Goal, SchemaContext } from "./context.ts";
import { textsExclude } from "./exclusion.ts";
import { Languages } from "./languages.ts";
import { isSchema, type RawSchema, type SchemaNode } from "./node.ts";
import { readSchemaNode } from "./reader.ts";
import { References } from "./references.ts";
import { caseExpression, isVoidCase } from "./value.ts";

/** The cost of a rule, in steps. */
const RULE_COST = 30;
/** The depth, in properties and items, to which alternatives are compared. */
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

/** Like `schemaGrammar`, for values that must be objects, with rules that are numbered from `firstRule` on. */
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

class SchemaCompiler implements SchemaContext, CaseSource {
  readonly #root: RawSchema;
  readonly #firstRule: number;
  readonly #nodes: SchemaNode[] = [];
  readonly #nodeIds = new Map<RawSchema, number>();
  readonly #rules: (Expression | undefined)[] = [];
  readonly #names: string[] = [];
  readonly #ruleIds = new Map<string, number>();
  /** Rules to define. A queue instead of recursion, since a schema may be deep. */
  readonly #pending: (() => void)[] = [];
  readonly #finder: CaseFinder = new CaseFinder(this);
  readonly #unique = { lists: new Set<number>(), items: new Set<number>() };
  readonly references: References;
  readonly languages: Languages = new Languages();

  constructor(root: RawSchema, firstRule: number) {
    this.#root = root;
    this.#firstRule = firstRule;
    this.references = new References(root);
  }

  /** @param more schemas that values must satisfy besides the root */
  compile(more: readonly RawSchema[]): Grammar {
    this.goalRule([this.#root, ...more].map((raw) => this.node(raw, "#")));
    for (const task of this.#pending) task();
    return { rules: this.#rules as Expression[], names: this.#names, unique: this.#unique };
  }

  node(raw: RawSchema, where: string): SchemaNode {
    let id = this.#nodeIds.get(raw);
    if (id === undefined) {
      id = this.#nodes.length;
      checkLimit("schema: schemas in it", id, MAX_RULES * 2);
      this.#nodeIds.set(raw, id);
      this.#nodes.push(readSchemaNode(raw, { id, where, languages: this.languages }));
    }
    return this.#nodes[id]!;
  }

  goalRule(goal: Goal): Expression {
    const nodes = [...new Set(goal)];
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

  differ(list: Expression, item: Expression): void {
    if (list.kind === "rule") this.#unique.lists.add(list.index);
    if (item.kind === "rule") this.#unique.items.add(item.index);
  }

  cases(goal: Goal): Case[] {
    return this.#finder.find(goal);
  }

  looseCases(goal: Goal): Case[] {
    return this.#finder.findLoosely(goal);
  }

  parts(node: SchemaNode): SchemaNode[] {
    return this.#finder.parts(node);
  }

  isVoid(goal: Goal, depth: number): boolean {
    // Loose cases allow more values, so a goal whose loose cases are all void is certainly void.
    return this.looseCases(goal).every((each) => isVoidCase(each, this, depth));
  }

  excludes(written: Case, others: readonly Case[]): boolean {
    return textsExclude(written, others, this, VOID_DEPTH);
  }
}
