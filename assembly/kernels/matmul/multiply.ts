import { BlockMeta, META_BYTES } from "../../activations";
import { addDotI8, pairsTo, sumsI32 } from "../../lanes";
import { BLOCK, TILE_TOKENS } from "../../layout";
import { addMinimum, addScaled, storeGroup } from "./accumulate";
import { Centre, firstCentreAt, scaledSumAt, uncentre } from "./centre";
import { PANEL_STEP, PanelTile, X_STEP } from "./panel-tile";
import { addSecondDigits } from "./second-digits";

// The sixteen weight rows of a panel times two or four token rows of a tile. With two token rows, eight sums, four weight
// vectors and two broadcast activations fit the 16 registers of x64. Four token rows fit them with vectors of 256 bits.
// The loop does one step of the panel: unrolled, V8 spills registers (64 against 55 G multiply-adds/s). The f32 part is
// that of the row kernels (accumulate.ts), operation by operation.
//
// V8 joins neighbouring operations of 128 bits to one of 256 under --experimental-wasm-revectorize. It begins at two
// stores to neighbouring addresses, and follows their operands back. It gives up at a load under a condition of its own
// and at a store or a call between two loads. So the vectors of a token row are loaded, summed and stored side by side;
// the rows of tokens that are missing take the address of the first row, which is stored after them; and what is rare
// goes through memory.

const META_STEP: usize = TILE_TOKENS * META_BYTES;

/** Stands for codes of 4 bits with a scale per block. Knowing them at compile time makes prefill 9 % faster than `Any`. */
export class Plain {}
export class Any {}

/** Stand for a number of token rows or of groups. */
export class One {}
export class Two {}
export class Four {}

/**
 * The kernel, compiled for its type parameters. W is a code of the panel, u8 or i16. S is a lane of the integer sums
 * (`addDotI8`). C says which codes the panel has, Plain or Any. N is the number of token rows, Two or Four.
 */
