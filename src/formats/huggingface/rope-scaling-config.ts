/**
 * Scalings of RoPE in config.json (transformers, modeling_rope_utils.py) under llama.cpp's keys. Keys of our own are those of
 * Llama 3's scaling, for which a GGUF has a tensor, and `nibble.rope.scaling.yarn_truncate`.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { bytesSource } from "../../io/memory-source.ts";
import type { TensorInfo } from "../checkpoint.ts";
import { longRopeMagnitude, yarnMagnitude } from "../rope-scaling.ts";
import { getBoolean, getFloat, getNumber, getNumbers } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";

/** What a scaling is computed from. */
interface Scaled {
  readonly config: JsonObject;
  readonly scaling: JsonObject;
  readonly family: Family;
  /** Pairs of values that RoPE rotates in a head. */
  readonly pairs: number;
}

/**
 * Adds a scaling of RoPE.
 * @returns the divisors of LongRoPE as the tensors that a GGUF has for them
 * @throws NibbleError `unsupported_architecture` for a type that is not known; `missing_key`, `bad_type`, `bad_value`
 */
export function addRopeScaling(type: string, scaled: Scaled, put: Put): TensorInfo[] {
  const { scaling } = scaled;
  // "Dynamic" scaling changes frequencies beyond max_position_embeddings only, where no model is run.
  if (type === "default" || type === "dynamic") return [];
  if (type === "longrope" || type === "su") return addLongRope(scaled, put);
  if (type === "yarn") addYarn(scaled, put);
  else if (type === "llama3") addLlama3(scaling, put);
  else if (type !== "linear")
    throw new NibbleError(
      "unsupported_architecture",
      `config.json rope_type: ${type} is not supported; default, linear, dynamic, llama3, yarn and longrope are`,
    );
  put("{a}.rope.scaling.type", type);
  if (type !== "yarn") put("{a}.rope.scaling.factor", getFloat(scaling, "factor", { min: 1 }));
  return [];
}

function addLlama3(scaling: JsonObject, put: Put): void {
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

/** Tokens of the context before and after it was stretched. A key beside the parameters counts first (Phi 3 has one). */
function contexts({ config, scaling, family }: Scaled): { original: number; stretched: number } {
  const count = { integer: true, min: 1, max: 2 ** 31 - 1 };
  const { max_position_embeddings } = family.defaults;
  const stretched = getNumber(config, "max_position_embeddings", { ...count, default: max_position_embeddings });
  const within = getNumber(scaling, "original_max_position_embeddings", { ...count, default: stretched });
  return { stretched, original: getNumber(config, "original_max_position_embeddings", { ...count, default: within }) };
}

/** A number that counts only if it is neither missing nor 0. */
const orNothing = (values: JsonObject, key: string): number =>
  getNumber(values, key, { default: 0, min: 0, max: 2 ** 20 });

/**
 * YaRN. The factor of cosines and sines is given, or follows from the context and two magnitudes. llama.cpp computes what
 * follows from the context alone, and multiplies by `rope.scaling.attn_factor`.
 */
function addYarn(scaled: Scaled, put: Put): void {
  const { scaling, family } = scaled;
  const { original, stretched } = contexts(scaled);
  const factor = getFloat(scaling, "factor", { default: stretched / original, min: 1 });
  put("{a}.rope.scaling.factor", factor);
  put("{a}.rope.scaling.original_context_length", original);
  for (const key of ["beta_fast", "beta_slow"]) {
    const beta = orNothing(scaling, key);
    if (beta > 0) put(`{a}.rope.scaling.yarn_${key}`, Math.fround(beta));
  }
  const usual = yarnMagnitude(factor);
  const [m, all] = [orNothing(scaling, "mscale"), orNothing(scaling, "mscale_all_dim")];
  const computed = m > 0 && all > 0 ? yarnMagnitude(factor, m) / yarnMagnitude(factor, all) : usual;
  putAttentionFactor(put, getNumber(scaling, "attention_factor", { default: computed, min: 2 ** -20 }) / usual);
  // transformers looks for the key beside the objects of each type of layers, where none has it.
  if (!family.ropeByLayerType && !getBoolean(scaling, "truncate", { default: true }))
    put("nibble.rope.scaling.yarn_truncate", false);
}

/** LongRoPE: a divisor per pair for contexts up to the original one, and another beyond. */
function addLongRope(scaled: Scaled, put: Put): TensorInfo[] {
  const { scaling, pairs } = scaled;
  const { original, stretched } = contexts(scaled);
  const ratio = getNumber(scaling, "factor", { default: stretched / original, min: 0, max: 2 ** 20 });
  put("{a}.rope.scaling.type", "longrope");
  put("{a}.rope.scaling.original_context_length", original);
  const computed = longRopeMagnitude(ratio, original);
  putAttentionFactor(put, getNumber(scaling, "attention_factor", { default: computed, min: 2 ** -20 }));
  return ["short", "long"].map((kind) => {
    const divisors = getNumbers(scaling, `${kind}_factor`);
    if (divisors?.length === pairs) return vector(`rope_factors_${kind}.weight`, Float32Array.from(divisors));
    throw new NibbleError(
      divisors ? "bad_value" : "missing_key",
      `config.json rope_scaling ${kind}_factor: expected ${pairs} numbers, got ${divisors?.length ?? "none"}`,
    );
  });
}

/** A file has the key only if it changes something. Numbers that differ by rounding are taken as the same. */
function putAttentionFactor(put: Put, factor: number): void {
  if (Math.abs(factor - 1) > 1e-7) put("{a}.rope.scaling.attn_factor", Math.fround(factor));
}

function vector(name: string, values: Float32Array<ArrayBuffer>): TensorInfo {
  const bytes = new Uint8Array(values.buffer);
  return { name, type: "F32", shape: [values.length], source: bytesSource(bytes), offset: 0, byteLength: bytes.length };
}
