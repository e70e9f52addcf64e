/** Random JSON schemas and grammars: sensible ones, and hostile ones. */
import type { Random } from "./random-text.ts";

// Not __proto__ or toString: ajv passes over the one and calls the other. schemas.ts has the names of Object.prototype.
const NAMES = ["a", "b", "name", "é", "length", "constructor", 'q"', "", "x-1"];
const PATTERNS = ["^a+$", "b", "^[a-c]{1,3}$", "\\d", "^(x|y)*$", ".", "^\\w+\\s?$", "^a.{2,}b$", "(a|b)c$", "[^a]"];
const FORMATS = ["date", "time", "date-time", "uuid", "ipv4", "email", "unknown"];
const VALUES = [null, true, 0, 1, -3, 2.5, "a", "b", "", [1], [], {}, { a: 1 }, "é\n"];

/** A schema that a person might have written, though it may allow nothing, or say what cannot be told apart. */
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
    };
  }

  #object(depth: number): object {
    const names = this.#list(0, 4, () => this.#pick(NAMES));
    const properties = Object.fromEntries(names.map((name) => [name, depth > 0 ? this.schema(depth - 1) : {}]));
    return {
      ...this.#maybe(0.85, () => ({ properties })),
      ...this.#maybe(0.5, () => ({
        required: [...new Set(this.#list(0, 2, () => this.#pick(names.length > 0 ? names : NAMES)))],
      })),
      ...this.#maybe(0.3, () => ({ additionalProperties: depth > 0 ? this.schema(depth - 1) : this.#next() < 0.5 })),
      ...(depth > 0 &&
        this.#maybe(0.1, () => ({ patternProperties: { [this.#pick(PATTERNS)]: this.schema(depth - 1) } }))),
      ...this.#maybe(0.06, () => ({ propertyNames: { pattern: this.#pick(PATTERNS) } })),
      ...this.#maybe(0.1, () => ({ minProperties: this.#int(0, 2) })),
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

const nested = (depth: number, wrap: (inner: unknown) => unknown, core: unknown = {}): unknown => {
  for (let i = 0; i < depth; i++) core = wrap(core);
  return core;
};
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** Each wants to take for ever, or all memory. */
export const HOSTILE_SCHEMAS: readonly unknown[] = [
  nested(5000, (inner) => ({ items: inner })),
  nested(5000, (inner) => ({ type: "object", properties: { a: inner }, required: ["a"] })),
  nested(3000, (inner) => ({ allOf: [inner] })),
  nested(3000, (inner) => ({ anyOf: [inner, inner] })),
  nested(200, (inner) => ({
    oneOf: [{ type: "null" }, { type: "object", properties: { a: inner }, required: ["a"] }],
  })),
  { allOf: many(30, (i) => ({ anyOf: many(10, (j) => ({ required: [`a${i}_${j}`] })) })) },
  { allOf: many(12, (i) => ({ anyOf: many(12, (j) => ({ minLength: i * j })) })) },
  { oneOf: many(400, (i) => ({ properties: { a: { const: i } }, required: ["a"], type: "object" })) },
  { oneOf: many(60, (i) => ({ type: "string", pattern: `^(a|b)*${"a".repeat(i % 7)}.{6}$` })) },
  { $ref: "#" },
  { anyOf: [{ $ref: "#" }, { $ref: "#" }] },
  { allOf: [{ $ref: "#/$defs/a" }], $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } },
  {
    $defs: Object.fromEntries(
      many(600, (i) => [
        `d${i}`,
        {
          anyOf: [
            { $ref: `#/$defs/d${(i * 7 + 1) % 600}` },
            { type: "array", items: { $ref: `#/$defs/d${(i * 11 + 3) % 600}` } },
          ],
        },
      ]),
    ),
    $ref: "#/$defs/d0",
  },
  { type: "string", pattern: "(a+)+$" },
  { type: "string", pattern: "(a*)*(b*)*c" },
  { type: "string", pattern: "(.*a){20}" },
  { type: "string", pattern: "[ab]*a[ab]{15}" },
  { type: "string", pattern: "((((a{100}){100}){100}){100})" },
  { type: "string", pattern: "(a|aa|aaa|aaaa)*{5}" },
  { type: "string", pattern: `${"(".repeat(5000)}a${")".repeat(5000)}` },
  { type: "string", pattern: many(3000, (i) => `x${i}`).join("|") },
  { type: "string", pattern: "[\\u0000-\\u{10ffff}]{0,2000}", maxLength: 2000 },
  { type: "string", minLength: 2000, maxLength: 2000 },
  { type: "string", minLength: 1e9 },
  { type: "string", maxLength: 1e9 },
  { type: "array", minItems: 1e9 },
  { type: "array", items: { type: "array", items: { type: "array", minItems: 500 }, minItems: 500 }, minItems: 500 },
  { type: "array", items: {}, minItems: 2000, maxItems: 2000 },
  { type: "array", prefixItems: many(3000, () => ({})) },
  { type: "object", properties: Object.fromEntries(many(3000, (i) => [`p${i}`, {}])) },
  { type: "object", properties: Object.fromEntries(many(3000, (i) => [`p${i}`, {}])), minProperties: 2999 },
  {
    type: "object",
    properties: Object.fromEntries(many(200, (i) => [`p${i}`, {}])),
    minProperties: 100,
    maxProperties: 150,
  },
  {
    type: "object",
    properties: Object.fromEntries(many(500, (i) => [`property number ${i}`, {}])),
    additionalProperties: { type: "null" },
  },
  { type: "object", patternProperties: Object.fromEntries(many(30, (i) => [`[a-z]{${i}}x`, { type: "null" }])) },
  { enum: many(4000, (i) => `value ${i}`) },
  { enum: many(4000, (i) => i), allOf: many(50, () => ({ enum: many(4000, (i) => i) })) },
  { enum: [nested(60, (inner) => [inner, inner], 1)] },
  { const: "x".repeat(1 << 20) },
  { type: "integer", multipleOf: 1e-300 },
  { type: "integer", multipleOf: 123457 },
  { type: "number", multipleOf: 0.007, minimum: -1e15, maximum: 1e15 },
  { type: "number", exclusiveMinimum: 1e308 },
  { required: many(4000, (i) => `r${i}`) },
];

