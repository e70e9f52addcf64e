/**
 * SmolLM3 (Hugging Face 2025; transformers, smollm3/modeling_smollm3.py): Llama in which some layers, every fourth in the
 * published model, have no position embedding (NoPE, Yang et al. 2025, arXiv:2501.18795).
 * @module
 */
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getBooleanPerLayer } from "../formats/typed-values.ts";
import {
  type Architecture,
  gatedFeedForward,
  lmHead,
  projectAttention,
  projectOutput,
  readDecoderConfig,
} from "./decoder.ts";
import type { LlamaConfig } from "./llama.ts";
import { readWindows } from "./windows.ts";

interface SmolLM3Config extends LlamaConfig {
  /** Whether each layer has RoPE. */
  readonly useRope: readonly boolean[];
}

/** GGUF has no key for the layers without RoPE: llama.cpp takes every fourth. Our converter writes one for any others. */
async function readConfig(checkpoint: Checkpoint): Promise<SmolLM3Config> {
  const config = await readDecoderConfig(checkpoint, checkpoint.permutedQK);
  const fourth = Array.from({ length: config.layers }, (_, i) => (i + 1) % 4 !== 0);
  return {
    ...config,
    windows: readWindows(checkpoint, config.layers, { period: Infinity }),
    useRope: checkpoint.metadata.has("nibble.use_rope")
      ? getBooleanPerLayer(checkpoint.metadata, "nibble.use_rope", config.layers)
      : fourth,
  };
}

export const smollm3: Architecture<SmolLM3Config> = {
  name: "smollm3",
  readConfig,

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x });
      const k = c.useRope[i] ? b.rope(p.k, c.headDim, table) : p.k;
      const q = c.useRope[i] ? b.rope(p.q, c.headDim, table) : p.q;
      const layer = b.kvStore(k, p.v, c.headDim);
      const o = b.attention(q, layer, c.attentionScale, { window: c.windows?.[i] ?? 0 });
      h = b.add(p.h, projectOutput(b, c, i, o));
      h = b.add(h, gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps)));
    }
    return lmHead(b, c, h);
  },
};