export function multiply<W, S, C, N>(t: PanelTile): void {
  const plain = idof<C>() == idof<Plain>();
  const four = idof<N>() == idof<Four>();
  const digits = sizeof<W>() == 1;
  const dst = t.dst;
  const dst1 = rowOf(t, 1);
  const dst2 = four ? rowOf(t, 2) : dst;
  const dst3 = four ? rowOf(t, 3) : dst;
  const planes = plain ? 0 : digits ? t.planes : 0;
  const columnsPerScale = plain ? BLOCK : t.columnsPerScale;
  const span = <usize>(16 * columnsPerScale) * sizeof<W>(); // bytes of the panel that share a scale
  const subBlocks = plain ? false : columnsPerScale < BLOCK;
  let sub: usize = 0; // which of a block's two scales: 0 or 4, as bytes from a low field of BlockMeta
  let panel = t.panel;
  let scales = t.scales;
  let minima = t.minima;
  let meta = t.meta;
  const metaEnd = meta + <usize>(t.count / BLOCK) * META_STEP;
  let x = t.x;
  const zero = i32x4.splat(0);
  if (!t.from) {
    storeGroup(dst, zero, zero, zero, zero);
    storeGroup(dst1, zero, zero, zero, zero);
    if (four) storeGroup(dst2, zero, zero, zero, zero);
    if (four) storeGroup(dst3, zero, zero, zero, zero);
  }
  let y00 = v128.load(dst);
  let y01 = v128.load(dst, 16);
  let y02 = v128.load(dst, 32);
  let y03 = v128.load(dst, 48);
  let y10 = v128.load(dst1);
  let y11 = v128.load(dst1, 16);
  let y12 = v128.load(dst1, 32);
  let y13 = v128.load(dst1, 48);
  let y20 = four ? v128.load(dst2) : zero;
  let y21 = four ? v128.load(dst2, 16) : zero;
  let y22 = four ? v128.load(dst2, 32) : zero;
  let y23 = four ? v128.load(dst2, 48) : zero;
  let y30 = four ? v128.load(dst3) : zero;
  let y31 = four ? v128.load(dst3, 16) : zero;
  let y32 = four ? v128.load(dst3, 32) : zero;
  let y33 = four ? v128.load(dst3, 48) : zero;
  while (meta < metaEnd) {
    let a00 = zero;
    let a10 = zero;
    let a20 = zero;
    let a30 = zero;
    if (digits && (!minima || planes)) {
      const centre = firstCentreAt(meta, subBlocks, sub);
      a00 = centreOf<S, C>(centre, planes);
      a10 = centreOf<S, C>(centre + META_BYTES, planes);
      if (four) {
        a20 = centreOf<S, C>(centre + 2 * META_BYTES, planes);
        a30 = centreOf<S, C>(centre + 3 * META_BYTES, planes);
      }
    }
    let a01 = a00;
    let a02 = a00;
    let a03 = a00;
    let a11 = a10;
    let a12 = a10;
    let a13 = a10;
    let a21 = a20;
    let a22 = a20;
    let a23 = a20;
    let a31 = a30;
    let a32 = a30;
    let a33 = a30;
    const end = panel + span;
    while (panel < end) {
      const w0 = v128.load(panel);
      const w1 = v128.load(panel, 16);
      const w2 = v128.load(panel, 32);
      const w3 = v128.load(panel, 48);
      const x0 = v128.load32_splat(x);
      a00 = addDot<W, S>(a00, x0, w0);
      a01 = addDot<W, S>(a01, x0, w1);
      a02 = addDot<W, S>(a02, x0, w2);
      a03 = addDot<W, S>(a03, x0, w3);
      const x1 = v128.load32_splat(x, 4);
      a10 = addDot<W, S>(a10, x1, w0);
      a11 = addDot<W, S>(a11, x1, w1);
      a12 = addDot<W, S>(a12, x1, w2);
      a13 = addDot<W, S>(a13, x1, w3);
      if (four) {
        const x2 = v128.load32_splat(x, 8);
        a20 = addDot<W, S>(a20, x2, w0);
        a21 = addDot<W, S>(a21, x2, w1);
        a22 = addDot<W, S>(a22, x2, w2);
        a23 = addDot<W, S>(a23, x2, w3);
        const x3 = v128.load32_splat(x, 12);
        a30 = addDot<W, S>(a30, x3, w0);
        a31 = addDot<W, S>(a31, x3, w1);
        a32 = addDot<W, S>(a32, x3, w2);
        a33 = addDot<W, S>(a33, x3, w3);
      }
      panel += PANEL_STEP;
      x += X_STEP;
    }
    if (digits) {
      a00 = sumsI32<S>(a00);
      a01 = sumsI32<S>(a01);
      a02 = sumsI32<S>(a02);
      a03 = sumsI32<S>(a03);
      a10 = sumsI32<S>(a10);
      a11 = sumsI32<S>(a11);
      a12 = sumsI32<S>(a12);
      a13 = sumsI32<S>(a13);
      if (four) {
        a20 = sumsI32<S>(a20);
        a21 = sumsI32<S>(a21);
        a22 = sumsI32<S>(a22);
        a23 = sumsI32<S>(a23);
        a30 = sumsI32<S>(a30);
        a31 = sumsI32<S>(a31);
        a32 = sumsI32<S>(a32);
        a33 = sumsI32<S>(a33);
      }
      if (mostDigits<N>(meta) & 2) {
        // The sums pass through dst, which holds nothing until the end. Rows of missing tokens have the address of the
        // first row, so that one is stored last.
        if (four) storeGroup(dst3, a30, a31, a32, a33);
        if (four) storeGroup(dst2, a20, a21, a22, a23);
        storeGroup(dst1, a10, a11, a12, a13);
        storeGroup(dst, a00, a01, a02, a03);
        const w = panel - span;
        const xd = x - (span >> 2) + t.second;
        const which: Centre = minima && !planes ? Centre.NONE : subBlocks ? <i32>sub : Centre.BLOCK;
        addSecondDigits<S>(t, w, xd, meta, span, which);
        a00 = v128.load(dst);
        a01 = v128.load(dst, 16);
        a02 = v128.load(dst, 32);
        a03 = v128.load(dst, 48);
        a10 = v128.load(dst1);
        a11 = v128.load(dst1, 16);
        a12 = v128.load(dst1, 32);
        a13 = v128.load(dst1, 48);
        if (four) {
          a20 = v128.load(dst2);
          a21 = v128.load(dst2, 16);
          a22 = v128.load(dst2, 32);
          a23 = v128.load(dst2, 48);
          a30 = v128.load(dst3);
          a31 = v128.load(dst3, 16);
          a32 = v128.load(dst3, 32);
          a33 = v128.load(dst3, 48);
        }
      }
      if (minima && planes) {
        const c0 = uncentre(meta);
        a00 = i32x4.add(a00, c0);
        a01 = i32x4.add(a01, c0);
        a02 = i32x4.add(a02, c0);
        a03 = i32x4.add(a03, c0);
        const c1 = uncentre(meta + META_BYTES);
        a10 = i32x4.add(a10, c1);
        a11 = i32x4.add(a11, c1);
        a12 = i32x4.add(a12, c1);
        a13 = i32x4.add(a13, c1);
        if (four) {
          const c2 = uncentre(meta + 2 * META_BYTES);
          a20 = i32x4.add(a20, c2);
          a21 = i32x4.add(a21, c2);
          a22 = i32x4.add(a22, c2);
          a23 = i32x4.add(a23, c2);
          const c3 = uncentre(meta + 3 * META_BYTES);
          a30 = i32x4.add(a30, c3);
          a31 = i32x4.add(a31, c3);
          a32 = i32x4.add(a32, c3);
          a33 = i32x4.add(a33, c3);
        }
      }
    }
    const s0 = v128.load(scales);
    const s1 = v128.load(scales, 16);
    const s2 = v128.load(scales, 32);
    const s3 = v128.load(scales, 48);
    const d0 = v128.load32_splat(meta, offsetof<BlockMeta>("scale"));
    y00 = addScaled(y00, a00, s0, d0);
    y01 = addScaled(y01, a01, s1, d0);
    y02 = addScaled(y02, a02, s2, d0);
    y03 = addScaled(y03, a03, s3, d0);
    const d1 = v128.load32_splat(meta, META_BYTES + offsetof<BlockMeta>("scale"));
    y10 = addScaled(y10, a10, s0, d1);
    y11 = addScaled(y11, a11, s1, d1);
    y12 = addScaled(y12, a12, s2, d1);
    y13 = addScaled(y13, a13, s3, d1);
    if (four) {
      const d2 = v128.load32_splat(meta, 2 * META_BYTES + offsetof<BlockMeta>("scale"));
      y20 = addScaled(y20, a20, s0, d2);
      y21 = addScaled(y21, a21, s1, d2);
      y22 = addScaled(y22, a22, s2, d2);
      y23 = addScaled(y23, a23, s3, d2);
      const d3 = v128.load32_splat(meta, 3 * META_BYTES + offsetof<BlockMeta>("scale"));
      y30 = addScaled(y30, a30, s0, d3);
      y31 = addScaled(y31, a31, s1, d3);
      y32 = addScaled(y32, a32, s2, d3);
      y33 = addScaled(y33, a33, s3, d3);
    }
    if (minima) {
      const m0 = v128.load(minima);
      const m1 = v128.load(minima, 16);
      const m2 = v128.load(minima, 32);
      const m3 = v128.load(minima, 48);
      const sums = scaledSumAt(meta, subBlocks, sub);
      const u0 = v128.load32_splat(sums);
      y00 = addMinimum(y00, m0, u0);
      y01 = addMinimum(y01, m1, u0);
      y02 = addMinimum(y02, m2, u0);
      y03 = addMinimum(y03, m3, u0);
      const u1 = v128.load32_splat(sums, META_BYTES);
      y10 = addMinimum(y10, m0, u1);
      y11 = addMinimum(y11, m1, u1);
      y12 = addMinimum(y12, m2, u1);
      y13 = addMinimum(y13, m3, u1);
      if (four) {
        const u2 = v128.load32_splat(sums, 2 * META_BYTES);
        y20 = addMinimum(y20, m0, u2);
        y21 = addMinimum(y21, m1, u2);
        y22 = addMinimum(y22, m2, u2);
        y23 = addMinimum(y23, m3, u2);
        const u3 = v128.load32_splat(sums, 3 * META_BYTES);
        y30 = addMinimum(y30, m0, u3);
        y31 = addMinimum(y31, m1, u3);
        y32 = addMinimum(y32, m2, u3);
        y33 = addMinimum(y33, m3, u3);
      }
      minima += PANEL_STEP;
    }
    scales += PANEL_STEP;
    if (subBlocks) sub ^= 4;
    if (!sub) meta += META_STEP;
  }
  if (four) storeGroup(dst3, y30, y31, y32, y33);
  if (four) storeGroup(dst2, y20, y21, y22, y23);
  storeGroup(dst1, y10, y11, y12, y13);
  storeGroup(dst, y00, y01, y02, y03);
}

