/** Random schemas, and texts that their masks allow, each judged by ajv. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";
import { NibbleError } from "../../../src/base/errors.ts";
import { compileGrammar } from "../../../src/grammar/compile.ts";
import type { CompiledGrammar } from "../../../src/grammar/network/compiled-grammar.ts";
import { matches } from "../../../src/grammar/regular/dfa.ts";
import { formatDfa } from "../../../src/grammar/schema/formats.ts";
import { drawText, random } from "../random-text.ts";
import { FORMATS, SchemaFuzzer } from "./fuzzer.ts";

export interface FuzzResult {
  compiled: number;
  /** The number of refused schemas, by message. */
  refused: Map<string, number>;
  texts: number;
}

export function fuzzSchemas(count: number, seed: number, texts = 2): FuzzResult {
  const result: FuzzResult = { compiled: 0, refused: new Map(), texts: 0 };
  for (let i = 0; i < count; i++) {
    const next = random(seed * 1_000_003 + i);
    const schema = new SchemaFuzzer(next).document();
    let grammar: CompiledGrammar;
    try {
      grammar = compileGrammar({ kind: "schema", schema });
    } catch (error) {
      if (!(error instanceof NibbleError && error.code === "invalid_argument")) throw error;
      const reason = error.message.replace(/ at #.*/, "").slice(0, 60);
      result.refused.set(reason, (result.refused.get(reason) ?? 0) + 1);
      continue;
    }
    result.compiled++;
    const validate = validator(schema);
    for (let text = 0; text < texts; text++) {
      const { bytes, complete } = drawText(grammar, next, 25);
      if (!complete) continue;
      result.texts++;
      const json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      expect(validate(JSON.parse(json)), `seed ${seed}, schema ${i}: ${JSON.stringify(schema)}\n${json}`).toBe(true);
    }
  }
  return result;
}

function isOfFormat(text: string, format: string): boolean {
  const language = formatDfa(format);
  return !language || matches(language, text);
}

/** ajv overflows the stack where a $ref leads back to itself at once, so it cannot judge such schemas. */
function validator(schema: object): (value: unknown) => boolean {
  const options = {
    strict: false,
    logger: false as const,
    ownProperties: true,
    // Formats are limits here, so that alternatives of oneOf may exclude each other by them.
    formats: Object.fromEntries(FORMATS.map((format) => [format, (text: string) => isOfFormat(text, format)])),
    validateSchema: false, // its own check of the schema takes most of the time
  };
  const guard = <T>(action: () => T, otherwise: T): T => {
    try {
      return action();
    } catch (error) {
      if (error instanceof RangeError) return otherwise;
      throw error;
    }
  };
  const validate = guard(
    () => new Ajv2020(options).compile(schema) as (value: unknown) => boolean,
    () => true,
  );
  return (value) => guard(() => validate(value), true);
}
