/**
 * Finds the cases of a goal: every way to choose among its alternatives.
 * @module
 */
import { checkLimit, grammarError, MAX_ALTERNATIVES, spend } from "../limits.ts";
import { caseTypes } from "./case-types.ts";
import type { Case, Goal } from "./context.ts";
import { negate } from "./negation.ts";
import type { Alternatives, RawSchema, SchemaNode } from "./node.ts";
import type { References } from "./references.ts";

/** The cost of looking at one schema of one case, in steps of an automaton. */
const SCHEMA_COST = 10;
/** Schemas that refer to one another without a property or item in between. */
const MAX_REFERENCES = 500;

/** The schemas that are chosen from each `anyOf`, `oneOf` and similar keyword. */
type Choices = ReadonlyMap<Alternatives, readonly SchemaNode[]>;

/** The parts of the compiler that the search for cases uses. */
export interface CaseSource {
  node(raw: RawSchema, where: string): SchemaNode;
  readonly references: References;
  /** True if it is certain that no text that is written for a case is also in one of the others. */
  excludes(written: Case, others: readonly Case[]): boolean;
}

export class CaseFinder {
  readonly #source: CaseSource;
  /** The contrary of the `not` of a schema. */
  readonly #negated = new Map<SchemaNode, SchemaNode>();
  /** The contraries of alternatives of `oneOf`. */
  readonly #contraryOf = new Map<SchemaNode, SchemaNode>();
  readonly #disjoint = new Map<string, boolean>();

  constructor(source: CaseSource) {
    this.#source = source;
  }

