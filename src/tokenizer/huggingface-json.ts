/**
 * Reading tokenizer.json: parts of the expected kind, or an error that says which part it was.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { isObject } from "../base/json.ts";

/** The components of a normalizer, pre_tokenizer, post_processor or decoder, with sequences laid flat. */
export function components(json: Json, list: string): JsonObject[] {
  if (json === null) return [];
  if (!isObject(json)) throw bad(list, "an object", json);
  if (json.get("type") !== "Sequence") return [json];
  return listAt(json, list).flatMap((part) => components(part, list)); // parseJson bounds the depth
}

export function objectAt(values: JsonObject, key: string): JsonObject {
  const value = values.get(key);
  if (!isObject(value)) throw bad(key, "an object", value ?? null);
  return value;
}

export function listAt(values: JsonObject, key: string): readonly Json[] {
  const value = values.get(key) ?? [];
  if (!Array.isArray(value)) throw bad(key, "a list", value);
  return value;
}

export function bad(what: string, expected: string, got: Json): NibbleError {
  const shown = isObject(got) ? "an object" : Array.isArray(got) ? `a list of ${got.length}` : JSON.stringify(got);
  return new NibbleError("bad_tokenizer", `tokenizer.json, ${what}: expected ${expected}, got ${shown}`);
}
