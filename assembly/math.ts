// Elementary functions. Those of hosts differ between engines, which would make logits differ. These consist of single
// IEEE 754 operations in a fixed order, so every engine gives the same bits.

/** Constants in memory, because V8 rebuilds a v128.const at every use. */
const EXP: usize = memory.data<f32>(
  [
    1.44269504088896341, // log2(e)
    -0.693145751953125, // -ln(2), upper 15 bits: n * this is exact for |n| < 2^9
    -1.42860682030941723e-6, // -ln(2), the rest
    0.0013863419, // e^r = 1 + r + r^2 (0.5 + ...), from the last coefficient on
    0.008367433,
    0.041667242,
    0.16666535,
    0.5,
    1.0,
    88.3762626647949, // exp of more than this is out of range of the exponent trick
    -87.3365447505531, // exp of less than this is below the smallest normal number: 0
    12582912.0, // 1.5 * 2^23: adding it rounds to the nearest integer, ties to even, and leaves that in the low bits
  ],
  16,
);

function c(i: i32): v128 {
  return v128.load32_splat(EXP + ((<usize>i) << 2));
}

/**
 * exp(x) of four lanes. Its relative error is below 1.3e-7 on [-87.3, 88.3]. Below that range the result is 0, above it
 * the value at its end, and NaN stays NaN.
 * x = n ln 2 + r with |r| <= ln(2)/2. e^r is the polynomial of degree 6 whose largest relative error is the smallest,
 * 4e-9 (minimax). The Taylor series to r^6 is off by 1.7e-7, and the result then by 2.6e-7.
 */
export function expF32x4(x: v128): v128 {
  const low = f32x4.lt(x, c(10));
  // pmin and pmax return their first operand where it is NaN.
  const y = f32x4.pmax(f32x4.pmin(x, c(9)), c(10));
  const t = f32x4.add(f32x4.mul(y, c(0)), c(11));
  const n = f32x4.sub(t, c(11));
  const r = f32x4.add(f32x4.add(y, f32x4.mul(n, c(1))), f32x4.mul(n, c(2)));
  let p = f32x4.add(f32x4.mul(c(3), r), c(4));
  p = f32x4.add(f32x4.mul(p, r), c(5));
  p = f32x4.add(f32x4.mul(p, r), c(6));
  p = f32x4.add(f32x4.mul(p, r), c(7));
  p = f32x4.add(f32x4.mul(f32x4.mul(p, r), r), f32x4.add(r, c(8)));
  // n is added to the exponent, which multiplies by 2^n. The upper bits of t are shifted out. (trunc_sat takes six
  // instructions on x64.)
  const power = i32x4.add(p, i32x4.shl(t, 23));
  return v128.or(v128.andnot(power, low), f32x4.ne(x, x));
}

/**
 * Replaces eight numbers x by exp(x - shift): the operations of expF32x4, hence its bits, on two neighbouring vectors. Each
 * constant is loaded once for both, and V8's revectorizer joins them (docs/kernels.md, "256 bits").
 */
export function expPair(at: usize, shift: v128): void {
  const x0 = f32x4.sub(v128.load(at), shift);
  const x1 = f32x4.sub(v128.load(at, 16), shift);
  const lowest = c(10);
  const highest = c(9);
  const low0 = f32x4.lt(x0, lowest);
  const low1 = f32x4.lt(x1, lowest);
  const y0 = f32x4.pmax(f32x4.pmin(x0, highest), lowest);
  const y1 = f32x4.pmax(f32x4.pmin(x1, highest), lowest);
  const log2 = c(0);
  const round = c(11);
  const t0 = f32x4.add(f32x4.mul(y0, log2), round);
  const t1 = f32x4.add(f32x4.mul(y1, log2), round);
  const n0 = f32x4.sub(t0, round);
  const n1 = f32x4.sub(t1, round);
  const upper = c(1);
  const rest = c(2);
  const r0 = f32x4.add(f32x4.add(y0, f32x4.mul(n0, upper)), f32x4.mul(n0, rest));
  const r1 = f32x4.add(f32x4.add(y1, f32x4.mul(n1, upper)), f32x4.mul(n1, rest));
  let k = c(3);
  let p0 = f32x4.mul(k, r0);
  let p1 = f32x4.mul(k, r1);
  k = c(4);
  p0 = f32x4.mul(f32x4.add(p0, k), r0);
  p1 = f32x4.mul(f32x4.add(p1, k), r1);
  k = c(5);
  p0 = f32x4.mul(f32x4.add(p0, k), r0);
  p1 = f32x4.mul(f32x4.add(p1, k), r1);
  k = c(6);
  p0 = f32x4.mul(f32x4.add(p0, k), r0);
  p1 = f32x4.mul(f32x4.add(p1, k), r1);
  k = c(7);
  const one = c(8);
  p0 = f32x4.add(f32x4.mul(f32x4.mul(f32x4.add(p0, k), r0), r0), f32x4.add(r0, one));
  p1 = f32x4.add(f32x4.mul(f32x4.mul(f32x4.add(p1, k), r1), r1), f32x4.add(r1, one));
  const power0 = i32x4.add(p0, i32x4.shl(t0, 23));
  const power1 = i32x4.add(p1, i32x4.shl(t1, 23));
  const e0 = v128.or(v128.andnot(power0, low0), f32x4.ne(x0, x0));
  const e1 = v128.or(v128.andnot(power1, low1), f32x4.ne(x1, x1));
  v128.store(at, e0);
  v128.store(at, e1, 16);
}

