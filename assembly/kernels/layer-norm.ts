/**
 * LayerNorm (Ba, Kiros and Hinton 2016): dst = (x - mean) / sqrt(variance + eps) * weight + bias.
 * The sums of x and of (x - mean)^2 are taken in f64 in four lanes, column c in lane c mod 4, and then (0 + 2) + (1 + 3).
 * The mean is rounded to f32 before it is subtracted; differences and their squares are f32.
 * @param dst, src f32[n], may be the same   @param weight, bias f32[n]   @param n multiple of 4
 */
export function layerNorm(dst: usize, src: usize, weight: usize, bias: usize, n: i32, eps: f32): void {
  assert(n > 0 && n % 4 == 0, "layerNorm: n must be a positive multiple of 4");
  const end = src + ((<usize>n) << 2);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let at = src; at < end; at += 16) {
    const v = v128.load(at);
    low = f64x2.add(low, f64x2.promote_low_f32x4(v));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 0)));
  }
  const mean = f32x4.splat(<f32>(sum(low, high) / <f64>n));
  low = f64x2.splat(0);
  high = f64x2.splat(0);
  for (let at = src; at < end; at += 16) {
    const v = f32x4.sub(v128.load(at), mean);
    const square = f32x4.mul(v, v);
    low = f64x2.add(low, f64x2.promote_low_f32x4(square));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(square, square, 1, 0)));
  }
  const variance = <f32>(sum(low, high) / <f64>n);
  const scale = f32x4.splat(<f32>1 / sqrt<f32>(variance + eps));
  for (let at = src; at < end; at += 16) {
    const v = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(at), mean), scale), v128.load(weight));
    v128.store(dst, f32x4.add(v, v128.load(bias)));
    weight += 16;
    bias += 16;
    dst += 16;
  }
}

/** (0 + 2) + (1 + 3) of the lanes (0, 1) and (2, 3). */
function sum(low: v128, high: v128): f64 {
  const both = f64x2.add(low, high);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}
