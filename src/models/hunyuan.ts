/**
 * Hunyuan, dense (Tencent 2025; transformers, hunyuan_v1_dense/modeling_hunyuan_v1_dense.py).
 * It differs from Llama so: queries and keys are normed per head after RoPE, and all heads share the weight of the norm.
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

export const hunyuan: Architecture = {
  name: "hunyuan-dense",

  readConfig: (checkpoint) => readDecoderConfig(checkpoint, false),

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x });
      const q = b.rmsNormHeads(b.rope(p.q, c.headDim, table), c.headDim, c.eps, `blk.${i}.attn_q_norm.weight`);
      const k = b.rmsNormHeads(b.rope(p.k, c.headDim, table), c.headDim, c.eps, `blk.${i}.attn_k_norm.weight`);
      const o = b.attention(q, b.kvStore(k, p.v, c.headDim), c.attentionScale);
      h = b.add(p.h, projectOutput(b, c, i, o));
      h = b.add(h, gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps)));
    }
    return lmHead(b, c, h);
  },
};
