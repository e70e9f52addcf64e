/**
 * Gemma 3, text (Gemma Team 2025; transformers, gemma3/modeling_gemma3.py).
 *
 * It differs from Llama so: five of six layers attend to a sliding window, with a RoPE base of their own; embeddings are
 * scaled; attention and feed-forward have a norm before and one after; queries and keys are normed per head, before RoPE;
 * the gate's activation is GELU; scores and logits can have a softcap. Norms multiply by 1 + w, which is what a GGUF stores,
 * and what a folder's norms are translated to.
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

interface Gemma3Config extends DecoderConfig {
  /** How many tokens each layer attends to; 0 stands for all. */
  readonly windows: readonly number[];
  /** Inverse frequencies of RoPE in the layers with a window. */
  readonly localFrequencies: Float32Array<ArrayBuffer>;
  /** Softcap of the scores; 0 stands for none. */
  readonly attentionSoftcap: number;
  /** Softcap of the logits; 0 stands for none. */
  readonly logitSoftcap: number;
}

/** Missing keys get the values of llama.cpp: every sixth layer attends fully, the local RoPE base is 10,000. */
async function readConfig(checkpoint: Checkpoint): Promise<Gemma3Config> {
  const { metadata } = checkpoint;
  const config = await readDecoderConfig(checkpoint, false);
  const localBase = getNumber(metadata, "gemma3.rope.freq_base_swa", { default: 10_000, min: 1 });
  const cap = (key: string): number => getNumber(metadata, `gemma3.${key}`, { default: 0, min: 0, max: 2 ** 20 });
  return {
    ...config,
    activation: "gelu",
    windows: readWindows(checkpoint, config.layers, { period: 6, required: true }),
    localFrequencies: inverseFrequencies(localBase, 2 * config.frequencies.length),
    attentionSoftcap: cap("attn_logit_softcapping"),
    logitSoftcap: cap("final_logit_softcapping"),
  };
}

export const gemma3: Architecture<Gemma3Config> = {
  name: "gemma3",
  readConfig,

  build(b, c) {
    const global = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    const local = b.ropeTable(c.localFrequencies, c.interleaved);
    let h = b.scale(b.embed("token_embd.weight", c.vocabSize, c.hidden), Math.sqrt(c.hidden));
    for (let i = 0; i < c.layers; i++) {
      const window = c.windows[i]!;
      const table = window ? local : global;
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x });
      const q = b.rmsNormHeads(p.q, c.headDim, c.eps, `blk.${i}.attn_q_norm.weight`);
      const k = b.rmsNormHeads(p.k, c.headDim, c.eps, `blk.${i}.attn_k_norm.weight`);
      const layer = b.kvStore(b.rope(k, c.headDim, table), p.v, c.headDim);
      const options = { window, softcap: c.attentionSoftcap };
      const o = b.attention(b.rope(q, c.headDim, table), layer, c.attentionScale, options);
      const a = projectOutput(b, c, i, o);
      h = b.add(p.h, b.rmsNorm(a, `blk.${i}.post_attention_norm.weight`, c.eps));
      const f = gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps));
      h = b.add(h, b.rmsNorm(f, `blk.${i}.post_ffw_norm.weight`, c.eps));
    }
    const logits = lmHead(b, c, h);
    return c.logitSoftcap ? b.softcap(logits, c.logitSoftcap) : logits;
  },
};
