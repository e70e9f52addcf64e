/**
 * config.json of Llama 4 without experts, such as MobileLLM-R1 and crumb (transformers,
 * models/llama4/configuration_llama4.py).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { getBoolean, getNumber, getNumbers, getStrings } from "../typed-values.ts";
import type { Put } from "./family.ts";
import { ropeLayers } from "./rope-config.ts";

/** Which layers have RoPE, QK norm and chunked attention, and the temperature of the others. */
export function addLlama4Facts(config: JsonObject, put: Put, layers: number): void {
  refuseExperts(config);
  put("{a}.interleave_moe_layer_step", 0);
  put("{a}.expert_count", 0);
  put("{a}.expert_used_count", 0);
  put(
    "{a}.expert_feed_forward_length",
    getNumber(config, "intermediate_size", { default: 8192, integer: true, min: 0 }),
  );
  put("{a}.attention.sliding_window", 0);

  const useRope = ropeLayers(config, layers);
  put("nibble.use_rope", useRope);
  put("nibble.use_qk_norm", getBoolean(config, "use_qk_norm", { default: true }));
  put("nibble.attention.chunk_size", chunkSizes(config, useRope));
  put("nibble.attention.temperature_tuning", getBoolean(config, "attn_temperature_tuning", { default: true }));
  put("nibble.attention.temperature_scale", getNumber(config, "attn_scale", { default: 0.1, min: 0, max: 1 }));
  put("nibble.attention.temperature_floor", getNumber(config, "floor_scale", { default: 8192, min: 1 }));
}

/** @throws NibbleError `unsupported_architecture` */
function refuseExperts(config: JsonObject): void {
  const step = getNumber(config, "interleave_moe_layer_step", { default: 1, integer: true, min: 0 });
  const moeLayers = getNumbers(config, "moe_layers");
  // Without the list, every step-th layer has experts; a step of 0 stands for none (transformers itself fails there).
  if (moeLayers ? moeLayers.length > 0 : step > 0) {
    throw new NibbleError(
      "unsupported_architecture",
      "config.json: a mixture of experts is not supported; a dense llama4_text model has moe_layers [] or interleave_moe_layer_step 0",
    );
  }
}

/** The chunk size of each layer, 0 for full attention. A chunk as long as the context is full attention, too. */
function chunkSizes(config: JsonObject, useRope: readonly boolean[]): Uint32Array {
  const chunk = getNumber(config, "attention_chunk_size", { default: 8192, integer: true, min: 0, max: 2 ** 31 - 1 });
  const context = getNumber(config, "max_position_embeddings", { default: 131_072 });
  const types =
    getStrings(config, "layer_types") ?? useRope.map((rope) => (rope ? "chunked_attention" : "full_attention"));
  if (types.length < useRope.length) {
    throw new NibbleError(
      "bad_value",
      `config.json layer_types: expected ${useRope.length} entries, got ${types.length}`,
    );
  }
  return Uint32Array.from(useRope, (_, i) => {
    if (types[i] === "full_attention") return 0;
    if (types[i] === "chunked_attention") return chunk >= context ? 0 : chunk;
    throw new NibbleError(
      "unsupported_architecture",
      `config.json layer_types: ${types[i]} is not supported; full_attention and chunked_attention are`,
    );
  });
}
