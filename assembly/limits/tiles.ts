/**
 * Dot products: R weight rows are multiplied with T broadcast activations, as in kernels/matmul/tile.ts, and nothing else
 * is done. Engines and processors differ in which shape R x T is the fastest: a small tile has too few sums to hide the
 * latency of a dot product, and a large one has more than there are registers.
 *
 * Sums that the revectorizer can join to one of 256 bits lie next to each other when they are stored (docs/kernels.md).
 */

/** Bytes that the loops of dot products read repeatedly. They fit the L1 cache of every processor. */
const L1: usize = 4096;
/** The last step of a loop reads broadcast activations behind the others. */
const operands: usize = memory.data(<i32>L1 + 64, 64);

export function operandBytes(): i32 {
  return <i32>L1;
}

export function operandsAt(): usize {
  return operands;
}

/** Bytes that a loop may store at `out`. */
const results: usize = memory.data(24 * 16, 64);

export function resultsAt(): usize {
  return results;
}

// Which dot product a loop is compiled for: `i16x8.relaxed_dot_i8x16_i7x16_s` with sums of i16,
// `i32x4.relaxed_dot_i8x16_i7x16_add_s`, or `i32x4.dot_i16x8_s` on widened operands.
export class PairSums {}
export class FusedSums {}
export class WideSums {}

/** `sum` plus the products of x and w. */
function addDot<D>(sum: v128, x: v128, w: v128): v128 {
  if (idof<D>() == idof<PairSums>()) return i16x8.add(sum, i16x8.relaxed_dot_i8x16_i7x16_s(x, w));
  if (idof<D>() == idof<FusedSums>()) return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, sum);
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, w));
}

/** Stores its 8 sums at `out`. */
export function tile8x4<D>(rounds: i32, out: usize): void {
  const zero = i32x4.splat(0);
  let s00 = zero;
  let s01 = zero;
  let s10 = zero;
  let s11 = zero;
  let s20 = zero;
  let s21 = zero;
  let s30 = zero;
  let s31 = zero;
  for (let i = 0; i < rounds; i++) {
    let p = operands;
    const end = p + L1;
    while (p < end) {
      const w0 = v128.load(p);
      const w1 = v128.load(p, 16);
      const x0 = v128.load32_splat(p, 32);
      s00 = addDot<D>(s00, x0, w0);
      s01 = addDot<D>(s01, x0, w1);
      const x1 = v128.load32_splat(p, 36);
      s10 = addDot<D>(s10, x1, w0);
      s11 = addDot<D>(s11, x1, w1);
      const x2 = v128.load32_splat(p, 40);
      s20 = addDot<D>(s20, x2, w0);
      s21 = addDot<D>(s21, x2, w1);
      const x3 = v128.load32_splat(p, 44);
      s30 = addDot<D>(s30, x3, w0);
      s31 = addDot<D>(s31, x3, w1);
      p += 32;
    }
  }
  v128.store(out, s00);
  v128.store(out, s01, 16);
  v128.store(out, s10, 32);
  v128.store(out, s11, 48);
  v128.store(out, s20, 64);
  v128.store(out, s21, 80);
  v128.store(out, s30, 96);
  v128.store(out, s31, 112);
}

/** Stores its 12 sums at `out`. */
export function tile8x6<D>(rounds: i32, out: usize): void {
  const zero = i32x4.splat(0);
  let s00 = zero;
  let s01 = zero;
  let s10 = zero;
  let s11 = zero;
  let s20 = zero;
  let s21 = zero;
  let s30 = zero;
  let s31 = zero;
  let s40 = zero;
  let s41 = zero;
  let s50 = zero;
  let s51 = zero;
  for (let i = 0; i < rounds; i++) {
    let p = operands;
    const end = p + L1;
    while (p < end) {
      const w0 = v128.load(p);
      const w1 = v128.load(p, 16);
      const x0 = v128.load32_splat(p, 32);
      s00 = addDot<D>(s00, x0, w0);
      s01 = addDot<D>(s01, x0, w1);
      const x1 = v128.load32_splat(p, 36);
      s10 = addDot<D>(s10, x1, w0);
      s11 = addDot<D>(s11, x1, w1);
      const x2 = v128.load32_splat(p, 40);
      s20 = addDot<D>(s20, x2, w0);
      s21 = addDot<D>(s21, x2, w1);
      const x3 = v128.load32_splat(p, 44);
      s30 = addDot<D>(s30, x3, w0);
      s31 = addDot<D>(s31, x3, w1);
      const x4 = v128.load32_splat(p, 48);
      s40 = addDot<D>(s40, x4, w0);
      s41 = addDot<D>(s41, x4, w1);
      const x5 = v128.load32_splat(p, 52);
      s50 = addDot<D>(s50, x5, w0);
      s51 = addDot<D>(s51, x5, w1);
      p += 32;
    }
  }
  v128.store(out, s00);
  v128.store(out, s01, 16);
  v128.store(out, s10, 32);
  v128.store(out, s11, 48);
  v128.store(out, s20, 64);
  v128.store(out, s21, 80);
  v128.store(out, s30, 96);
  v128.store(out, s31, 112);
  v128.store(out, s40, 128);
  v128.store(out, s41, 144);
  v128.store(out, s50, 160);
  v128.store(out, s51, 176);
}

