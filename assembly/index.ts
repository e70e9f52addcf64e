// The exports of the module. The three builds for hosts (simd, relaxed, threads) export the same names: what the host
// calls, and every kernel by itself, for tests and benchmarks.

export { quantizedRowBytes } from "./activations";
export { spin } from "./barrier";
export { execute, run, serve } from "./interpreter";
export { attention, attentionScratchBytes } from "./kernels/attention/attention";
export {
  add,
  geluErf,
  geluMul,
  mul,
  scale,
  scaleByPosition,
  sigmoidMul,
  siluMul,
  softcap,
} from "./kernels/elementwise";
export { embedRow } from "./kernels/embed";
export { kvStore } from "./kernels/kv-store";
export { layerNorm } from "./kernels/layer-norm";
export { lora, loraScratchBytes } from "./kernels/lora";
export { matmul, matmulScratchBytes } from "./kernels/matmul/matmul";
export {
  unpackCodesI8,
  unpackCodesI16,
  unpackLevelsI16,
  unpackQ4I8,
  unpackQ4I16,
  unpackQ8I16,
} from "./kernels/matmul/panel";
export {
  matmulRowCodes,
  matmulRowCodesFused,
  matmulRowQ4,
  matmulRowQ4Fused,
} from "./kernels/matmul/row-codes";
export { matmulRowFloat } from "./kernels/matmul/row-float";
export { matmulRowLevels } from "./kernels/matmul/row-levels";
export { matmulRowQ8 } from "./kernels/matmul/row-q8";
export { matmulTileI8, matmulTileI8Fused, matmulTileI16 } from "./kernels/matmul/tile";
export { quantizeRow } from "./kernels/quantize";
export { deltaRule } from "./kernels/recurrent/delta-rule";
export { decay, sigmoid } from "./kernels/recurrent/gates";
export { shortConv, shortConvState } from "./kernels/recurrent/short-conv";
export { rmsNorm } from "./kernels/rms-norm";
export { ropeHead, ropeTable } from "./kernels/rope";
export { repack, widen } from "./kernels/weights/repack";
export { unpackGroupScales } from "./kernels/weights/scales";
export { groupBytes, keyBytes, valueBytes } from "./layout";
export { expF32, logF64, softplusF32, storeCosSin, tanhF32 } from "./math";
export { weightType } from "./weight-types";

/** First address that the module's own data leaves free. */
export function heapBase(): usize {
  return __heap_base;
}
