/** Schemas and grammars that try to take unlimited time or memory. */
const nested = (depth: number, wrap: (inner: unknown) => unknown, core: unknown = {}): unknown => {
  for (let i = 0; i < depth; i++) core = wrap(core);
  return core;
};
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

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
  { type: "string", pattern: "^(?=(a|b)*a.{10})(?!(.*b){20})(?=.*c.{9})" },
  { type: "string", pattern: "(?!.*a.{8}b)(?=.*b.{7}c)".repeat(20) },
  { type: "string", pattern: `${"(?!".repeat(60)}a${")".repeat(60)}` },
  { type: "string", pattern: "[\\p{L}\\p{Script=Greek}]{0,2000}", maxLength: 1999 },
  { allOf: many(40, (i) => ({ pattern: `\\p{Script=${["Han", "Thai", "Arabic", "Hebrew", "Greek"][i % 5]}}{${i}}` })) },
  { type: "array", items: { type: "string" }, uniqueItems: true, minItems: 2000 },
  { type: "array", items: { type: "integer", minimum: 0, maximum: 1e15 }, uniqueItems: true },
  { type: "array", items: { enum: many(4000, (i) => `v${i}`) }, uniqueItems: true },
  { type: "array", items: {}, contains: { type: "null" }, minContains: 1900, minItems: 1950 },
  { not: nested(200, (inner) => ({ not: { anyOf: [inner, inner] } })) },
  nested(40, (inner) => ({ if: inner, else: inner, ...JSON.parse('{"then": {"type": "null"}}') })),
  { dependentRequired: Object.fromEntries(many(40, (i) => [`a${i}`, [`b${i}`]])) },
  { oneOf: many(60, (i) => ({ type: "object", properties: { [`a${i}`]: {} }, required: [`a${i}`] })) },
  { oneOf: many(12, (i) => ({ required: [`a${i}`] })) },
  nested(60, (inner) => ({ allOf: [inner], unevaluatedProperties: false, properties: { a: {} } })),
  { $defs: Object.fromEntries(many(3000, (i) => [`d${i}`, { $ref: `#/$defs/d${i + 1}` }])), $ref: "#/$defs/d0" },
  { $ref: "#/$defs/a", $defs: { a: { $id: "http://[", $ref: "#%" } } },
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
  `root ::= "a"${"{2000}".repeat(70)}`,
  'root ::= !<[1]>* !<[2]>* "a"',
  'root ::= e\ne ::= "a" e "a" | "a" e | "a" e e | "a"',
];
