import { addDotI8, startPairs, sumsI32, times254 } from "../lanes";
import { BLOCK, META_BYTES, TILE_TOKENS } from "../layout";

// Eight weight rows of a panel times a tile of four tokens: 2 x 4 accumulators, two weight vectors and four broadcast
// activations are all that is live in the inner loop, and x64 has 16 registers. The loop does one step of the panel:
// unrolled, V8 schedules each accumulator's chain in turn and spills (62-66 against 46 G/s, reference/kernels.md 3).
// The f32 part is that of kernels/matmul-*.ts, operation by operation.

const META_STEP: usize = TILE_TOKENS * META_BYTES;

/**
 * Codes of 4 to 6 bits, relaxed build: digits times bytes.
 * @param dst f32, eight rows of each of `tokens` rows, `dstStride` bytes apart   @param panel half a panel of bytes
 * @param scales of that half   @param minima of that half, or 0   @param x tile of four rows
 * @param columns of x   @param from first column of the panel; if not 0, dst holds the sums of those before
 * @param count columns of the panel   @param planes of the codes (layout.ts)   @param perScale columns that share a scale
 *
 * Lanes of i16 are exact. Centred by their start (layout.ts, quantizedRowBytes), the sum of a lane's 16 columns is at most
 * 16 * 16 * 127 = 32,512 for codes of 5 bits, as that of 8 columns is for codes of 6 bits; what wraps in between does not
 * matter. Codes of 4 bits with minima need no centre: 15 * 127 * 16 = 30,480. 5 bits with minima: the centre is added
 * again, in i32.
 */
export function tileI8(
  dst: usize,
  dstStride: usize,
  tokens: i32,
  panel: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  from: i32,
  count: i32,
  planes: i32,
  perScale: i32,
): void {
  if (planes == 0 && perScale == BLOCK)
    tileDigits<i16, Plain>(dst, dstStride, tokens, panel, scales, minima, x, columns, from, count, 0, BLOCK);
  else tileDigits<i16, Any>(dst, dstStride, tokens, panel, scales, minima, x, columns, from, count, planes, perScale);
}

/** The same where `FUSED_DOT`. */
export function tileI8Fused(
  dst: usize,
  dstStride: usize,
  tokens: i32,
  panel: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  from: i32,
  count: i32,
  planes: i32,
  perScale: i32,
): void {
  if (planes == 0 && perScale == BLOCK)
    tileDigits<i32, Plain>(dst, dstStride, tokens, panel, scales, minima, x, columns, from, count, 0, BLOCK);
  else tileDigits<i32, Any>(dst, dstStride, tokens, panel, scales, minima, x, columns, from, count, planes, perScale);
}

/** Codes of 4 bits with a scale a block, known at compile time: 9 % quicker in prefill than through `Any`. */
class Plain {}
class Any {}

