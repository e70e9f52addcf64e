/**
 * The loops that bench/limits.ts times; they are not shipped. They show the most that a kernel could reach on the
 * machine at hand: two weight vectors are multiplied with four broadcast activations, as in kernels/matmul/tile.ts, and
 * nothing else is done.
 */

/** Bytes that the loops of dot products read repeatedly. They fit the L1 cache of every processor. */
const L1: usize = 4096;
const operands: usize = memory.data(<i32>L1 + 64, 64);

export function operandBytes(): i32 {
  return <i32>L1;
}

export function operandsAt(): usize {
  return operands;
}

/** `i16x8.relaxed_dot_i8x16_i7x16_s` and sums in i16: 128 multiply-adds per step of 32 bytes. */
export function relaxedDot(rounds: i32, out: usize): void {
  dotLoop<PairSums>(rounds, out);
}

/** `i32x4.relaxed_dot_i8x16_i7x16_add_s`: 128 multiply-adds per step. */
export function relaxedDotAdd(rounds: i32, out: usize): void {
  dotLoop<FusedSums>(rounds, out);
}

/** `i32x4.dot_i16x8_s` on widened operands, and sums in i32: 64 multiply-adds per step. */
export function dotI16(rounds: i32, out: usize): void {
  dotLoop<WideSums>(rounds, out);
}

// Which dot a loop is compiled for.
class PairSums {}
class FusedSums {}
class WideSums {}

/** `sum` plus the products of x and w. */
function addDot<D>(sum: v128, x: v128, w: v128): v128 {
  if (idof<D>() == idof<PairSums>()) return i16x8.add(sum, i16x8.relaxed_dot_i8x16_i7x16_s(x, w));
  if (idof<D>() == idof<FusedSums>()) return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, sum);
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, w));
}

function add<D>(a: v128, b: v128): v128 {
  return idof<D>() == idof<PairSums>() ? i16x8.add(a, b) : i32x4.add(a, b);
}

/** @param out receives the eight sums, added, so that the compiler keeps them */
function dotLoop<D>(rounds: i32, out: usize): void {
  let a = i32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let e = a;
  let f = a;
  let g = a;
  let h = a;
  for (let i = 0; i < rounds; i++) {
    let p = operands;
    const end = p + L1;
    while (p < end) {
      const w0 = v128.load(p);
      const w1 = v128.load(p, 16);
      const x0 = v128.load32_splat(p, 32);
      const x1 = v128.load32_splat(p, 36);
      const x2 = v128.load32_splat(p, 40);
      const x3 = v128.load32_splat(p, 44);
      a = addDot<D>(a, x0, w0);
      b = addDot<D>(b, x0, w1);
      c = addDot<D>(c, x1, w0);
      d = addDot<D>(d, x1, w1);
      e = addDot<D>(e, x2, w0);
      f = addDot<D>(f, x2, w1);
      g = addDot<D>(g, x3, w0);
      h = addDot<D>(h, x3, w1);
      p += 32;
    }
  }
  const left = add<D>(add<D>(a, b), add<D>(c, d));
  v128.store(out, add<D>(left, add<D>(add<D>(e, f), add<D>(g, h))));
}

/** Reads `bytes`, a multiple of 64, in order. `out` receives the xor of all vectors. */
export function read(from: usize, bytes: usize, out: usize): void {
  let a = i64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  const end = from + bytes;
  while (from < end) {
    a = v128.xor(a, v128.load(from));
    b = v128.xor(b, v128.load(from, 16));
    c = v128.xor(c, v128.load(from, 32));
    d = v128.xor(d, v128.load(from, 48));
    from += 64;
  }
  v128.store(out, v128.xor(v128.xor(a, b), v128.xor(c, d)));
}
