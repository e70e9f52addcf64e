import { BlockMeta, META_BYTES } from "../../activations";
import { addDotI8, pairsTo, sumsI32, times254 } from "../../lanes";
import { BLOCK, TILE_TOKENS } from "../../layout";
import { addMinimum, addScaled } from "./accumulate";
import { Centre, firstCentreAt, scaledSumAt, secondCentre, uncentre } from "./centre";

// Eight weight rows of a panel times a tile of four token rows: 2 x 4 accumulators, two weight vectors and four
// broadcast activations are all that is live in the inner loop, and x64 has 16 registers. The loop does one step of the
// panel: unrolled, V8 schedules each accumulator's chain in turn and spills (62 to 66 against 46 G multiply-adds/s).
// The f32 part is that of the row kernels (accumulate.ts), operation by operation.
//
// V8 joins neighbouring operations of 128 bits to one of 256 under --experimental-wasm-revectorize. It begins at two
// stores to neighbouring addresses, and follows their operands back. It gives up at a load under a condition of its own
// and at a store or a call between two loads. So both halves of a token row are loaded, summed and stored side by side;
// the rows of tokens that are missing take the address of the first row, which is stored after them; and what is rare
// goes through memory.

const META_STEP: usize = TILE_TOKENS * META_BYTES;

/** The operands of one call. They lie at the beginning of the matmul's scratch (matmul.ts). */
@unmanaged
export class PanelTile {
  /** f32: eight weight rows of each of `tokens` token rows, which are `dstStride` bytes apart. */
  dst: usize;
  dstStride: usize;
  /** Number of token rows of the tile that are in use: 1 to TILE_TOKENS. */
  tokens: i32;
  /** The codes of eight of a panel's sixteen rows (panel.ts). */
  panel: usize;
  /** f32 scales of these rows. */
  scales: usize;
  /** f32 minima of these rows, or 0. */
  minima: usize;
  /** A tile of quantised activations, of `columns` columns. */
  x: usize;
  columns: i32;
  /** The first column of the panel. If it is not 0, dst holds the sums of the columns before it. */
  from: i32;
  /** Columns of the panel. */
  count: i32;
  /** Planes of the codes (weight-types.ts). A panel of i16 has no use for it. */
  planes: i32;
  /** Columns that share a scale: 16 or 32. */
  columnsPerScale: i32;
}

/**
 * Multiplies codes of 4 to 6 bits in the relaxed build: int8 digits of the activations times u8 codes.
 *
 * Lanes of i16 are exact. Centred (activations.ts), the sum of a lane's 16 columns is at most 16 * 16 * 127 = 32,512 for
 * codes of 5 bits, and so is that of 8 columns for codes of 6 bits; intermediate sums may wrap. Codes of 4 bits with
 * minima need no centre: 15 * 127 * 16 = 30,480. For codes of 5 bits with minima the centre is undone in i32.
 */
export function matmulTileI8(t: PanelTile): void {
  if (t.planes == 0 && t.columnsPerScale == BLOCK) multiply<u8, i16, Plain>(t);
  else multiply<u8, i16, Any>(t);
}

/** The same kernel where `FUSED_DOT`, with sums of four products in lanes of i32. */
export function matmulTileI8Fused(t: PanelTile): void {
  if (t.planes == 0 && t.columnsPerScale == BLOCK) multiply<u8, i32, Plain>(t);
  else multiply<u8, i32, Any>(t);
}

/**
 * Multiplies int8 weights and levels in every build, and all other codes in the baseline build: i16 codes of the
 * activations times i16 codes. Sums are exact in i32: 32 * 128 * 32767 < 2^27.
 */
export function matmulTileI16(t: PanelTile): void {
  multiply<i16, i32, Any>(t);
}

/**
 * Stands for codes of 4 bits with a scale per block. Knowing them at compile time makes prefill 9 % faster than `Any`.
 */
class Plain {}
class Any {}

/**
 * The kernel, compiled for its type parameters. W is a code of the panel, u8 or i16. T is a lane of the integer sums
 * (`addDotI8`). C says which codes the panel has, Plain or Any.
 */
