import { getF32, setF32 } from "./scalar";

/** dst = H x, block by block, where a block is the largest power of two that divides n. */
export function hadamardRef(dst: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i++) setF32(dst, i, getF32(x, i));
  for (let apart = 1; n % (2 * apart) == 0; apart *= 2) {
    for (let i = 0; i < n; i++) {
      if (i & apart) continue;
      const a = getF32(dst, i);
      const b = getF32(dst, i + apart);
      setF32(dst, i, a + b);
      setF32(dst, i + apart, a - b);
    }
  }
}
