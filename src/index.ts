/**
 * nibble: small reasoning language models on any CPU.
 *
 * ```ts
 * import { load } from "nibble-llm";
 * const model = await load("crumb");
 * const answer = await model.chat.completions.create({ messages: [{ role: "user", content: "How much is 8 * 33?" }] });
 * console.log(answer.choices[0]?.message.content);
 * ```
 * @module
 */
import { createLoad, type Load } from "./create-load.ts";
import { nodeHost } from "./hosts/node.ts";

export type { ChatMessage } from "./chat/template.ts";
export type { Load, LoadOptions } from "./create-load.ts";
export type { GenerateEvent, GenerateOptions, Timings, Usage } from "./engine/generate.ts";
export type { ApplyTemplateOptions, Model, ModelInfo } from "./engine/model.ts";
export type * from "./engine/openai-types.ts";
export type { ForwardOptions, Session } from "./engine/session.ts";
export { type ErrorCode, NibbleError } from "./errors.ts";
export { llamaLayerTensors } from "./formats/huggingface-families.ts";
export { getNumber } from "./formats/metadata.ts";
export type { ByteSource, Checkpoint, FileSet, Metadata, TensorInfo } from "./formats/types.ts";
export type { ModelSource, RuntimeOptions } from "./load.ts";
export {
  type Architecture,
  type DecoderConfig,
  gatedFeedForward,
  lmHead,
  projectAttention,
  readDecoderConfig,
} from "./models/decoder.ts";
export { type HuggingFaceFamily, registerArchitecture } from "./models/index.ts";
export type { Build } from "./runtime/kernels.ts";
export type { KvType } from "./runtime/layout.ts";
export type { MemoryPlan } from "./runtime/memory-plan.ts";
export type { AttentionOptions, CachedLayer, ProgramBuilder, Rotations, Value } from "./runtime/program.ts";
export type { LoadProgress } from "./runtime/weights.ts";

/**
 * Loads a model: a name (`"crumb"`), the path of a GGUF file (first shard of a split one) or of a Hugging Face folder,
 * bytes, a Blob, a `ByteSource` or a `FileSet`.
 * @throws NibbleError with a format code for a file that cannot be run, `out_of_memory` before the first weight is read
 */
export const load: Load = createLoad(nodeHost);
