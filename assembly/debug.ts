// The debug build: the exports of the release builds, with assertions on, and for the kernel tests the scalar
// references and the offsets of records.
export * from "./index";
export * from "./offsets";
export * from "./recurrent-offsets";
export { attentionRef } from "./ref/attention";
export {
  addRef,
  geluErfRef,
  geluMulRef,
  mulRef,
  scaleByPositionRef,
  scaleRef,
  sigmoidMulRef,
  siluMulRef,
  softcapRef,
} from "./ref/elementwise";
export { embedRowRef } from "./ref/embed";
export { kvStoreRef } from "./ref/kv-store";
export { layerNormRef } from "./ref/layer-norm";
export { loraRef } from "./ref/lora";
export { expF32Ref, logF64Ref, softplusF32Ref, storeCosSinRef, tanhF32Ref } from "./ref/math";
export { matmulRef } from "./ref/matmul/matmul";
export {
  unpackCodesI8Ref,
  unpackCodesI16Ref,
  unpackLevelsI16Ref,
  unpackQ4I8Ref,
  unpackQ4I16Ref,
  unpackQ8I16Ref,
} from "./ref/matmul/panel";
export { matmulRowCodesRef, matmulRowLevelsRef } from "./ref/matmul/row-codes";
export { matmulRowFloatRef } from "./ref/matmul/row-float";
export { matmulRowQ4Ref } from "./ref/matmul/row-q4";
export { matmulRowQ8Ref } from "./ref/matmul/row-q8";
export { matmulTileI8Ref, matmulTileI16Ref } from "./ref/matmul/tile";
export { quantizeRowRef } from "./ref/quantize";
export { deltaRuleRef } from "./ref/recurrent/delta-rule";
export { decayRef, sigmoidRef } from "./ref/recurrent/gates";
export { shortConvRef, shortConvStateRef } from "./ref/recurrent/short-conv";
export { rmsNormRef } from "./ref/rms-norm";
export { ropeHeadRef, ropeTableRef } from "./ref/rope";
export { repackRef, widenRef } from "./ref/weights/repack";
export { unpackGroupScalesRef } from "./ref/weights/scales";
