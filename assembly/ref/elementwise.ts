import { expF32Ref, logF64Ref, tanhF32Ref } from "./math";
import { getF32, setF32 } from "./scalar";

export function siluMulRef(dst: usize, gate: usize, up: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const x = getF32(gate, i);
    const silu: f32 = x / (1 + expF32Ref(-x));
    setF32(dst, i, silu * getF32(up, i));
  }
}

export function geluMulRef(dst: usize, gate: usize, up: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const x = getF32(gate, i);
    const inner: f32 = x * (1 + <f32>0.044715 * (x * x));
    const gelu: f32 = x / (1 + expF32Ref(inner * <f32>-1.5957691216057308));
    setF32(dst, i, gelu * getF32(up, i));
  }
}

export function scaleRef(x: usize, n: i32, factor: f32): void {
  for (let i = 0; i < n; i++) setF32(x, i, getF32(x, i) * factor);
}

export function scaleByPositionRef(x: usize, n: i32, position: i32, length: i32, beta: f32): void {
  const steps = <f64>(1 + position / length);
  scaleRef(x, n, <f32>(1.0 + <f64>beta * logF64Ref(steps)));
}

export function softcapRef(x: usize, n: i32, cap: f32): void {
  for (let i = 0; i < n; i++) setF32(x, i, tanhF32Ref(getF32(x, i) / cap) * cap);
}

export function addRef(dst: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i++) setF32(dst, i, getF32(dst, i) + getF32(x, i));
}
