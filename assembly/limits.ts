/**
 * Not shipped: the loops that bench/limits.ts times. What a kernel could reach at most on the machine at hand: two weight
 * vectors meet four broadcast activations, as in a tile of kernels/, and nothing else is done.
 */

/** Bytes that the dot loops go through again and again: within every L1. */
const L1: usize = 4096;
const operands: usize = memory.data(<i32>L1 + 64, 64);

export function operandBytes(): i32 {
  return <i32>L1;
}

export function operandsAt(): usize {
  return operands;
}

/** `i16x8.relaxed_dot` and an i16 sum: 128 multiply-adds a step of 32 bytes. The eight sums, added. */
export function relaxedDot(rounds: i32, out: usize): void {
  let a = i16x8.splat(0),
    b = a,
    c = a,
    d = a,
    e = a,
    f = a,
    g = a,
    h = a;
  for (let i = 0; i < rounds; i++) {
    let p = operands;
    const end = p + L1;
    while (p < end) {
      const w0 = v128.load(p),
        w1 = v128.load(p, 16);
      const x0 = v128.load32_splat(p, 32),
        x1 = v128.load32_splat(p, 36);
      const x2 = v128.load32_splat(p, 40),
        x3 = v128.load32_splat(p, 44);
      a = i16x8.add(a, i16x8.relaxed_dot_i8x16_i7x16_s(x0, w0));
      b = i16x8.add(b, i16x8.relaxed_dot_i8x16_i7x16_s(x0, w1));
      c = i16x8.add(c, i16x8.relaxed_dot_i8x16_i7x16_s(x1, w0));
      d = i16x8.add(d, i16x8.relaxed_dot_i8x16_i7x16_s(x1, w1));
      e = i16x8.add(e, i16x8.relaxed_dot_i8x16_i7x16_s(x2, w0));
      f = i16x8.add(f, i16x8.relaxed_dot_i8x16_i7x16_s(x2, w1));
      g = i16x8.add(g, i16x8.relaxed_dot_i8x16_i7x16_s(x3, w0));
      h = i16x8.add(h, i16x8.relaxed_dot_i8x16_i7x16_s(x3, w1));
      p += 32;
    }
  }
  const left = i16x8.add(i16x8.add(a, b), i16x8.add(c, d));
  v128.store(out, i16x8.add(left, i16x8.add(i16x8.add(e, f), i16x8.add(g, h))));
}

/** `i32x4.relaxed_dot_add`: 128 multiply-adds a step. */
export function relaxedDotAdd(rounds: i32, out: usize): void {
  let a = i32x4.splat(0),
    b = a,
    c = a,
    d = a,
    e = a,
    f = a,
    g = a,
    h = a;
  for (let i = 0; i < rounds; i++) {
    let p = operands;
    const end = p + L1;
    while (p < end) {
      const w0 = v128.load(p),
        w1 = v128.load(p, 16);
      const x0 = v128.load32_splat(p, 32),
        x1 = v128.load32_splat(p, 36);
      const x2 = v128.load32_splat(p, 40),
        x3 = v128.load32_splat(p, 44);
      a = i32x4.relaxed_dot_i8x16_i7x16_add_s(x0, w0, a);
      b = i32x4.relaxed_dot_i8x16_i7x16_add_s(x0, w1, b);
      c = i32x4.relaxed_dot_i8x16_i7x16_add_s(x1, w0, c);
      d = i32x4.relaxed_dot_i8x16_i7x16_add_s(x1, w1, d);
      e = i32x4.relaxed_dot_i8x16_i7x16_add_s(x2, w0, e);
      f = i32x4.relaxed_dot_i8x16_i7x16_add_s(x2, w1, f);
      g = i32x4.relaxed_dot_i8x16_i7x16_add_s(x3, w0, g);
      h = i32x4.relaxed_dot_i8x16_i7x16_add_s(x3, w1, h);
      p += 32;
    }
  }
  const left = i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
  v128.store(out, i32x4.add(left, i32x4.add(i32x4.add(e, f), i32x4.add(g, h))));
}

/** `i32x4.dot_i16x8` on widened operands: 64 multiply-adds a step. */
export function dotI16(rounds: i32, out: usize): void {
  let a = i32x4.splat(0),
    b = a,
    c = a,
    d = a,
    e = a,
    f = a,
    g = a,
    h = a;
  for (let i = 0; i < rounds; i++) {
    let p = operands;
    const end = p + L1;
    while (p < end) {
      const w0 = v128.load(p),
        w1 = v128.load(p, 16);
      const x0 = v128.load32_splat(p, 32),
        x1 = v128.load32_splat(p, 36);
      const x2 = v128.load32_splat(p, 40),
        x3 = v128.load32_splat(p, 44);
      a = i32x4.add(a, i32x4.dot_i16x8_s(x0, w0));
      b = i32x4.add(b, i32x4.dot_i16x8_s(x0, w1));
      c = i32x4.add(c, i32x4.dot_i16x8_s(x1, w0));
      d = i32x4.add(d, i32x4.dot_i16x8_s(x1, w1));
      e = i32x4.add(e, i32x4.dot_i16x8_s(x2, w0));
      f = i32x4.add(f, i32x4.dot_i16x8_s(x2, w1));
      g = i32x4.add(g, i32x4.dot_i16x8_s(x3, w0));
      h = i32x4.add(h, i32x4.dot_i16x8_s(x3, w1));
      p += 32;
    }
  }
  const left = i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
  v128.store(out, i32x4.add(left, i32x4.add(i32x4.add(e, f), i32x4.add(g, h))));
}

/** Reads `bytes`, a multiple of 64, in order. The xor of all vectors. */
export function read(from: usize, bytes: usize, out: usize): void {
  let a = i64x2.splat(0),
    b = a,
    c = a,
    d = a;
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