/** T: lane of the integer sums, see `addDotI8`. C: Plain or Any, which codes. */
function tileDigits<T, C>(
  dst: usize,
  dstStride: usize,
  tokens: i32,
  panel: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  from: i32,
  count: i32,
  anyPlanes: i32,
  perScale: i32,
): void {
  const plain = idof<C>() == idof<Plain>();
  const planes = plain ? 0 : anyPlanes;
  const second = <usize>(TILE_TOKENS * columns);
  let meta = x + 4 * second + <usize>(from / BLOCK) * META_STEP;
  const metaEnd = meta + <usize>(count / BLOCK) * META_STEP;
  const span: usize = plain ? 8 * BLOCK : <usize>(8 * perScale);
  const halves = plain ? false : perScale < BLOCK;
  let part: usize = 0; // 0, and 4 for the last half of a block that has two scales
  x += <usize>(TILE_TOKENS * from);
  let f00 = f32x4.splat(0);
  let f01 = f00;
  let f10 = f00;
  let f11 = f00;
  let f20 = f00;
  let f21 = f00;
  let f30 = f00;
  let f31 = f00;
  if (from) {
    f00 = v128.load(dst);
    f01 = v128.load(dst, 16);
    f10 = loadRow(dst, dstStride, tokens, 1, 0);
    f11 = loadRow(dst, dstStride, tokens, 1, 16);
    f20 = loadRow(dst, dstStride, tokens, 2, 0);
    f21 = loadRow(dst, dstStride, tokens, 2, 16);
    f30 = loadRow(dst, dstStride, tokens, 3, 0);
    f31 = loadRow(dst, dstStride, tokens, 3, 16);
  }
  while (meta < metaEnd) {
    let a00 = i32x4.splat(0);
    let a10 = a00;
    let a20 = a00;
    let a30 = a00;
    if (!minima || planes) {
      const start = meta + (halves ? 32 + part : 8);
      a00 = startOf<T, C>(start, planes);
      a10 = startOf<T, C>(start + META_BYTES, planes);
      a20 = startOf<T, C>(start + 2 * META_BYTES, planes);
      a30 = startOf<T, C>(start + 3 * META_BYTES, planes);
    }
    let a01 = a00;
    let a11 = a10;
    let a21 = a20;
    let a31 = a30;
    const end = panel + span;
    while (panel < end) {
      const w0 = v128.load(panel);
      const w1 = v128.load(panel, 16);
      const x0 = v128.load32_splat(x);
      const x1 = v128.load32_splat(x, 4);
      const x2 = v128.load32_splat(x, 8);
      const x3 = v128.load32_splat(x, 12);
      a00 = addDotI8<T>(a00, x0, w0);
      a01 = addDotI8<T>(a01, x0, w1);
      a10 = addDotI8<T>(a10, x1, w0);
      a11 = addDotI8<T>(a11, x1, w1);
      a20 = addDotI8<T>(a20, x2, w0);
      a21 = addDotI8<T>(a21, x2, w1);
      a30 = addDotI8<T>(a30, x3, w0);
      a31 = addDotI8<T>(a31, x3, w1);
      panel += 32;
      x += 16;
    }
    a00 = sumsI32<T>(a00);
    a01 = sumsI32<T>(a01);
    a10 = sumsI32<T>(a10);
    a11 = sumsI32<T>(a11);
    a20 = sumsI32<T>(a20);
    a21 = sumsI32<T>(a21);
    a30 = sumsI32<T>(a30);
    a31 = sumsI32<T>(a31);
    const digits =
      load<i32>(meta, 24) |
      load<i32>(meta, 24 + META_BYTES) |
      load<i32>(meta, 24 + 2 * META_BYTES) |
      load<i32>(meta, 24 + 3 * META_BYTES);
    if (digits & 2) {
      const w = panel - span;
      const xd = x - (span >> 1) + second;
      const at = minima && !planes ? -1 : halves ? <i32>part : 8;
      a00 = addSecond<T>(a00, w, xd, meta, span, at, planes);
      a01 = addSecond<T>(a01, w + 16, xd, meta, span, at, planes);
      a10 = addSecond<T>(a10, w, xd + 4, meta + META_BYTES, span, at, planes);
      a11 = addSecond<T>(a11, w + 16, xd + 4, meta + META_BYTES, span, at, planes);
      a20 = addSecond<T>(a20, w, xd + 8, meta + 2 * META_BYTES, span, at, planes);
      a21 = addSecond<T>(a21, w + 16, xd + 8, meta + 2 * META_BYTES, span, at, planes);
      a30 = addSecond<T>(a30, w, xd + 12, meta + 3 * META_BYTES, span, at, planes);
      a31 = addSecond<T>(a31, w + 16, xd + 12, meta + 3 * META_BYTES, span, at, planes);
    }
    if (minima && planes) {
      a00 = i32x4.add(a00, centreOf(meta));
      a01 = i32x4.add(a01, centreOf(meta));
      a10 = i32x4.add(a10, centreOf(meta + META_BYTES));
      a11 = i32x4.add(a11, centreOf(meta + META_BYTES));
      a20 = i32x4.add(a20, centreOf(meta + 2 * META_BYTES));
      a21 = i32x4.add(a21, centreOf(meta + 2 * META_BYTES));
      a30 = i32x4.add(a30, centreOf(meta + 3 * META_BYTES));
      a31 = i32x4.add(a31, centreOf(meta + 3 * META_BYTES));
    }
    const s0 = v128.load(scales);
    const s1 = v128.load(scales, 16);
    const d0 = v128.load32_splat(meta);
    const d1 = v128.load32_splat(meta, META_BYTES);
    const d2 = v128.load32_splat(meta, 2 * META_BYTES);
    const d3 = v128.load32_splat(meta, 3 * META_BYTES);
    f00 = f32x4.add(f00, f32x4.mul(f32x4.convert_i32x4_s(a00), f32x4.mul(s0, d0)));
    f01 = f32x4.add(f01, f32x4.mul(f32x4.convert_i32x4_s(a01), f32x4.mul(s1, d0)));
    f10 = f32x4.add(f10, f32x4.mul(f32x4.convert_i32x4_s(a10), f32x4.mul(s0, d1)));
    f11 = f32x4.add(f11, f32x4.mul(f32x4.convert_i32x4_s(a11), f32x4.mul(s1, d1)));
    f20 = f32x4.add(f20, f32x4.mul(f32x4.convert_i32x4_s(a20), f32x4.mul(s0, d2)));
    f21 = f32x4.add(f21, f32x4.mul(f32x4.convert_i32x4_s(a21), f32x4.mul(s1, d2)));
    f30 = f32x4.add(f30, f32x4.mul(f32x4.convert_i32x4_s(a30), f32x4.mul(s0, d3)));
    f31 = f32x4.add(f31, f32x4.mul(f32x4.convert_i32x4_s(a31), f32x4.mul(s1, d3)));
    if (minima) {
      const m0 = v128.load(minima);
      const m1 = v128.load(minima, 16);
      const sums = meta + (halves ? 40 + part : 4);
      const u0 = v128.load32_splat(sums);
      const u1 = v128.load32_splat(sums, META_BYTES);
      const u2 = v128.load32_splat(sums, 2 * META_BYTES);
      const u3 = v128.load32_splat(sums, 3 * META_BYTES);
      f00 = f32x4.add(f00, f32x4.mul(m0, u0));
      f01 = f32x4.add(f01, f32x4.mul(m1, u0));
      f10 = f32x4.add(f10, f32x4.mul(m0, u1));
      f11 = f32x4.add(f11, f32x4.mul(m1, u1));
      f20 = f32x4.add(f20, f32x4.mul(m0, u2));
      f21 = f32x4.add(f21, f32x4.mul(m1, u2));
      f30 = f32x4.add(f30, f32x4.mul(m0, u3));
      f31 = f32x4.add(f31, f32x4.mul(m1, u3));
      minima += 32;
    }
    scales += 32;
    if (halves) part ^= 4;
    if (!part) meta += META_STEP;
  }
  storeRow(dst, f00, f01);
  if (tokens > 1) storeRow(dst + dstStride, f10, f11);
  if (tokens > 2) storeRow(dst + 2 * dstStride, f20, f21);
  if (tokens > 3) storeRow(dst + 3 * dstStride, f30, f31);
}

