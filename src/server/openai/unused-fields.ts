/**
 * Fields of OpenAI's and llama-server's that say nothing about the answer: they are checked and not used.
 * @module
 */
import { Fields, invalid } from "../../base/fields.ts";
import type { Body } from "../engine-calls.ts";

type Check = (fields: Fields, name: string) => void;

const boolean: Check = (fields, name) => void fields.boolean(name);
const string: Check = (fields, name) => void fields.string(name, 1024);
const slot: Check = (fields, name) => void fields.number(name, { min: -1, integer: true });

/** `id_slot` and `cache_prompt` change nothing here: what requests have computed is shared by all of them. */
const UNUSED: Readonly<Record<string, Check>> = {
  store: boolean,
  metadata: checkMetadata,
  service_tier: string,
  safety_identifier: string,
  prompt_cache_key: string,
  cache_prompt: boolean,
  id_slot: slot,
};

/** The body without these fields. @throws NibbleError `invalid_request` that names the field */
export function withoutUnused(body: unknown): Body {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("body", "an object", body);
  const rest = new Map(Object.entries(body));
  for (const [name, check] of Object.entries(UNUSED)) {
    check(new Fields({ [name]: rest.get(name) }, [name]), name);
    rest.delete(name);
  }
  return Object.fromEntries(rest);
}

/** OpenAI's limits. */
function checkMetadata(fields: Fields, name: string): void {
  const value = fields.get(name);
  if (value === undefined) return;
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (keys.length > 16) throw fields.invalid(name, "at most 16 pairs", value);
  const pairs = new Fields(value, keys, name);
  for (const key of keys) pairs.string(key, 512);
}
