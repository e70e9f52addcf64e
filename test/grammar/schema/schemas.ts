/** Schemas as applications send them. */
const text = { type: "string" };
const id = { type: "string", format: "uuid" };

export const schemas: readonly object[] = [
  {
    type: "object",
    properties: { name: text, age: { type: "integer", minimum: 0, maximum: 150 } },
    required: ["name", "age"],
    additionalProperties: false,
  },
  { type: "object", properties: { city: text, unit: { enum: ["celsius", "fahrenheit"] } }, required: ["city"] },
  { type: "array", items: { type: "integer" }, minItems: 3, maxItems: 5 },
  {
    type: "object",
    properties: {
      steps: {
        type: "array",
        items: { type: "object", properties: { explanation: text, output: text }, required: ["explanation", "output"] },
      },
      final_answer: text,
    },
    required: ["steps", "final_answer"],
  },
  { anyOf: [{ type: "string" }, { type: "null" }] },
  {
    oneOf: [
      { type: "object", properties: { kind: { const: "cat" }, lives: { type: "integer" } }, required: ["kind"] },
      { type: "object", properties: { kind: { const: "dog" }, good: { type: "boolean" } }, required: ["kind"] },
    ],
  },
  {
    $defs: {
      node: {
        type: "object",
        properties: { value: { type: "number" }, next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } },
        required: ["value", "next"],
      },
    },
    $ref: "#/$defs/node",
  },
  { type: "object", properties: { children: { type: "array", items: { $ref: "#" } } }, required: ["children"] },
  { type: "string", pattern: "^[a-z]{2,4}-\\d+$" },
  { type: "string", pattern: "a|b" },
  { type: "string", minLength: 3, maxLength: 7 },
  { type: "string", pattern: "^\\w+$", maxLength: 6 },
  { type: "string", enum: ["low", "medium", "high", 'q"uo\\te', "ü\n"] },
  { enum: [1, "one", null, true, [1, 2], { a: 1 }] },
  { const: { nested: [1, { deep: "x" }] } },
  { type: "integer", minimum: -5, maximum: 5 },
  { type: "integer", exclusiveMinimum: 99, exclusiveMaximum: 1001, multipleOf: 7 },
  { type: "number", minimum: 0, maximum: 1 },
  { type: "number", exclusiveMinimum: -0.25, maximum: 1234.5 },
  { type: "number", multipleOf: 0.05, minimum: -1 },
  { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1e-5 },
  { type: "number", minimum: 1e-7, maximum: 1e21 },
  { type: "integer", minimum: -1e300, maximum: -10 },
  { type: ["string", "integer", "null"] },
  { type: "object", additionalProperties: { type: "integer" } },
  { type: "object", additionalProperties: text, minProperties: 1, maxProperties: 3 },
  { type: "object", properties: { a: text, b: text, c: text }, minProperties: 2, additionalProperties: false },
  { type: "object", properties: { a: text, b: text, c: text }, maxProperties: 1 },
  { type: "object", patternProperties: { "^x-": { type: "integer" } }, additionalProperties: false },
  {
    type: "object",
    properties: { foo: text },
    patternProperties: { o$: { minLength: 2 } },
    additionalProperties: { type: "boolean" },
  },
  { type: "object", propertyNames: { pattern: "^[a-z]+$", maxLength: 4 }, additionalProperties: { type: "null" } },
  { type: "object", propertyNames: { enum: ["a", "b"] }, additionalProperties: { type: "null" } },
  { type: "array", prefixItems: [text, { type: "number" }], items: false },
  { type: "array", prefixItems: [text, { type: "number" }], minItems: 1, items: { type: "null" } },
  { type: "array", prefixItems: [{ const: 1 }, { const: 2 }, { const: 3 }], minItems: 4, maxItems: 6 },
  {
    allOf: [
      { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
      { properties: { b: { type: "boolean" } }, required: ["b"] },
    ],
  },
  { allOf: [{ type: "integer", minimum: 3 }, { maximum: 9 }], not_used: undefined },
  { allOf: [{ pattern: "^a" }, { pattern: "z$" }, { type: "string", maxLength: 9 }] },
  {
    anyOf: [{ type: "integer" }, { type: "string" }],
    allOf: [{ anyOf: [{ type: "string", maxLength: 3 }, { type: "null" }] }],
  },
  {
    type: "object",
    properties: {
      id,
      at: { type: "string", format: "date-time" },
      mail: { type: "string", format: "email" },
      ip: { type: "string", format: "ipv4" },
    },
    required: ["id", "at", "mail", "ip"],
  },
  {
    type: "object",
    properties: {
      __proto__x: text,
      constructor: { type: "integer" },
      toString: { type: "null" },
      "": text,
      'k"e\\y': text,
    },
    required: ["constructor", 'k"e\\y'],
  },
  {
    title: "Extraction",
    description: "people",
    type: "object",
    properties: {
      people: {
        type: "array",
        maxItems: 2,
        items: {
          title: "Person",
          type: "object",
          properties: {
            name: { ...text, description: "full" },
            tags: { type: "array", items: { enum: ["a", "b", "c"] } },
          },
          required: ["name", "tags"],
          additionalProperties: false,
        },
      },
    },
    required: ["people"],
  },
  { type: "object", required: ["free"] },
  {
    type: "object",
    properties: {
      matrix: {
        type: "array",
        items: { type: "array", items: { type: "number" }, minItems: 2, maxItems: 2 },
        minItems: 2,
        maxItems: 2,
      },
    },
    required: ["matrix"],
  },
  {
    type: "array",
    items: {
      anyOf: [
        { type: "array", items: { type: "boolean" } },
        { type: "object", properties: { x: { $ref: "#" } } },
      ],
    },
  },
  { definitions: { "a/b~c": { type: "boolean" } }, type: "array", items: { $ref: "#/definitions/a~1b~0c" } },
  { type: "string", pattern: "^(?:\\u00e9|[^\\x00-\\x7f]){1,3}$" },
  { type: "string", pattern: "^\\S+@\\S+\\.\\S+$", maxLength: 40 },
  { type: "string", format: "time" },
  { type: "string", format: "duration" },
  { type: "string", format: "hostname" },
  { type: "string", format: "uri" },
  { type: "string", format: "ipv6" },
  { type: "number" },
  { type: "object" },
  {},
  // As Zod and Pydantic write them.
  {
    type: "string",
    format: "email",
    pattern: "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$",
  },
  { anyOf: [{ type: "number" }, { type: "string", pattern: "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$" }] },
  { type: "string", pattern: "^(?=.*\\d)[a-z0-9]{2,6}$" },
  {
    $defs: {
      cat: { type: "object", properties: { kind: { const: "cat" } }, required: ["kind"], additionalProperties: false },
      dog: { type: "object", properties: { kind: { const: "dog" } }, required: ["kind"], additionalProperties: false },
    },
    discriminator: { propertyName: "kind", mapping: { cat: "#/$defs/cat", dog: "#/$defs/dog" } },
    oneOf: [{ $ref: "#/$defs/cat" }, { $ref: "#/$defs/dog" }],
  },
  { type: "string", nullable: true, "x-order": 1 },
];