/** The start of first digits at `at`; a shift by nothing would stay a shift. */
function startOf<T, C>(at: usize, planes: i32): v128 {
  const pairs = v128.load32_splat(at);
  return startPairs<T>(idof<C>() == idof<Plain>() ? pairs : i16x8.shl(pairs, planes));
}

/** Sums of an earlier call, of row `token` if that is one of `tokens`. */
function loadRow(dst: usize, dstStride: usize, tokens: i32, token: i32, within: usize): v128 {
  return token < tokens ? v128.load(dst + <usize>token * dstStride + within) : f32x4.splat(0);
}

function storeRow(dst: usize, low: v128, high: v128): void {
  v128.store(dst, low);
  v128.store(dst, high, 16);
}

/**
 * 254 * sum + the second digits' sum, for a token that has them in this block: seldom, so out of line.
 * @param at which start centres the codes: -1 none, 8 of the block, 0 and 4 of its halves
 */
export function addSecond<T>(sum: v128, w: usize, x: usize, meta: usize, span: usize, at: i32, planes: i32): v128 {
  if (load<i32>(meta, 24) < 2) return sum;
  let a = at < 0 ? i32x4.splat(0) : startPairs<T>(i16x8.shl(secondStart(meta, at), planes));
  const end = w + span;
  while (w < end) {
    a = addDotI8<T>(a, v128.load32_splat(x), v128.load(w));
    w += 32;
    x += 16;
  }
  return i32x4.add(times254(sum), sumsI32<T>(a));
}

/** Start of the second digits: 8 of the block, 0 and 4 of its halves. */
export function secondStart(meta: usize, at: i32): v128 {
  if (!at) return v128.load32_splat(meta, 28);
  const all = v128.load32_splat(meta, 12);
  return at == 8 ? all : i16x8.sub(all, v128.load32_splat(meta, 28));
}

/** 16 times the sum of a block's codes: what the start of 5-bit codes took away. */
export function centreOf(meta: usize): v128 {
  return i32x4.splat(-2 * (load<i32>(meta, 16) + load<i32>(meta, 20)));
}

/**
 * Int8 and levels in every build, all else in the baseline build: i16 codes times words. Sums fit i32
 * (32 * 128 * 32767 < 2^27).
 * Parameters as tileI8.
 */
