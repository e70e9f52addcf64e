/**
 * Sliding windows in config.json: `sliding_window`, and `layer_types` or a period.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { getNumber, getStrings } from "../typed-values.ts";
import type { Put } from "./family.ts";

/**
 * Which layers have a sliding window.
 * @param missing which of them have one where config.json has no `layer_types`
 * @throws NibbleError `bad_type`, `bad_value`, `unsupported_architecture`
 */
export function slidingLayers(config: JsonObject, layers: number, missing: (layer: number) => boolean): boolean[] {
  const types = getStrings(config, "layer_types");
  if (!types) return Array.from({ length: layers }, (_, i) => missing(i));
  if (types.length !== layers)
    throw new NibbleError("bad_value", `config.json layer_types: expected ${layers} entries, got ${types.length}`);
  return types.map((type) => {
    if (type === "sliding_attention") return true;
    if (type === "full_attention") return false;
    throw new NibbleError(
      "unsupported_architecture",
      `config.json layer_types: ${type} is not supported; full_attention and sliding_attention are`,
    );
  });
}

/**
 * The size of the window in tokens, 0 for none: null stands for none, and a window as long as the context is none.
 * @param missing the size where the key is missing
 * @throws NibbleError `bad_type`, `bad_value`
 */
export function windowSize(config: JsonObject, missing: number, context: number): number {
  if (config.get("sliding_window") === null) return 0;
  const size = getNumber(config, "sliding_window", { default: missing, integer: true, min: 0, max: 2 ** 31 - 1 });
  return size >= getNumber(config, "max_position_embeddings", { default: context }) ? 0 : size;
}

/** Adds the size, and the layers that have a window unless they are those that a reader assumes without the key. */
export function putWindows(
  put: Put,
  size: number,
  sliding: readonly boolean[],
  assumed: (layer: number) => boolean,
): void {
  if (size === 0 || !sliding.includes(true)) return;
  put("{a}.attention.sliding_window", size);
  if (sliding.some((local, i) => local !== assumed(i))) put("{a}.attention.sliding_window_pattern", sliding);
}

/** Every layer but every n-th. */
export const allButEvery =
  (n: number) =>
  (layer: number): boolean =>
    (layer + 1) % n !== 0;
