/**
 * The tensor types of GGUF (ggml/include/ggml.h): their ids, and the values and bytes of their blocks.
 * @module
 */

/** Names as in ggml. */
export type TensorType =
  | "F32"
  | "F16"
  | "BF16"
  | "F64"
  | "I8"
  | "I16"
  | "I32"
  | "I64"
  | "Q4_0"
  | "Q4_1"
  | "Q5_0"
  | "Q5_1"
  | "Q8_0"
  | "Q8_1"
  | "Q2_K"
  | "Q3_K"
  | "Q4_K"
  | "Q5_K"
  | "Q6_K"
  | "Q8_K"
  | "IQ4_NL"
  | "IQ4_XS"
  | "TQ1_0"
  | "TQ2_0"
  | "MXFP4";

/** How a type stores values. */
export interface TensorTypeFacts {
  /** ggml's number of the type. */
  readonly id: number;
  /** Values per block. A row is a whole number of blocks. */
  readonly blockValues: number;
  /** Bytes per block. */
  readonly blockBytes: number;
}

const table: Record<TensorType, readonly [id: number, blockValues: number, blockBytes: number]> = {
  F32: [0, 1, 4],
  F16: [1, 1, 2],
  BF16: [30, 1, 2],
  F64: [28, 1, 8],
  I8: [24, 1, 1],
  I16: [25, 1, 2],
  I32: [26, 1, 4],
  I64: [27, 1, 8],
  Q4_0: [2, 32, 18],
  Q4_1: [3, 32, 20],
  Q5_0: [6, 32, 22],
  Q5_1: [7, 32, 24],
  Q8_0: [8, 32, 34],
  Q8_1: [9, 32, 36],
  Q2_K: [10, 256, 84],
  Q3_K: [11, 256, 110],
  Q4_K: [12, 256, 144],
  Q5_K: [13, 256, 176],
  Q6_K: [14, 256, 210],
  Q8_K: [15, 256, 292],
  IQ4_NL: [20, 32, 18],
  IQ4_XS: [23, 256, 136],
  TQ1_0: [34, 256, 54],
  TQ2_0: [35, 256, 66],
  MXFP4: [39, 32, 17],
};

const facts: ReadonlyMap<TensorType, TensorTypeFacts> = new Map(
  Object.entries(table).map(([type, [id, blockValues, blockBytes]]) => [
    type as TensorType,
    { id, blockValues, blockBytes },
  ]),
);
const byId: ReadonlyMap<number, TensorType> = new Map([...facts].map(([type, { id }]) => [id, type]));

/** The id and block sizes of a type. */
export function tensorTypeFacts(type: TensorType): TensorTypeFacts {
  return facts.get(type)!;
}

/** The type with a ggml id; undefined for an id that this library does not read. */
export function tensorTypeOf(id: number): TensorType | undefined {
  return byId.get(id);
}

/** Types that this library cannot read, for the names in errors. */
const unsupported: ReadonlyMap<number, string> = new Map([
  [4, "Q4_2 (which ggml has removed)"],
  [5, "Q4_3 (which ggml has removed)"],
  ...[31, 32, 33].map((id) => [id, "Q4_0 in an order for one processor (which ggml has removed)"] as const),
  ...[36, 37, 38].map((id) => [id, "IQ4_NL in an order for one processor (which ggml has removed)"] as const),
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [29, "IQ1_M"],
  [40, "NVFP4"],
  [41, "Q1_0"],
  [42, "Q2_0"],
]);

/** ggml's name of the type with an id, also of one that is newer than this library. */
export function ggmlTypeName(id: number): string {
  return byId.get(id) ?? unsupported.get(id) ?? "of a newer version of ggml";
}

/** Bytes of a row of `columns` values. They must be whole blocks, which the readers check. */
export function rowBytes(type: TensorType, columns: number): number {
  const { blockValues, blockBytes } = tensorTypeFacts(type);
  return (columns / blockValues) * blockBytes;
}
