/**
 * The members of an object: the properties in their order, each present or absent, then all other members.
 * @module
 */
import { choice, EMPTY, type Expression, NEVER, optional, repeat, sequence } from "../expression.ts";
import { MAX_REPEAT } from "../limits.ts";
import type { SchemaContext } from "./context.ts";
import { SEPARATOR } from "./json-text.ts";
import type { Range } from "./node.ts";

/** A property that may stand in the object. */
export interface Property {
  /** Its key, colon and value. */
  readonly member: Expression;
  readonly required: boolean;
}

export interface Members {
  readonly properties: readonly Property[];
  /** A member whose key is not one of the properties; `NEVER` if there may be none. */
  readonly others: Expression;
  /**
   * `min` to `max` such members with different keys, each behind a separator if `follows` is set. It is asked for where
   * more than one must come.
   */
  readonly differing: (range: Range, follows: boolean) => Expression;
  /** The number of members. */
  readonly size: Range;
}

/** @param key names the rules: equal for equal members */
export function membersExpression(members: Members, key: string, context: SchemaContext): Expression {
  return new MembersBuilder(members, key, context).from(0, 0);
}

class MembersBuilder {
  readonly #members: Members;
  readonly #key: string;
  readonly #context: SchemaContext;
  /** Counts of members from this one on share a rule. */
  readonly #top: number;

  constructor(members: Members, key: string, context: SchemaContext) {
    this.#members = members;
    this.#key = key;
    this.#context = context;
    const { properties, size } = members;
    const bounded = size.min > properties.filter(({ required }) => required).length || this.#reaches(size.max);
    const last = Number.isFinite(size.max) ? Math.min(size.max, properties.length + MAX_REPEAT) : 0;
    this.#top = bounded ? Math.max(1, size.min, last) : 1;
  }

  /** Whether the object can have this many members. */
  #reaches(count: number): boolean {
    return count < this.#members.properties.length + MAX_REPEAT;
  }

  /** The members from the property `at` on, after `count` members. */
  from(at: number, count: number): Expression {
    const { properties, size } = this.#members;
    const parts: Expression[] = [];
    for (let i = at; i < properties.length; i++) {
      const { member, required } = properties[i]!;
      const taken = sequence(...(count > 0 ? [SEPARATOR] : []), member);
      const next = Math.min(count + 1, this.#top);
      if (!required) {
        const left = this.#rule(i + 1, count);
        parts.push(count >= size.max ? left : choice(sequence(taken, this.#rule(i + 1, next)), left));
        return sequence(...parts);
      }
      if (count >= size.max) return NEVER;
      parts.push(taken);
      count = next;
    }
    return sequence(...parts, this.#rest(count));
  }

  #rule(at: number, count: number): Expression {
    return this.#context.named(`${this.#key} ${at} ${count}`, `properties from ${at} on`, () => this.from(at, count));
  }

  /** The other members, after `count` properties. */
  #rest(count: number): Expression {
    const { others, size } = this.#members;
    const room = Math.min(size.max - count, MAX_REPEAT);
    const least = Math.max(0, size.min - count);
    if (room <= 0) return least > 0 ? NEVER : EMPTY;
    const most = size.max === Number.POSITIVE_INFINITY ? size.max : room;
    if (least > 1) return others === NEVER ? NEVER : this.#members.differing({ min: least, max: most }, count > 0);
    const more = (from: number, to: number) => repeat(sequence(SEPARATOR, others), from, to);
    if (count > 0) return more(least, most);
    const list = sequence(others, more(0, most - 1));
    return least > 0 ? list : optional(list);
  }
}