/** `sum` plus the products of activations x and codes w. */
function addDot<W, S>(sum: v128, x: v128, w: v128): v128 {
  if (sizeof<W>() == 1) return addDotI8<S>(sum, x, w);
  return i32x4.add(sum, i32x4.dot_i16x8_s(w, x));
}

/** The centre of first digits at `at`. `Plain` codes need no shift; the compiler would keep a shift by 0. */
function centreOf<S, C>(at: usize, planes: i32): v128 {
  const pairs = v128.load32_splat(at);
  return pairsTo<S>(idof<C>() == idof<Plain>() ? pairs : i16x8.shl(pairs, planes));
}

/** The bitwise or of the digit counts of all token rows' blocks. Bit 1 is set if any row has two digits. */
function mostDigits<N>(meta: usize): i32 {
  const two =
    load<i32>(meta, offsetof<BlockMeta>("digits")) | load<i32>(meta, META_BYTES + offsetof<BlockMeta>("digits"));
  if (idof<N>() == idof<Two>()) return two;
  return (
    two |
    load<i32>(meta, 2 * META_BYTES + offsetof<BlockMeta>("digits")) |
    load<i32>(meta, 3 * META_BYTES + offsetof<BlockMeta>("digits"))
  );
}

/** Where row `token` of the sums lies, or the first row if `token` is not one of the tile's. */
function rowOf(t: PanelTile, token: i32): usize {
  return select<usize>(t.dst + <usize>token * t.dstStride, t.dst, token < t.tokens);
}
