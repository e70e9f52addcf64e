import { getF32, setF32 } from "./scalar";

/** The sum of (x - shift), or of its squares, of one lane. Column c of a row belongs to lane c mod 4. */
function laneSum(src: usize, n: i32, lane: i32, shift: f32, squares: bool): f64 {
  let sum: f64 = 0;
  for (let c = lane; c < n; c += 4) {
    const value: f32 = getF32(src, c) - shift;
    const term: f32 = squares ? value * value : value;
    sum += <f64>term;
  }
  return sum;
}

function mean(src: usize, n: i32, shift: f32, squares: bool): f32 {
  const even = laneSum(src, n, 0, shift, squares) + laneSum(src, n, 2, shift, squares);
  const odd = laneSum(src, n, 1, shift, squares) + laneSum(src, n, 3, shift, squares);
  return <f32>((even + odd) / <f64>n);
}

export function layerNormRef(dst: usize, src: usize, weight: usize, bias: usize, n: i32, eps: f32): void {
  const centre = mean(src, n, 0, false);
  const scale: f32 = 1 / sqrt<f32>(mean(src, n, centre, true) + eps);
  for (let c = 0; c < n; c++) {
    const value: f32 = (getF32(src, c) - centre) * scale * getF32(weight, c);
    setF32(dst, c, value + getF32(bias, c));
  }
}