/** exp(x) of one number: the same operations, hence the same bits, as a lane of expF32x4. */
export function expF32(x: f32): f32 {
  return f32x4.extract_lane(expF32x4(f32x4.splat(x)), 0);
}

const TANH: usize = memory.data<f32>(
  [
    -0.00570498686283826828, // tanh x = x + x^3 (-0.333 + ...), a polynomial in x^2, from the last coefficient on
    0.0206390880048274994,
    -0.0537397153675556183,
    0.133314415812492371,
    -0.333332806825637817,
    0.625, // the polynomial holds below this
    1.0,
    2.0,
  ],
  16,
);

function t(i: i32): v128 {
  return v128.load32_splat(TANH + ((<usize>i) << 2));
}

/**
 * tanh(x) of four lanes. Its relative error is below 1.5e-7, so a small x comes back as it is; NaN stays NaN.
 * For |x| < 0.625 it is the odd polynomial of degree 11 whose largest relative error is the smallest, 5e-9 (minimax).
 * Above, it is 1 - 2 / (e^2|x| + 1), which would cancel for small x.
 */
export function tanhF32x4(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = f32x4.add(f32x4.mul(t(0), z), t(1));
  p = f32x4.add(f32x4.mul(p, z), t(2));
  p = f32x4.add(f32x4.mul(p, z), t(3));
  p = f32x4.add(f32x4.mul(p, z), t(4));
  const small = f32x4.add(size, f32x4.mul(size, f32x4.mul(p, z)));
  const large = f32x4.sub(t(6), f32x4.div(t(7), f32x4.add(expF32x4(f32x4.add(size, size)), t(6))));
  // Neither operand is negative, so the sign of x can be or'ed in.
  return v128.or(v128.bitselect(small, large, f32x4.lt(size, t(5))), v128.xor(x, size));
}

/** tanh(x) of one number: the same operations, hence the same bits, as a lane of tanhF32x4. */
export function tanhF32(x: f32): f32 {
  return f32x4.extract_lane(tanhF32x4(f32x4.splat(x)), 0);
}

const LN2_HIGH: f64 = 0.6931471803691238; // ln 2; its last 32 bits are zero, so its product with an exponent is exact
const LN2_LOW: f64 = 1.9082149292705877e-10;

/**
 * ln(x) for 1 <= x < 2^31. Its relative error is below 1e-15.
 * x = m 2^k with m in 1 / sqrt(2) .. sqrt(2), and ln m = 2 artanh(s) = 2 s (1 + s^2 / 3 + s^4 / 5 + ...), |s| <= 0.1716.
 */
export function logF64(x: f64): f64 {
  assert(x >= 1 && x < 2147483648, "logF64: x must be in 1..2^31");
  const bits = reinterpret<i64>(x);
  const half: i64 = (bits & 0xfffffffffffff) > 0x6a09e667f3bcd ? 1 : 0; // whether m is above sqrt(2)
  const k = <f64>((bits >> 52) - 1023 + half);
  const m = reinterpret<f64>((bits & 0xfffffffffffff) | ((1023 - half) << 52));
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let p: f64 = 1.0 / 21.0;
  for (let n: f64 = 19; n >= 3; n -= 2) p = p * z + 1 / n;
  return k * LN2_HIGH + (2 * s + (2 * s * z * p + k * LN2_LOW));
}

