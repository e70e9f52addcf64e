/**
 * Qwen 3 without experts (Qwen Team 2025; transformers, qwen3/modeling_qwen3.py).
 * It differs from Llama so: queries and keys are normed per head before RoPE, and all heads share the weight of the norm.
 * Later layers may attend to a sliding window, as in Qwen 2.
 * @module
 */
import { type Architecture, gatedFeedForward, lmHead, projectAttention, projectOutput } from "./decoder.ts";
import type { LlamaConfig } from "./llama.ts";
import { qwen2 } from "./qwen2.ts";

export const qwen3: Architecture<LlamaConfig> = {
  name: "qwen3",

  readConfig: qwen2.readConfig,

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x });
      const q = b.rmsNormHeads(p.q, c.headDim, c.eps, `blk.${i}.attn_q_norm.weight`);
      const k = b.rmsNormHeads(p.k, c.headDim, c.eps, `blk.${i}.attn_k_norm.weight`);
      const layer = b.kvStore(b.rope(k, c.headDim, table), p.v, c.headDim);
      const options = { window: c.windows?.[i] ?? 0, bidirectional: c.bidirectional };
      const o = b.attention(b.rope(q, c.headDim, table), layer, c.attentionScale, options);
      h = b.add(p.h, projectOutput(b, c, i, o));
      h = b.add(h, gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps)));
    }
    return lmHead(b, c, h);
  },
};
