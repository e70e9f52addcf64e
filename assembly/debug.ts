// The debug build: everything of the release builds, with assertions on, and the scalar references for the kernel tests.
export * from "./index";
export { attentionRef } from "./ref/attention";
export { addToRef, geluMulRef, scaleByRef, siluMulRef, softcapRef } from "./ref/elementwise";
export { embedRowRef } from "./ref/embed";
export { kvStoreRef } from "./ref/kv-store";
export { addLowRankRef } from "./ref/lora";
export { expF32Ref, storeCosSinRef, tanhF32Ref } from "./ref/math";
export { matmulRef } from "./ref/matmul";
export { gemvCodesRef, gemvLevelsRef } from "./ref/matmul-codes";
export { gemvFloatRef } from "./ref/matmul-float";
export { gemvQ4Ref } from "./ref/matmul-q4";
export { gemvQ8Ref } from "./ref/matmul-q8";
export {
  unpackCodesBytesRef,
  unpackCodesWordsRef,
  unpackLevelsWordsRef,
  unpackQ4BytesRef,
  unpackQ4WordsRef,
  unpackQ8WordsRef,
} from "./ref/panel";
export { quantizeRowRef } from "./ref/quantize";
export { repackRef, widenRef } from "./ref/repack";
export { rmsNormRef } from "./ref/rms-norm";
export { ropeHeadRef, ropeTableRef } from "./ref/rope";
export { unpackGroupScalesRef } from "./ref/scales";
export { tileI8Ref, tileI16Ref } from "./ref/tile";
