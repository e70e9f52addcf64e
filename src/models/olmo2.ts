/**
 * OLMo 2 (OLMo Team 2024; transformers, olmo2/modeling_olmo2.py).
 * It differs from Llama so: the norms are after attention and feed-forward, not before them; queries and keys are normed over
 * all heads together, before RoPE.
 * @module
 */
import {
  type Architecture,
  gatedFeedForward,
  lmHead,
  projectAttention,
  projectOutput,
  readDecoderConfig,
} from "./decoder.ts";

export const olmo2: Architecture = {
  name: "olmo2",

  readConfig: (checkpoint) => readDecoderConfig(checkpoint, false),

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const p = projectAttention(b, c, i, { h, x: h });
      const q = b.rmsNorm(p.q, `blk.${i}.attn_q_norm.weight`, c.eps);
      const k = b.rmsNorm(p.k, `blk.${i}.attn_k_norm.weight`, c.eps);
      const layer = b.kvStore(b.rope(k, c.headDim, table), p.v, c.headDim);
      const o = b.attention(b.rope(q, c.headDim, table), layer, c.attentionScale);
      const a = projectOutput(b, c, i, o);
      h = b.add(p.h, b.rmsNorm(a, `blk.${i}.post_attention_norm.weight`, c.eps));
      const f = gatedFeedForward(b, c, i, h);
      h = b.add(h, b.rmsNorm(f, `blk.${i}.post_ffw_norm.weight`, c.eps));
    }
    return lmHead(b, c, h);
  },
};
