/**
 * exp, log and pow in double precision from + - * / alone. JavaScript leaves `Math.exp` and its kin to the implementation
 * (ECMA-262 21.3.2), and engines do differ in the last bit; these give the same bits everywhere. Relative error below 1e-15.
 * @module
 */
// ln 2 in two parts. The first has 32 trailing zero bits, so its product with any exponent is exact.
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** 2^k for k = -1074 .. 1023 at index k + 1074. Doubling is exact. */
const POWERS_OF_2 = (() => {
  const powers = new Float64Array(2098);
  let power = 5e-324;
  for (let i = 0; i < powers.length; i++, power *= 2) powers[i] = power;
  return powers;
})();

/** e^x; 0 and Infinity at the ends. */
export function exp(x: number): number {
  if (x >= -708 && x <= 709) {
    const k = Math.floor(x * Math.LOG2E + 0.5);
    const r = x - k * LN2_HIGH - k * LN2_LOW;
    return expReduced(r) * POWERS_OF_2[k + 1074]!;
  }
  if (x < -746) return 0;
  if (x > 710) return Number.POSITIVE_INFINITY;
  return x < 0
    ? exp(x + 128 * LN2_HIGH + 128 * LN2_LOW) * POWERS_OF_2[1074 - 128]!
    : x > 0
      ? exp(x - LN2_HIGH - LN2_LOW) * 2
      : x;
}

/** Taylor series for |r| <= ln 2 / 2; the first term left out is below 5e-18. */
function expReduced(r: number): number {
  let p = 1 / 6227020800;
  p = p * r + 1 / 479001600;
  p = p * r + 1 / 39916800;
  p = p * r + 1 / 3628800;
  p = p * r + 1 / 362880;
  p = p * r + 1 / 40320;
  p = p * r + 1 / 5040;
  p = p * r + 1 / 720;
  p = p * r + 1 / 120;
  p = p * r + 1 / 24;
  p = p * r + 1 / 6;
  p = p * r + 0.5;
  return 1 + (r + r * r * p);
}

const bits = new DataView(new ArrayBuffer(8));

/** Natural logarithm; -Infinity for 0, NaN below. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  let k = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984; // 2^54: subnormal numbers have no implicit bit
    k = -54;
  }
  bits.setFloat64(0, x);
  k += (bits.getUint32(0) >>> 20) - 1023;
  bits.setUint32(0, (bits.getUint32(0) & 0xfffff) | 0x3ff00000);
  let m = bits.getFloat64(0); // x = m 2^k, 1 <= m < 2
  if (m > Math.SQRT2) {
    m /= 2;
    k++;
  }
  // ln m = 2 artanh(s) = 2 s (1 + s^2/3 + s^4/5 + ...), |s| <= 0.1716
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  let p = 1 / 25;
  for (let n = 23; n >= 3; n -= 2) p = p * z + 1 / n;
  return k * LN2_HIGH + (2 * s + (2 * s * z * p + k * LN2_LOW));
}

/** x^y for x > 0; the relative error grows with |y log x|, 1e-14 at 40. */
export function pow(x: number, y: number): number {
  return y === 0 ? 1 : exp(y * log(x));
}