const LOG1P: usize = memory.data<f32>(
  [
    0.15384615384615385, // atanh s = s + s^3 / 3 + s^5 / 5 + ..., twice, from the coefficient of s^13 on
    0.18181818181818182,
    0.2222222222222222,
    0.2857142857142857,
    0.4,
    0.6666666666666666,
    2.0,
  ],
  16,
);

function l(i: i32): v128 {
  return v128.load32_splat(LOG1P + ((<usize>i) << 2));
}

/**
 * softplus(x) = ln(1 + e^x) of four lanes. Its relative error is below 3e-7 down to -87.3, below which it is 0; NaN stays
 * NaN. It is max(x, 0) + ln(1 + u) with u = e^-|x|, and ln(1 + u) = 2 atanh s with s = u / (2 + u), at most 1/3. The series
 * to s^13 is off by less than 2e-8.
 */
export function softplusF32x4(x: v128): v128 {
  const u = expF32x4(f32x4.neg(f32x4.abs(x)));
  const s = f32x4.div(u, f32x4.add(l(6), u));
  const z = f32x4.mul(s, s);
  let p = f32x4.add(f32x4.mul(l(0), z), l(1));
  p = f32x4.add(f32x4.mul(p, z), l(2));
  p = f32x4.add(f32x4.mul(p, z), l(3));
  p = f32x4.add(f32x4.mul(p, z), l(4));
  p = f32x4.add(f32x4.mul(p, z), l(5));
  const log = f32x4.mul(s, f32x4.add(f32x4.mul(p, z), l(6)));
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), log);
}

/** softplus(x) of one number: the same operations, hence the same bits, as a lane of softplusF32x4. */
export function softplusF32(x: f32): f32 {
  return f32x4.extract_lane(softplusF32x4(f32x4.splat(x)), 0);
}

const PI_2_HIGH: f64 = 1.57079632673412561417; // pi/2, upper 33 bits: n * this is exact for n < 2^20
const PI_2_MIDDLE: f64 = 6.0771005063039659766e-11; // the next 33 bits
const PI_2_LOW: f64 = 2.02226624879595063154e-21;
const TWO_OVER_PI: f64 = 0.63661977236758134308;

function sinPolynomial(r: f64): f64 {
  const z = r * r;
  let p: f64 = 1.0 / 355687428096000.0; // 1/17!
  p = p * z - 1.0 / 1307674368000.0;
  p = p * z + 1.0 / 6227020800.0;
  p = p * z - 1.0 / 39916800.0;
  p = p * z + 1.0 / 362880.0;
  p = p * z - 1.0 / 5040.0;
  p = p * z + 1.0 / 120.0;
  p = p * z - 1.0 / 6.0;
  return r + r * z * p;
}

function cosPolynomial(r: f64): f64 {
  const z = r * r;
  let p: f64 = 1.0 / 20922789888000.0; // 1/16!
  p = p * z - 1.0 / 87178291200.0;
  p = p * z + 1.0 / 479001600.0;
  p = p * z - 1.0 / 3628800.0;
  p = p * z + 1.0 / 40320.0;
  p = p * z - 1.0 / 720.0;
  p = p * z + 1.0 / 24.0;
  return 1.0 - 0.5 * z + z * z * p;
}

/**
 * cos(x) and sin(x), stored as two f32 at `cosAt` and `sinAt`. For 0 <= x < 2^20: absolute error below 1e-15 before the
 * rounding to f32. Reduction by pi/2 in three parts (Cody and Waite), then the series to the 17th power.
 */
export function storeCosSin(x: f64, cosAt: usize, sinAt: usize): void {
  assert(x >= 0 && x < 1048576, "storeCosSin: x must be in 0..2^20");
  const n = nearest<f64>(x * TWO_OVER_PI);
  const r = x - n * PI_2_HIGH - n * PI_2_MIDDLE - n * PI_2_LOW;
  const s = sinPolynomial(r);
  const k = cosPolynomial(r);
  const quadrant = <i32>n & 3;
  const cosine = quadrant == 0 ? k : quadrant == 1 ? -s : quadrant == 2 ? -k : s;
  const sine = quadrant == 0 ? s : quadrant == 1 ? k : quadrant == 2 ? -s : -k;
  store<f32>(cosAt, <f32>cosine);
  store<f32>(sinAt, <f32>sine);
}
