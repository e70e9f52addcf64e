/**
 * EXAONE 4.0 1.2B (LG AI Research 2025; transformers, exaone4/modeling_exaone4.py): an architecture that nibble itself does
 * not have. It is Llama with norms after attention and feed-forward instead of before them, and with a norm of queries and
 * keys per head, before RoPE. (The 32B model also has layers with sliding windows, which this example refuses.)
 *
 * Importing this file registers it. GGUF files and Hugging Face folders of EXAONE 4.0 then load like any other model.
 */
import {
  type Architecture,
  gatedFeedForward,
  type HuggingFaceFamily,
  llamaLayerTensors,
  lmHead,
  NibbleError,
  projectAttention,
  projectOutput,
  readDecoderConfig,
  registerArchitecture,
} from "nibble-llm";

const exaone4: Architecture = {
  name: "exaone4",

  // RoPE rotates pairs (j, j + n / 2), in both containers. A key that is not read, such as a window, is refused.
  readConfig: (checkpoint) => readDecoderConfig(checkpoint, false),

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const p = projectAttention(b, c, i, { h, x: h });
      const q = b.rmsNormHeads(p.q, c.headDim, c.eps, `blk.${i}.attn_q_norm.weight`);
      const k = b.rmsNormHeads(p.k, c.headDim, c.eps, `blk.${i}.attn_k_norm.weight`);
      const layer = b.kvStore(b.rope(k, c.headDim, table), p.v, c.headDim);
      const o = b.attention(b.rope(q, c.headDim, table), layer, c.attentionScale);
      const a = projectOutput(b, c, i, o);
      h = b.add(p.h, b.rmsNorm(a, `blk.${i}.post_attention_norm.weight`, c.eps));
      h = b.add(h, b.rmsNorm(gatedFeedForward(b, c, i, h), `blk.${i}.post_ffw_norm.weight`, c.eps));
    }
    return lmHead(b, c, h);
  },
};

/** How config.json and the names of its tensors translate to those of a GGUF. */
const folder: HuggingFaceFamily = {
  layerTensors: new Map([
    ...llamaLayerTensors,
    ["self_attn.q_norm", "attn_q_norm"],
    ["self_attn.k_norm", "attn_k_norm"],
    ["post_attention_layernorm", "post_attention_norm"],
    ["post_feedforward_layernorm", "post_ffw_norm"],
  ]),
  defaults: {
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: false,
    max_position_embeddings: 2048,
    num_key_value_heads: 32,
  },
  feedForward: "intermediate_size",
  addFacts(config) {
    // Without the key, transformers takes a window of 4096 tokens.
    if (!config.has("sliding_window"))
      throw new NibbleError("missing_key", "config.json: sliding_window is missing; it must be null");
  },
};

registerArchitecture(exaone4, { exaone4: folder });
