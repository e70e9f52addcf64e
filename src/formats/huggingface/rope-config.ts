/**
 * RoPE in config.json, with `rope_parameters`, or in the older spelling with `rope_theta` and `rope_scaling`.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { isObject } from "../../base/json.ts";
import type { TensorInfo } from "../checkpoint.ts";
import { getFloat, getNumber, getNumbers, getString } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { addRopeScaling } from "./rope-scaling-config.ts";

/**
 * The parameters of RoPE, in the layers of one type where a family has two.
 *
 * As in transformers, `rope_scaling`, which is the older spelling, counts where a file has both. Families with two types of
 * layers have an object for each in `rope_parameters`, and their `rope_scaling` is for the full layers.
 * @throws NibbleError `bad_type`; `unsupported_architecture` for both spellings in a family with two types of layers
 */
export function ropeParameters(
  config: JsonObject,
  family: Pick<Family, "ropeByLayerType" | "ropeDefaults">,
  type: "full_attention" | "sliding_attention" = "full_attention",
): JsonObject {
  const older = objectAt(config, "rope_scaling");
  if (!family.ropeByLayerType) {
    const given = older.size > 0 ? older : objectAt(config, "rope_parameters");
    return given.size > 0 ? given : (family.ropeDefaults ?? given);
  }
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

/** The base of RoPE, which the older spelling has beside `rope_scaling`, and the newer one inside `rope_parameters`. */
export function ropeBase(config: JsonObject, family: Family): number {
  const base = getFloat(config, "rope_theta", { default: family.defaults.rope_theta, min: 1 });
  return getFloat(ropeParameters(config, family), "rope_theta", { default: base, min: 1 });
}

/** The width of a head. As in transformers, null stands for hidden_size / num_attention_heads. */
export function headSize(config: JsonObject, { defaults }: Family): number {
  const count = { integer: true, min: 1, max: 2 ** 31 - 1 };
  const { num_attention_heads } = defaults;
  const heads = getNumber(config, "num_attention_heads", {
    ...count,
    ...(num_attention_heads !== undefined && { default: num_attention_heads }),
  });
  const derived = Math.floor(getNumber(config, "hidden_size", count) / heads);
  const missing = config.get("head_dim") === null ? derived : (defaults.head_dim ?? derived);
  return getNumber(config, "head_dim", { ...count, default: missing });
}

/** Which layers have RoPE, in families where some have none. @throws NibbleError `bad_type`, `bad_value` */
export function ropeLayers(config: JsonObject, layers: number): boolean[] {
  const interval = getNumber(config, "no_rope_layer_interval", { default: 4, integer: true, min: 1 });
  const listed = getNumbers(config, "no_rope_layers");
  // The list may be that of a larger model: it is indexed by layer, and the rest is ignored.
  if (listed && listed.length > 0 && listed.length < layers)
    throw new NibbleError("bad_value", `config.json no_rope_layers: expected ${layers} entries, got ${listed.length}`);
  // Despite the name of the list, 1 means that the layer has RoPE.
  return Array.from({ length: layers }, (_, i) => (listed?.length ? listed[i] !== 0 : (i + 1) % interval !== 0));
}

/**
 * Adds the base and the scaling of RoPE.
 * @returns tensors with divisors of the frequencies, which a GGUF has for LongRoPE
 * @throws NibbleError `unsupported_architecture`, `missing_key`, `bad_type`, `bad_value`
 */
export function addRope(config: JsonObject, family: Family, put: Put): TensorInfo[] {
  const scaling = ropeParameters(config, family);
  put("{a}.rope.freq_base", ropeBase(config, family));
  if (family.defaults.partial_rotary_factor === undefined)
    for (const values of [config, scaling]) refusePartialRotation(values, family, ropeType(scaling));
  return addRopeScaling(ropeType(scaling), { config, scaling, family, pairs: rotatedSize(config, family) / 2 }, put);
}

/** How many values of a head RoPE rotates. The factor is inside of `rope_parameters`, or in older files beside them. */
export function rotatedSize(config: JsonObject, family: Family): number {
  const head = headSize(config, family);
  const { partial_rotary_factor } = family.defaults;
  if (partial_rotary_factor === undefined) return head;
  const beside = getNumber(config, "partial_rotary_factor", { default: partial_rotary_factor, min: 0, max: 1 });
  const options = { default: beside, min: 0, max: 1 };
  return Math.floor(head * getNumber(ropeParameters(config, family), "partial_rotary_factor", options));
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
