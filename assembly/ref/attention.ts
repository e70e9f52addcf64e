import { QueryBlock } from "../kernels/attention/attention";
import { KV_F32, KV_INT8, KV_MIXED, keyBytes, PAGE_TOKENS, valueBytes } from "../layout";
import { Attention } from "../operations";
import { hadamardRef } from "./hadamard";
import { keyOffset, valueOffset } from "./kv-store";
import { expF32Ref, tanhF32Ref } from "./math";
import { getF32, nearestCode, setF32 } from "./scalar";

/** Computes one query after the other. */
export function attentionRef(op: Attention, block: QueryBlock, kvHead: i32, scratch: usize): void {
  const queryHeads = op.heads / op.kvHeads;
  const pages = op.pages + <usize>kvHead * op.headStride;
  for (let r = 0; r < block.rows; r++) {
    for (let h = kvHead * queryHeads; h < (kvHead + 1) * queryHeads; h++) {
      const dst = op.dst + <usize>((block.row + r) * op.dstStride + 4 * h * op.headDim);
      const q = op.src + <usize>((block.row + r) * op.srcStride + 4 * h * op.headDim);
      oneQuery(op, dst, q, pages, block, r, scratch);
    }
  }
}

function oneQuery(
  op: Attention,
  dst: usize,
  q: usize,
  pages: usize,
  block: QueryBlock,
  row: i32,
  scratch: usize,
): void {
  const headDim = op.headDim;
  const kvType = op.kvType;
  const window = op.window;
  const position = block.position(row);
  let end = position;
  if (op.bidirectional) end = window > 0 && position + window <= block.last ? position + window - 1 : block.last;
  const weights = scratch; // f32[32]
  const codes = scratch + PAGE_TOKENS * 4; // i16[32]
  const query = codes + PAGE_TOKENS * 2; // i16[headDim]
  const rotated = query + <usize>(headDim * 2); // f32[headDim]
  let together = 1; // dims that are rotated together
  let factor = op.scale;
  if (kvType != KV_F32) {
    while (headDim % (2 * together) == 0) together *= 2;
    hadamardRef(rotated, q, headDim);
    factor = quantize(query, rotated, headDim, <f32>min(8191, 1048000 / headDim)) * (op.scale / <f32>together);
  }
  for (let d = 0; d < headDim; d++) setF32(dst, d, 0);
  let top: f32 = -Infinity;
  let total: f32 = 0;
  const begin = window > 0 && position >= window ? position - window + 1 : 0;
  for (let first = 0; first <= end; first += PAGE_TOKENS) {
    if (first + PAGE_TOKENS <= begin) continue;
    const page = load<i32>(block.pageTable + <usize>((first / PAGE_TOKENS) * 4));
    const keys = pages + <usize>(page * (keyBytes(kvType, headDim) + valueBytes(kvType, headDim)));
    const values = keys + <usize>keyBytes(kvType, headDim);
    const count = min(PAGE_TOKENS, end + 1 - first);
    const from = begin > first ? begin - first : 0;
    let newTop = top;
    for (let t = from; t < count; t++) {
      let score =
        kvType == KV_F32 ? scoreF32(q, keys, headDim, t, factor) : scoreCodes(query, keys, headDim, t, factor, kvType);
      if (op.softcap > 0) score = tanhF32Ref(score / op.softcap) * op.softcap;
      setF32(weights, t, score);
      newTop = max<f32>(newTop, score);
    }
    const correction = expF32Ref(top - newTop);
    top = newTop;
    for (let t = 0; t < PAGE_TOKENS; t++) {
      const score: f32 = from <= t && t < count ? getF32(weights, t) : -Infinity;
      setF32(weights, t, expF32Ref(score - newTop));
    }
    total = total * correction + sumByLanes(weights);
    for (let d = 0; d < headDim; d++) setF32(dst, d, getF32(dst, d) * correction);
    if (kvType == KV_F32) addValuesF32(dst, weights, values, headDim, from, count);
    else addValuesI8(dst, weights, codes, values, headDim, from, count);
  }
  if (kvType != KV_F32) {
    hadamardRef(rotated, dst, headDim);
    for (let d = 0; d < headDim; d++) setF32(dst, d, getF32(rotated, d));
  }
  total *= <f32>together;
  for (let d = 0; d < headDim; d++) setF32(dst, d, getF32(dst, d) / total);
}

