/** Random JSON schemas, as people might write them. */
import type { Random } from "../random-text.ts";

// Not __proto__ or toString: ajv passes over the one and calls the other. schemas.ts has the names of Object.prototype.
const NAMES = ["a", "b", "name", "é", "length", "constructor", 'q"', "", "x-1"];
const PATTERNS = [
  "^a+$",
  "b",
  "^(?!a)",
  "^(?=.*b)[^c]+$",
  "^\\p{L}{1,4}$",
  "^[a-c]{1,3}$",
  "\\d",
  "^(x|y)*$",
  ".",
  "^\\w+\\s?$",
  "^a.{2,}b$",
  "(a|b)c$",
  "[^a]",
];
export const FORMATS: readonly string[] = ["date", "time", "date-time", "uuid", "ipv4", "email", "unknown"];
const VALUES = [null, true, 0, 1, -3, 2.5, "a", "b", "", [1], [], {}, { a: 1 }, "é\n"];

/** A schema that a person might have written. It may allow no value, or be refused. */
export class SchemaFuzzer {
  readonly #next: Random;

  constructor(next: Random) {
    this.#next = next;
  }

  document(): object {
    const schema = this.schema(4);
    const root = typeof schema === "boolean" ? {} : schema;
    return { ...root, $defs: { one: this.schema(2), two: this.schema(2) } };
  }

