/** Keywords one by one: whole texts that a schema's grammar accepts and rejects, by the specification. */
import { describe, expect, it } from "vitest";
import { compileGrammar } from "../../../src/grammar/compile.ts";
import { accepts } from "../random-text.ts";

const compile = (schema: unknown) => compileGrammar({ kind: "schema", schema });
type Row = readonly [name: string, schema: unknown, accepted: readonly string[], rejected: readonly string[]];

const integer = { type: "integer" };
const text = { type: "string" };
const a = { properties: { a: integer }, required: ["a"] };
const b = { properties: { b: integer }, required: ["b"] };

const ROWS: readonly Row[] = [
  ["allOf before the schema itself", { allOf: [b], ...a }, ['{"b":1,"a":1}'], ['{"a":1}', '{"b":1}']],
  ["properties before allOf, as written", { ...a, allOf: [b] }, ['{"a":1,"b":1}', '{"b":1,"a":1}'], ['{"a":1}']],
  ["$ref before its siblings", { $defs: { b }, $ref: "#/$defs/b", ...a }, ['{"b":1,"a":2}'], ['{"b":1}']],
  ["the schema before anyOf", { ...a, anyOf: [b, { required: ["a"] }] }, ['{"a":1,"b":1}', '{"a":1}'], ['{"b":1}']],
  ["implied: string", { pattern: "^x" }, ['"x1"'], ["1", "{}", '"y"']],
  ["implied: number", { minimum: 3 }, ["3", "3.5"], ["2", '"x"', "null"]],
  ["implied: not beside a type elsewhere", { type: ["object", "null"], allOf: [a] }, ['{"a":1}', "null"], ["1", "{}"]],
  ["no properties", { type: "object", properties: {} }, ["{}"], ['{"a":1}']],
  ["not: a type", { not: { type: ["string", "object"] } }, ["1", "null", "[]"], ['"a"', "{}"]],
  ["not: integers", { type: "number", not: integer }, ["1.5", "-0.25"], ["1", "1.0", "-3.00"]],
  ["not: values", { type: ["string", "integer"], not: { enum: ["a", 1] } }, ['"b"', "2", '"aa"'], ['"a"', "1"]],
  ["not: required", { ...a, ...{ properties: { a: integer, b: integer } }, not: { required: ["b"] } }, ['{"a":1}'], ['{"a":1,"b":1}']],
  ["not: pattern and length", { type: "string", not: { anyOf: [{ pattern: "^a" }, { minLength: 3 }] } }, ['"b"', '""'], ['"a"', '"bbb"']],
  ["if, then, else", {
    type: "object", properties: { k: { enum: ["x", "y"] }, v: {} }, required: ["k", "v"],
    if: { properties: { k: { const: "x" } } }, ...JSON.parse(`{ "then": { "properties": { "v": { "type": "integer" } } } }`), else: { properties: { v: text } },
  }, ['{"k":"x","v":1}', '{"k":"y","v":"a"}'], ['{"k":"x","v":"a"}', '{"k":"y","v":1}']],
  ["dependentRequired", { properties: { a: integer, b: integer }, dependentRequired: { a: ["b"] } }, ["{}", '{"b":1}', '{"a":1,"b":2}'], ['{"a":1}']],
  ["dependencies", { properties: { a: integer, b: {} }, dependencies: { a: { properties: { b: text }, required: ["b"] } } }, ['{"b":1}', '{"a":1,"b":"x"}'], ['{"a":1}', '{"a":1,"b":1}']],
  ["oneOf: open objects", { oneOf: [a, b] }, ['{"a":1}', '{"b":1}'], ["{}", '{"a":1,"b":1}']],
  ["oneOf: overlapping", { properties: { a: integer, b: integer }, oneOf: [{ required: ["a"] }, { required: ["b"] }] }, ['{"a":1}', '{"b":1}'], ["{}", '{"a":1,"b":1}']],
  ["oneOf: numbers", { oneOf: [{ type: "integer" }, { type: "number", minimum: 2 }] }, ["1", "2.5", "-3"], ["2", "1.5"]],
  ["oneOf beside a list of names", { allOf: [{ oneOf: [a, b] }, { properties: { a: {}, b: {} } }] }, ['{"a":1}', '{"b":1}'], ['{"a":1,"b":1}']],
  ["contains", { type: "array", items: {}, contains: integer, minContains: 2 }, ['[1,"a",2]', "[1,2]"], ["[1]", '["a","b"]']],
  ["minProperties: keys differ", { type: "object", additionalProperties: text, minProperties: 2 }, ['{"a":"1","b":"2"}', '{"":"1","a":"2","ab":"3"}'], ["{}", '{"a":"1"}', '{"a":"1","a":"2"}']],
  ["minProperties beyond the named ones", { type: "object", properties: { a: integer }, minProperties: 3 }, ['{"a":1,"b":2,"c":3}', '{"x":1,"y":{},"z":3}'], ['{"a":1,"b":2}', '{"a":1,"b":2,"b":3}']],
  ["minProperties and maxProperties of a pattern's keys", { type: "object", patternProperties: { "^k\\d$": integer }, additionalProperties: false, minProperties: 2, maxProperties: 2 }, ['{"k1":1,"k2":2}'], ['{"k1":1}', '{"k1":1,"k1":2}', '{"k1":1,"k2":2,"k3":3}']],
  ["minProperties of few keys", { type: "object", propertyNames: { enum: ["x", "y"] }, additionalProperties: integer, minProperties: 2 }, ['{"x":1,"y":2}'], ['{"x":1}', '{"x":1,"x":2}']],
  ["minProperties of objects in objects", { type: "object", minProperties: 2, additionalProperties: { type: "object", minProperties: 2, additionalProperties: integer } }, ['{"a":{"a":1,"b":2},"b":{"a":1,"b":2}}'], ['{"a":{"a":1,"b":2},"b":{"a":1,"a":2}}']],
  ["const: white space inside", { enum: [{ a: [1, 2], b: {} }, [], "x"] }, ['{"a":[1,2],"b":{}}', '{"a": [1, 2], "b": {}}', '{\n  "a": [\n    1,\n    2\n  ],\n  "b": {}\n}', "[]", '"x"'], ['{"a":[1]}', '{"b":{},"a":[1,2]}', "[1]"]],
  ["maxContains", { type: "array", items: { type: ["integer", "string"] }, contains: integer, maxContains: 2 }, ['[1]', '["a",1,"b",2,"c"]'], ["[]", '["a"]', "[1,2,3]", '[1,"a",2,3']],
  ["maxContains without minContains", { type: "array", contains: { const: 1 }, minContains: 0, maxContains: 1, maxItems: 3 }, ["[]", "[1]", '[2,"a",1]', "[0,2,3]"], ["[1,1]", "[2,1,1]", "[1,2,3,4]"]],
  ["minContains equals maxContains", { type: "array", items: { enum: ["a", "b"] }, contains: { const: "a" }, minContains: 2, maxContains: 2 }, ['["a","b","a"]', '["a","a"]'], ['["a"]', '["a","a","a"]']],
  ["maxContains of objects", { type: "array", items: { type: "object", properties: { lead: { type: "boolean" } }, required: ["lead"] }, contains: { properties: { lead: { const: true } }, required: ["lead"] }, minContains: 1, maxContains: 1 }, ['[{"lead":false},{"lead":true}]'], ['[{"lead":false}]', '[{"lead":true},{"lead":true}]']],
  ["two contains", { type: "array", items: { type: ["integer", "string", "null"] }, allOf: [{ contains: integer }, { contains: text, maxContains: 1 }] }, ['[1,"a"]', '["a",null,3,4]'], ["[1]", '["a"]', '[1,"a","b"]']],
  ["maxContains beside uniqueItems", { type: "array", items: { enum: [1, 2, 3, "a"] }, uniqueItems: true, contains: integer, maxContains: 2 }, ['[1,"a",2]'], ["[1,2,3]", '["a"]', "[1,1]"]],
  ["minContains: 0", { type: "array", items: integer, uniqueItems: true, contains: { const: 4 }, minContains: 0 }, ["[]", "[1,2]"], ["[1,1]"]],
  ["minContains without contains", { type: "array", items: integer, maxContains: 1 }, ["[1,2]"], ['["a"]']],
  ["not: items", { type: "array", items: { type: ["integer", "string"] }, not: { items: integer } }, ['[1,"a"]', '["a"]'], ["[]", "[1]"]],
  ["not: contains", { type: "array", items: { type: ["integer", "string"] }, not: { contains: integer } }, ["[]", '["a"]'], ["[1]", '["a",1]']],
  ["not: prefixItems", { type: "array", items: { type: ["integer", "string"] }, not: { prefixItems: [integer, integer] } }, ['["a"]', '[1,"a",3]'], ["[]", "[1]", "[1,2]"]],
  ["not: oneOf", { enum: [1, 2, 3, 4], not: { oneOf: [{ minimum: 2 }, { maximum: 3 }] } }, ["2", "3"], ["1", "4"]],
  ["not: if", { enum: [1, 2, 3, 4], not: { if: { minimum: 3 }, ...JSON.parse('{"then":{"const":4}}'), else: { const: 1 } } }, ["2", "3"], ["1", "4"]],
  ["not: dependentRequired", { type: "object", properties: { a: integer, b: integer }, not: { dependentRequired: { a: ["b"] } } }, ['{"a":1}'], ["{}", '{"b":1}', '{"a":1,"b":1}']],
  ["uniqueItems: few texts of a pattern", { type: "array", items: { type: "string", pattern: "^[ab]$" }, uniqueItems: true }, ['["a","b"]', "[]"], ['["a","b","a"]', '["a","b",']],
  ["uniqueItems: no text beside null", { type: "array", items: { type: ["string", "null"], pattern: "^[a-c]$", minLength: 2 }, uniqueItems: true }, ["[null]", "[]"], ["[null,null]"]],
  ["uniqueItems: few values", { type: "array", items: { type: "boolean" }, uniqueItems: true }, ["[true,false]", "[]"], ["[true,true]", "[true,false,true]"]],
  ["uniqueItems: places that differ", { prefixItems: [integer, text], items: false, uniqueItems: true }, ['[1,"1"]'], ["[1,1]"]],
  ["unevaluatedProperties", { allOf: [a], properties: { b: integer }, unevaluatedProperties: false }, ['{"a":1,"b":1}'], ['{"a":1,"c":1}']],
  ["unevaluatedProperties: a schema", { ...a, unevaluatedProperties: text }, ['{"a":1,"c":"x"}'], ['{"a":1,"c":1}']],
  ["unevaluatedProperties of a cousin", { allOf: [a, { unevaluatedProperties: false }] }, [], ['{"a":1}']],
  ["unevaluatedItems", { prefixItems: [integer], unevaluatedItems: false }, ["[1]", "[]"], ["[1,2]"]],
  ["$anchor, $id and pointers", {
    $id: "https://example.com/root.json", type: "array",
    prefixItems: [{ $ref: "#x" }, { $ref: "item.json" }, { $ref: "https://example.com/item.json#/$defs/deep" }, { $ref: "root.json#/$defs/a" }],
    $defs: { a: { $anchor: "x", const: 1 }, i: { $id: "item.json", const: 2, $defs: { deep: { const: 3 } } } },
  }, ["[1,2,3,1]"], ["[2,2,3,1]", "[1,2,3,3]"]],
  ["draft 4: boolean exclusiveMinimum", { type: "integer", minimum: 3, exclusiveMinimum: true }, ["4"], ["3"]],
  ["large integers", { type: "integer", minimum: 9007199254740990 }, ["9007199254740991", "9007199254740992"], ["9007199254740989", "9007199254740993"]],
  ["beyond 2^53", { type: "integer", minimum: -(2 ** 63), maximum: 2 ** 63 }, ["9007199254740992", "-5"], ["9007199254740993"]],
  ["excluded zero", { type: "integer", minimum: -1, maximum: 1 }, ["-1", "0", "1"], ["-0", "2"]],
  ["format: leap days", { format: "date-time" }, ['"2024-02-29T00:00:00Z"', '"2000-02-29T00:00:00Z"'], ['"2023-02-29T00:00:00Z"', '"2100-02-29T00:00:00Z"']],
  ["format: duration", { format: "duration" }, ['"P1DT2H"', '"P1Y2M3DT4H5M6S"', '"P3W"', '"PT5S"'], ['"P"', '"PT"', '"P1H"', '"P1W2D"']],
  ["format: ipv6", { format: "ipv6" }, ['"::1"', '"fe80::1:2"', '"1:2:3:4:5:6:7:8"', '"::ffff:1.2.3.4"'], ['"1:2"', '"1::2::3"', '"1:2:3:4:5:6:7:8:9"']],
  ["format: uri", { format: "uri", maxLength: 2083 }, ['"https://example.com/a?b=c#d"', '"mailto:a@b.de"'], ['"example"', '"http://"', '"/a"']],
  ["format: iri", { format: "iri" }, ['"http://é.de/日本?q=ж"', '"http://a.b"'], ['"é"']],
  ["format: iri-reference", { format: "iri-reference" }, ['"/é"', '"#x"', '""'], ['"<a>"']],
  ["format: uri-template", { format: "uri-template" }, ['"/users/{id}{?page,size*}"', '"http://a.b/c"'], ['"/{a"', '"/a b"']],
  ["format: idn", { prefixItems: [{ format: "idn-email" }, { format: "idn-hostname" }, { format: "email" }] }, ['["jörg@bücher.example","bücher.example","o\'neil@x.com"]'], ['["a","b.c","d@e.f"]', '["a@b.c","b.c","jörg@x.com"]']],
  ["format: uri of a hundred characters, where the length is limited", { format: "uri", minLength: 1, maxLength: 2083 }, [`"https://example.com/${"a".repeat(100)}"`], ['"https://"']],
  ["format: json-pointer", { format: "json-pointer" }, ['""', '"/a/~0"'], ['"a"', '"/~2"']],
  ["format: numbers' formats are annotations", { type: "integer", format: "int64" }, ["5"], ['"5"']],
  ["email of a usual length", { format: "email", maxLength: 254 }, ['"john.smith+news@mail.example.com"'], ['"john"']],
]; // biome-ignore format: a table

