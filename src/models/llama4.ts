/**
 * Llama 4, text, without experts (transformers, llama4/modeling_llama4.py). MobileLLM-R1 and crumb are such models.
 *
 * It differs from Llama so: RoPE is interleaved in folders too; after RoPE, queries and keys are normed per head, without a
 * weight; layers without RoPE have no such norm. `attn_scale` of config.json is not the scale of the softmax.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getBoolean, getBooleanPerLayer, getNumber, getPerLayer } from "../formats/typed-values.ts";
import {
  type Architecture,
  type DecoderConfig,
  gatedFeedForward,
  lmHead,
  projectAttention,
  projectOutput,
  readDecoderConfig,
  refuseExperts,
} from "./decoder.ts";

interface Llama4Config extends DecoderConfig {
  /** Whether each layer has RoPE. */
  readonly useRope: readonly boolean[];
  /** Whether queries and keys are normed in the layers with RoPE. */
  readonly useQKNorm: boolean;
}

/**
 * A GGUF of this architecture leaves facts out: llama.cpp's converter writes no key for QK norm, and a window of 0 where
 * all layers attend fully. Missing facts are taken from MobileLLM-R1 (its config.json on Hugging Face).
 */
async function readConfig(checkpoint: Checkpoint): Promise<Llama4Config> {
  const { metadata } = checkpoint;
  refuseExperts(checkpoint, "llama4");
  const config = await readDecoderConfig(checkpoint, true);
  const useRope = getBooleanPerLayer(metadata, "nibble.use_rope", config.layers, { default: true });
  if (getBoolean(metadata, "nibble.attention.temperature_tuning", { default: false }) && useRope.includes(false))
    throw new NibbleError(
      "unsupported_architecture",
      "attn_temperature_tuning in layers without RoPE is not supported",
    );
  const window = getNumber(metadata, "llama4.attention.sliding_window", { default: 0 });
  const chunks = getPerLayer(metadata, "nibble.attention.chunk_size", config.layers, { default: window });
  // Within its first chunk, chunked attention is full attention. More is not supported, so the context ends there.
  const chunk = Math.min(...chunks.filter((size) => size > 0));
  return {
    ...config,
    contextLength: Math.min(config.contextLength, chunk),
    useRope,
    useQKNorm: getBoolean(metadata, "nibble.use_qk_norm", { default: true }),
  };
}

export const llama4: Architecture<Llama4Config> = {
  name: "llama4",
  readConfig,

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x });
      let { q, k } = p;
      if (c.useRope[i]) {
        q = b.rope(q, c.headDim, table);
        k = b.rope(k, c.headDim, table);
        if (c.useQKNorm) {
          q = b.rmsNormHeads(q, c.headDim, c.eps);
          k = b.rmsNormHeads(k, c.headDim, c.eps);
        }
      }
      const layer = b.kvStore(k, p.v, c.headDim);
      const o = b.attention(q, layer, c.attentionScale);
      h = b.add(p.h, projectOutput(b, c, i, o));
      h = b.add(h, gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps)));
    }
    return lmHead(b, c, h);
  },
};
