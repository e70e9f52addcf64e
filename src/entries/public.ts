/**
 * The exports that all entries share. Each entry adds `load` and `plan` for its host.
 * @module
 */
export { type ErrorCode, NibbleError } from "../base/errors.ts";
export type { ChatMessage } from "../chat/template.ts";
export type { ApplyTemplateOptions } from "../engine/chat-prompts.ts";
export type { GenerateEvent, Usage } from "../engine/generate/events.ts";
export type { Timings } from "../engine/generate/timings.ts";
export type { InfillFile, InfillOptions } from "../engine/infill.ts";
export type { Model } from "../engine/model.ts";
export type { DraftFacts, FileFacts, LoadFacts, ModelInfo } from "../engine/model-info.ts";
export type * from "../engine/openai/chat-types.ts";
export type * from "../engine/openai/common-types.ts";
export type * from "../engine/openai/completion-types.ts";
export type { EmbeddingRequest, EmbeddingResponse } from "../engine/openai/embeddings.ts";
export type { EmbedInput, EmbedOptions } from "../engine/request/embed-options.ts";
export type { GenerateOptions } from "../engine/request/generate-options.ts";
export type { LoraChoice, LoraInfo } from "../engine/request/lora.ts";
export type { SamplerName, SamplingOptions } from "../engine/sample/options.ts";
export type { ForwardOptions, Session } from "../engine/session/session.ts";
export type { SessionKey } from "../engine/session/signature.ts";
export type { Checkpoint, Metadata, TensorInfo } from "../formats/checkpoint.ts";
export { llamaLayerTensors } from "../formats/huggingface/layer-tensors.ts";
export { getNumber } from "../formats/typed-values.ts";
export type { CachedFile, ModelRecord } from "../hub/cache.ts";
export type { Models, PullModelOptions } from "../hub/models.ts";
export type { PullProgress } from "../hub/pull.ts";
export type { ByteSource, FileSet } from "../io/byte-source.ts";
export type { StreamedFile } from "../io/stream-source.ts";
export type { LoraOption } from "../load/adapters.ts";
export type { Load, ModelPlan, Plan } from "../load/create-load.ts";
export type { LoadOptions } from "../load/options.ts";
export type { ModelSource } from "../load/source.ts";
export {
  type Architecture,
  type DecoderConfig,
  gatedFeedForward,
  lmHead,
  projectAttention,
  projectOutput,
  readDecoderConfig,
} from "../models/decoder.ts";
export { type HuggingFaceFamily, registerArchitecture } from "../models/index.ts";
export type { AttentionOptions } from "../runtime/attention-recorder.ts";
export type { ProgramBuilder } from "../runtime/builder.ts";
export type { Build } from "../runtime/kernels.ts";
export type { KvType } from "../runtime/layout.ts";
export type { MemoryPlan } from "../runtime/memory-plan.ts";
export type { KvLayer, RopeTable, Value } from "../runtime/recording.ts";
export type { LoadProgress } from "../runtime/weights.ts";
export type * from "./globals.d.ts";
