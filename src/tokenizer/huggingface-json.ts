/**
 * Readers of the parts of tokenizer.json. Their errors name the part.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { isObject } from "../base/json.ts";

/** The components of a normalizer, pre_tokenizer, post_processor or decoder, with those of nested sequences in one list. */
export function components(json: Json, list: string): JsonObject[] {
  if (json === null) return [];
  if (!isObject(json)) throw bad(list, "an object", json);
  if (json.get("type") !== "Sequence") return [json];
  return listAt(json, list).flatMap((part) => components(part, list)); // the JSON parser bounds the depth
}

/** @throws NibbleError `bad_tokenizer` where there is no object */
export function objectAt(values: JsonObject, key: string): JsonObject {
  const value = values.get(key);
  if (!isObject(value)) throw bad(key, "an object", value ?? null);
  return value;
}

/** The list under `key`; a missing one is empty. @throws NibbleError `bad_tokenizer` where there is something else */
export function listAt(values: JsonObject, key: string): readonly Json[] {
  const value = values.get(key) ?? [];
  if (!Array.isArray(value)) throw bad(key, "a list", value);
  return value;
}

/** The error for a part of tokenizer.json that is not what it must be; `got` null is a part that is missing. */
export function bad(what: string, expected: string, got: Json): NibbleError {
  if (got === null)
    return new NibbleError("bad_tokenizer", `tokenizer.json, ${what}: a value is required; it must be ${expected}`);
  const shown = isObject(got) ? "an object" : Array.isArray(got) ? `a list of ${got.length}` : JSON.stringify(got);
  return new NibbleError("bad_tokenizer", `tokenizer.json, ${what}: expected ${expected}, got ${shown}`);
}
