/**
 * JSON Schema to a grammar of the JSON texts that it allows.
 *
 * A **goal** is a set of schemas that a value has to keep to all at once: `allOf`, `$ref` and siblings add to it, and so
 * do several schemas that speak of one property. A **case** is a goal with one alternative chosen of each `anyOf` and
 * `oneOf`. Each goal becomes a rule, so schemas that refer to themselves are recursive rules.
 *
 * What is generated is always valid, but not everything valid is generated: properties come in the order of the schema,
 * none beyond those listed unless `additionalProperties` or `minProperties` asks for them, numbers with bounds have no
 * exponent, and upper bounds on lengths and counts above 2,000 are taken as 2,000.
 * @module
 */
import { type Expression, type Grammar, rule } from "../expression.ts";
import { checkLimit, grammarError, MAX_ALTERNATIVES, MAX_DEPTH, MAX_RULES, spend } from "../limits.ts";
import { caseTypes, isVoid, valueExpression } from "./case.ts";
import { isSchema, type RawSchema, readSchemaNode, type SchemaNode } from "./node.ts";

/** Schemas that one value has to keep to; no alternatives are left. */
export type Case = readonly SchemaNode[];

/** What looking at one schema of one case costs, in steps of an automaton. */
const STEP = 10;
/** Properties and items that are looked into to tell alternatives apart. */
const VOID_DEPTH = 3;
/** Objects and arrays around each other: a property of an object is two of them deeper than its schema. */
const MAX_JSON_DEPTH = 2 * MAX_DEPTH;
const MAX_JSON_SIZE = 50_000;
/** What a rule costs, in steps. */
const RULE_COST = 30;

/**
 * @throws NibbleError `invalid_argument` that names the keyword for what is not valid or not supported, for schemas
 * beyond the limits, and for those that allow nothing
 */
export function schemaGrammar(schema: unknown): Grammar {
  return new SchemaCompiler(checkSchema(schema), 0).compile([]);
}

/** The same for values that are objects, with rules that are numbered from `firstRule` on. */
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

export class SchemaCompiler {
  readonly #root: RawSchema;
  readonly #firstRule: number;
  readonly #nodes: SchemaNode[] = [];
  readonly #ids = new Map<RawSchema, number>();
  readonly #rules: (Expression | undefined)[] = [];
  readonly #names: string[] = [];
  readonly #ruleIds = new Map<string, number>();
  /** What is left to do. A queue, not recursion: a schema's depth is its author's choice. */
  readonly #pending: (() => void)[] = [];
  readonly #exclusive = new Set<object>();

  constructor(root: RawSchema, firstRule: number) {
    this.#root = root;
    this.#firstRule = firstRule;
  }

  /** @param more schemas that values have to keep to besides the root */
  compile(more: readonly RawSchema[]): Grammar {
    this.goalRule([this.#root, ...more].map((raw) => this.node(raw, "#")));
    for (const task of this.#pending) task();
    return { rules: this.#rules as Expression[], names: this.#names };
  }

  /** A schema, read once. */
  node(raw: RawSchema, where: string): SchemaNode {
    let id = this.#ids.get(raw);
    if (id === undefined) {
      id = this.#nodes.length;
      checkLimit("schema: schemas in it", id, MAX_RULES * 2);
      this.#ids.set(raw, id);
      this.#nodes.push(readSchemaNode(raw, id, where));
    }
    return this.#nodes[id]!;
  }

  /** The rule of values that keep to these schemas. */
  goalRule(goal: Case): Expression {
    const nodes = [...new Set(goal)].sort((a, b) => a.id - b.id);
    const name = nodes.map(({ where }) => where).join(" and ") || "any value";
    const key = `goal ${nodes.map(({ id }) => id).join()}`;
    return this.named(key, name.slice(0, 200), () => valueExpression(this.cases(nodes), this));
  }

  /** A rule that is made once, and later: rules may need each other. */
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

  /** Every way to choose among the alternatives of a goal. */
  cases(goal: Case, settled: ReadonlySet<object> = new Set()): Case[] {
    const found: Case[] = [];
    const open: { nodes: Set<SchemaNode>; done: ReadonlySet<object> }[] = [];
    const add = (nodes: Set<SchemaNode>, done: ReadonlySet<object>, more: readonly SchemaNode[]) => {
      this.#expand(nodes, more);
      spend(nodes.size * STEP);
      // Alternatives that no type is left for end here: most of a product does.
      if (caseTypes([...nodes]).length > 0) open.push({ nodes, done });
    };
    add(new Set(), settled, goal);
    for (let state = open.pop(); state; state = open.pop()) {
      const { nodes, done } = state;
      const group = [...nodes].flatMap((node) => node.groups).find((candidate) => !done.has(candidate));
      if (!group) {
        found.push([...nodes].sort((a, b) => a.id - b.id));
        continue;
      }
      const owner = [...nodes].find((node) => node.groups.includes(group))!;
      const members = group.schemas.map((raw, i) => this.node(raw, `${owner.where}/${i}`));
      if (group.exclusive && !this.#exclusive.has(group)) {
        this.#exclusive.add(group);
        this.#pending.push(() => this.#checkExclusive(owner, group, members));
      }
      const next = new Set([...done, group]);
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
      if (node.ref !== undefined) queue.push(this.node(this.#resolve(node.ref), node.ref));
      for (const [i, raw] of node.allOf.entries()) queue.push(this.node(raw, `${node.where}/allOf/${i}`));
    }
  }

  /** A grammar cannot see that two alternatives hold at once, so that must not happen. */
  #checkExclusive(owner: SchemaNode, group: object, members: readonly SchemaNode[]): void {
    for (const [i, a] of members.entries()) {
      for (const b of members.slice(i + 1)) {
        if (this.isVoid([owner, a, b], VOID_DEPTH, new Set([group]))) continue;
        throw grammarError(
          `schema: oneOf at ${owner.where}: expected alternatives that exclude each other, got ${a.where} and ${b.where} (anyOf allows both)`,
        );
      }
    }
  }

  /** True if certainly no value keeps to all these schemas; looks `depth` properties or items deep. */
  isVoid(goal: Case, depth: number, settled?: ReadonlySet<object>): boolean {
    return this.cases(goal, settled).every((choice) => isVoid(choice, this, depth));
  }

  /** JSON pointers into the schema, `$anchor`s, and the root by its `$id`. */
  #resolve(ref: string): RawSchema {
    const id = typeof this.#root === "object" ? new Map(Object.entries(this.#root)).get("$id") : undefined;
    const fragment = typeof id === "string" && id !== "" && ref.startsWith(id) ? ref.slice(id.length) || "#" : ref;
    const fail = () => grammarError(`schema: $ref: expected a place in the schema (#/...), got ${ref.slice(0, 100)}`);
    if (!fragment.startsWith("#")) throw fail();
    let place: unknown = this.#root;
    let pointer: string;
    try {
      pointer = decodeURIComponent(fragment.slice(1));
    } catch {
      throw fail();
    }
    if (pointer !== "" && !pointer.startsWith("/")) throw fail();
    for (const step of pointer.split("/").slice(1)) {
      const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof place !== "object" || place === null || !Object.hasOwn(place, key)) throw fail();
      place = (place as Record<string, unknown>)[key];
    }
    if (!isSchema(place)) throw fail();
    return place;
  }
}
