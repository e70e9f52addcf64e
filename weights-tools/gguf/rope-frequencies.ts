/**
 * The tensor `rope_freqs.weight`, which is how GGUF stores Llama 3's RoPE scaling (llama.cpp, conversion/llama.py). The
 * formula is that of transformers, modeling_rope_utils.py.
 * @module
 */
import type { Checkpoint, TensorInfo } from "../../src/formats/checkpoint.ts";
import { getNumber } from "../../src/formats/typed-values.ts";
import { bytesSource } from "../../src/io/memory-source.ts";

const { fround } = Math;

/**
 * The divisors of the rotation's angle, one per pair: 1 for short wavelengths, `factor` for long ones, a blend between.
 * @returns undefined for a model without this scaling
 * @throws NibbleError `missing_key`, `bad_type`, `bad_value`
 */
export function ropeFrequencies({ architecture, metadata }: Checkpoint): TensorInfo | undefined {
  if (metadata.get(`${architecture}.rope.scaling.type`) !== "llama3") return undefined;
  const size = getNumber(metadata, `${architecture}.rope.dimension_count`, { integer: true, min: 2 });
  const base = getNumber(metadata, `${architecture}.rope.freq_base`, { min: 1 });
  const factor = getNumber(metadata, `${architecture}.rope.scaling.factor`, { min: 1 });
  const context = getNumber(metadata, `${architecture}.rope.scaling.original_context_length`, { min: 1 });
  const low = getNumber(metadata, "nibble.rope.scaling.low_freq_factor");
  const high = getNumber(metadata, "nibble.rope.scaling.high_freq_factor");
  const divisors = Float32Array.from({ length: size / 2 }, (_, pair) => {
    // Every step is rounded to float32, as in torch, so that the bytes equal those of llama.cpp's converter.
    const frequency = fround(1 / fround(base ** fround((2 * pair) / size)));
    const wavelength = fround(fround(2 * Math.PI) / frequency);
    if (wavelength < context / high) return 1;
    if (wavelength > context / low || low === high) return factor;
    const share = fround(fround(fround(context / wavelength) - low) / (high - low));
    return 1 / fround(fround(fround(1 - share) / factor) + share);
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