export const HOSTILE_GRAMMARS: readonly string[] = [
  `root ::= ${"(".repeat(60)}"a"${")*".repeat(60)}`,
  'root ::= ("a"* "a"*)* "b"',
  'root ::= root root | "a"',
  'root ::= "a" root root | ""',
  'root ::= s s s s s s s s\ns ::= ("a" | "aa" | "aaa" | s2)*\ns2 ::= "a" s2 | "a"',
  'root ::= x{0,2000}\nx ::= y{0,2000}\ny ::= z{0,2000}\nz ::= "a"{0,2000}',
  'root ::= "a"? '.concat('("b"? "a"?)? '.repeat(3000)),
  many(4000, (i) => `r${i} ::= r${i + 1} | "x${i}"`)
    .join("\n")
    .replace("r0 ", "root ")
    .concat('\nr4000 ::= "x"'),
  many(4000, (i) => `r${i} ::= "x" r${i + 1} r${i + 1}`)
    .join("\n")
    .replace("r0 ", "root ")
    .concat('\nr4000 ::= "x"'),
  many(1000, (i) => `r${i} ::= r${i + 1}? r${i + 1}?`)
    .join("\n")
    .replace("r0 ", "root ")
    .concat('\nr1000 ::= "x"'),
  `root ::= (${many(4000, (i) => `[^${String.fromCodePoint(0x4e00 + i)}]`).join(" | ")})*`,
  'root ::= ([^a]{0,100} "b"?){0,100}',
  'root ::= e\ne ::= "a" e "a" | "a" e | "a" e e | "a"',
];