/** x as i16 codes at `codes`; the scale is amax / limit, 0 for a vector of zeros. */
function quantize(codes: usize, x: usize, n: i32, limit: f32): f32 {
  let amax: f32 = 0;
  for (let i = 0; i < n; i++) amax = max<f32>(amax, abs<f32>(getF32(x, i)));
  const zero = amax < 1e-30;
  const inverse: f32 = zero ? 0 : limit / amax;
  for (let i = 0; i < n; i++) store<i16>(codes + <usize>(2 * i), <i16>nearestCode(getF32(x, i) * inverse));
  return zero ? 0 : amax / limit;
}

/** The score of token `t` with f32 keys. Even and odd dimensions are summed apart. */
function scoreF32(q: usize, keys: usize, headDim: i32, t: i32, factor: f32): f32 {
  let even: f32 = 0;
  let odd: f32 = 0;
  for (let d = 0; d < headDim; d++) {
    const product: f32 = load<f32>(keys + keyOffset(KV_F32, t, d)) * getF32(q, d);
    if (d % 2 == 0) even += product;
    else odd += product;
  }
  return (even + odd) * factor;
}

function scoreCodes(query: usize, keys: usize, headDim: i32, t: i32, factor: f32, kvType: i32): f32 {
  let sum: i32 = 0;
  for (let d = 0; d < headDim; d++) {
    const at = keys + keyOffset(kvType, t, d);
    const code = kvType == KV_MIXED ? <i32>load<i16>(at) : <i32>load<i8>(at);
    sum += code * <i32>load<i16>(query + <usize>(2 * d));
  }
  return <f32>sum * (getF32(keys, t) * factor);
}

/** The sum of eight lanes: with i standing for lane i + lane i + 4, (0 + 1) + (2 + 3). Token t belongs to lane t mod 8. */
function sumByLanes(weights: usize): f32 {
  return sumOfLanes(weights, 0) + sumOfLanes(weights, 1) + (sumOfLanes(weights, 2) + sumOfLanes(weights, 3));
}

/** Lane `lane` + lane `lane` + 4. */
function sumOfLanes(weights: usize, lane: i32): f32 {
  let low: f32 = 0;
  let high: f32 = 0;
  for (let t = lane; t < PAGE_TOKENS; t += 8) {
    low += getF32(weights, t);
    high += getF32(weights, t + 4);
  }
  return low + high;
}

function addValuesF32(dst: usize, weights: usize, values: usize, headDim: i32, from: i32, count: i32): void {
  for (let d = 0; d < headDim; d++) {
    let sum: f32 = 0;
    for (let t = from; t < count; t++) {
      sum += load<f32>(values + valueOffset(KV_F32, headDim, t, d)) * getF32(weights, t);
    }
    setF32(dst, d, getF32(dst, d) + sum);
  }
}

/** Adds int8 values. The product of a weight and its token's value scale becomes a code in an integer sum. */
function addValuesI8(
  dst: usize,
  weights: usize,
  codes: usize,
  values: usize,
  headDim: i32,
  from: i32,
  count: i32,
): void {
  for (let t = 0; t < from; t++) setF32(weights, t, 0);
  for (let t = from; t < count; t++) {
    const weight = getF32(weights, t);
    setF32(weights, t, weight == 0 ? 0 : weight * getF32(values, t));
  }
  const unit = quantize(codes, weights, count, 16383);
  if (unit == 0) return;
  for (let d = 0; d < headDim; d++) {
    let sum: i32 = 0;
    for (let t = 0; t < count; t++) {
      sum += <i32>load<i8>(values + valueOffset(KV_INT8, headDim, t, d)) * <i32>load<i16>(codes + <usize>(2 * t));
    }
    setF32(dst, d, getF32(dst, d) + <f32>sum * unit);
  }
}
