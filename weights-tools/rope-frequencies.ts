/**
 * `rope_freqs.weight`: how GGUF stores Llama 3's RoPE scaling (llama.cpp, conversion/llama.py; the formula is that of
 * transformers, modeling_rope_utils.py).
 * @module
 */
import { getNumber } from "../src/formats/metadata.ts";
import { bytesSource } from "../src/formats/sources.ts";
import type { Checkpoint, JsonObject, TensorInfo } from "../src/formats/types.ts";

/**
 * The divisors of the angle, one a pair: 1 for short wavelengths, `factor` for long ones, a blend between.
 * Undefined for a model without this scaling.
 * @throws NibbleError for scaling parameters that are missing or make no sense
 */
export function ropeFrequencies(checkpoint: Checkpoint): TensorInfo | undefined {
  const config = checkpoint.huggingFace?.config;
  const scaling = [config?.get("rope_scaling"), config?.get("rope_parameters")].find(isLlama3);
  if (scaling === undefined) return undefined;
  const positive = { min: Number.MIN_VALUE };
  const size = getNumber(checkpoint.metadata, `${checkpoint.architecture}.rope.dimension_count`, {
    integer: true,
    min: 2,
  });
  const base = getNumber(checkpoint.metadata, `${checkpoint.architecture}.rope.freq_base`, positive);
  const factor = getNumber(scaling, "factor", positive);
  const low = getNumber(scaling, "low_freq_factor", positive);
  const high = getNumber(scaling, "high_freq_factor", positive);
  const context = getNumber(scaling, "original_max_position_embeddings", positive);
  const divisors = Float32Array.from({ length: size / 2 }, (_, pair) => {
    const wavelength = 2 * Math.PI * base ** ((2 * pair) / size);
    if (wavelength < context / high) return 1;
    if (wavelength > context / low) return factor;
    const share = (context / wavelength - low) / (high - low);
    return 1 / ((1 - share) / factor + share);
  });
  const bytes = new Uint8Array(divisors.buffer);
  return {
    name: "rope_freqs.weight",
    type: "F32",
    shape: [divisors.length],
    source: bytesSource(bytes),
    offset: 0,
    byteLength: bytes.length,
  };
}

function isLlama3(value: unknown): value is JsonObject {
  if (!(value instanceof Map)) return false;
  return (value.get("rope_type") ?? value.get("type")) === "llama3"; // `type` in configs of 2024
}
