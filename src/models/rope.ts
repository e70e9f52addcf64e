/**
 * Inverse frequencies of rotary position embedding, rounded as transformers rounds them.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { pow } from "../base/math.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getNumber } from "../formats/typed-values.ts";

const f = Math.fround;

/**
 * `fround(1 / fround(theta ^ fround(2j / dims)))` for j = 0 .. dims / 2 - 1. These are the roundings of transformers; with
 * fewer of them, a third of the entries would differ in the last bit.
 */
export function inverseFrequencies(theta: number, dims: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: dims / 2 }, (_, j) => 1 / f(pow(theta, f((2 * j) / dims))));
}

/** Parameters of Llama 3's scaling: long wavelengths are stretched by `factor`, short ones stay, others get a blend. */
export interface Llama3Scaling {
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  readonly originalContext: number;
}

/** Scales frequencies in f32, with the roundings of transformers' `_compute_llama3_parameters`. */
export function scaleLlama3(frequencies: Float32Array<ArrayBuffer>, scaling: Llama3Scaling): Float32Array<ArrayBuffer> {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContext } = scaling;
  return frequencies.map((frequency) => {
    const wavelength = f(f(2 * Math.PI) / frequency);
    if (wavelength < originalContext / highFrequencyFactor) return frequency;
    if (wavelength > originalContext / lowFrequencyFactor || lowFrequencyFactor === highFrequencyFactor)
      return frequency / factor;
    const smooth = f(
      f(f(originalContext / wavelength) - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor),
    );
    return f(f(f(1 - smooth) * frequency) / factor) + f(smooth * frequency);
  });
}

/** Reads `rope_freqs.weight`: a GGUF has divisors of the frequencies instead of scaling parameters. */
async function readDivisors(checkpoint: Checkpoint, count: number): Promise<Float32Array | undefined> {
  const info = checkpoint.tensors.get("rope_freqs.weight");
  if (!info) return undefined;
  if (info.type !== "F32" || info.shape.length !== 1 || info.shape[0] !== count)
    throw new NibbleError("bad_shape", `rope_freqs.weight: expected F32 [${count}], got ${info.type} [${info.shape}]`);
  const bytes = await info.source.read(info.offset, info.byteLength);
  const divisors = new Float32Array(new Uint8Array(bytes).buffer);
  // Every known scaling slows rotations down. A divisor below 1 would leave the range of our cos and sin.
  const wrong = divisors.find((divisor) => !(divisor >= 1 && divisor < Number.POSITIVE_INFINITY));
  if (wrong !== undefined)
    throw new NibbleError("bad_value", `rope_freqs.weight: expected finite numbers from 1, got ${wrong}`);
  return divisors;
}

/**
 * The frequencies of a checkpoint, with its scaling. If no type of scaling is given, the factor is linear, as in llama.cpp;
 * `rope.scale_linear` is an older name of the factor.
 * @param dims how many values of a head are rotated
 * @returns f32[dims / 2]
 * @throws NibbleError `bad_shape`, `bad_value`, `missing_key`; `unsupported_architecture` for another type of scaling
 */
export async function readFrequencies(checkpoint: Checkpoint, dims: number): Promise<Float32Array<ArrayBuffer>> {
  const { metadata, architecture } = checkpoint;
  const theta = getNumber(metadata, `${architecture}.rope.freq_base`, { default: 10000, min: 1 });
  const divisors = await readDivisors(checkpoint, dims / 2);
  const plain = inverseFrequencies(theta, dims).map((frequency, j) =>
    divisors ? frequency / divisors[j]! : frequency,
  );
  const type = metadata.get(`${architecture}.rope.scaling.type`) ?? "linear";
  if (type === "none") return plain;
  const older = getNumber(metadata, `${architecture}.rope.scale_linear`, { default: 1, min: 1 });
  const factor = getNumber(metadata, `${architecture}.rope.scaling.factor`, { default: older, min: 1 });
  if (type === "linear") return plain.map((frequency) => frequency / factor);
  if (type !== "llama3")
    throw new NibbleError("unsupported_architecture", `expected rope scaling none, linear or llama3, got "${type}"`);
  const key = (name: string): number => getNumber(metadata, name, { min: 2 ** -126 });
  return scaleLlama3(plain, {
    factor,
    lowFrequencyFactor: key("nibble.rope.scaling.low_freq_factor"),
    highFrequencyFactor: key("nibble.rope.scaling.high_freq_factor"),
    originalContext: key(`${architecture}.rope.scaling.original_context_length`),
  });
}
