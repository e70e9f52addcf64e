import { PAGE_TOKENS } from "../../layout";
import { CODE_STEP, Four, has, One, PairOf, QueryState, Three } from "./queries";

// The sum over the values of a page (kernels/kv-store.ts has their order): for every dim d,
// sums[d] = sums[d] * correction + the sum over the tokens of weight * value.

/** Adds f32 values of tokens from..count, token after token, in f32. */
export function addValuesF32(
  state: QueryState,
  weights: usize,
  values: usize,
  headDim: i32,
  from: i32,
  count: i32,
): void {
  const factor = f32x4.splat(state.correction);
  const sums = state.sums;
  const bytes = (<usize>headDim) << 2;
  for (let d: usize = 0; d < bytes; d += 16) {
    let sum = f32x4.splat(0);
    let value = values + d + <usize>from * bytes;
    for (let t = from; t < count; t++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(value), v128.load32_splat(weights + ((<usize>t) << 2))));
      value += bytes;
    }
    v128.store(sums + d, f32x4.add(f32x4.mul(v128.load(sums + d), factor), sum));
  }
}

/**
 * Adds values of int8 codes to the sums of `count` queries. The sum of products of codes is exact in i32; tokens whose
 * weight has code 0 may hold any value.
 * @param weights where the first pair of weights of the first query lies   @param states of the queries, `step` bytes
 *   apart
 */
export function addValuesI8(states: usize, step: usize, weights: usize, values: usize, headDim: i32, count: i32): void {
  for (; count >= 4; count -= 4) {
    valueTile<Four>(states, step, weights, values, headDim);
    weights += 16;
    states += 4 * step;
  }
  if (count == 3) valueTile<Three>(states, step, weights, values, headDim);
  else if (count == 2) valueTile<PairOf>(states, step, weights, values, headDim);
  else if (count == 1) valueTile<One>(states, step, weights, values, headDim);
}

/** Adds the values of a page to one to four queries (Q), eight dims at a time, as `scoreTile` does. */
function valueTile<Q>(states: usize, step: usize, weights: usize, values: usize, headDim: i32): void {
  const pairBytes = (<usize>headDim) << 1;
  const weightsEnd = weights + <usize>(PAGE_TOKENS / 2) * CODE_STEP;
  for (let d: usize = 0; d < pairBytes; d += 16) {
    let value = values + PAGE_TOKENS * 4 + d;
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    for (let pair = weights; pair < weightsEnd; pair += CODE_STEP) {
      const v0 = v128.load8x8_s(value);
      const v1 = v128.load8x8_s(value, 8);
      const wa = v128.load32_splat(pair);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(wa, v0));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(wa, v1));
      if (has<Q>(2)) {
        const wb = v128.load32_splat(pair, 4);
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(wb, v0));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(wb, v1));
      }
      if (has<Q>(3)) {
        const wc = v128.load32_splat(pair, 8);
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(wc, v0));
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(wc, v1));
      }
      if (has<Q>(4)) {
        const wd = v128.load32_splat(pair, 12);
        d0 = i32x4.add(d0, i32x4.dot_i16x8_s(wd, v0));
        d1 = i32x4.add(d1, i32x4.dot_i16x8_s(wd, v1));
      }
      value += pairBytes;
    }
    const at = states + offsetof<QueryState>() + (d << 1);
    addSums(at, states, a0, a1);
    if (has<Q>(2)) addSums(at + step, states + step, b0, b1);
    if (has<Q>(3)) addSums(at + 2 * step, states + 2 * step, c0, c1);
    if (has<Q>(4)) addSums(at + 3 * step, states + 3 * step, d0, d1);
  }
}

/** sums = sums * correction + s * weightScale, for eight dims. */
function addSums(sums: usize, state: usize, s0: v128, s1: v128): void {
  const correction = v128.load32_splat(state, offsetof<QueryState>("correction"));
  const scale = v128.load32_splat(state, offsetof<QueryState>("weightScale"));
  const r0 = f32x4.add(f32x4.mul(v128.load(sums), correction), f32x4.mul(f32x4.convert_i32x4_s(s0), scale));
  const r1 = f32x4.add(f32x4.mul(v128.load(sums, 16), correction), f32x4.mul(f32x4.convert_i32x4_s(s1), scale));
  v128.store(sums, r0);
  v128.store(sums, r1, 16);
}
