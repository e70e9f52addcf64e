import { expF32x4 } from "../math";

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

/** dst += x, f32[n], n a multiple of 4. */
export function addTo(dst: usize, x: usize, n: i32): void {
  assert(n >= 0 && n % 4 == 0, "addTo: n must be a multiple of 4");
  const end = dst + ((<usize>n) << 2);
  while (dst < end) {
    v128.store(dst, f32x4.add(v128.load(dst), v128.load(x)));
    dst += 16;
    x += 16;
  }
}
