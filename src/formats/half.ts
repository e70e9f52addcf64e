/**
 * 16-bit floats to float32: IEEE binary16 (F16) and bfloat16 (BF16).
 * Own code, because `Float16Array` and `Math.f16round` are missing in Node 20 and 22.
 * @module
 */
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The 16 bits of binary16 to float32, exactly. */
export function f16ToF32(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** The 16 bits of bfloat16 to float32, exactly. */
export function bf16ToF32(half: number): number {
  bits[0] = half << 16;
  return float[0]!;
}
