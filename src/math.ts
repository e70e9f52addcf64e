/**
 * exp, log and pow in double precision, the same bits on every engine: JavaScript leaves `Math.exp` and its kin to the
 * implementation (ECMA-262 21.3.2), and they do differ. Built from + - * / and exact scaling by powers of two.
 * @module
 */
const LN2_HIGH = 0.6931471803691238; // upper 32 bits of ln 2: n * this is exact for |n| < 2^20
const LN2_LOW = 1.9082149292705877e-10;

const word = new Uint32Array(2);
const double = new Float64Array(word.buffer);

/** 2^n for -1022 <= n <= 1023. */
function powerOfTwo(n: number): number {
  word[0] = 0;
  word[1] = (n + 1023) << 20;
  return double[0]!;
}

/** e^x; relative error below 4e-16 in the normal range. Below -745.2 it is 0, above 709.8 Infinity. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019412) return 0;
  const n = Math.round(x * Math.LOG2E);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  // The series to r^13: |r| <= 0.347, so the next term is below 5e-18.
  let p = 1;
  for (let k = 13; k >= 1; k--) p = 1 + (p * r) / k;
  const half = n >> 1; // in two steps, so that neither leaves the range
  return p * powerOfTwo(half) * powerOfTwo(n - half);
}

/** The natural logarithm; relative error below 4e-16 away from 1. NaN below 0, -Infinity at 0. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  double[0] = x < 2.2250738585072014e-308 ? x * 18014398509481984 : x; // 2^54 lifts subnormal numbers
  let n = (word[1]! >>> 20) - 1023 - (x < 2.2250738585072014e-308 ? 54 : 0);
  word[1] = (word[1]! & 0xfffff) | 0x3ff00000;
  let m = double[0]!;
  if (m > Math.SQRT2) {
    m /= 2;
    n++;
  }
  // log m = 2 artanh(s), s = (m - 1) / (m + 1), |s| <= 0.172: the term after s^25 is below 1e-21.
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let p = 0;
  for (let k = 25; k >= 3; k -= 2) p = (p + 1 / k) * z;
  return n * LN2_HIGH + (2 * s + 2 * s * p + n * LN2_LOW);
}

/** x^y for x > 0. */
export function pow(x: number, y: number): number {
  return y === 0 ? 1 : exp(y * log(x));
}
