/**
 * config.json of Gemma 3 (transformers, models/gemma3/configuration_gemma3.py).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { isObject } from "../../base/json.ts";
import { getBoolean, getNumber, getStrings } from "../typed-values.ts";
import type { Put } from "./family.ts";

/** Sliding windows, the two RoPE bases, the attention's scale and the softcaps. */
export function addGemma3Facts(config: JsonObject, put: Put, layers: number): void {
  if (getBoolean(config, "use_bidirectional_attention", { default: false }))
    throw new NibbleError(
      "unsupported_architecture",
      "config.json: use_bidirectional_attention true is not supported; attention is causal",
    );
  put("{a}.attention.sliding_window", getNumber(config, "sliding_window", { default: 4096, integer: true, min: 1 }));
  const sliding = slidingLayers(config, layers);
  // llama.cpp's converter writes no key for the usual pattern.
  if (sliding.some((local, i) => local !== ((i + 1) % 6 !== 0))) put("{a}.attention.sliding_window_pattern", sliding);
  const parameters = config.get("rope_parameters");
  const nested = isObject(parameters) ? parameters.get("sliding_attention") : undefined;
  const base = getNumber(config, "rope_local_base_freq", { default: 10_000, min: 1 });
  put(
    "{a}.rope.freq_base_swa",
    Math.fround(isObject(nested) ? getNumber(nested, "rope_theta", { default: base, min: 1 }) : base),
  );
  // transformers takes this square root in double precision, too.
  const scalar = getNumber(config, "query_pre_attn_scalar", { default: 256, min: 2 ** -20, max: 2 ** 31 });
  put("{a}.attention.scale", Math.fround(1 / Math.sqrt(scalar)));
  for (const name of ["attn_logit_softcapping", "final_logit_softcapping"]) {
    const cap = getNumber(config, name, { default: 0, min: 0, max: 2 ** 20 });
    if (cap > 0) put(`{a}.${name}`, Math.fround(cap));
  }
}

/** Which layers have a sliding window. */
function slidingLayers(config: JsonObject, layers: number): boolean[] {
  const types = getStrings(config, "layer_types");
  if (!types) {
    const older = getNumber(config, "_sliding_window_pattern", { default: 6, integer: true, min: 1 });
    const n = getNumber(config, "sliding_window_pattern", { default: older, integer: true, min: 1 });
    return Array.from({ length: layers }, (_, i) => (i + 1) % n !== 0);
  }
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
