/**
 * The weight types that kernels multiply with: one row per type says how its weights lie in memory
 * (assembly/layout.ts). `assembly/weight-types.ts` has the same rows; `test/kernels/weight-types.test.ts` compares
 * them.
 * @module
 */
import { type TensorType, tensorTypeFacts } from "../formats/tensor-types.ts";

/** Where the scales lie and what they are made of; the index is the id in `assembly/weight-types.ts`. */
export const SCALES = ["none", "tile", "f16", "super", "exponent"] as const;

export interface WeightTypeFacts {
  /** Bits of a weight in memory: 4 to 6, or 8 (int8), for codes; 16 or 32 for floats. */
  readonly bits: number;
  /**
   * `none`: a float type has none. `tile`: f16 at the beginning of each tile. The others lie before the codes of a
   * group: `f16` per block of 32; `super`: an f16 per block of 256 times a small integer per 16 or 32 columns;
   * `exponent`: a power of two per block of 32.
   */
  readonly scales: (typeof SCALES)[number];
  /** Columns that share a scale: 16 or 32; 0 for floats. */
  readonly columnsPerScale: number;
  /** Whether a weight is scale * code + minimum; else it is scale * (code - zero), or scale * level. */
  readonly minima: boolean;
  /** Whether codes of 4 bits are indices into sixteen levels. */
  readonly levels: boolean;
  /** Offset of the f16 scale in a block of a file, in bytes. The f16 of the minima follows it. */
  readonly f16At: number;
}

const floats = (bits: number): WeightTypeFacts => ({
  bits,
  scales: "none",
  columnsPerScale: 0,
  minima: false,
  levels: false,
  f16At: 0,
});

const codes = (
  bits: number,
  scales: WeightTypeFacts["scales"],
  more: Partial<Omit<WeightTypeFacts, "bits" | "scales">> = {},
): WeightTypeFacts => ({ bits, scales, columnsPerScale: 32, minima: false, levels: false, f16At: 0, ...more });

/** The row of each type. The codes of Q2_K and Q3_K are widened to 4 bits; no type loses precision. */
export const WEIGHT_TYPES: ReadonlyMap<TensorType, WeightTypeFacts> = new Map<TensorType, WeightTypeFacts>([
  ["F32", floats(32)],
  ["F16", floats(16)],
  ["BF16", floats(16)],
  ["Q4_0", codes(4, "tile")],
  ["Q4_1", codes(4, "tile", { minima: true })],
  ["Q8_0", codes(8, "tile")],
  ["Q5_0", codes(5, "f16")],
  ["Q5_1", codes(5, "f16", { minima: true })],
  ["Q2_K", codes(4, "super", { minima: true, columnsPerScale: 16, f16At: 80 })],
  ["Q3_K", codes(4, "super", { columnsPerScale: 16, f16At: 108 })],
  ["Q4_K", codes(4, "super", { minima: true })],
  ["Q5_K", codes(5, "super", { minima: true })],
  ["Q6_K", codes(6, "super", { columnsPerScale: 16, f16At: 208 })],
  ["IQ4_NL", codes(4, "f16", { levels: true })],
  ["IQ4_XS", codes(4, "super", { levels: true })],
  ["MXFP4", codes(4, "exponent", { levels: true })],
]);

/** Whether a kernel exists for this type. */
export function hasKernel(type: TensorType): boolean {
  return WEIGHT_TYPES.has(type);
}

/** The row of a type that has a kernel. */
export function weightTypeFacts(type: TensorType): WeightTypeFacts {
  return WEIGHT_TYPES.get(type)!;
}

/** Whether its matmuls take quantised activations. */
export function isQuantized(type: TensorType): boolean {
  return weightTypeFacts(type).scales !== "none";
}

/**
 * Whether its matmuls take activations with codes of 16 bits, not with one or two int8 digits
 * (assembly/kernels/quantize.ts).
 */
export function takesWide(type: TensorType): boolean {
  const { bits, levels } = weightTypeFacts(type);
  return bits === 8 || levels;
}

/** Describes how a weight of this type is kept in memory. */
export function describeLayout(type: TensorType): string {
  const { bits, levels } = weightTypeFacts(type);
  if (!isQuantized(type)) return type.toLowerCase();
  if (bits === 8) return "int8";
  return `${bits}-bit codes${levels ? " of levels" : ""}`;
}

/**
 * A block of the scales of GROUP_ROWS rows that lie before the codes of a group: its columns, how many of its bytes are
 * f16, and all its bytes. Undefined where tiles have the scales, or the type has none.
 */
export function scaleBlock(type: TensorType): { columns: number; f16Bytes: number; bytes: number } | undefined {
  const { scales, columnsPerScale, minima } = weightTypeFacts(type);
  if (scales === "none" || scales === "tile") return undefined;
  const columns = tensorTypeFacts(type).blockValues;
  if (scales === "exponent") return { columns, f16Bytes: 0, bytes: 16 };
  const kinds = minima ? 2 : 1;
  const small = scales === "super" ? (columns / columnsPerScale) * 16 * kinds : 0;
  return { columns, f16Bytes: 32 * kinds, bytes: 32 * kinds + small };
}
