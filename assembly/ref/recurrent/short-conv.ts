import { ShortConv } from "../../recurrent-operations";
import { expF32Ref } from "../math";
import { getF32, setF32 } from "../scalar";

/** Channel `c` of the input of row `row`; rows below 0 are before the first one. */
function input(op: ShortConv, first: i32, row: i32, state: usize, c: i32): f32 {
  if (row >= 0) return getF32(op.src + <usize>((first + row) * op.srcStride), c);
  return getF32(state, (op.taps - 1 + row) * op.channels + c);
}

export function shortConvRef(op: ShortConv, first: i32, rows: i32, state: usize, from: i32, to: i32): void {
  for (let row = 0; row < rows; row++) {
    for (let c = from; c < to; c++) {
      let sum: f32 = getF32(op.weights, c) * input(op, first, row - op.taps + 1, state, c);
      for (let j = 1; j < op.taps; j++) {
        sum += getF32(op.weights, j * op.channels + c) * input(op, first, row - op.taps + 1 + j, state, c);
      }
      if (op.silu) sum = sum / (1 + expF32Ref(-sum));
      setF32(op.dst + <usize>((first + row) * op.dstStride), c, sum);
    }
  }
}

export function shortConvStateRef(
  op: ShortConv,
  first: i32,
  rows: i32,
  state: usize,
  target: usize,
  from: i32,
  to: i32,
): void {
  for (let kept = 0; kept < op.taps - 1; kept++) {
    for (let c = from; c < to; c++) {
      const value = input(op, first, rows - op.taps + 1 + kept, state, c);
      setF32(target, kept * op.channels + c, value);
    }
  }
}
