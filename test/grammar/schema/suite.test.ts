/** Schemas of JSON-Schema-Test-Suite and of applications: every text that the masks allow is valid for ajv. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { NibbleError } from "../../../src/base/errors.ts";
import { compileGrammar } from "../../../src/grammar/compile.ts";
import type { CompiledGrammar } from "../../../src/grammar/network/compiled-grammar.ts";
import { impliedTypes } from "../../../src/grammar/schema/keywords.ts";
import { accepts, drawText, random } from "../random-text.ts";
import { schemas } from "./schemas.ts";

interface Group {
  draft: "draft2020-12" | "draft7";
  file: string;
  description: string;
  schema: unknown;
  tests: { data: unknown; valid: boolean }[];
}

const groups = JSON.parse(
  gunzipSync(readFileSync(new URL("../../fixtures/json-schema/suite.json.gz", import.meta.url))).toString(),
) as Group[];

/** Keywords that are refused. A group with one of them does not apply. */
const REFUSED =
  /(format [a-z-]+) .*is not supported|not at .* inside it|\$ref: there is no|\$dynamicAnchor .* more than once|uniqueItems at|multipleOf, in its|oneOf at .* may hold at once|at least one text|takes too long to compile/;

const options = {
  strict: false,
  validateSchema: false, // its own check of the schema takes most of the time
  logger: false,
  ownProperties: true,
  validateFormats: false,
  multipleOfPrecision: 9,
} as const;

function compile(schema: unknown): CompiledGrammar | string {
  try {
    return compileGrammar({ kind: "schema", schema });
  } catch (error) {
    if (error instanceof NibbleError && error.code === "invalid_argument") return error.message;
    throw error;
  }
}

/** Groups in which ajv contradicts the suite's own tests, so that it cannot judge drawn texts. */
const AJV_IS_WRONG: readonly string[] = [
  "dynamicRef",
  "$ref prevents a sibling $id from changing the base uri",
  "unevaluatedItems with nested items",
  "unevaluatedProperties with if/then/else, then not defined",
];

/** ajv's validator; undefined where it cannot compile the references of the suite. */
function validator(schema: unknown, draft: Group["draft"]): ((value: unknown) => boolean) | undefined {
  try {
    return new (draft === "draft7" ? Ajv : Ajv2020)(options).compile(schema as object) as (value: unknown) => boolean;
  } catch (error) {
    if (error instanceof RangeError || String(error).includes("more than one schema")) return undefined;
    throw error;
  }
}

function check(
  name: string,
  grammar: CompiledGrammar,
  { schema, draft }: Pick<Group, "schema" | "draft">,
  texts: number,
) {
  const validate = validator(schema, draft);
  if (!validate) return;
  const next = random(7);
  let complete = 0;
  for (let i = 0; i < texts; i++) {
    const drawn = drawText(grammar, next);
    if (!drawn.complete) continue;
    complete++;
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(drawn.bytes);
    expect(validate(JSON.parse(text)), `${name}: ${text}`).toBe(true);
  }
  // A text whose items are drawn at random may take very long to contain a certain one.
  if (!JSON.stringify(schema).includes('"contains"'))
    expect(complete, `${name}: texts that end`).toBeGreaterThan(texts / 3);
}

/** A schema without `type` is about the types of its keywords here, though other types are valid, too. */
function isMeant(data: unknown, schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null || "type" in schema) return true;
  const types: readonly string[] = impliedTypes(new Map(Object.entries(schema)));
  return types.length === 0 || types.includes(data === null ? "null" : Array.isArray(data) ? "array" : typeof data);
}

describe("JSON-Schema-Test-Suite", () => {
  const draft7 = { $schema: "http://json-schema.org/draft-07/schema#" };
  const compiled = groups.map((group) => {
    const isDraft7 = group.draft === "draft7" && typeof group.schema === "object";
    return { group, grammar: compile(isDraft7 ? { ...draft7, ...(group.schema as object) } : group.schema) };
  });

  it("applies for the most part; the other groups are refused by name", () => {
    const refused = compiled.filter(({ grammar }) => typeof grammar === "string");
    for (const { group, grammar } of refused) expect(grammar, `${group.file}: ${group.description}`).toMatch(REFUSED);
    expect(compiled.length - refused.length).toBeGreaterThanOrEqual(200);
  });

  it("draws valid values, and takes none that are not", () => {
    for (const { group, grammar } of compiled) {
      if (typeof grammar === "string") continue;
      const name = `${group.file}: ${group.description}`;
      if (![group.file, group.description].some((each) => AJV_IS_WRONG.includes(each))) check(name, grammar, group, 1);
      for (const { data, valid } of group.tests) {
        if (!valid) expect(accepts(grammar, JSON.stringify(data)), `${name}: ${JSON.stringify(data)}`).toBe(false);
      }
    }
  });

  it("takes nearly all valid values, except other orders of properties and unlisted properties", () => {
    const left: string[] = [];
    for (const { group, grammar } of compiled) {
      if (typeof grammar === "string") continue;
      for (const { data, valid } of group.tests) {
        if (valid && isMeant(data, group.schema) && !accepts(grammar, JSON.stringify(data)))
          left.push(`${group.description}: ${JSON.stringify(data)}`);
      }
    }
    expect(left.length, left.join("\n")).toBeLessThan(25);
  });
});

describe("schemas as people write them", () => {
  it.each(schemas.map((schema, i) => [i, schema] as const))("%i", (i, schema) => {
    const grammar = compile(schema);
    expect(grammar, String(grammar)).toBeTypeOf("object");
    check(`schema ${i}`, grammar as CompiledGrammar, { schema, draft: "draft2020-12" }, 10);
  });
});
