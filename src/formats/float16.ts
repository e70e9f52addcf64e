/**
 * 16-bit floats to float32 and back: IEEE 754 binary16 (F16) and bfloat16 (BF16). Rounding is to nearest, ties to even.
 * This is code of our own because Node 20 and 22 lack `Float16Array` and `Math.f16round`.
 * @module
 */
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Converts the bits of a binary16 to float32, exactly. */
export function f16ToF32(binary16: number): number {
  const sign = binary16 & 0x8000 ? -1 : 1;
  const exponent = (binary16 >>> 10) & 31;
  const mantissa = binary16 & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** Converts the bits of a bfloat16 to float32, exactly. */
export function bf16ToF32(bfloat16: number): number {
  bits[0] = bfloat16 << 16;
  return float[0]!;
}

/** The float32 of every binary16, by its 16 bits. A look-up takes a tenth of the time of `f16ToF32` (Node 24, x86-64). */
export function f16Values(): Float32Array {
  valuesOfF16 ??= Float32Array.from({ length: 65536 }, (_, binary16) => f16ToF32(binary16));
  return valuesOfF16;
}
let valuesOfF16: Float32Array | undefined;

/** Converts a float32 to the bits of a binary16. From 65,520 on the result is infinity; NaN stays NaN. */
export function f32ToF16(value: number): number {
  float[0] = value;
  const source = bits[0]!;
  const sign = (source >>> 16) & 0x8000;
  const magnitude = source & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 2^16 and above
  if (magnitude < 0x33000000) return sign; // below 2^-25: zero
  if (magnitude >= 0x38800000) {
    // Normal (2^-14 and above): the exponent's bias goes from 127 to 15, and 13 bits are dropped. A carry out of the
    // mantissa runs into the exponent, which is right.
    return sign | roundedShift(magnitude - 0x38000000, 13);
  }
  // Subnormal: a multiple of 2^-24. The mantissa with its hidden bit counts units of 2^(exponent - 150).
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  return sign | roundedShift(mantissa, 126 - (magnitude >>> 23));
}

/**
 * Converts a float32 to the bits of a bfloat16. A NaN stays NaN: it becomes quiet and keeps its sign and high payload,
 * as in ggml.
 */
export function f32ToBf16(value: number): number {
  float[0] = value;
  const source = bits[0]!;
  if ((source & 0x7fffffff) > 0x7f800000) return (source >>> 16) | 64;
  return roundedShift(source, 16);
}

/** value / 2^shift, rounded to nearest, ties to even. */
function roundedShift(value: number, shift: number): number {
  const odd = (value >>> shift) & 1;
  return ((value + 2 ** (shift - 1) - 1 + odd) / 2 ** shift) >>> 0;
}