describe("keywords", () => {
  it.each(ROWS)("%s", (_, schema, accepted, rejected) => {
    let grammar: ReturnType<typeof compile> | undefined;
    try {
      grammar = compile(schema);
    } catch (error) {
      if (accepted.length > 0 || !String(error).includes("at least one text")) throw error;
      return;
    }
    for (const json of accepted) expect(accepts(grammar, json), `accepts ${json}`).toBe(true);
    for (const json of rejected) expect(accepts(grammar, json), `rejects ${json}`).toBe(false);
  });

  it.each([
    [{ type: "array", contains: { format: "email" }, maxContains: 2 }, "not at #/contains: format inside it"],
    [{ not: { additionalProperties: integer } }, "not at #: additionalProperties inside it"],
    [{ type: "object", not: { const: {} } }, "objects in const or enum"],
    [{ oneOf: [{ additionalProperties: integer }, { additionalProperties: { minimum: 3 } }] }, "oneOf at #"],
    [{ $ref: "https://example.com/other.json" }, "there is no https://example.com/other.json"],
    [{ type: "array", items: { type: "number" }, uniqueItems: true }, "uniqueItems at #"],
    [{ type: "object", minProperties: 70, properties: { a: {} } }, "minProperties at #"],
    [{ uniqueItems: "yes" }, "uniqueItems at #: expected true or false"],
  ])("refused by name: %j", (schema, message) => {
    expect(() => compile(schema)).toThrow(message);
  });
});
