/**
 * Checks the fields of a request for the format of its answer: OpenAI's, llama-server's and vLLM's.
 * @module
 */
import { type ErrorCode, NibbleError } from "../../base/errors.ts";
import { conflict, Fields, unsupported } from "../../base/fields.ts";
import type { GrammarSource } from "../../grammar/compile.ts";
import type { TokenMasks } from "../../grammar/matcher/token-masks.ts";
import type { Grammars } from "../constrain/grammars.ts";
import { JSON_SCHEMA_FIELDS, RESPONSE_FORMAT_FIELDS, STRUCTURED_OUTPUTS_FIELDS } from "./field-tables.ts";

const MAX_TEXT: number = 1 << 16;
const ANY_OBJECT = { type: "object" };

/** A format that a request asks for, and the field that does. */
export interface Format {
  readonly param: string;
  readonly source: GrammarSource;
}

/**
 * @returns the format that is asked for, if any; it is not compiled yet
 * @throws NibbleError `invalid_request` that names a field which is malformed, or the second one
 */
export function checkStructure(fields: Fields): Format | undefined {
  const wanted = [
    responseFormat(fields),
    schema(fields, "json_schema"),
    schemaOrText(fields, "guided_json"),
    gbnf(fields, "grammar"),
    gbnf(fields, "guided_grammar"),
    regex(fields, "guided_regex"),
    choices(fields, "guided_choice"),
    ...structuredOutputs(fields),
  ].filter((found) => found !== undefined);
  if (wanted.length > 1) {
    const param = wanted[1]!.param;
    throw conflict(param, wanted[0]!.param, "each of them decides the form of the answer");
  }
  return wanted[0];
}

/** Compiles a grammar. @throws NibbleError that names the field `param` */
export function compileNamed(
  source: GrammarSource,
  param: string,
  grammars: Grammars,
  code: ErrorCode = "invalid_request",
): TokenMasks {
  return underName(param, () => grammars.compile(source), code);
}

/** The result of `read`, whose errors get the name of the field that has the text. */
export function underName<T>(param: string, read: () => T, code: ErrorCode = "invalid_request"): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NibbleError)) throw error;
    throw new NibbleError(code, `${param}: ${error.message}`, { param, cause: error });
  }
}

function responseFormat(request: Fields): Format | undefined {
  const value = request.get("response_format");
  if (value === undefined) return undefined;
  const fields = request.nested(value, RESPONSE_FORMAT_FIELDS, "response_format");
  refuseOtherFormats(fields);
  const type = fields.oneOf("type", ["text", "json_object", "json_schema"]);
  if (type === undefined) throw fields.invalid("type", '"text", "json_object" or "json_schema"', undefined);
  if (type === "text") return undefined;
  const given = schema(fields, "schema");
  if (type === "json_object") {
    return given ?? { param: "response_format", source: { kind: "schema", schema: ANY_OBJECT } };
  }
  const wrapper = fields.get("json_schema");
  if (wrapper === undefined && given) return given;
  const inner = fields.nested(wrapper, JSON_SCHEMA_FIELDS, "json_schema");
  inner.string("name", 64);
  inner.string("description", MAX_TEXT);
  inner.boolean("strict");
  return schema(inner, "schema") ?? { param: "response_format", source: { kind: "schema", schema: ANY_OBJECT } };
}

/** Formats of OpenAI, vLLM and others, with what to do instead. */
const OTHER_FORMATS: ReadonlyMap<unknown, string> = new Map([
  ["structural_tag", "send tools"],
  ["grammar", "send the grammar in the field grammar, as GBNF"],
  ["regex", "send structured_outputs: { regex }"],
  ["python", "write a grammar"],
]);

/** @throws NibbleError `invalid_request` if the type is a known one of other implementations */
function refuseOtherFormats(fields: Fields): void {
  const type = fields.get("type");
  const instead = OTHER_FORMATS.get(type);
  if (instead) throw unsupported(fields.param("type"), `a format of type "${String(type)}"`, instead);
}

/** vLLM's newer form of its `guided_` fields. */
function structuredOutputs(request: Fields): (Format | undefined)[] {
  const value = request.get("structured_outputs");
  if (value === undefined) return [];
  const fields = request.nested(value, STRUCTURED_OUTPUTS_FIELDS, "structured_outputs");
  const object: Format = { param: fields.param("json_object"), source: { kind: "schema", schema: ANY_OBJECT } };
  return [
    schemaOrText(fields, "json"),
    fields.boolean("json_object") ? object : undefined,
    regex(fields, "regex"),
    choices(fields, "choice"),
    gbnf(fields, "grammar"),
  ];
}

function schema(fields: Fields, key: string): Format | undefined {
  const value = fields.get(key);
  if (value === undefined) return undefined;
  if (typeof value === "boolean" || (typeof value === "object" && !Array.isArray(value))) {
    return { param: fields.param(key), source: { kind: "schema", schema: value } };
  }
  throw fields.invalid(key, "a JSON schema (an object)", value);
}

/** vLLM takes a schema as an object or as JSON text. */
function schemaOrText(fields: Fields, key: string): Format | undefined {
  const value = fields.get(key);
  if (typeof value !== "string") return schema(fields, key);
  const parsed = parsedObject(value);
  if (parsed === undefined) throw fields.invalid(key, "a JSON schema (an object, or its JSON text)", value);
  return { param: fields.param(key), source: { kind: "schema", schema: parsed } };
}

function parsedObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function gbnf(fields: Fields, key: string): Format | undefined {
  const source = fields.string(key, MAX_TEXT);
  // An empty grammar is no constraint, as in llama-server.
  return source ? { param: fields.param(key), source: { kind: "gbnf", source } } : undefined;
}

function regex(fields: Fields, key: string): Format | undefined {
  const pattern = fields.string(key, MAX_TEXT);
  return pattern === undefined ? undefined : { param: fields.param(key), source: { kind: "regex", pattern } };
}

/** The option `grammar` of `model.generate`. @throws NibbleError `invalid_argument` */
export function checkGrammar(value: unknown): GrammarSource | undefined {
  if (value === undefined) return undefined;
  const fields = new Fields(value, ["kind", "schema", "source", "pattern", "texts"], "grammar", "invalid_argument");
  const kind = fields.oneOf("kind", ["schema", "gbnf", "regex", "choice"]);
  if (kind === "schema") return schema(fields, "schema")?.source ?? missing(fields, "schema");
  if (kind === "gbnf") return gbnf(fields, "source")?.source ?? missing(fields, "source");
  if (kind === "regex") return regex(fields, "pattern")?.source ?? missing(fields, "pattern");
  if (kind === "choice") return choices(fields, "texts")?.source ?? missing(fields, "texts");
  return missing(fields, "kind");
}

function missing(fields: Fields, key: string): never {
  throw fields.invalid(key, "it", undefined);
}

function choices(fields: Fields, key: string): Format | undefined {
  const texts = fields.array(key, 4096);
  if (texts === undefined) return undefined;
  if (texts.length > 0 && texts.every((text) => typeof text === "string")) {
    return { param: fields.param(key), source: { kind: "choice", texts } };
  }
  throw fields.invalid(key, "an array of at least one string", texts);
}
