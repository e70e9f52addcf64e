/** Schemas of JSON-Schema-Test-Suite and some that people write: what the masks allow is valid for ajv. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import { compileGrammar } from "../../src/grammar/compile.ts";
import type { Program } from "../../src/grammar/program.ts";
import { accepts, drawText, random } from "./random-text.ts";
import { schemas } from "./schemas.ts";

interface Group {
  draft: "draft2020-12" | "draft7";
  file: string;
  description: string;
  schema: unknown;
  tests: { data: unknown; valid: boolean }[];
}

const groups = JSON.parse(
  gunzipSync(readFileSync(new URL("../fixtures/json-schema/suite.json.gz", import.meta.url))).toString(),
) as Group[];

/** Keywords, references and formats that are refused; a group with one of them does not apply. */
const REFUSED =
  /got "(if|then|else|contains|minContains|maxContains|dependentRequired|dependentSchemas|dependencies|not|unevaluatedItems|unevaluatedProperties|\$dynamicRef|\$dynamicAnchor|\$id|\$anchor)"|\$ref: expected a place|\$id at|format [a-z-]+ is not supported|uniqueItems at|multipleOf, in its|oneOf at .* exclude each other|at least one text that it matches/;

const options = {
  strict: false,
  validateSchema: false, // its own check of the schema takes most of the time
  logger: false,
  ownProperties: true,
  validateFormats: false,
  multipleOfPrecision: 9,
} as const;

function compile(schema: unknown): Program | string {
  try {
    return compileGrammar({ kind: "schema", schema });
  } catch (error) {
    if (error instanceof NibbleError && error.code === "invalid_argument") return error.message;
    throw error;
  }
}

function check(name: string, program: Program, schema: unknown, draft: Group["draft"], texts: number): void {
  const validate = new (draft === "draft7" ? Ajv : Ajv2020)(options).compile(schema as object);
  const next = random(7);
  let complete = 0;
  for (let i = 0; i < texts; i++) {
    const drawn = drawText(program, next);
    if (!drawn.complete) continue;
    complete++;
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(drawn.bytes);
    expect(validate(JSON.parse(text)), `${name}: ${text}`).toBe(true);
  }
  expect(complete, `${name}: texts that end`).toBeGreaterThan(texts / 3);
}

describe("JSON-Schema-Test-Suite", () => {
  const compiled = groups.map((group) => ({ group, program: compile(group.schema) }));

  it("applies for the most part; what does not is refused by name", () => {
    const refused = compiled.filter(({ program }) => typeof program === "string");
    for (const { group, program } of refused) expect(program, `${group.file}: ${group.description}`).toMatch(REFUSED);
    expect(compiled.length - refused.length).toBeGreaterThanOrEqual(200 - schemas.length);
  });

  it("draws valid values, and takes none that are not", () => {
    for (const { group, program } of compiled) {
      if (typeof program === "string") continue;
      const name = `${group.file}: ${group.description}`;
      check(name, program, group.schema, group.draft, 1);
      for (const { data, valid } of group.tests) {
        if (!valid) expect(accepts(program, JSON.stringify(data)), `${name}: ${JSON.stringify(data)}`).toBe(false);
      }
    }
  });

  it("takes nearly all that are valid: not other orders of properties, nor unlisted ones", () => {
    const left: string[] = [];
    for (const { group, program } of compiled) {
      if (typeof program === "string") continue;
      for (const { data, valid } of group.tests) {
        if (valid && !accepts(program, JSON.stringify(data)))
          left.push(`${group.description}: ${JSON.stringify(data)}`);
      }
    }
    expect(left.length, left.join("\n")).toBeLessThan(12);
  });
});

describe("schemas as people write them", () => {
  it.each(schemas.map((schema, i) => [i, schema] as const))("%i", (i, schema) => {
    const program = compile(schema);
    expect(program, String(program)).toBeTypeOf("object");
    check(`schema ${i}`, program as Program, schema, "draft2020-12", 10);
  });
});
