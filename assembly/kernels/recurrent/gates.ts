import { expF32x4, softplusF32x4 } from "../../math";

/** x = 1 / (1 + e^-x). @param x f32[n]   @param n multiple of 4 */
export function sigmoid(x: usize, n: i32): void {
  assert(n >= 0 && n % 4 == 0, "sigmoid: n must be a multiple of 4");
  const one = f32x4.splat(1);
  const end = x + ((<usize>n) << 2);
  for (; x < end; x += 16) v128.store(x, f32x4.div(one, f32x4.add(one, expF32x4(f32x4.neg(v128.load(x))))));
}

/**
 * x = exp(rate * softplus(x + bias)), the decay of a state from one token to the next (Gu and Dao 2023,
 * arXiv:2312.00752).
 * @param x, bias, rate f32[n]; rates are not above 0   @param n multiple of 4
 */
export function decay(x: usize, bias: usize, rate: usize, n: i32): void {
  assert(n >= 0 && n % 4 == 0, "decay: n must be a multiple of 4");
  const end = x + ((<usize>n) << 2);
  for (; x < end; x += 16) {
    const time = softplusF32x4(f32x4.add(v128.load(x), v128.load(bias)));
    v128.store(x, expF32x4(f32x4.mul(v128.load(rate), time)));
    bias += 16;
    rate += 16;
  }
}