  schema(depth: number): object | boolean {
    const roll = this.#next();
    if (roll < 0.03) return this.#next() < 0.8;
    if (roll < 0.1)
      return {
        $ref: this.#pick(["#", "#/$defs/one", "#/$defs/two"]),
        ...this.#maybe(0.2, () => ({ type: this.#type() })),
      };
    if (depth > 0 && roll < 0.2)
      return { [this.#pick(["anyOf", "allOf", "anyOf", "oneOf"])]: this.#list(1, 3, () => this.schema(depth - 1)) };
    if (roll < 0.26) return { enum: this.#list(1, 4, () => this.#pick(VALUES)) };
    if (roll < 0.29) return { const: this.#pick(VALUES) };
    if (depth > 0 && roll < 0.35) return this.#conditional(depth);
    const types = this.#next() < 0.8 ? this.#type() : [...new Set(this.#list(1, 3, () => this.#type()))];
    const all = [types].flat();
    const has = (name: string) => all.includes(name);
    return {
      ...this.#maybe(0.93, () => ({ type: types })),
      ...(has("string") && this.#string()),
      ...((has("number") || has("integer")) && this.#number()),
      ...(has("array") && this.#array(depth)),
      ...(has("object") && this.#object(depth)),
      ...this.#maybe(0.1, () => ({ title: "t", description: "d", default: 1 })),
      ...(depth > 0 && this.#maybe(0.08, () => ({ anyOf: this.#list(1, 2, () => this.schema(depth - 1)) }))),
      ...this.#maybe(0.03, () => ({ enum: this.#list(1, 4, () => this.#pick(VALUES)) })),
      ...(depth > 0 && this.#maybe(0.05, () => ({ not: this.schema(depth - 1) }))),
    };
  }

  #conditional(depth: number): object {
    const inner = () => this.schema(depth - 1);
    const name = this.#pick(NAMES);
    return {
      ...this.#maybe(0.8, () => ({ type: this.#type() })),
      ...this.#pick([
        () => ({ not: inner() }),
        () => Object.fromEntries(["if", "then", "else"].slice(0, this.#int(2, 3)).map((key) => [key, inner()])),
        () => ({ type: "object", dependentRequired: { [name]: this.#list(1, 2, () => this.#pick(NAMES) || "a") } }),
        () => ({ type: "object", dependentSchemas: { [name]: inner() } }),
        () => ({ oneOf: this.#list(2, 3, inner), ...(this.schema(0) as object) }),
      ])(),
    };
  }

  #string(): object {
    return {
      ...this.#maybe(0.2, () => ({ minLength: this.#int(0, 4) })),
      ...this.#maybe(0.2, () => ({ maxLength: this.#int(0, 30) })),
      ...this.#maybe(0.25, () => ({ pattern: this.#pick(PATTERNS) })),
      ...this.#maybe(0.1, () => ({ format: this.#pick(FORMATS) })),
    };
  }

  #number(): object {
    const bound = () => this.#pick([0, 1, -1, 5, 10.5, -7.25, 100, 1e6, 0.001, -1e20, 1e-9]);
    return {
      ...this.#maybe(0.25, () => ({ [this.#pick(["minimum", "exclusiveMinimum"])]: bound() })),
      ...this.#maybe(0.25, () => ({ [this.#pick(["maximum", "exclusiveMaximum"])]: bound() })),
      ...this.#maybe(0.1, () => ({ multipleOf: this.#pick([1, 2, 5, 7, 0.5, 0.25, 10]) })),
    };
  }

  #array(depth: number): object {
    return {
      ...(depth > 0 && this.#maybe(0.7, () => ({ items: this.schema(depth - 1) }))),
      ...(depth > 0 && this.#maybe(0.2, () => ({ prefixItems: this.#list(1, 3, () => this.schema(depth - 1)) }))),
      ...this.#maybe(0.2, () => ({ minItems: this.#int(0, 3) })),
      ...this.#maybe(0.3, () => ({ maxItems: this.#int(0, 6) })),
      ...this.#maybe(0.1, () => ({ uniqueItems: true, items: { enum: this.#list(1, 14, () => this.#pick(VALUES)) } })),
      ...this.#maybe(0.1, () => ({ uniqueItems: true, items: { type: this.#pick(["string", "integer"]) } })),
      ...this.#maybe(0.05, () => ({ uniqueItems: true, items: { ...this.#string(), type: ["string", "null"] } })),
      ...(depth > 0 &&
        this.#maybe(0.08, () => ({
          contains: this.schema(depth - 1),
          minContains: this.#int(0, 2),
          ...this.#maybe(0.4, () => ({ maxContains: this.#int(0, 3) })),
        }))),
      ...(depth > 0 && this.#maybe(0.08, () => ({ unevaluatedItems: this.schema(depth - 1) }))),
    };
  }

  #object(depth: number): object {
    const names = this.#list(0, 4, () => this.#pick(NAMES));
    const properties = Object.fromEntries(names.map((name) => [name, depth > 0 ? this.schema(depth - 1) : {}]));
    return {
      ...this.#maybe(0.85, () => ({ properties })),
      ...this.#maybe(0.5, () => ({
        // Without "", which ajv takes for no missing property.
        required: [...new Set(this.#list(0, 2, () => this.#pick(names.length > 0 ? names : NAMES) || "a"))],
      })),
      ...this.#maybe(0.3, () => ({ additionalProperties: depth > 0 ? this.schema(depth - 1) : this.#next() < 0.5 })),
      ...(depth > 0 &&
        this.#maybe(0.1, () => ({ patternProperties: { [this.#pick(PATTERNS)]: this.schema(depth - 1) } }))),
      ...this.#maybe(0.1, () => ({ unevaluatedProperties: depth > 0 ? this.schema(depth - 1) : false })),
      ...this.#maybe(0.06, () => ({ propertyNames: { pattern: this.#pick(PATTERNS) } })),
      ...this.#maybe(0.1, () => ({ minProperties: this.#int(0, 3) })),
      ...this.#maybe(0.1, () => ({ maxProperties: this.#int(0, 4) })),
    };
  }

  #type(): string {
    return this.#pick(["string", "integer", "number", "boolean", "null", "array", "object", "object", "string"]);
  }

  #maybe(chance: number, make: () => object): object {
    return this.#next() < chance ? make() : {};
  }

  #list<T>(min: number, max: number, make: () => T): T[] {
    return Array.from({ length: this.#int(min, max) }, make);
  }

  #int(min: number, max: number): number {
    return min + Math.floor(this.#next() * (max - min + 1));
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#next() * items.length)]!;
  }
}
