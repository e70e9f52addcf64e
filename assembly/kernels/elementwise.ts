import { expF32x4, logF64, tanhF32x4 } from "../math";

/**
 * dst = silu(gate) * up, silu(x) = x / (1 + e^-x).
 * @param dst, gate, up f32[n]; dst may be gate   @param n multiple of 4
 */
export function siluMul(dst: usize, gate: usize, up: usize, n: i32): void {
  assert(n >= 0 && n % 4 == 0, "siluMul: n must be a multiple of 4");
  const one = f32x4.splat(1);
  const end = gate + ((<usize>n) << 2);
  while (gate < end) {
    const x = v128.load(gate);
    const sigmoid = f32x4.div(x, f32x4.add(one, expF32x4(f32x4.neg(x))));
    v128.store(dst, f32x4.mul(sigmoid, v128.load(up)));
    dst += 16;
    gate += 16;
    up += 16;
  }
}

/** -2 sqrt(2 / pi) and 0.044715. */
const GELU: usize = memory.data<f32>([-1.5957691216057308, 0.044715], 4);

/**
 * dst = gelu(gate) * up, gelu(x) = x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel 2016).
 * (1 + tanh u) / 2 is 1 / (1 + e^-2u), which does not cancel near -1, where an f32 tanh loses all digits.
 * @param dst, gate, up f32[n]; dst may be gate   @param n multiple of 4
 */
export function geluMul(dst: usize, gate: usize, up: usize, n: i32): void {
  assert(n >= 0 && n % 4 == 0, "geluMul: n must be a multiple of 4");
  const one = f32x4.splat(1);
  const factor = v128.load32_splat(GELU);
  const cubic = v128.load32_splat(GELU, 4);
  const end = gate + ((<usize>n) << 2);
  while (gate < end) {
    const x = v128.load(gate);
    const inner = f32x4.mul(x, f32x4.add(one, f32x4.mul(cubic, f32x4.mul(x, x))));
    const gelu = f32x4.div(x, f32x4.add(one, expF32x4(f32x4.mul(inner, factor))));
    v128.store(dst, f32x4.mul(gelu, v128.load(up)));
    dst += 16;
    gate += 16;
    up += 16;
  }
}

/** The factor of |x| in t, -1/2, and the coefficients of geluErf from t^8 down to t^1. */
const GELU_ERF: usize = memory.data<f32>(
  [0.3, -0.5, 0.0355624, -0.15676638, 0.20565866, -0.053098153, 0.12827982, 0.09999092, 0.120742716, 0.11962996],
  4,
);

/**
 * x = gelu(x) = x / 2 (1 + erf(x / sqrt 2)), in place (Hendrycks and Gimpel 2016).
 * With a = |x| and t = 1 / (1 + 0.3 a), the normal distribution's tail Phi(-a) is e^(-a^2 / 2) times a polynomial in t, and
 * gelu(x) = max(x, 0) - a Phi(-a). The polynomial of degree 8 without a constant is the one whose largest relative error
 * is the smallest, 1.4e-7 for a up to 14 (minimax). The result is within 2.4e-7 of the exact one for x up to 13, and
 * within 1e-7 for negative x.
 * @param x f32[n]   @param n multiple of 4
 */
export function geluErf(x: usize, n: i32): void {
  assert(n >= 0 && n % 4 == 0, "geluErf: n must be a multiple of 4");
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const end = x + ((<usize>n) << 2);
  for (; x < end; x += 16) {
    const v = v128.load(x);
    const a = f32x4.abs(v);
    const t = f32x4.div(one, f32x4.add(one, f32x4.mul(v128.load32_splat(GELU_ERF), a)));
    let p = v128.load32_splat(GELU_ERF, 8);
    for (let at: usize = 12; at < 40; at += 4) p = f32x4.add(f32x4.mul(p, t), v128.load32_splat(GELU_ERF + at));
    const power = expF32x4(f32x4.mul(f32x4.mul(a, a), v128.load32_splat(GELU_ERF, 4)));
    const tail = f32x4.mul(f32x4.mul(p, t), power);
    // pmax returns its first operand where it is NaN.
    v128.store(x, f32x4.sub(f32x4.pmax(v, zero), f32x4.mul(a, tail)));
  }
}

/** dst = sigmoid(gate) * up, sigmoid(x) = 1 / (1 + e^-x). @param dst, gate, up f32[n]; dst may be gate   @param n multiple of 4 */
export function sigmoidMul(dst: usize, gate: usize, up: usize, n: i32): void {
  assert(n >= 0 && n % 4 == 0, "sigmoidMul: n must be a multiple of 4");
  const one = f32x4.splat(1);
  const end = gate + ((<usize>n) << 2);
  while (gate < end) {
    const sigmoid = f32x4.div(one, f32x4.add(one, expF32x4(f32x4.neg(v128.load(gate)))));
    v128.store(dst, f32x4.mul(sigmoid, v128.load(up)));
    dst += 16;
    gate += 16;
    up += 16;
  }
}

/** dst = gate * up. @param dst, gate, up f32[n]; dst may be gate   @param n multiple of 4 */
export function mul(dst: usize, gate: usize, up: usize, n: i32): void {
  assert(n >= 0 && n % 4 == 0, "mul: n must be a multiple of 4");
  const end = gate + ((<usize>n) << 2);
  while (gate < end) {
    v128.store(dst, f32x4.mul(v128.load(gate), v128.load(up)));
    dst += 16;
    gate += 16;
    up += 16;
  }
}

/** x *= factor. @param x f32[n]   @param n multiple of 4 */
export function scale(x: usize, n: i32, factor: f32): void {
  assert(n >= 0 && n % 4 == 0, "scale: n must be a multiple of 4");
  const by = f32x4.splat(factor);
  const end = x + ((<usize>n) << 2);
  for (; x < end; x += 16) v128.store(x, f32x4.mul(v128.load(x), by));
}

/**
 * x *= 1 + beta ln(1 + floor(position / length)): queries grow with the logarithm of the context, so that attention stays as
 * sharp in a long one (Llama 4 and Ministral 3; Nakanishi 2025, arXiv:2501.19399). The factor is computed in f64.
 * @param x f32[n]   @param n multiple of 4   @param length from 1
 */
export function scaleByPosition(x: usize, n: i32, position: i32, length: i32, beta: f32): void {
  assert(position >= 0 && length >= 1, "scaleByPosition: position must not be negative, and length from 1");
  scale(x, n, <f32>(1.0 + <f64>beta * logF64(<f64>(1 + position / length))));
}

/**
 * x = cap tanh(x / cap), which keeps x within +-cap (Gemma 2, Gemma Team 2024).
 * @param x f32[n]   @param n multiple of 4
 */
export function softcap(x: usize, n: i32, cap: f32): void {
  assert(n >= 0 && n % 4 == 0, "softcap: n must be a multiple of 4");
  const by = f32x4.splat(cap);
  const end = x + ((<usize>n) << 2);
  for (; x < end; x += 16) v128.store(x, f32x4.mul(tanhF32x4(f32x4.div(v128.load(x), by)), by));
}

/** dst += x. @param dst, x f32[n]   @param n multiple of 4 */
export function add(dst: usize, x: usize, n: i32): void {
  assert(n >= 0 && n % 4 == 0, "add: n must be a multiple of 4");
  const end = dst + ((<usize>n) << 2);
  while (dst < end) {
    v128.store(dst, f32x4.add(v128.load(dst), v128.load(x)));
    dst += 16;
    x += 16;
  }
}
