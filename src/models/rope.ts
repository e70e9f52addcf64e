/**
 * RoPE of a checkpoint: which frequencies its keys and tensors ask for.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import {
  inverseFrequencies,
  type Rotation,
  scaleLlama3,
  scaleLongRope,
  scaleYarn,
  yarnMagnitude,
} from "../formats/rope-scaling.ts";
import { getBoolean, getNumber, getString } from "../formats/typed-values.ts";
import { readExactly } from "../io/byte-source.ts";

export { inverseFrequencies };

/** The rotation of a model, and for LongRoPE that of contexts beyond the original one. */
export interface ModelRotation extends Rotation {
  readonly long?: { readonly frequencies: Float32Array<ArrayBuffer>; readonly beyond: number };
}

/** Reads f32[count] divisors of the frequencies, which a GGUF has as a tensor. */
async function readDivisors(checkpoint: Checkpoint, name: string, count: number): Promise<Float32Array | undefined> {
  const info = checkpoint.tensors.get(name);
  if (!info) return undefined;
  if (info.type !== "F32" || info.shape.length !== 1 || info.shape[0] !== count)
    throw new NibbleError("bad_shape", `${name}: expected F32 [${count}], got ${info.type} [${info.shape}]`);
  const bytes = await readExactly(info.source, info.offset, info.byteLength);
  const divisors = new Float32Array(new Uint8Array(bytes).buffer);
  // Known scalings slow rotations down. LongRoPE's search also gave divisors slightly below 1; a small one would leave the
  // range of our cos and sin.
  const wrong = divisors.find((divisor) => !(divisor >= 0.5 && divisor < Number.POSITIVE_INFINITY));
  if (wrong !== undefined)
    throw new NibbleError("bad_value", `${name}: expected finite numbers from 0.5, got ${wrong}`);
  return divisors;
}

/**
 * The frequencies of a checkpoint, with its scaling, under llama.cpp's keys. If no type of scaling is given, the factor is
 * linear, as in llama.cpp; `rope.scale_linear` is an older name of the factor. `rope.scaling.attn_factor` multiplies the
 * factor of cosines and sines, as llama.cpp does; `rope.scaling.yarn_attn_factor` has no effect there.
 * @param dims how many values of a head are rotated
 * @throws NibbleError `bad_shape`, `bad_value`, `missing_key`; `unsupported_architecture` for another type of scaling
 */
export async function readRotation(checkpoint: Checkpoint, dims: number): Promise<ModelRotation> {
  const keys = new RopeKeys(checkpoint);
  const theta = keys.number("freq_base", { default: 10000, min: 1 });
  const divisors = await readDivisors(checkpoint, "rope_freqs.weight", dims / 2);
  const divided = (frequencies: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> =>
    divisors ? frequencies.map((frequency, j) => frequency / divisors[j]!) : frequencies;
  const plain = divided(inverseFrequencies(theta, dims));
  const type = keys.type();
  // LongRoPE has no factor: its divisors say all.
  if (type === "longrope") return readLongRope(checkpoint, keys, { theta, dims });
  const attention = keys.number("scaling.attn_factor", { default: 1, min: 2 ** -20, max: 2 ** 20 });
  const older = keys.number("scale_linear", { default: 1, min: 1 });
  const factor = keys.number("scaling.factor", { default: older, min: 1 });
  if (type === "none") return { frequencies: plain, factor: attention };
  if (type === "linear") return { frequencies: plain.map((frequency) => frequency / factor), factor: attention };
  const originalContext = keys.originalContext();
  if (type === "llama3") {
    const frequencies = scaleLlama3(plain, {
      factor,
      lowFrequencyFactor: getNumber(checkpoint.metadata, "nibble.rope.scaling.low_freq_factor", { min: 2 ** -126 }),
      highFrequencyFactor: getNumber(checkpoint.metadata, "nibble.rope.scaling.high_freq_factor", { min: 2 ** -126 }),
      originalContext,
    });
    return { frequencies, factor: attention };
  }
  const frequencies = scaleYarn(theta, dims, {
    factor,
    originalContext,
    betaFast: keys.number("scaling.yarn_beta_fast", { default: 32, min: 2 ** -20 }),
    betaSlow: keys.number("scaling.yarn_beta_slow", { default: 1, min: 2 ** -20 }),
    truncate: getBoolean(checkpoint.metadata, "nibble.rope.scaling.yarn_truncate", { default: true }),
  });
  const m = keys.number("scaling.yarn_log_multiplier", { default: 0, min: 0, max: 2 ** 20 });
  return {
    frequencies: divided(frequencies),
    factor: (yarnMagnitude(factor) / (m ? yarnMagnitude(factor, m) : 1)) * attention,
  };
}

/** LongRoPE: divisors for contexts up to the original one, and others beyond, as tensors. */
async function readLongRope(
  checkpoint: Checkpoint,
  keys: RopeKeys,
  { theta, dims }: { theta: number; dims: number },
): Promise<ModelRotation> {
  const divisors = async (kind: "short" | "long"): Promise<Float32Array> => {
    const name = `rope_factors_${kind}.weight`;
    const read = await readDivisors(checkpoint, name, dims / 2);
    if (read) return read;
    throw new NibbleError("missing_tensor", `the file has no tensor ${name}, which rope scaling longrope needs`);
  };
  const [short, long] = [await divisors("short"), await divisors("long")];
  return {
    frequencies: scaleLongRope(theta, short),
    factor: keys.number("scaling.attn_factor", { default: 1, min: 2 ** -20, max: 2 ** 20 }),
    long: { frequencies: scaleLongRope(theta, long), beyond: keys.originalContext() },
  };
}

const TYPES = ["none", "linear", "llama3", "yarn", "longrope"];

/** Reads the keys `{architecture}.rope.*`. */
class RopeKeys {
  readonly #metadata: Checkpoint["metadata"];
  readonly #architecture: string;

  constructor({ metadata, architecture }: Checkpoint) {
    this.#metadata = metadata;
    this.#architecture = architecture;
  }

  number(name: string, options: { default?: number; min: number; max?: number }): number {
    return getNumber(this.#metadata, `${this.#architecture}.rope.${name}`, options);
  }

  type(): string {
    const type = getString(this.#metadata, `${this.#architecture}.rope.scaling.type`, { default: "linear" });
    if (TYPES.includes(type)) return type;
    throw new NibbleError("unsupported_architecture", `expected rope scaling ${TYPES.join(", ")}, got "${type}"`);
  }

  /** A missing key means that the context was not stretched. */
  originalContext(): number {
    const trained = this.#metadata.get(`${this.#architecture}.context_length`);
    return this.number("scaling.original_context_length", {
      ...(typeof trained === "number" && { default: trained }),
      min: 1,
    });
  }
}
