import { loadF16, loadF16x4 } from "../../lanes";
import { SUPER_BLOCK, superScalesBytes } from "../../layout";
import { Scales, WeightType } from "../../weight-types";

// The scales (and minima) of a group that has them before its codes (layout.ts, groupScalesBytes), as f32. The products
// d * scale are exact: 11 bits times at most 8.

/**
 * Scales of columns [from, from + count) of a group: f32 [count / columnsPerScale][16 rows]; minima likewise.
 * A weight is scale * code + minimum: GGML subtracts its minima, so their sign is changed here.
 * @param scales f32   @param minima f32, where the type has them   @param group of all `columns`
 */
export function unpackGroupScales(
  scales: usize,
  minima: usize,
  group: usize,
  type: WeightType,
  from: i32,
  count: i32,
): void {
  const blocks = count / <i32>type.columnsPerScale;
  const first = from / <i32>type.columnsPerScale;
  if (type.scales == Scales.EXPONENT) unpackExponents(scales, group + ((<usize>first) << 4), blocks);
  else if (type.hasSuperBlocks) unpackSuperScales(scales, minima, group, type, first, first + blocks);
  else {
    const kinds = <i32>type.minima;
    let at = group + ((<usize>first) << (5 + kinds));
    for (let b = 0; b < blocks; b++) {
      unpackF16(scales, at);
      scales += 64;
      at += 32;
      if (!kinds) continue;
      unpackF16(minima, at);
      minima += 64;
      at += 32;
    }
  }
}

/** Converts sixteen f16 at `at` to f32. */
export function unpackF16(to: usize, at: usize): void {
  v128.store(to, loadF16x4(at));
  v128.store(to, loadF16x4(at + 8), 16);
  v128.store(to, loadF16x4(at + 16), 32);
  v128.store(to, loadF16x4(at + 24), 48);
}

/** Unpacks the scales of sub-blocks [begin, end), which are numbered through all super-blocks. */
function unpackSuperScales(scales: usize, minima: usize, group: usize, type: WeightType, begin: i32, end: i32): void {
  const perBlock = SUPER_BLOCK / <i32>type.columnsPerScale;
  const minimaBytes: usize = type.minima ? 16 : 0;
  const minus = f32x4.splat(-1);
  let sub = begin;
  while (sub < end) {
    const block = group + <usize>(sub / perBlock) * <usize>superScalesBytes(type);
    const last = min(end, (sub / perBlock + 1) * perBlock);
    const d0 = loadF16x4(block);
    const d1 = loadF16x4(block + 8);
    const d2 = loadF16x4(block + 16);
    const d3 = loadF16x4(block + 24);
    let m0 = minus;
    let m1 = minus;
    let m2 = minus;
    let m3 = minus;
    if (minimaBytes) {
      m0 = f32x4.neg(loadF16x4(block + 32));
      m1 = f32x4.neg(loadF16x4(block + 40));
      m2 = f32x4.neg(loadF16x4(block + 48));
      m3 = f32x4.neg(loadF16x4(block + 56));
    }
    let at = block + 32 + 2 * minimaBytes + <usize>(sub % perBlock) * (16 + minimaBytes);
    for (; sub < last; sub++) {
      storeTimes(scales, at, d0, d1, d2, d3);
      scales += 64;
      at += 16;
      if (!minimaBytes) continue;
      storeTimes(minima, at, m0, m1, m2, m3);
      minima += 64;
      at += 16;
    }
  }
}

/** Multiplies each of sixteen i8 at `at` by the f32 of its row, and stores the products. */
function storeTimes(to: usize, at: usize, d0: v128, d1: v128, d2: v128, d3: v128): void {
  const low = v128.load8x8_s(at);
  const high = v128.load8x8_s(at, 8);
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), d0));
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), d1), 16);
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), d2), 32);
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), d3), 48);
}

/** 2^(e - 128), by its bits: the exponent e - 1, or a subnormal. */
function powerBits(e: i32): i32 {
  return e > 1 ? (e - 1) << 23 : 0x00200000 << e;
}

function unpackExponents(scales: usize, at: usize, blocks: i32): void {
  for (let b = 0; b < blocks; b++) {
    for (let row: usize = 0; row < 16; row++) {
      store<i32>(scales + (row << 2), powerBits(load<u8>(at + row)));
    }
    scales += 64;
    at += 16;
  }
}

/** The scale of row `lane` at sub-block `block` of a group. */
export function groupScale(group: usize, type: WeightType, block: i32, lane: i32): f32 {
  const row = <usize>lane;
  if (type.scales == Scales.EXPONENT) return reinterpret<f32>(powerBits(load<u8>(group + ((<usize>block) << 4) + row)));
  if (!type.hasSuperBlocks) return loadF16(group + ((<usize>block) << (type.minima ? 6 : 5)) + 2 * row);
  const at = superBlock(group, type, block);
  return loadF16(at + 2 * row) * <f32>load<i8>(smallScales(at, type, block) + row);
}

/** The minimum of row `lane` at sub-block `block` of a group that has minima: what is added to scale * code. */
export function groupMinimum(group: usize, type: WeightType, block: i32, lane: i32): f32 {
  const row = <usize>lane;
  if (!type.hasSuperBlocks) return loadF16(group + ((<usize>block) << 6) + 32 + 2 * row);
  const at = superBlock(group, type, block);
  return -loadF16(at + 32 + 2 * row) * <f32>load<i8>(smallScales(at, type, block) + 16 + row);
}

/** The address of the scales of the super-block that sub-block `block` belongs to. */
function superBlock(group: usize, type: WeightType, block: i32): usize {
  return group + <usize>((block * <i32>type.columnsPerScale) / SUPER_BLOCK) * <usize>superScalesBytes(type);
}

/** Where the small scales of a sub-block lie; its small minima follow them. */
function smallScales(superBlock: usize, type: WeightType, block: i32): usize {
  const within = <usize>(block % (SUPER_BLOCK / <i32>type.columnsPerScale));
  return superBlock + (type.minima ? 64 + 32 * within : 32 + 16 * within);
}
