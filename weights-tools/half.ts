/**
 * 16-bit floats: IEEE binary16 (F16) and bfloat16 (BF16), to and from float32, rounding to nearest, ties to even.
 * Own code, because `Float16Array` and `Math.f16round` are missing in Node 20 and 22.
 * @module
 */
import { NibbleError } from "../src/base/errors.ts";
import { bf16ToF32, f16ToF32 } from "../src/formats/half.ts";

export { bf16ToF32, f16ToF32 };

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** float32 to the 16 bits of binary16. Beyond 65,519 it becomes infinity; NaN stays NaN. */
export function f32ToF16(value: number): number {
  float[0] = value;
  const source = bits[0]!;
  const sign = (source >>> 16) & 0x8000;
  const magnitude = source & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 2^16 and above
  if (magnitude < 0x33000000) return sign; // below 2^-25: zero
  if (magnitude >= 0x38800000) {
    // Normal (2^-14 and above): exponent bias 127 -> 15, then drop 13 bits. A carry runs into the exponent, as it must.
    return sign | roundedShift(magnitude - 0x38000000, 13);
  }
  // Subnormal: a multiple of 2^-24. The mantissa with its hidden bit counts units of 2^(exponent - 150).
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  return sign | roundedShift(mantissa, 126 - (magnitude >>> 23));
}

/** @throws NibbleError `bad_weights` where binary16 has only infinity */
export function finiteF16(value: number): number {
  const half = f32ToF16(value);
  if ((half & 0x7c00) === 0x7c00) throw new NibbleError("bad_weights", `${value} is beyond F16's 65504`);
  return half;
}

/** The nearest finite binary16 of the same or a larger magnitude. @throws as `finiteF16` */
export function f16AwayFromZero(value: number): number {
  const half = finiteF16(value);
  const isSmaller = Math.abs(f16ToF32(half)) < Math.abs(value);
  return isSmaller && (half & 0x7fff) < 0x7bff ? half + 1 : half;
}

/** All 65,536 binary16 values: 1.4 ms for a million look-ups, 15 ms for the arithmetic (Node 24, x86-64). */
let f16Table: Float32Array | undefined;
export function f16Values(): Float32Array {
  f16Table ??= Float32Array.from({ length: 65536 }, (_, half) => f16ToF32(half));
  return f16Table;
}

/** float32 to the 16 bits of bfloat16. NaN stays NaN (quiet, sign and high payload kept), as in ggml. */
export function f32ToBf16(value: number): number {
  float[0] = value;
  const source = bits[0]!;
  if ((source & 0x7fffffff) > 0x7f800000) return (source >>> 16) | 64;
  return roundedShift(source, 16);
}

/** The exponent of a float32 as stored: 127 for 1 <= |value| < 2, 0 for zero and subnormals. */
export function exponentBits(value: number): number {
  float[0] = value;
  return (bits[0]! >>> 23) & 255;
}

/** value / 2^shift, ties to even. */
function roundedShift(value: number, shift: number): number {
  const odd = (value >>> shift) & 1;
  return ((value + 2 ** (shift - 1) - 1 + odd) / 2 ** shift) >>> 0;
}
