/**
 * OLMo 2 and 3 (OLMo Team 2024, 2025; transformers, olmo2/modeling_olmo2.py, olmo3/modeling_olmo3.py).
 *
 * They differ from Llama so: the norms are after attention and feed-forward, not before them; queries and keys are normed over
 * all heads together, before RoPE. In OLMo 3, three of four layers attend to a sliding window, and those have RoPE without the
 * scaling of the others.
 * @module
 */
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getNumber } from "../formats/typed-values.ts";
import {
  type Architecture,
  type DecoderConfig,
  gatedFeedForward,
  lmHead,
  projectAttention,
  projectOutput,
  readDecoderConfig,
} from "./decoder.ts";
import { inverseFrequencies } from "./rope.ts";
import { readWindows } from "./windows.ts";

interface Olmo2Config extends DecoderConfig {
  /** How many tokens each layer attends to; 0 stands for all. */
  readonly windows: readonly number[];
  /** Inverse frequencies of RoPE in the layers with a window. */
  readonly localFrequencies: Float32Array<ArrayBuffer>;
}

/**
 * Without `attention.sliding_window` a file is OLMo 2. `rope.freq_base_swa` is the base of the layers with a window, as
 * transformers has it; llama.cpp's converter writes the key, and llama.cpp takes `rope.freq_base` for them.
 */
async function readConfig(checkpoint: Checkpoint): Promise<Olmo2Config> {
  const { metadata } = checkpoint;
  const config = await readDecoderConfig(checkpoint, false);
  const base = getNumber(metadata, "olmo2.rope.freq_base", { default: 10_000, min: 1 });
  const localBase = getNumber(metadata, "olmo2.rope.freq_base_swa", { default: base, min: 1 });
  return {
    ...config,
    windows: readWindows(checkpoint, config.layers, { period: 4 }),
    localFrequencies: inverseFrequencies(localBase, 2 * config.frequencies.length),
  };
}

export const olmo2: Architecture<Olmo2Config> = {
  name: "olmo2",
  readConfig,

  build(b, c) {
    const global = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    const local = c.windows.some(Boolean) ? b.ropeTable(c.localFrequencies, c.interleaved) : global;
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const window = c.windows[i]!;
      const table = window ? local : global;
      const p = projectAttention(b, c, i, { h, x: h });
      const q = b.rmsNorm(p.q, `blk.${i}.attn_q_norm.weight`, c.eps);
      const k = b.rmsNorm(p.k, `blk.${i}.attn_k_norm.weight`, c.eps);
      const layer = b.kvStore(b.rope(k, c.headDim, table), p.v, c.headDim);
      const o = b.attention(b.rope(q, c.headDim, table), layer, c.attentionScale, { window });
      const a = projectOutput(b, c, i, o);
      h = b.add(p.h, b.rmsNorm(a, `blk.${i}.post_attention_norm.weight`, c.eps));
      const f = gatedFeedForward(b, c, i, h);
      h = b.add(h, b.rmsNorm(f, `blk.${i}.post_ffw_norm.weight`, c.eps));
    }
    return lmHead(b, c, h);
  },
};