function multiply<W, T, C>(t: PanelTile): void {
  const plain = idof<C>() == idof<Plain>();
  const digits = sizeof<W>() == 1;
  const dst = t.dst;
  const dst1 = rowOf(t, 1);
  const dst2 = rowOf(t, 2);
  const dst3 = rowOf(t, 3);
  const planes = plain ? 0 : digits ? t.planes : 0;
  const columnsPerScale = plain ? BLOCK : t.columnsPerScale;
  const span = <usize>(8 * columnsPerScale) * sizeof<W>(); // bytes of the panel that share a scale
  const subBlocks = plain ? false : columnsPerScale < BLOCK;
  const second = <usize>(TILE_TOKENS * t.columns); // bytes from the first digits to the second ones
  let sub: usize = 0; // which of a block's two scales: 0 or 4, as bytes from a low field of BlockMeta
  let panel = t.panel;
  let scales = t.scales;
  let minima = t.minima;
  let meta = t.x + 4 * second + <usize>(t.from / BLOCK) * META_STEP;
  const metaEnd = meta + <usize>(t.count / BLOCK) * META_STEP;
  let x = digits ? t.x + <usize>(TILE_TOKENS * t.from) : t.x + 2 * <usize>(TILE_TOKENS * (t.columns + t.from));
  if (!t.from) {
    clearRow(dst);
    clearRow(dst1);
    clearRow(dst2);
    clearRow(dst3);
  }
  let f00 = v128.load(dst);
  let f01 = v128.load(dst, 16);
  let f10 = v128.load(dst1);
  let f11 = v128.load(dst1, 16);
  let f20 = v128.load(dst2);
  let f21 = v128.load(dst2, 16);
  let f30 = v128.load(dst3);
  let f31 = v128.load(dst3, 16);
  while (meta < metaEnd) {
    let a00 = i32x4.splat(0);
    let a10 = a00;
    let a20 = a00;
    let a30 = a00;
    if (digits && (!minima || planes)) {
      const centre = firstCentreAt(meta, subBlocks, sub);
      a00 = centreOf<T, C>(centre, planes);
      a10 = centreOf<T, C>(centre + META_BYTES, planes);
      a20 = centreOf<T, C>(centre + 2 * META_BYTES, planes);
      a30 = centreOf<T, C>(centre + 3 * META_BYTES, planes);
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
      a00 = addDot<W, T>(a00, x0, w0);
      a01 = addDot<W, T>(a01, x0, w1);
      a10 = addDot<W, T>(a10, x1, w0);
      a11 = addDot<W, T>(a11, x1, w1);
      a20 = addDot<W, T>(a20, x2, w0);
      a21 = addDot<W, T>(a21, x2, w1);
      a30 = addDot<W, T>(a30, x3, w0);
      a31 = addDot<W, T>(a31, x3, w1);
      panel += 32;
      x += 16;
    }
    if (digits) {
      a00 = sumsI32<T>(a00);
      a01 = sumsI32<T>(a01);
      a10 = sumsI32<T>(a10);
      a11 = sumsI32<T>(a11);
      a20 = sumsI32<T>(a20);
      a21 = sumsI32<T>(a21);
      a30 = sumsI32<T>(a30);
      a31 = sumsI32<T>(a31);
      if (mostDigits(meta) & 2) {
        // The sums pass through dst, which holds nothing until the end. Rows of missing tokens have the address of the
        // first row, so that one is stored last and read first.
        storeRow(dst3, a30, a31);
        storeRow(dst2, a20, a21);
        storeRow(dst1, a10, a11);
        storeRow(dst, a00, a01);
        const w = panel - span;
        const xd = x - (span >> 1) + second;
        const which = minima && !planes ? Centre.NONE : subBlocks ? <i32>sub : Centre.BLOCK;
        addSecondDigits<T>(dst, w, xd, meta, span, which, planes);
        a00 = v128.load(dst);
        a01 = v128.load(dst, 16);
        addSecondDigits<T>(dst1, w, xd + 4, meta + META_BYTES, span, which, planes);
        a10 = v128.load(dst1);
        a11 = v128.load(dst1, 16);
        addSecondDigits<T>(dst2, w, xd + 8, meta + 2 * META_BYTES, span, which, planes);
        a20 = v128.load(dst2);
        a21 = v128.load(dst2, 16);
        addSecondDigits<T>(dst3, w, xd + 12, meta + 3 * META_BYTES, span, which, planes);
        a30 = v128.load(dst3);
        a31 = v128.load(dst3, 16);
      }
      if (minima && planes) {
        a00 = i32x4.add(a00, uncentre(meta));
        a01 = i32x4.add(a01, uncentre(meta));
        a10 = i32x4.add(a10, uncentre(meta + META_BYTES));
        a11 = i32x4.add(a11, uncentre(meta + META_BYTES));
        a20 = i32x4.add(a20, uncentre(meta + 2 * META_BYTES));
        a21 = i32x4.add(a21, uncentre(meta + 2 * META_BYTES));
        a30 = i32x4.add(a30, uncentre(meta + 3 * META_BYTES));
        a31 = i32x4.add(a31, uncentre(meta + 3 * META_BYTES));
      }
    }
    const s0 = v128.load(scales);
    const s1 = v128.load(scales, 16);
    const d0 = v128.load32_splat(meta, offsetof<BlockMeta>("scale"));
    const d1 = v128.load32_splat(meta, META_BYTES + offsetof<BlockMeta>("scale"));
    const d2 = v128.load32_splat(meta, 2 * META_BYTES + offsetof<BlockMeta>("scale"));
    const d3 = v128.load32_splat(meta, 3 * META_BYTES + offsetof<BlockMeta>("scale"));
    f00 = addScaled(f00, a00, s0, d0);
    f01 = addScaled(f01, a01, s1, d0);
    f10 = addScaled(f10, a10, s0, d1);
    f11 = addScaled(f11, a11, s1, d1);
    f20 = addScaled(f20, a20, s0, d2);
    f21 = addScaled(f21, a21, s1, d2);
    f30 = addScaled(f30, a30, s0, d3);
    f31 = addScaled(f31, a31, s1, d3);
    if (minima) {
      const m0 = v128.load(minima);
      const m1 = v128.load(minima, 16);
      const sums = scaledSumAt(meta, subBlocks, sub);
      const u0 = v128.load32_splat(sums);
      const u1 = v128.load32_splat(sums, META_BYTES);
      const u2 = v128.load32_splat(sums, 2 * META_BYTES);
      const u3 = v128.load32_splat(sums, 3 * META_BYTES);
      f00 = addMinimum(f00, m0, u0);
      f01 = addMinimum(f01, m1, u0);
      f10 = addMinimum(f10, m0, u1);
      f11 = addMinimum(f11, m1, u1);
      f20 = addMinimum(f20, m0, u2);
      f21 = addMinimum(f21, m1, u2);
      f30 = addMinimum(f30, m0, u3);
      f31 = addMinimum(f31, m1, u3);
      minima += 32;
    }
    scales += 32;
    if (subBlocks) sub ^= 4;
    if (!sub) meta += META_STEP;
  }
  storeRow(dst3, f30, f31);
  storeRow(dst2, f20, f21);
  storeRow(dst1, f10, f11);
  storeRow(dst, f00, f01);
}

