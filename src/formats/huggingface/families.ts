/**
 * The families of transformers that this library runs, one table entry each. To add a family, add an entry.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { bertFamily } from "./bert-config.ts";
import type { Family } from "./family.ts";
import { gemma2Family } from "./gemma2-family.ts";
import { addGemma3Facts, gemma3Variant } from "./gemma3-config.ts";
import { graniteFamily, graniteHybridFamily } from "./granite-family.ts";
import { hunyuanFamily } from "./hunyuan-family.ts";
import {
  attentionTensors,
  feedForwardTensors,
  llamaLayerTensors,
  olmoLayerTensors,
  postNorms,
  queryKeyNorms,
} from "./layer-tensors.ts";
import { lfm2Family } from "./lfm2-family.ts";
import { addLlama4Facts } from "./llama4-config.ts";
import { minicpmFamily } from "./minicpm-family.ts";
import { ministralFamily, mistralFamily } from "./mistral-family.ts";
import { mobilellmFamily } from "./mobilellm-family.ts";
import { olmo3Family } from "./olmo3-family.ts";
import { qwen2Family, qwen3Family } from "./qwen-family.ts";
import { qwen35Family } from "./qwen3_5-family.ts";
import { robertaFamily } from "./roberta-config.ts";
import { smollm3Family } from "./smollm3-family.ts";

const known = new Map<string, Family>([
  ["bert", bertFamily],
  ["roberta", robertaFamily],
  ["xlm-roberta", robertaFamily],
  [
    "llama",
    {
      architecture: "llama",
      mayBeBidirectional: true,
      layerTensors: llamaLayerTensors,
      defaults: { rms_norm_eps: 1e-6, rope_theta: 10_000, tie_word_embeddings: false, max_position_embeddings: 2048 },
      feedForward: "intermediate_size",
      unusedKeys: ["partial_rotary_factor"],
    },
  ],
  [
    "llama4_text",
    {
      architecture: "llama4",
      layerTensors: new Map([
        ...attentionTensors,
        ["post_attention_layernorm", "ffn_norm"],
        ...feedForwardTensors("feed_forward"),
      ]),
      defaults: {
        rms_norm_eps: 1e-5,
        rope_theta: 500_000,
        tie_word_embeddings: false,
        max_position_embeddings: 131_072,
        head_dim: 128,
        num_key_value_heads: 8,
      },
      feedForward: "intermediate_size_mlp",
      unusedKeys: ["num_local_experts", "num_experts_per_tok"], // `moe_layers` says which layers have experts
      addFacts: addLlama4Facts,
    },
  ],
  [
    "gemma3_text",
    {
      architecture: "gemma3",
      mayBeBidirectional: true,
      variant: gemma3Variant,
      layerTensors: new Map([
        ...attentionTensors,
        ...queryKeyNorms,
        ...postNorms,
        ["pre_feedforward_layernorm", "ffn_norm"],
        ...feedForwardTensors("mlp"),
      ]),
      defaults: {
        rms_norm_eps: 1e-6,
        rope_theta: 1_000_000,
        tie_word_embeddings: true,
        max_position_embeddings: 131_072,
        num_attention_heads: 8,
        vocab_size: 262_208,
        head_dim: 256,
        num_key_value_heads: 4,
      },
      feedForward: "intermediate_size",
      activation: { key: "hidden_activation", name: "gelu_pytorch_tanh" },
      ropeByLayerType: true,
      normsAddOne: true,
      unusedKeys: ["attn_logit_softcapping"],
      addFacts: addGemma3Facts,
    },
  ],
  [
    "olmo2",
    {
      architecture: "olmo2",
      layerTensors: olmoLayerTensors,
      defaults: { rms_norm_eps: 1e-5, rope_theta: 10_000, tie_word_embeddings: false, max_position_embeddings: 2048 },
      feedForward: "intermediate_size",
    },
  ],
  [
    "ernie4_5",
    {
      architecture: "ernie4_5",
      layerTensors: llamaLayerTensors,
      defaults: {
        rms_norm_eps: 1e-5,
        rope_theta: 500_000,
        tie_word_embeddings: true,
        max_position_embeddings: 131_072,
        head_dim: 128,
        num_key_value_heads: 2,
      },
      feedForward: "intermediate_size",
      biasKeys: { attention: "use_bias", feedForward: "use_bias" },
    },
  ],
  ["gemma2", gemma2Family],
  ["granite", graniteFamily],
  ["granitemoehybrid", graniteHybridFamily],
  ["hunyuan_v1_dense", hunyuanFamily],
  ["minicpm", minicpmFamily],
  ["ministral3", ministralFamily],
  ["mistral", mistralFamily],
  ["mobilellm", mobilellmFamily],
  ["olmo3", olmo3Family],
  ["qwen2", qwen2Family],
  ["qwen3", qwen3Family],
  ["smollm3", smollm3Family],
  ["lfm2", lfm2Family],
  ["qwen3_5_text", qwen35Family],
]);

/** The families by `model_type`. */
export const families: ReadonlyMap<string, Family> = known;

/** The family of a GGUF architecture. @throws NibbleError `unsupported_architecture` */
export function familyOfArchitecture(architecture: string): Family {
  for (const family of known.values()) if (family.architecture === architecture) return family;
  throw new NibbleError(
    "unsupported_architecture",
    `Hugging Face files of architecture ${architecture} are not supported`,
  );
}

/** Adds a family, or replaces the one of the same `model_type`. */
export function registerFamily(modelType: string, family: Family): void {
  known.set(modelType, family);
}
