import { MXFP4, WeightType } from "../../weight-types";

// The sixteen weights that a 4-bit code may stand for, times their scale (ggml/src/ggml-common.h).

/** IQ4_NL and IQ4_XS: steps that are finer near 0. */
const NON_LINEAR: usize = memory.data<i8>(
  [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
  16,
);
/** MXFP4: the eight values of e2m1, doubled to be whole, and their negatives. */
const E2M1: usize = memory.data<i8>([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], 16);

/** Sixteen levels i8. */
export function levelsOf(type: WeightType): usize {
  return type.id == MXFP4 ? E2M1 : NON_LINEAR;
}
