import { getF32, setF32 } from "./scalar";

/** The sum of squares of one lane. Column c of a row belongs to lane c mod 4. */
function sumOfSquares(src: usize, n: i32, lane: i32): f64 {
  let sum: f64 = 0;
  for (let c = lane; c < n; c += 4) {
    const square: f32 = getF32(src, c) * getF32(src, c);
    sum += <f64>square;
  }
  return sum;
}

export function rmsNormRef(dst: usize, src: usize, weight: usize, n: i32, eps: f32): void {
  const even = sumOfSquares(src, n, 0) + sumOfSquares(src, n, 2);
  const odd = sumOfSquares(src, n, 1) + sumOfSquares(src, n, 3);
  const mean = <f32>((even + odd) / <f64>n);
  const scale: f32 = 1 / sqrt<f32>(mean + eps);
  for (let c = 0; c < n; c++) {
    let value: f32 = getF32(src, c) * scale;
    if (weight != 0) value *= getF32(weight, c);
    setF32(dst, c, value);
  }
}
