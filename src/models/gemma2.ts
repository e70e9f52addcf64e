/**
 * Gemma 2 (Gemma Team 2024; transformers, gemma2/modeling_gemma2.py).
 *
 * It differs from Llama so: every other layer, from the first on, attends to a sliding window; embeddings are scaled;
 * attention and feed-forward have a norm before and one after; the gate's activation is GELU; scores and logits have a
 * softcap. Norms multiply by 1 + w, which is what a GGUF stores, and what a folder's norms are translated to.
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
import { readWindows } from "./windows.ts";

interface Gemma2Config extends DecoderConfig {
  /** How many tokens each layer attends to; 0 stands for all. */
  readonly windows: readonly number[];
  /** Softcap of the scores; 0 stands for none. */
  readonly attentionSoftcap: number;
  /** Softcap of the logits; 0 stands for none. */
  readonly logitSoftcap: number;
}

/** Layers of Gemma 2 27B, whose scale is 1 / sqrt(hidden / heads) without a key that says so. */
const LAYERS_OF_27B = 46;

/** Missing keys get the values of llama.cpp, which are those of the published models. */
async function readConfig(checkpoint: Checkpoint): Promise<Gemma2Config> {
  const { metadata } = checkpoint;
  const config = await readDecoderConfig(checkpoint, false);
  const cap = (key: string, missing: number): number =>
    getNumber(metadata, `gemma2.${key}`, { default: missing, min: 0, max: 2 ** 20 });
  const wide = config.layers === LAYERS_OF_27B && !metadata.has("gemma2.attention.scale");
  return {
    ...config,
    activation: "gelu",
    attentionScale: wide ? 1 / Math.sqrt(config.hidden / config.heads) : config.attentionScale,
    windows: readWindows(checkpoint, config.layers, { period: 2 }),
    attentionSoftcap: cap("attn_logit_softcapping", 50),
    logitSoftcap: cap("final_logit_softcapping", 30),
  };
}

export const gemma2: Architecture<Gemma2Config> = {
  name: "gemma2",
  readConfig,

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.scale(b.embed("token_embd.weight", c.vocabSize, c.hidden), Math.sqrt(c.hidden));
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x });
      const layer = b.kvStore(b.rope(p.k, c.headDim, table), p.v, c.headDim);
      const options = { window: c.windows[i]!, softcap: c.attentionSoftcap };
      const o = b.attention(b.rope(p.q, c.headDim, table), layer, c.attentionScale, options);
      const a = projectOutput(b, c, i, o);
      h = b.add(p.h, b.rmsNorm(a, `blk.${i}.post_attention_norm.weight`, c.eps));
      const f = gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps));
      h = b.add(h, b.rmsNorm(f, `blk.${i}.post_ffw_norm.weight`, c.eps));
    }
    const logits = lmHead(b, c, h);
    return c.logitSoftcap ? b.softcap(logits, c.logitSoftcap) : logits;
  },
};
