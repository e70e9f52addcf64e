/**
 * The languages of a schema's strings, each built once.
 * @module
 */
import { type Dfa, isEmpty } from "../regular/dfa.ts";
import { minimize } from "../regular/minimize.ts";
import { ANY_TEXT, intersectDfas, lengthDfa, lengths, subtractDfa, textsDfa } from "../regular/operations.ts";
import { findingDfa } from "../regular/pattern-dfa.ts";
import type { Case, StringLanguages } from "./context.ts";
import { commonRange, type Range } from "./node.ts";

/** Limit on the product of a language's states and the lengths that are counted. Longer texts are left out. */
const COUNTED_STATES = 2000;
/** Characters by which texts may at least exceed `minLength`. */
const LEAST_ROOM = 16;

const NO_TEXT: Dfa = { accepts: [], edges: [] };

export class Languages implements StringLanguages {
  readonly #patterns = new Map<string, Dfa>();
  readonly #strings = new Map<string, Dfa>();
  readonly #numbers = new Map<Dfa, number>();

  /** @throws NibbleError `invalid_argument` for what is no pattern, or not supported */
  pattern(source: string): Dfa {
    let dfa = this.#patterns.get(source);
    if (!dfa) this.#patterns.set(source, (dfa = findingDfa(source)));
    return dfa;
  }

  key(nodes: Case): string {
    const numbers = nodes.flatMap(({ patterns }) => patterns.map((dfa) => this.#number(dfa)));
    const { min, max } = stringLength(nodes);
    return JSON.stringify([[...new Set(numbers)].sort(), min, String(max), excludedStrings(nodes)]);
  }

  strings(nodes: Case): Dfa | undefined {
    if (nodes.every(({ patterns }) => patterns.length === 0) && excludedStrings(nodes).length === 0) return undefined;
    const key = this.key(nodes);
    let dfa = this.#strings.get(key);
    if (!dfa) this.#strings.set(key, (dfa = build(nodes)));
    return dfa;
  }

  #number(dfa: Dfa): number {
    let number = this.#numbers.get(dfa);
    if (number === undefined) this.#numbers.set(dfa, (number = this.#numbers.size));
    return number;
  }
}

/** `minLength` and `maxLength` of a case. */
export const stringLength = (nodes: Case): Range => commonRange(nodes.map(({ length }) => length));

const excludedStrings = (nodes: Case): string[] =>
  nodes.flatMap((node) => [...node.excluded.values()].filter((value) => typeof value === "string"));

function build(nodes: Case): Dfa {
  const patterns = new Set(nodes.flatMap((node) => node.patterns));
  const excluded = excludedStrings(nodes);
  let language = patterns.size > 0 ? [...patterns].reduce(intersectDfas) : ANY_TEXT;
  if (excluded.length > 0) language = subtractDfa(language, textsDfa(excluded));
  const { min, max } = stringLength(nodes);
  if (min > max || isEmpty(language)) return NO_TEXT;
  const { min: shortest, max: longest } = lengths(language);
  if (shortest >= min && longest <= max) return language;
  if (longest <= max) return intersectDfas(language, lengthDfa(min, Number.POSITIVE_INFINITY));
  const smallest = minimize(language);
  const room = Math.floor(COUNTED_STATES / (smallest.accepts.length + 1));
  return intersectDfas(smallest, lengthDfa(min, Math.min(max, Math.max(room, min + LEAST_ROOM))));
}
