// The rotation of heads in the key-value cache. A Hadamard transform spreads a dim that stands out over all dims, so
// that codes with one scale per head lose less (QuaRot, Ashkboos et al. 2024).

/** Signs of the odd lanes. They are loaded from memory, because V8 rebuilds a v128.const at each use. */
const SIGNS: usize = memory.data<u32>([0, 0x80000000, 0, 0x80000000, 0, 0, 0x80000000, 0x80000000], 16);

/** Dims that are rotated together: the largest power of two that divides headDim. Its transform has the square n. */
export function hadamardBlock(headDim: i32): i32 {
  return headDim & -headDim;
}

/**
 * dst = H x for each block of `hadamardBlock(n)` values, without the factor 1 / sqrt(block). H is symmetric, and H H x is
 * block * x. The sums are those of the fast transform (Yates 1937): first of neighbours, then of values 2, 4, 8, ...
 * apart; a pair (a, b) becomes (a + b, a - b).
 * @param dst, x f32[n]; they may be the same   @param n a positive multiple of 8
 */
export function hadamard(dst: usize, x: usize, n: i32): void {
  assert(n > 0 && n % 8 == 0, "hadamard: n must be a positive multiple of 8");
  const bytes = (<usize>n) << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    let v = v128.load(x + at);
    // a + -b has the bits of a - b.
    v = f32x4.add(v128.shuffle<f32>(v, v, 0, 0, 2, 2), v128.xor(v128.shuffle<f32>(v, v, 1, 1, 3, 3), v128.load(SIGNS)));
    v = f32x4.add(
      v128.shuffle<f32>(v, v, 0, 1, 0, 1),
      v128.xor(v128.shuffle<f32>(v, v, 2, 3, 2, 3), v128.load(SIGNS, 16)),
    );
    v128.store(dst + at, v);
  }
  const block = (<usize>hadamardBlock(n)) << 2;
  for (let apart: usize = 16; apart < block; apart <<= 1) {
    for (let first: usize = 0; first < bytes; first += 2 * apart) {
      const middle = dst + first + apart;
      for (let at = dst + first; at < middle; at += 16) {
        const a = v128.load(at);
        const b = v128.load(at + apart);
        v128.store(at, f32x4.add(a, b));
        v128.store(at + apart, f32x4.sub(a, b));
      }
    }
  }
}
