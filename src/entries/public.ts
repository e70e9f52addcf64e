/**
 * What every entry exports beside its host's `load`.
 * @module
 */

export { type ErrorCode, NibbleError } from "../base/errors.ts";
export type { ChatMessage } from "../chat/template.ts";
export type { EmbedInput, EmbedOptions } from "../engine/embed.ts";
export type { GenerateEvent, GenerateOptions, Timings, Usage } from "../engine/generate.ts";
export type { LoraChoice, LoraInfo } from "../engine/lora.ts";
export type { ApplyTemplateOptions, Model, ModelInfo } from "../engine/model.ts";
export type * from "../engine/openai/types.ts";
export type { SamplerName, SamplingOptions } from "../engine/sample/options.ts";
export type { ForwardOptions, Session } from "../engine/session/session.ts";
export type { Checkpoint, Metadata, TensorInfo } from "../formats/checkpoint.ts";
export { llamaLayerTensors } from "../formats/huggingface/families.ts";
export { getNumber } from "../formats/typed-values.ts";
export type { CachedFile, ModelRecord } from "../hub/cache.ts";
export type { Models, PullModelOptions } from "../hub/models.ts";
export type { PullProgress } from "../hub/pull.ts";
export type { ByteSource, FileSet } from "../io/byte-source.ts";
export type { StreamedFile } from "../io/stream-source.ts";
export type { LoraOption } from "../load/adapters.ts";
export type { Load, LoadOptions, ModelPlan, Plan } from "../load/create-load.ts";
export type { RuntimeOptions } from "../load/executor.ts";
export type { ModelSource } from "../load/source.ts";
export {
  type Architecture,
  type DecoderConfig,
  gatedFeedForward,
  lmHead,
  projectAttention,
  readDecoderConfig,
} from "../models/decoder.ts";
export { type HuggingFaceFamily, registerArchitecture } from "../models/index.ts";
export type { Build } from "../runtime/kernels.ts";
export type { KvType } from "../runtime/layout.ts";
export type { MemoryPlan } from "../runtime/memory-plan.ts";
export type { AttentionOptions, CachedLayer, ProgramBuilder, Rotations, Value } from "../runtime/program.ts";
export type { LoadProgress } from "../runtime/weights.ts";
