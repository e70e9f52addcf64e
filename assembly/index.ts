// Everything the host may call. The three builds (simd, relaxed, threads) export the same names.
export { attention, attentionScratchBytes } from "./kernels/attention";
export { addTo, geluMul, scaleBy, siluMul, softcap } from "./kernels/elementwise";
export { embedRow } from "./kernels/embed";
export { kvStore } from "./kernels/kv-store";
export { addLowRank, lowRankScratchBytes } from "./kernels/lora";
export { matmul, matmulScratchBytes } from "./kernels/matmul";
export { gemvCodes, gemvCodesFused } from "./kernels/matmul-codes";
export { gemvFloat } from "./kernels/matmul-float";
export { gemvLevels } from "./kernels/matmul-levels";
export { gemvQ4, gemvQ4Fused } from "./kernels/matmul-q4";
export { gemvQ8 } from "./kernels/matmul-q8";
export {
  unpackCodesBytes,
  unpackCodesWords,
  unpackLevelsWords,
  unpackQ4Bytes,
  unpackQ4Words,
  unpackQ8Words,
} from "./kernels/panel";
export { quantizeRow } from "./kernels/quantize";
export { repack, widen } from "./kernels/repack";
export { rmsNorm } from "./kernels/rms-norm";
export { ropeHead, ropeTable } from "./kernels/rope";
export { unpackGroupScales } from "./kernels/scales";
export { groupBytes, keyBytes, quantizedRowBytes, valueBytes } from "./layout";
export { expF32, storeCosSin, tanhF32 } from "./math";
export { execute, run, serve } from "./program";

/** First address that the module's own data leaves free. */
export function heapBase(): usize {
  return __heap_base;
}
export { tileI8, tileI8Fused, tileI16 } from "./kernels/tile";
