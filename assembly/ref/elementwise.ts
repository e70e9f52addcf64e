import { expF32Ref } from "./math";
import { getF32, setF32 } from "./scalar";

export function siluMulRef(dst: usize, gate: usize, up: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const x = getF32(gate, i);
    const silu: f32 = x / (1 + expF32Ref(-x));
    setF32(dst, i, silu * getF32(up, i));
  }
}

export function addToRef(dst: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i++) setF32(dst, i, getF32(dst, i) + getF32(x, i));
}
