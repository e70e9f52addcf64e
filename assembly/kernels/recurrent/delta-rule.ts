// The gated delta rule (Yang, Kautz and Hatamizadeh 2024, arXiv:2412.06464), one row at a time. Per value head, with the
// state S [keyDim][valueDim], key k, query q, value v, decay a and strength b:
//
//   d = b (v - a k^T S)      S = a S + k d^T      o = scale q^T S
//
// A column of S depends on no other column, so the state lies in strips of 16 columns, then of 4, each [keyDim][columns].
// A strip of 16 columns with 128 keys takes 8 KiB and stays in the L1 cache while the rows of a chunk pass over it.
import { DeltaRule } from "../../recurrent-operations";

/** Columns of the strip that begins at column `column`. */
export function stripColumns(valueDim: i32, column: i32): i32 {
  return column + 16 <= valueDim ? 16 : 4;
}

/**
 * One row and one strip of columns of one value head. Sums over keys go from the first key to the last; each product is
 * rounded to f32 before it is added.
 * @param column the strip's first column: a multiple of 16, or of 4 where fewer than 16 are left
 * @param state the strip: f32[keyDim][columns], which is changed
 */
export function deltaRule(op: DeltaRule, row: i32, head: i32, column: i32, state: usize): void {
  assert(op.valueDim % 4 == 0, "deltaRule: valueDim must be a multiple of 4");
  assert(op.valueHeads % op.keyHeads == 0, "deltaRule: valueHeads must be a multiple of keyHeads");
  const keyHead = op.tiled ? head % op.keyHeads : head / (op.valueHeads / op.keyHeads);
  const headBytes = (<usize>op.keyDim) << 2;
  const query = op.src + <usize>(row * op.srcStride) + <usize>keyHead * headBytes;
  const key = query + <usize>op.keyHeads * headBytes;
  const within = (<usize>(head * op.valueDim + column)) << 2;
  const value = op.values + <usize>(row * op.valueStride) + within;
  const dst = op.dst + <usize>(row * op.dstStride) + within;
  const gate = (<usize>head) << 2;
  const decay = v128.load32_splat(op.decays + <usize>(row * op.decayStride) + gate);
  const beta = v128.load32_splat(op.betas + <usize>(row * op.betaStride) + gate);
  const scale = f32x4.splat(op.scale);
  if (stripColumns(op.valueDim, column) == 16) rule16(dst, state, query, headBytes, key, value, decay, beta, scale);
  else rule4(dst, state, query, headBytes, key, value, decay, beta, scale);
}

function rule16(
  dst: usize,
  state: usize,
  query: usize,
  headBytes: usize,
  key: usize,
  value: usize,
  decay: v128,
  beta: v128,
  scale: v128,
): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let at = state;
  for (let i: usize = 0; i < headBytes; i += 4) {
    const k = v128.load32_splat(key + i);
    a0 = f32x4.add(a0, f32x4.mul(k, v128.load(at)));
    a1 = f32x4.add(a1, f32x4.mul(k, v128.load(at, 16)));
    a2 = f32x4.add(a2, f32x4.mul(k, v128.load(at, 32)));
    a3 = f32x4.add(a3, f32x4.mul(k, v128.load(at, 48)));
    at += 64;
  }
  const d0 = f32x4.mul(beta, f32x4.sub(v128.load(value), f32x4.mul(decay, a0)));
  const d1 = f32x4.mul(beta, f32x4.sub(v128.load(value, 16), f32x4.mul(decay, a1)));
  const d2 = f32x4.mul(beta, f32x4.sub(v128.load(value, 32), f32x4.mul(decay, a2)));
  const d3 = f32x4.mul(beta, f32x4.sub(v128.load(value, 48), f32x4.mul(decay, a3)));
  a0 = f32x4.splat(0);
  a1 = a0;
  a2 = a0;
  a3 = a0;
  at = state;
  for (let i: usize = 0; i < headBytes; i += 4) {
    const k = v128.load32_splat(key + i);
    const q = v128.load32_splat(query + i);
    const s0 = f32x4.add(f32x4.mul(decay, v128.load(at)), f32x4.mul(k, d0));
    const s1 = f32x4.add(f32x4.mul(decay, v128.load(at, 16)), f32x4.mul(k, d1));
    const s2 = f32x4.add(f32x4.mul(decay, v128.load(at, 32)), f32x4.mul(k, d2));
    const s3 = f32x4.add(f32x4.mul(decay, v128.load(at, 48)), f32x4.mul(k, d3));
    v128.store(at, s0);
    v128.store(at, s1, 16);
    v128.store(at, s2, 32);
    v128.store(at, s3, 48);
    a0 = f32x4.add(a0, f32x4.mul(q, s0));
    a1 = f32x4.add(a1, f32x4.mul(q, s1));
    a2 = f32x4.add(a2, f32x4.mul(q, s2));
    a3 = f32x4.add(a3, f32x4.mul(q, s3));
    at += 64;
  }
  v128.store(dst, f32x4.mul(scale, a0));
  v128.store(dst, f32x4.mul(scale, a1), 16);
  v128.store(dst, f32x4.mul(scale, a2), 32);
  v128.store(dst, f32x4.mul(scale, a3), 48);
}

/** The same for 4 columns, where a head's columns are no multiple of 16. */
function rule4(
  dst: usize,
  state: usize,
  query: usize,
  headBytes: usize,
  key: usize,
  value: usize,
  decay: v128,
  beta: v128,
  scale: v128,
): void {
  let a = f32x4.splat(0);
  let at = state;
  for (let i: usize = 0; i < headBytes; i += 4) {
    a = f32x4.add(a, f32x4.mul(v128.load32_splat(key + i), v128.load(at)));
    at += 16;
  }
  const d = f32x4.mul(beta, f32x4.sub(v128.load(value), f32x4.mul(decay, a)));
  a = f32x4.splat(0);
  at = state;
  for (let i: usize = 0; i < headBytes; i += 4) {
    const s = f32x4.add(f32x4.mul(decay, v128.load(at)), f32x4.mul(v128.load32_splat(key + i), d));
    v128.store(at, s);
    a = f32x4.add(a, f32x4.mul(v128.load32_splat(query + i), s));
    at += 16;
  }
  v128.store(dst, f32x4.mul(scale, a));
}