/** Stores its 16 sums at `out`. */
export function tile16x4<D>(rounds: i32, out: usize): void {
  const zero = i32x4.splat(0);
  let s00 = zero;
  let s01 = zero;
  let s02 = zero;
  let s03 = zero;
  let s10 = zero;
  let s11 = zero;
  let s12 = zero;
  let s13 = zero;
  let s20 = zero;
  let s21 = zero;
  let s22 = zero;
  let s23 = zero;
  let s30 = zero;
  let s31 = zero;
  let s32 = zero;
  let s33 = zero;
  for (let i = 0; i < rounds; i++) {
    let p = operands;
    const end = p + L1;
    while (p < end) {
      const w0 = v128.load(p);
      const w1 = v128.load(p, 16);
      const w2 = v128.load(p, 32);
      const w3 = v128.load(p, 48);
      const x0 = v128.load32_splat(p, 64);
      s00 = addDot<D>(s00, x0, w0);
      s01 = addDot<D>(s01, x0, w1);
      s02 = addDot<D>(s02, x0, w2);
      s03 = addDot<D>(s03, x0, w3);
      const x1 = v128.load32_splat(p, 68);
      s10 = addDot<D>(s10, x1, w0);
      s11 = addDot<D>(s11, x1, w1);
      s12 = addDot<D>(s12, x1, w2);
      s13 = addDot<D>(s13, x1, w3);
      const x2 = v128.load32_splat(p, 72);
      s20 = addDot<D>(s20, x2, w0);
      s21 = addDot<D>(s21, x2, w1);
      s22 = addDot<D>(s22, x2, w2);
      s23 = addDot<D>(s23, x2, w3);
      const x3 = v128.load32_splat(p, 76);
      s30 = addDot<D>(s30, x3, w0);
      s31 = addDot<D>(s31, x3, w1);
      s32 = addDot<D>(s32, x3, w2);
      s33 = addDot<D>(s33, x3, w3);
      p += 64;
    }
  }
  v128.store(out, s00);
  v128.store(out, s01, 16);
  v128.store(out, s02, 32);
  v128.store(out, s03, 48);
  v128.store(out, s10, 64);
  v128.store(out, s11, 80);
  v128.store(out, s12, 96);
  v128.store(out, s13, 112);
  v128.store(out, s20, 128);
  v128.store(out, s21, 144);
  v128.store(out, s22, 160);
  v128.store(out, s23, 176);
  v128.store(out, s30, 192);
  v128.store(out, s31, 208);
  v128.store(out, s32, 224);
  v128.store(out, s33, 240);
}

/** Stores its 24 sums at `out`. */
export function tile16x6<D>(rounds: i32, out: usize): void {
  const zero = i32x4.splat(0);
  let s00 = zero;
  let s01 = zero;
  let s02 = zero;
  let s03 = zero;
  let s10 = zero;
  let s11 = zero;
  let s12 = zero;
  let s13 = zero;
  let s20 = zero;
  let s21 = zero;
  let s22 = zero;
  let s23 = zero;
  let s30 = zero;
  let s31 = zero;
  let s32 = zero;
  let s33 = zero;
  let s40 = zero;
  let s41 = zero;
  let s42 = zero;
  let s43 = zero;
  let s50 = zero;
  let s51 = zero;
  let s52 = zero;
  let s53 = zero;
  for (let i = 0; i < rounds; i++) {
    let p = operands;
    const end = p + L1;
    while (p < end) {
      const w0 = v128.load(p);
      const w1 = v128.load(p, 16);
      const w2 = v128.load(p, 32);
      const w3 = v128.load(p, 48);
      const x0 = v128.load32_splat(p, 64);
      s00 = addDot<D>(s00, x0, w0);
      s01 = addDot<D>(s01, x0, w1);
      s02 = addDot<D>(s02, x0, w2);
      s03 = addDot<D>(s03, x0, w3);
      const x1 = v128.load32_splat(p, 68);
      s10 = addDot<D>(s10, x1, w0);
      s11 = addDot<D>(s11, x1, w1);
      s12 = addDot<D>(s12, x1, w2);
      s13 = addDot<D>(s13, x1, w3);
      const x2 = v128.load32_splat(p, 72);
      s20 = addDot<D>(s20, x2, w0);
      s21 = addDot<D>(s21, x2, w1);
      s22 = addDot<D>(s22, x2, w2);
      s23 = addDot<D>(s23, x2, w3);
      const x3 = v128.load32_splat(p, 76);
      s30 = addDot<D>(s30, x3, w0);
      s31 = addDot<D>(s31, x3, w1);
      s32 = addDot<D>(s32, x3, w2);
      s33 = addDot<D>(s33, x3, w3);
      const x4 = v128.load32_splat(p, 80);
      s40 = addDot<D>(s40, x4, w0);
      s41 = addDot<D>(s41, x4, w1);
      s42 = addDot<D>(s42, x4, w2);
      s43 = addDot<D>(s43, x4, w3);
      const x5 = v128.load32_splat(p, 84);
      s50 = addDot<D>(s50, x5, w0);
      s51 = addDot<D>(s51, x5, w1);
      s52 = addDot<D>(s52, x5, w2);
      s53 = addDot<D>(s53, x5, w3);
      p += 64;
    }
  }
  v128.store(out, s00);
  v128.store(out, s01, 16);
  v128.store(out, s02, 32);
  v128.store(out, s03, 48);
  v128.store(out, s10, 64);
  v128.store(out, s11, 80);
  v128.store(out, s12, 96);
  v128.store(out, s13, 112);
  v128.store(out, s20, 128);
  v128.store(out, s21, 144);
  v128.store(out, s22, 160);
  v128.store(out, s23, 176);
  v128.store(out, s30, 192);
  v128.store(out, s31, 208);
  v128.store(out, s32, 224);
  v128.store(out, s33, 240);
  v128.store(out, s40, 256);
  v128.store(out, s41, 272);
  v128.store(out, s42, 288);
  v128.store(out, s43, 304);
  v128.store(out, s50, 320);
  v128.store(out, s51, 336);
  v128.store(out, s52, 352);
  v128.store(out, s53, 368);
}