  /**
   * The cases of a goal. Schemas come in the order in which the properties of a value are written: what a schema refers
   * to, the schema itself, its alternatives. If the schema is written in another order, both orders are cases.
   */
  find(goal: Goal): Case[] {
    return this.#find(goal, new Map(), true).flatMap((choices) => {
      const nodes = this.#ordered(goal, choices, false);
      const written = this.#ordered(goal, choices, true);
      return namesInOrder(nodes) === namesInOrder(written) ? [nodes] : [nodes, written];
    });
  }

  /** The cases if any number of alternatives of a `oneOf` may hold. The choices in `settled` are kept. */
  findLoosely(goal: Goal, settled: Choices = new Map()): Case[] {
    return this.#find(goal, settled, false).map((choices) => this.#ordered(goal, choices, false));
  }

  #find(goal: Goal, settled: Choices, exact: boolean): Choices[] {
    const found: Choices[] = [];
    const open: Choices[] = [settled];
    for (let choices = open.pop(); choices; choices = open.pop()) {
      const nodes = this.#ordered(goal, choices, false);
      spend(nodes.length * SCHEMA_COST);
      // Most combinations of alternatives allow no type and end here.
      if (caseTypes(nodes).length === 0) continue;
      const next = nodes
        .flatMap((owner) => owner.alternatives.map((alternatives) => ({ owner, alternatives })))
        .find(({ alternatives }) => !choices!.has(alternatives));
      if (next) {
        const members = this.#members(next.owner, next.alternatives);
        for (const member of members.toReversed()) open.push(new Map(choices).set(next.alternatives, [member]));
        continue;
      }
      const excluded = exact ? this.#withContrary(nodes, choices) : undefined;
      if (excluded) open.push(excluded);
      else found.push(choices);
    }
    checkLimit("schema: alternatives", found.length, MAX_ALTERNATIVES);
    return found;
  }

  /** The schemas that apply to the same value: references, `allOf`, and all alternatives. */
  parts(node: SchemaNode): SchemaNode[] {
    return [...this.#bases(node), ...node.alternatives.flatMap((each) => this.#members(node, each))];
  }

  #bases(node: SchemaNode): SchemaNode[] {
    return [...this.#targets(node), ...this.#allOf(node)];
  }

  #targets({ refs, raw }: SchemaNode): SchemaNode[] {
    return refs.map((ref) => this.#source.node(this.#source.references.resolve(ref, raw), ref));
  }

  #allOf({ allOf, where }: SchemaNode): SchemaNode[] {
    return allOf.map((raw, i) => this.#source.node(raw, `${where}/allOf/${i}`));
  }

  #members(owner: SchemaNode, { keyword, schemas }: Alternatives): SchemaNode[] {
    return schemas.map((raw, i) => this.#source.node(raw, `${owner.where}/${keyword}/${i}`));
  }

  /** The contraries of a schema's `not`. */
  #contraries(node: SchemaNode): SchemaNode[] {
    if (node.not === undefined) return [];
    let contrary = this.#negated.get(node);
    if (!contrary) {
      const raw = negate(node.not, node.where, (ref) => this.#source.references.resolve(ref, node.not!));
      this.#negated.set(node, (contrary = this.#source.node(raw, `${node.where}/not`)));
    }
    return [contrary];
  }

  /** The schemas that apply to a value, with the chosen alternatives. */
  #ordered(goal: Goal, choices: Choices, asWritten: boolean): SchemaNode[] {
    const seen = new Set<SchemaNode>();
    const nodes: SchemaNode[] = [];
    let depth = 0;
    const visit = (node: SchemaNode): void => {
      if (seen.has(node)) return;
      seen.add(node);
      checkLimit("schema: references from one to the next", ++depth, MAX_REFERENCES);
      const visitAll = (more: readonly SchemaNode[]) => {
        for (const each of more) visit(each);
      };
      const visitChosen = (keyword: string) => {
        for (const each of node.alternatives) if (each.keyword === keyword) visitAll(choices.get(each) ?? []);
      };
      for (const keyword of asWritten ? new Set([...node.written, ...BASE_FIRST]) : BASE_FIRST) {
        if (keyword === "$ref") visitAll(this.#targets(node));
        else if (keyword === "allOf") visitAll(this.#allOf(node));
        else if (keyword === "properties") nodes.push(node);
        else visitChosen(keyword);
      }
      visitAll(this.#contraries(node));
      depth--;
    };
    for (const node of goal) visit(node);
    return nodes;
  }

  /**
   * The choices with the contrary of an alternative of `oneOf` that is not chosen, but that some text written for these
   * choices may satisfy. Undefined if there is none.
   */
  #withContrary(nodes: Case, choices: Choices): Choices | undefined {
    for (const owner of nodes) {
      for (const alternatives of owner.alternatives) {
        if (!alternatives.exclusive) continue;
        const option = choices.get(alternatives)!;
        const others = this.#members(owner, alternatives);
        others.splice(others.indexOf(option[0]!), 1);
        const exclusive = { owner, alternatives, option, nodes, choices };
        const rival = others.find((each) => this.#isRival(each, exclusive));
        if (rival) return new Map(choices).set(alternatives, [...option, this.#contrary(owner, option[0]!, rival)]);
      }
    }
    return undefined;
  }

  #isRival(other: SchemaNode, { owner, alternatives, option, nodes, choices }: Exclusive): boolean {
    const chosen = option[0]!;
    if (option.includes(this.#contraryOf.get(other)!)) return false;
    const pair = `${owner.id} ${chosen.id} ${other.id}`;
    let isDisjoint = this.#disjoint.get(pair);
    if (isDisjoint === undefined) {
      const both = this.findLoosely([owner, chosen, other], new Map([[alternatives, []]]));
      this.#disjoint.set(pair, (isDisjoint = this.#source.excludes([], both)));
    }
    return !isDisjoint && !this.#source.excludes(nodes, this.findLoosely([...nodes, other], choices));
  }

  /** The contrary of a rival. */
  #contrary(owner: SchemaNode, chosen: SchemaNode, rival: SchemaNode): SchemaNode {
    try {
      let contrary = this.#contraryOf.get(rival);
      if (!contrary) this.#contraryOf.set(rival, (contrary = this.#source.node({ not: rival.raw }, rival.where)));
      this.#contraries(contrary);
      return contrary;
    } catch (error) {
      throw grammarError(
        `schema: oneOf at ${owner.where}: ${chosen.where} and ${rival.where} may hold at once, which is not supported; anyOf allows both`,
        error,
      );
    }
  }
}

/** A choice of one alternative of a `oneOf`. */
interface Exclusive {
  readonly owner: SchemaNode;
  readonly alternatives: Alternatives;
  /** The alternative that is chosen, and contraries of others. */
  readonly option: readonly SchemaNode[];
  /** The case that it belongs to, and all of its choices. */
  readonly nodes: Case;
  readonly choices: Choices;
}

/** The usual order: what a schema refers to, the schema itself, its alternatives. */
const BASE_FIRST: readonly string[] = ["$ref", "allOf", "properties", "anyOf", "oneOf", "if", "dependent"];

/** The names of a case's properties in their order, as a key. */
const namesInOrder = (nodes: Case): string =>
  JSON.stringify([...new Set(nodes.flatMap(({ properties }) => [...properties.keys()]))]);
