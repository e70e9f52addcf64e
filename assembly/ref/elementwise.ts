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

const GELU_ERF = memory.data<f32>([
  0.11962996, 0.120742716, 0.09999092, 0.12827982, -0.053098153, 0.20565866, -0.15676638, 0.0355624,
]);

export function geluErfRef(x: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const value = getF32(x, i);
    const a = abs<f32>(value);
    const t: f32 = 1 / (1 + <f32>0.3 * a);
    let p = getF32(GELU_ERF, 7);
    for (let power = 6; power >= 0; power--) p = p * t + getF32(GELU_ERF, power);
    const tail: f32 = p * t * expF32Ref(a * a * <f32>-0.5);
    // biome-ignore lint/complexity/useMathMinMax: -0 and NaN stay as they are, as pmax leaves them.
    const positive: f32 = value < 0 ? 0 : value;
    setF32(x, i, positive - a * tail);
  }
}

export function sigmoidMulRef(dst: usize, gate: usize, up: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const sigmoid: f32 = 1 / (1 + expF32Ref(-getF32(gate, i)));
    setF32(dst, i, sigmoid * getF32(up, i));
  }
}

export function mulRef(dst: usize, gate: usize, up: usize, n: i32): void {
  for (let i = 0; i < n; i++) setF32(dst, i, getF32(gate, i) * getF32(up, i));
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
