import { expF32x4 } from "../../math";
import { ShortConv } from "../../recurrent-operations";

/** Where the input of row `row` begins, counted from row `first`. Rows before it are in the state. */
function inputAt(op: ShortConv, first: i32, row: i32, state: usize): usize {
  if (row >= 0) return op.src + <usize>((first + row) * op.srcStride);
  return state + <usize>((row + op.taps - 1) * op.channels * 4);
}

/**
 * Causal depthwise convolution of `rows` neighbouring rows of one sequence:
 * dst[t][c] = sum of weights[j][c] * src[t - taps + 1 + j][c], in the order of j, then silu if the operation asks for it.
 * The inputs before the first row come from the state, which is not changed.
 * @param first the first row   @param state the layer's part of the sequence's state
 * @param from, to the channels: multiples of 4
 */
export function shortConv(op: ShortConv, first: i32, rows: i32, state: usize, from: i32, to: i32): void {
  assert(from % 4 == 0 && to % 4 == 0 && to <= op.channels, "shortConv: channels must be multiples of 4");
  assert(op.taps > 0, "shortConv: taps must be positive");
  const begin = (<usize>from) << 2;
  const end = (<usize>to) << 2;
  const tapBytes = (<usize>op.channels) << 2;
  for (let row = 0; row < rows; row++) {
    const dst = op.dst + <usize>((first + row) * op.dstStride);
    let weights = op.weights;
    for (let j = 0; j < op.taps; j++) {
      const x = inputAt(op, first, row - op.taps + 1 + j, state);
      if (j == 0) {
        for (let c = begin; c < end; c += 16) v128.store(dst + c, f32x4.mul(v128.load(weights + c), v128.load(x + c)));
      } else {
        for (let c = begin; c < end; c += 16) {
          const product = f32x4.mul(v128.load(weights + c), v128.load(x + c));
          v128.store(dst + c, f32x4.add(v128.load(dst + c), product));
        }
      }
      weights += tapBytes;
    }
    if (op.silu) siluInPlace(dst + begin, dst + end);
  }
}

function siluInPlace(at: usize, end: usize): void {
  const one = f32x4.splat(1);
  for (; at < end; at += 16) {
    const x = v128.load(at);
    v128.store(at, f32x4.div(x, f32x4.add(one, expF32x4(f32x4.neg(x)))));
  }
}

/**
 * Writes the state after the first `rows` of those rows: the inputs of the last taps - 1 rows, of which the older ones
 * may come from the state before them.
 * @param target may be `state`   @param from, to the channels
 */
export function shortConvState(
  op: ShortConv,
  first: i32,
  rows: i32,
  state: usize,
  target: usize,
  from: i32,
  to: i32,
): void {
  const begin = (<usize>from) << 2;
  const bytes = (<usize>(to - from)) << 2;
  for (let kept = 0; kept < op.taps - 1; kept++) {
    const x = inputAt(op, first, rows - op.taps + 1 + kept, state);
    memory.copy(target + begin, x + begin, bytes);
    target += (<usize>op.channels) << 2;
  }
}
