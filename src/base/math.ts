/**
 * exp, log and pow in double precision, made of + - * / alone. ECMA-262 (21.3.2) leaves the precision of `Math.exp` and
 * others to the implementation, and engines differ in the last bit. These functions give the same bits everywhere; their
 * relative error is below 1e-15 unless a comment says otherwise.
 * @module
 */
// ln 2 in two parts. The first has 32 trailing zero bits, so that its product with any exponent is exact.
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** 2^k at index k + 1074, for k from -1074 to 1023. They are made by doubling, which is exact. */
const POWERS_OF_2 = (() => {
  const powers = new Float64Array(2098);
  let power = 5e-324;
  for (let i = 0; i < powers.length; i++, power *= 2) powers[i] = power;
  return powers;
})();

/** e^x: 0 for x below -746, Infinity above 710. The error grows to 1.3e-13 below -708 and above 709. */
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

/** e^r for |r| <= ln 2 / 2 by its Taylor series. The first omitted term is below 5e-18. */
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

/** Natural logarithm: -Infinity for 0, NaN for negative numbers. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  let k = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984; // 2^54, which makes a subnormal number normal
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

/** x^y for x > 0. The relative error grows with |y log x|: it is 1e-14 at 40. */
export function pow(x: number, y: number): number {
  return y === 0 ? 1 : exp(y * log(x));
}