/** `sum` plus the products of activations x and codes w. */
function addDot<W, T>(sum: v128, x: v128, w: v128): v128 {
  if (sizeof<W>() == 1) return addDotI8<T>(sum, x, w);
  return i32x4.add(sum, i32x4.dot_i16x8_s(w, x));
}

/** The centre of first digits at `at`. `Plain` codes need no shift; the compiler would keep a shift by 0. */
function centreOf<T, C>(at: usize, planes: i32): v128 {
  const pairs = v128.load32_splat(at);
  return pairsTo<T>(idof<C>() == idof<Plain>() ? pairs : i16x8.shl(pairs, planes));
}

/** The bitwise or of the digit counts of all four token rows' blocks. Bit 1 is set if any row has two digits. */
function mostDigits(meta: usize): i32 {
  return (
    load<i32>(meta, offsetof<BlockMeta>("digits")) |
    load<i32>(meta, META_BYTES + offsetof<BlockMeta>("digits")) |
    load<i32>(meta, 2 * META_BYTES + offsetof<BlockMeta>("digits")) |
    load<i32>(meta, 3 * META_BYTES + offsetof<BlockMeta>("digits"))
  );
}

/** Where row `token` of the sums lies, or the tile's first row if `token` is not one of its tokens. */
function rowOf(t: PanelTile, token: i32): usize {
  return select<usize>(t.dst + <usize>token * t.dstStride, t.dst, token < t.tokens);
}

function clearRow(dst: usize): void {
  storeRow(dst, f32x4.splat(0), f32x4.splat(0));
}

function storeRow(dst: usize, low: v128, high: v128): void {
  v128.store(dst, low);
  v128.store(dst, high, 16);
}

/**
 * Makes the sums of a token row 254 * sum + the sum over second digits, if the row has them in this block. That is rare,
 * so the function is not inlined.
 * @param sums i32[8]
 */
export function addSecondDigits<T>(
  sums: usize,
  w: usize,
  x: usize,
  meta: usize,
  span: usize,
  which: Centre,
  planes: i32,
): void {
  if (load<i32>(meta, offsetof<BlockMeta>("digits")) < 2) return;
  let a0 = which < 0 ? i32x4.splat(0) : pairsTo<T>(i16x8.shl(secondCentre(meta, which), planes));
  let a1 = a0;
  const end = w + span;
  while (w < end) {
    const x0 = v128.load32_splat(x);
    a0 = addDotI8<T>(a0, x0, v128.load(w));
    a1 = addDotI8<T>(a1, x0, v128.load(w, 16));
    w += 32;
    x += 16;
  }
  const first0 = v128.load(sums);
  const first1 = v128.load(sums, 16);
  storeRow(sums, i32x4.add(times254(first0), sumsI32<T>(a0)), i32x4.add(times254(first1), sumsI32<T>(a1)));
}
