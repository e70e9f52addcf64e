import { storeCosSinRef } from "./math";
import { getF32, setF32 } from "./scalar";

export function ropeTableRef(dst: usize, frequencies: usize, pairs: i32, position: i32): void {
  for (let j = 0; j < pairs; j++) {
    const angle: f32 = <f32>position * getF32(frequencies, j);
    storeCosSinRef(<f64>angle, dst + <usize>(4 * j), dst + <usize>(4 * (pairs + j)));
  }
}

export function ropeHeadRef(x: usize, table: usize, pairs: i32, interleaved: i32): void {
  for (let j = 0; j < pairs; j++) {
    const first = interleaved ? 2 * j : j;
    const second = interleaved ? 2 * j + 1 : j + pairs;
    const a = getF32(x, first);
    const b = getF32(x, second);
    const cosine = getF32(table, j);
    const sine = getF32(table, pairs + j);
    setF32(x, first, a * cosine - b * sine);
    setF32(x, second, a * sine + b * cosine);
  }
}
