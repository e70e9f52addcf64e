/**
 * config.json of Qwen 3.5, text (transformers, models/qwen3_5/configuration_qwen3_5.py).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { exp } from "../../base/math.ts";
import type { TensorInfo } from "../checkpoint.ts";
import { mapped } from "../derived-tensors.ts";
import { getBoolean, getNumber, getNumbers, getStrings } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { attentionTensors, feedForwardTensors, queryKeyNorms } from "./layer-tensors.ts";
import { ropeParameters } from "./rope-config.ts";

function addFacts(config: JsonObject, put: Put, layers: number): void {
  const count = (key: string, fallback: number): number =>
    getNumber(config, key, { default: fallback, integer: true, min: 1, max: 2 ** 16 });
  if (!getBoolean(config, "attn_output_gate", { default: true }))
    throw new NibbleError(
      "unsupported_architecture",
      "config.json attn_output_gate: false is not supported; attention of this model_type has a gate",
    );
  const valueHeads = count("linear_num_value_heads", 32);
  put("{a}.ssm.conv_kernel", count("linear_conv_kernel_dim", 4));
  put("{a}.ssm.state_size", count("linear_key_head_dim", 128));
  put("{a}.ssm.group_count", count("linear_num_key_heads", 16));
  put("{a}.ssm.time_step_rank", valueHeads);
  put("{a}.ssm.inner_size", valueHeads * count("linear_value_head_dim", 128));
  put("{a}.rope.dimension_sections", ropeSections(config));
  const interval = count("full_attention_interval", 4);
  put("{a}.full_attention_interval", interval);
  put("{a}.attention.recurrent_layers", recurrentLayers(config, layers, interval));
}

/** Sections of RoPE for images, which llama.cpp requires. A text has the same position in each, so they change nothing. */
function ropeSections(config: JsonObject): Int32Array {
  const given = getNumbers(ropeParameters(config, {}), "mrope_section") ?? [11, 11, 10];
  return Int32Array.of(...[0, 1, 2, 3].map((i) => given[i] ?? 0));
}

/** Which layers are delta nets. Without a list, every n-th layer has attention. */
function recurrentLayers(config: JsonObject, layers: number, interval: number): boolean[] {
  const types = getStrings(config, "layer_types");
  if (!types) return Array.from({ length: layers }, (_, i) => (i + 1) % interval !== 0);
  if (types.length !== layers)
    throw new NibbleError("bad_value", `config.json layer_types: expected ${layers} entries, got ${types.length}`);
  return types.map((type) => {
    if (type === "linear_attention") return true;
    if (type === "full_attention") return false;
    throw new NibbleError(
      "unsupported_architecture",
      `config.json layer_types: ${type} is not supported; linear_attention and full_attention are`,
    );
  });
}

/** A GGUF has the rate -exp(A), of which a folder has A. */
function toGguf(info: TensorInfo): TensorInfo {
  return info.name.endsWith(".ssm_a") ? mapped(info, (a) => -exp(a)) : info;
}

export const qwen35Family: Family = {
  architecture: "qwen35",
  layerTensors: new Map([
    ...attentionTensors,
    ...queryKeyNorms,
    ["post_attention_layernorm", "post_attention_norm"],
    ["linear_attn.in_proj_qkv", "attn_qkv"],
    ["linear_attn.in_proj_z", "attn_gate"],
    ["linear_attn.in_proj_a", "ssm_alpha"],
    ["linear_attn.in_proj_b", "ssm_beta"],
    ["linear_attn.conv1d", "ssm_conv1d"],
    ["linear_attn.norm", "ssm_norm"],
    ["linear_attn.out_proj", "ssm_out"],
    ...feedForwardTensors("mlp"),
  ]),
  parameters: new Map([
    ["linear_attn.A_log", "ssm_a"],
    ["linear_attn.dt_bias", "ssm_dt.bias"],
  ]),
  defaults: {
    rms_norm_eps: 1e-6,
    rope_theta: 10_000,
    tie_word_embeddings: false,
    max_position_embeddings: 32_768,
    num_attention_heads: 16,
    vocab_size: 248_320,
    num_key_value_heads: 4,
    head_dim: 256,
    partial_rotary_factor: 0.25,
  },
  feedForward: "intermediate_size",
  normsAddOne: true,
  toGguf,
  unusedKeys: ["mtp_num_hidden_layers", "mtp_use_dedicated_embeddings", "mlp_only_layers", "mamba_ssm_dtype"],
  addFacts,
};
