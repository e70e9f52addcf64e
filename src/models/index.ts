/**
 * The architectures that can be run, by their name in `general.architecture`.
 *
 * README.md in this folder has the steps to add one. In short: a file with `readConfig` and `build`, a call of
 * `registerArchitecture` below, and a row in src/formats/huggingface/families.ts if folders should load.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { registerFamily } from "../formats/huggingface/families.ts";
import type { Family } from "../formats/huggingface/family.ts";
import { ProgramBuilder } from "../runtime/builder.ts";
import type { Program, ProgramOptions } from "../runtime/program.ts";
import { bert } from "./bert.ts";
import type { Architecture, DecoderConfig, ModelConfig } from "./decoder.ts";
import { ernie45 } from "./ernie4_5.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3, gemmaEmbedding } from "./gemma3.ts";
import { granite, graniteHybrid } from "./granite.ts";
import { hunyuan } from "./hunyuan.ts";
import { lfm2 } from "./lfm2.ts";
import { llama } from "./llama.ts";
import { llama4 } from "./llama4.ts";
import { minicpm } from "./minicpm.ts";
import { mistral3 } from "./mistral3.ts";
import { mobilellm } from "./mobilellm.ts";
import { olmo2 } from "./olmo2.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen3 } from "./qwen3.ts";
import { qwen35 } from "./qwen35.ts";
import { smollm3 } from "./smollm3.ts";
import { readAllKeys } from "./unread-keys.ts";

/** How config.json and the tensor names of a `model_type` translate to those of a GGUF. */
export type HuggingFaceFamily = Omit<Family, "architecture">;

const architectures = new Map<string, Architecture>();

/**
 * Makes `load` run models of an architecture. An architecture that has the same name is replaced.
 *
 * ```ts
 * registerArchitecture({
 *   name: "my-arch", // general.architecture of a GGUF file
 *   readConfig: (checkpoint) => readDecoderConfig(checkpoint, false),
 *   build(b, c) { ... return lmHead(b, c, h); },
 * });
 * ```
 * @param families how Hugging Face folders translate to it, by `model_type`. Without them, only GGUF files load.
 * @throws NibbleError `invalid_argument` for an object that is not an architecture
 */
export function registerArchitecture<Config extends ModelConfig>(
  architecture: Architecture<Config>,
  families: Readonly<Record<string, HuggingFaceFamily>> = {},
): void {
  const { name, readConfig, build } = architecture ?? {};
  if (typeof name !== "string" || name === "" || typeof readConfig !== "function" || typeof build !== "function")
    throw new NibbleError("invalid_argument", "expected an architecture with a name, readConfig and build");
  // The cast loses the type of the config. That is safe, because a config goes only from `readConfig` to `build` of the
  // same architecture.
  architectures.set(name, architecture as unknown as Architecture);
  for (const [modelType, family] of Object.entries(families))
    registerFamily(modelType, { ...family, architecture: name });
}
for (const architecture of [qwen2, qwen3, ernie45, hunyuan]) registerArchitecture(architecture);
for (const architecture of [granite, graniteHybrid, minicpm]) registerArchitecture(architecture);
registerArchitecture(llama);
registerArchitecture(llama4);
registerArchitecture(smollm3);
registerArchitecture(mistral3);
registerArchitecture(mobilellm);
registerArchitecture(gemma2);
registerArchitecture(gemma3);
registerArchitecture(gemmaEmbedding);
registerArchitecture(olmo2);
registerArchitecture(lfm2);
registerArchitecture(qwen35);
registerArchitecture(bert);

/** A model's hyper-parameters, and its forward pass. */
export interface ModelDescription {
  readonly config: ModelConfig;
  /** Builds the program of the forward pass. @throws NibbleError as `ProgramBuilder`; `unsupported_architecture` */
  describe(options: ProgramOptions): Program;
}

/**
 * Reads a model's hyper-parameters from the header. It reads no weights, except for a RoPE table of a few hundred bytes.
 * @throws NibbleError `unsupported_architecture`, `missing_key`, `bad_value`
 */
export async function describeModel(checkpoint: Checkpoint): Promise<ModelDescription> {
  const architecture = architectures.get(checkpoint.architecture);
  if (!architecture) {
    const known = [...architectures.keys()].join(", ");
    throw new NibbleError(
      "unsupported_architecture",
      `architecture ${checkpoint.architecture} is not supported; ${known} are, and registerArchitecture adds others`,
    );
  }
  const config = await readAllKeys(architecture, checkpoint);
  return {
    config,
    describe(options) {
      const builder = new ProgramBuilder(checkpoint.tensors, options);
      const program = builder.finish(architecture.build(builder, inContext(config, options)));
      checkAllRead(checkpoint, program, (tensor) => architecture.skips?.(tensor, config) ?? false);
      checkRopeFactor(config, program);
      return program;
    },
  };
}

/**
 * The hyper-parameters for a context of so many tokens. LongRoPE has other frequencies beyond the original context. As in
 * llama.cpp, the longest context that was asked for decides: transformers goes by the length of a text, and so a text that
 * grows beyond the original context has keys of both kinds.
 */
function inContext(config: DecoderConfig, { contextLength = 0 }: ProgramOptions): DecoderConfig {
  const { longRope } = config;
  return longRope && contextLength > longRope.beyond ? { ...config, frequencies: longRope.frequencies } : config;
}

/** Checks that the forward pass has the factor of RoPE: an architecture from outside may not know that there is one. */
function checkRopeFactor({ ropeFactor = 1 }: DecoderConfig, { ropeFactors }: Program): void {
  if (ropeFactor === 1 || ropeFactors.length === 0 || ropeFactors.includes(ropeFactor)) return;
  throw new NibbleError(
    "unsupported_architecture",
    `the scaling of RoPE has the factor ${ropeFactor}, which the architecture does not pass on to ropeTable`,
  );
}

const ROPE_TENSORS = ["rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight"];

/** Checks that the forward pass reads all weights: leaving one out, such as a bias, would silently give wrong results. */
function checkAllRead(
  { architecture, tensors }: Checkpoint,
  { weights }: Program,
  skips: (tensor: string) => boolean,
): void {
  const read = new Set(weights.placements.map(({ info }) => info.name));
  for (const name of tensors.keys())
    if (!read.has(name) && !ROPE_TENSORS.includes(name) && !skips(name))
      throw new NibbleError("unsupported_architecture", `tensor ${name} is not part of a ${architecture} model`);
}
