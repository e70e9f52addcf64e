import { expF32Ref, softplusF32Ref } from "../math";
import { getF32, setF32 } from "../scalar";

export function sigmoidRef(x: usize, n: i32): void {
  for (let i = 0; i < n; i++) setF32(x, i, 1 / (1 + expF32Ref(-getF32(x, i))));
}

export function decayRef(x: usize, bias: usize, rate: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const time = softplusF32Ref(getF32(x, i) + getF32(bias, i));
    setF32(x, i, expF32Ref(getF32(rate, i) * time));
  }
}
