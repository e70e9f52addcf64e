/**
 * Access to the values of a tokenizer.json.
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import type { Json, JsonObject } from "../../src/base/json.ts";

/** The error for a tokenizer that GGUF cannot describe, or that is damaged; `what` is a clause. */
export const bad = (what: string): NibbleError => new NibbleError("bad_tokenizer", `tokenizer.json: ${what}`);

/** The value as an object. @throws NibbleError `bad_tokenizer` */
export function object(value: Json | undefined, name: string): JsonObject {
  if (value instanceof Map) return value;
  throw bad(`${name} must be an object`);
}

/** A field of a value; undefined if the value is not an object. */
export const field = (value: Json | undefined, name: string): Json | undefined =>
  value instanceof Map ? (value as JsonObject).get(name) : undefined;

/** The value if it is an array, else an empty one. */
export const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);
