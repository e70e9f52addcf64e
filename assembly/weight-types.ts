// The weight types that kernels multiply with: one row per type says how its weights lie in a file and in memory
// (layout.ts). `src/runtime/weight-types.ts` has the same rows, and `test/kernels/weight-types.test.ts` compares them.

// GGML's ids (ggml/include/ggml.h).
export const F32: i32 = 0;
export const F16: i32 = 1;
export const Q4_0: i32 = 2;
export const Q4_1: i32 = 3;
export const Q5_0: i32 = 6;
export const Q5_1: i32 = 7;
export const Q8_0: i32 = 8;
export const Q2_K: i32 = 10;
export const Q3_K: i32 = 11;
export const Q4_K: i32 = 12;
export const Q5_K: i32 = 13;
export const Q6_K: i32 = 14;
export const IQ4_NL: i32 = 20;
export const IQ4_XS: i32 = 23;
export const BF16: i32 = 30;
export const MXFP4: i32 = 39;

/** Where the scales of a type lie in memory, and what they are made of. */
export enum Scales {
  /** A float type has none. */
  NONE = 0,
  /** f16, at the beginning of each tile. */
  TILE = 1,
  /** f16 per block of 32, before the codes of a group. */
  F16 = 2,
  /** An f16 per super-block (256 columns) times a small integer per 16 or 32 columns, before the codes of a group. */
  SUPER = 3,
  /** A power of two per block of 32, by its exponent, before the codes of a group. */
  EXPONENT = 4,
}

/** A row of the table. */
@unmanaged
export class WeightType {
  id: u16;
  /** Values and bytes of a block in a file. */
  blockColumns: u16;
  blockBytes: u16;
  /** Bits of a weight in memory: 4 to 6, or 8 (int8), for codes; 16 or 32 for floats. */
  bits: u16;
  scales: u16;
  /** Columns that share a scale: 16 or 32. */
  columnsPerScale: u16;
  /** 1: a weight is scale * code + minimum. 0: it is scale * (code - zero), or scale * level. */
  minima: u16;
  /** 1: codes of 4 bits are indices into sixteen levels (kernels/weights/levels.ts). */
  levels: u16;
  /** Offset of the f16 scale in a block of a file, in bytes. The f16 of the minima follows it. */
  f16At: u16;

  get isFloat(): bool {
    return this.scales == Scales.NONE;
  }

  get scalesInTiles(): bool {
    return this.scales == Scales.TILE;
  }

  get hasSuperBlocks(): bool {
    return this.scales == Scales.SUPER;
  }

  /** Vectors of high bits beside the four of low bits in a step of eight columns, for codes of 4 to 6 bits. */
  get planes(): i32 {
    return <i32>this.bits - 4;
  }

  /** The code of a weight of 0 where codes of 4 to 6 bits have no minima: the middle of the codes. */
  get zeroCode(): i32 {
    return 8 << this.planes;
  }
}

// biome-ignore format: a table
const ROWS: usize = memory.data<u16>([
  // id, block: columns, bytes; bits; scales; columns per scale; minima; levels; f16 at
  0,    1,   4,  32, 0,  0, 0, 0, 0,   // F32
  1,    1,   2,  16, 0,  0, 0, 0, 0,   // F16
  30,   1,   2,  16, 0,  0, 0, 0, 0,   // BF16
  2,   32,  18,   4, 1, 32, 0, 0, 0,   // Q4_0
  3,   32,  20,   4, 1, 32, 1, 0, 0,   // Q4_1
  8,   32,  34,   8, 1, 32, 0, 0, 0,   // Q8_0
  6,   32,  22,   5, 2, 32, 0, 0, 0,   // Q5_0
  7,   32,  24,   5, 2, 32, 1, 0, 0,   // Q5_1
  10, 256,  84,   4, 3, 16, 1, 0, 80,  // Q2_K: its codes of 2 bits become codes of 4
  11, 256, 110,   4, 3, 16, 0, 0, 108, // Q3_K: its codes of 3 bits become codes of 4
  12, 256, 144,   4, 3, 32, 1, 0, 0,   // Q4_K
  13, 256, 176,   5, 3, 32, 1, 0, 0,   // Q5_K
  14, 256, 210,   6, 3, 16, 0, 0, 208, // Q6_K
  20,  32,  18,   4, 2, 32, 0, 1, 0,   // IQ4_NL
  23, 256, 136,   4, 3, 32, 0, 1, 0,   // IQ4_XS
  39,  32,  17,   4, 4, 32, 0, 1, 0,   // MXFP4
]);
const ROW_COUNT: i32 = 16;

/** The row of a type. The host refuses types that have none; asking for one traps. */
export function weightType(id: i32): WeightType {
  let row = changetype<WeightType>(ROWS);
  for (let i = 0; i < ROW_COUNT; i++) {
    if (<i32>row.id == id) return row;
    row = changetype<WeightType>(changetype<usize>(row) + offsetof<WeightType>());
  }
  assert(false, "weightType: no kernel for this type");
  return unreachable();
}
