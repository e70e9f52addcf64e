/**
 * RoPE in config.json, with `rope_parameters`, or in the older spelling with `rope_theta` and `rope_scaling`.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { isObject } from "../../base/json.ts";
import { getFloat, getNumber, getString } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";

/**
 * The parameters of RoPE, in the layers of one type where a family has two.
 *
 * As in transformers, `rope_scaling`, which is the older spelling, counts where a file has both. Families with two types of
 * layers have an object for each in `rope_parameters`, and their `rope_scaling` is for the full layers.
 * @throws NibbleError `bad_type`; `unsupported_architecture` for both spellings in a family with two types of layers
 */
export function ropeParameters(
  config: JsonObject,
  family: Pick<Family, "ropeByLayerType">,
  type: "full_attention" | "sliding_attention" = "full_attention",
): JsonObject {
  const older = objectAt(config, "rope_scaling");
  if (!family.ropeByLayerType) return older.size > 0 ? older : objectAt(config, "rope_parameters");
  const own = objectAt(objectAt(config, "rope_parameters"), type);
  if (type !== "full_attention" || older.size === 0) return own;
  if (own.size === 0) return older;
  throw new NibbleError(
    "unsupported_architecture",
    "config.json rope_scaling: it is not supported beside rope_parameters.full_attention; one of the two is",
  );
}

function objectAt(values: JsonObject, key: string): JsonObject {
  const value = values.get(key) ?? new Map<string, never>();
  if (isObject(value)) return value;
  throw new NibbleError("bad_type", `config.json ${key} must be an object or null`);
}

/**
 * Adds the base and the scaling of RoPE.
 * @throws NibbleError `unsupported_architecture`, `missing_key`, `bad_type`, `bad_value`
 */
export function addRope(config: JsonObject, family: Family, put: Put): void {
  const scaling = ropeParameters(config, family);
  // The older spelling has the base beside rope_scaling, the newer one inside rope_parameters.
  const base = getFloat(config, "rope_theta", { default: family.defaults.rope_theta, min: 1 });
  put("{a}.rope.freq_base", getFloat(scaling, "rope_theta", { default: base, min: 1 }));
  for (const values of [config, scaling]) refusePartialRotation(values, family, ropeType(scaling));
  addRopeScaling(scaling, put);
}

/** Some classes of transformers ignore the factor where RoPE is not scaled (`unusedKeys`). */
function refusePartialRotation(values: JsonObject, { unusedKeys }: Family, type: string): void {
  const rotated = getNumber(values, "partial_rotary_factor", { default: 1 });
  if (rotated === 1 || (type === "default" && unusedKeys?.includes("partial_rotary_factor"))) return;
  throw new NibbleError(
    "unsupported_architecture",
    `config.json partial_rotary_factor: ${rotated} is not supported; RoPE rotates whole heads (1)`,
  );
}

/** The type of RoPE, whose name has two spellings. @throws NibbleError `bad_type` */
export function ropeType(parameters: JsonObject): string {
  return getString(parameters, "rope_type", { default: getString(parameters, "type", { default: "default" }) });
}

function addRopeScaling(scaling: JsonObject, put: Put): void {
  const type = ropeType(scaling);
  if (type === "default") return;
  if (type !== "llama3" && type !== "linear") {
    throw new NibbleError(
      "unsupported_architecture",
      `config.json rope_type: ${type} is not supported; default, linear and llama3 are`,
    );
  }
  put("{a}.rope.scaling.type", type);
  put("{a}.rope.scaling.factor", getFloat(scaling, "factor", { min: 1 }));
  if (type !== "llama3") return;
  const low = getFloat(scaling, "low_freq_factor", { min: 0 });
  const high = getFloat(scaling, "high_freq_factor", { min: 0 });
  if (low === 0 || high < low) {
    throw new NibbleError(
      "bad_value",
      `config.json rope_scaling: expected 0 < low_freq_factor <= high_freq_factor, got ${low} and ${high}`,
    );
  }
  const context = getNumber(scaling, "original_max_position_embeddings", { integer: true, min: 1 });
  put("{a}.rope.scaling.original_context_length", context);
  put("nibble.rope.scaling.low_freq_factor", low);
  put("nibble.rope.scaling.high_freq_factor", high);
}
