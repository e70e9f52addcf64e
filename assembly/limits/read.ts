/** The loops that read memory, in one or several streams at once. */

/**
 * Reads `bytes`, a multiple of 64, in order. The xor of the 2 vectors at `out`
 * is that of all vectors.
 */
export function read1(from: usize, bytes: usize, out: usize): void {
  let a0 = i64x2.splat(0);
  let b0 = a0;
  const end = from + bytes;
  while (from < end) {
    a0 = v128.xor(a0, v128.xor(v128.load(from), v128.load(from, 32)));
    b0 = v128.xor(b0, v128.xor(v128.load(from, 16), v128.load(from, 48)));
    from += 64;
  }
  v128.store(out, a0);
  v128.store(out, b0, 16);
}

/**
 * Reads `bytes`, a multiple of 64, in order in each of 2 streams, which begin `apart` bytes after each other. The xor of the 4 vectors at `out`
 * is that of all vectors.
 */
export function read2(from: usize, bytes: usize, out: usize, apart: usize): void {
  let a0 = i64x2.splat(0);
  let b0 = a0;
  let a1 = i64x2.splat(0);
  let b1 = a1;
  const end = from + bytes;
  while (from < end) {
    a0 = v128.xor(a0, v128.xor(v128.load(from), v128.load(from, 32)));
    b0 = v128.xor(b0, v128.xor(v128.load(from, 16), v128.load(from, 48)));
    const at1 = from + apart;
    a1 = v128.xor(a1, v128.xor(v128.load(at1), v128.load(at1, 32)));
    b1 = v128.xor(b1, v128.xor(v128.load(at1, 16), v128.load(at1, 48)));
    from += 64;
  }
  v128.store(out, a0);
  v128.store(out, b0, 16);
  v128.store(out, a1, 32);
  v128.store(out, b1, 48);
}

/**
 * Reads `bytes`, a multiple of 64, in order in each of 4 streams, which begin `apart` bytes after each other. The xor of the 8 vectors at `out`
 * is that of all vectors.
 */
export function read4(from: usize, bytes: usize, out: usize, apart: usize): void {
  let a0 = i64x2.splat(0);
  let b0 = a0;
  let a1 = i64x2.splat(0);
  let b1 = a1;
  let a2 = i64x2.splat(0);
  let b2 = a2;
  let a3 = i64x2.splat(0);
  let b3 = a3;
  const end = from + bytes;
  while (from < end) {
    a0 = v128.xor(a0, v128.xor(v128.load(from), v128.load(from, 32)));
    b0 = v128.xor(b0, v128.xor(v128.load(from, 16), v128.load(from, 48)));
    const at1 = from + apart;
    a1 = v128.xor(a1, v128.xor(v128.load(at1), v128.load(at1, 32)));
    b1 = v128.xor(b1, v128.xor(v128.load(at1, 16), v128.load(at1, 48)));
    const at2 = from + 2 * apart;
    a2 = v128.xor(a2, v128.xor(v128.load(at2), v128.load(at2, 32)));
    b2 = v128.xor(b2, v128.xor(v128.load(at2, 16), v128.load(at2, 48)));
    const at3 = from + 3 * apart;
    a3 = v128.xor(a3, v128.xor(v128.load(at3), v128.load(at3, 32)));
    b3 = v128.xor(b3, v128.xor(v128.load(at3, 16), v128.load(at3, 48)));
    from += 64;
  }
  v128.store(out, a0);
  v128.store(out, b0, 16);
  v128.store(out, a1, 32);
  v128.store(out, b1, 48);
  v128.store(out, a2, 64);
  v128.store(out, b2, 80);
  v128.store(out, a3, 96);
  v128.store(out, b3, 112);
}
