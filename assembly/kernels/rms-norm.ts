/**
 * RMSNorm (Zhang and Sennrich 2019): dst = x / sqrt(mean(x^2) + eps) * weight.
 * Squares are f32 products. They are summed in f64 in four lanes, column c in lane c mod 4, and then (0 + 2) + (1 + 3).
 * @param dst, src f32[n], may be the same   @param weight f32[n], or 0 for none   @param n multiple of 4
 */
export function rmsNorm(dst: usize, src: usize, weight: usize, n: i32, eps: f32): void {
  assert(n > 0 && n % 4 == 0, "rmsNorm: n must be a positive multiple of 4");
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const end = src + ((<usize>n) << 2);
  for (let at = src; at < end; at += 16) {
    const v = v128.load(at);
    const square = f32x4.mul(v, v);
    low = f64x2.add(low, f64x2.promote_low_f32x4(square));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(square, square, 1, 0)));
  }
  const both = f64x2.add(low, high);
  const mean = <f32>((f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1)) / <f64>n);
  const scale = f32x4.splat(<f32>1 / sqrt<f32>(mean + eps));
  for (let at = src; at < end; at += 16) {
    let v = f32x4.mul(v128.load(at), scale);
    if (weight) {
      v = f32x4.mul(v, v128.load(weight));
      weight += 16;
    }
    v128.store(dst, v);
    dst += 16;
  }
}
