/**
 * Bits of floating-point scales: an F16 scale that is finite, and the exponent of a float32.
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import { f16ToF32, f32ToF16 } from "../../src/formats/float16.ts";

/**
 * The 16 bits of the nearest binary16.
 * @throws NibbleError `bad_weights` where binary16 has only infinity
 */
export function finiteF16(value: number): number {
  const binary16 = f32ToF16(value);
  if ((binary16 & 0x7c00) === 0x7c00)
    throw new NibbleError("bad_weights", `expected a value or scale of at most 65,504, the largest F16, got ${value}`);
  return binary16;
}

/** The 16 bits of the nearest finite binary16 of the same or a larger magnitude. @throws as `finiteF16` */
export function f16AwayFromZero(value: number): number {
  const binary16 = finiteF16(value);
  const isSmaller = Math.abs(f16ToF32(binary16)) < Math.abs(value);
  return isSmaller && (binary16 & 0x7fff) < 0x7bff ? binary16 + 1 : binary16;
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The exponent of a float32 as stored: 127 for 1 <= |value| < 2, 0 for zero and subnormals. */
export function exponentBits(value: number): number {
  float[0] = value;
  return (bits[0]! >>> 23) & 255;
}
