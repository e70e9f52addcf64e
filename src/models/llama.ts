/**
 * Llama (Touvron et al. 2023), which SmolLM2 and Llama 3.2 are too. A GGUF stores the rows of q and k permuted for
 * interleaved RoPE (llama.cpp, convert_hf_to_gguf.py), and a Hugging Face folder does not.
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

export const llama: Architecture = {
  name: "llama",

  readConfig: (checkpoint) => readDecoderConfig(checkpoint, checkpoint.permutedQK),

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x });
      const layer = b.kvStore(b.rope(p.k, c.headDim, table), p.v, c.headDim);
      const o = b.attention(b.rope(p.q, c.headDim, table), layer, c.attentionScale);
      h = b.add(p.h, projectOutput(b, c, i, o));
      h = b.add(h, gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps)));
    }
    return lmHead(b, c, h);
  },
};