export function tileI16(
  dst: usize,
  dstStride: usize,
  tokens: i32,
  panel: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  from: i32,
  count: i32,
  perScale: i32,
): void {
  let meta = x + 4 * <usize>(TILE_TOKENS * columns) + <usize>(from / BLOCK) * META_STEP;
  const metaEnd = meta + <usize>(count / BLOCK) * META_STEP;
  const span = <usize>(16 * perScale);
  const halves = perScale < BLOCK;
  let part: usize = 0;
  x += 2 * <usize>(TILE_TOKENS * (columns + from));
  let f00 = f32x4.splat(0);
  let f01 = f00;
  let f10 = f00;
  let f11 = f00;
  let f20 = f00;
  let f21 = f00;
  let f30 = f00;
  let f31 = f00;
  if (from) {
    f00 = v128.load(dst);
    f01 = v128.load(dst, 16);
    f10 = loadRow(dst, dstStride, tokens, 1, 0);
    f11 = loadRow(dst, dstStride, tokens, 1, 16);
    f20 = loadRow(dst, dstStride, tokens, 2, 0);
    f21 = loadRow(dst, dstStride, tokens, 2, 16);
    f30 = loadRow(dst, dstStride, tokens, 3, 0);
    f31 = loadRow(dst, dstStride, tokens, 3, 16);
  }
  while (meta < metaEnd) {
    let a00 = i32x4.splat(0);
    let a01 = a00;
    let a10 = a00;
    let a11 = a00;
    let a20 = a00;
    let a21 = a00;
    let a30 = a00;
    let a31 = a00;
    const end = panel + span;
    while (panel < end) {
      const w0 = v128.load(panel);
      const w1 = v128.load(panel, 16);
      const x0 = v128.load32_splat(x);
      const x1 = v128.load32_splat(x, 4);
      const x2 = v128.load32_splat(x, 8);
      const x3 = v128.load32_splat(x, 12);
      a00 = i32x4.add(a00, i32x4.dot_i16x8_s(w0, x0));
      a01 = i32x4.add(a01, i32x4.dot_i16x8_s(w1, x0));
      a10 = i32x4.add(a10, i32x4.dot_i16x8_s(w0, x1));
      a11 = i32x4.add(a11, i32x4.dot_i16x8_s(w1, x1));
      a20 = i32x4.add(a20, i32x4.dot_i16x8_s(w0, x2));
      a21 = i32x4.add(a21, i32x4.dot_i16x8_s(w1, x2));
      a30 = i32x4.add(a30, i32x4.dot_i16x8_s(w0, x3));
      a31 = i32x4.add(a31, i32x4.dot_i16x8_s(w1, x3));
      panel += 32;
      x += 16;
    }
    const s0 = v128.load(scales);
    const s1 = v128.load(scales, 16);
    const d0 = v128.load32_splat(meta);
    const d1 = v128.load32_splat(meta, META_BYTES);
    const d2 = v128.load32_splat(meta, 2 * META_BYTES);
    const d3 = v128.load32_splat(meta, 3 * META_BYTES);
    f00 = f32x4.add(f00, f32x4.mul(f32x4.convert_i32x4_s(a00), f32x4.mul(s0, d0)));
    f01 = f32x4.add(f01, f32x4.mul(f32x4.convert_i32x4_s(a01), f32x4.mul(s1, d0)));
    f10 = f32x4.add(f10, f32x4.mul(f32x4.convert_i32x4_s(a10), f32x4.mul(s0, d1)));
    f11 = f32x4.add(f11, f32x4.mul(f32x4.convert_i32x4_s(a11), f32x4.mul(s1, d1)));
    f20 = f32x4.add(f20, f32x4.mul(f32x4.convert_i32x4_s(a20), f32x4.mul(s0, d2)));
    f21 = f32x4.add(f21, f32x4.mul(f32x4.convert_i32x4_s(a21), f32x4.mul(s1, d2)));
    f30 = f32x4.add(f30, f32x4.mul(f32x4.convert_i32x4_s(a30), f32x4.mul(s0, d3)));
    f31 = f32x4.add(f31, f32x4.mul(f32x4.convert_i32x4_s(a31), f32x4.mul(s1, d3)));
    if (minima) {
      const m0 = v128.load(minima);
      const m1 = v128.load(minima, 16);
      const sums = meta + (halves ? 40 + part : 4);
      const u0 = v128.load32_splat(sums);
      const u1 = v128.load32_splat(sums, META_BYTES);
      const u2 = v128.load32_splat(sums, 2 * META_BYTES);
      const u3 = v128.load32_splat(sums, 3 * META_BYTES);
      f00 = f32x4.add(f00, f32x4.mul(m0, u0));
      f01 = f32x4.add(f01, f32x4.mul(m1, u0));
      f10 = f32x4.add(f10, f32x4.mul(m0, u1));
      f11 = f32x4.add(f11, f32x4.mul(m1, u1));
      f20 = f32x4.add(f20, f32x4.mul(m0, u2));
      f21 = f32x4.add(f21, f32x4.mul(m1, u2));
      f30 = f32x4.add(f30, f32x4.mul(m0, u3));
      f31 = f32x4.add(f31, f32x4.mul(m1, u3));
      minima += 32;
    }
    scales += 32;
    if (halves) part ^= 4;
    if (!part) meta += META_STEP;
  }
  storeRow(dst, f00, f01);
  if (tokens > 1) storeRow(dst + dstStride, f10, f11);
  if (tokens > 2) storeRow(dst + 2 * dstStride, f20, f21);
  if (tokens > 3) storeRow(dst + 3 * dstStride, f30, f31);
}
