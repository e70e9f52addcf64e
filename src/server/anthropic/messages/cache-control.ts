/**
 * Anthropic's `cache_control`. It is checked and not used: the beginnings of prompts are cached without being asked.
 * @module
 */
import type { Fields } from "../../../base/fields.ts";

/** @throws NibbleError `invalid_request` that names the field */
export function checkCacheControl(fields: Fields): void {
  const value = fields.get("cache_control");
  if (value === undefined) return;
  const inner = fields.nested(value, ["type", "ttl"], "cache_control");
  inner.oneOf("type", ["ephemeral"]);
  inner.oneOf("ttl", ["5m", "1h"]);
}
