/** Schemas of JSON-Schema-Test-Suite and some that people write: what the masks allow is valid for ajv. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { NibbleError } from "../../../src/base/errors.ts";
import { compileGrammar } from "../../../src/grammar/compile.ts";
import type { CompiledGrammar } from "../../../src/grammar/network/compiled-grammar.ts";
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

/** Keywords, references and formats that are refused; a group with one of them does not apply. */
const REFUSED =
  /the keyword "(if|then|else|contains|minContains|maxContains|dependentRequired|dependentSchemas|dependencies|not|unevaluatedItems|unevaluatedProperties|\$dynamicRef|\$dynamicAnchor|\$id|\$anchor)" at|\$ref: expected a place|\$id at|format [a-z-]+ is not supported|uniqueItems at|multipleOf, in its|oneOf at .* may hold at once|at least one text/;

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

function check(name: string, grammar: CompiledGrammar, schema: unknown, draft: Group["draft"], texts: number): void {
  const validate = new (draft === "draft7" ? Ajv : Ajv2020)(options).compile(schema as object);
  const next = random(7);
  let complete = 0;
  for (let i = 0; i < texts; i++) {
    const drawn = drawText(grammar, next);
    if (!drawn.complete) continue;
    complete++;
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(drawn.bytes);
    expect(validate(JSON.parse(text)), `${name}: ${text}`).toBe(true);
  }
  expect(complete, `${name}: texts that end`).toBeGreaterThan(texts / 3);
}

describe("JSON-Schema-Test-Suite", () => {
  const compiled = groups.map((group) => ({ group, grammar: compile(group.schema) }));

  it("applies for the most part; what does not is refused by name", () => {
    const refused = compiled.filter(({ grammar }) => typeof grammar === "string");
    for (const { group, grammar } of refused) expect(grammar, `${group.file}: ${group.description}`).toMatch(REFUSED);
    expect(compiled.length - refused.length).toBeGreaterThanOrEqual(200 - schemas.length);
  });

  it("draws valid values, and takes none that are not", () => {
    for (const { group, grammar } of compiled) {
      if (typeof grammar === "string") continue;
      const name = `${group.file}: ${group.description}`;
      check(name, grammar, group.schema, group.draft, 1);
      for (const { data, valid } of group.tests) {
        if (!valid) expect(accepts(grammar, JSON.stringify(data)), `${name}: ${JSON.stringify(data)}`).toBe(false);
      }
    }
  });

  it("takes nearly all that are valid: not other orders of properties, nor unlisted ones", () => {
    const left: string[] = [];
    for (const { group, grammar } of compiled) {
      if (typeof grammar === "string") continue;
      for (const { data, valid } of group.tests) {
        if (valid && !accepts(grammar, JSON.stringify(data)))
          left.push(`${group.description}: ${JSON.stringify(data)}`);
      }
    }
    expect(left.length, left.join("\n")).toBeLessThan(12);
  });
});

describe("schemas as people write them", () => {
  it.each(schemas.map((schema, i) => [i, schema] as const))("%i", (i, schema) => {
    const grammar = compile(schema);
    expect(grammar, String(grammar)).toBeTypeOf("object");
    check(`schema ${i}`, grammar as CompiledGrammar, schema, "draft2020-12", 10);
  });
});
