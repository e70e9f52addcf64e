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
  readConfigOfEither,
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
  const { metadata, architecture } = checkpoint;
  const config = await readConfigOfEither(checkpoint, false);
  const localBase = getNumber(metadata, `${architecture}.rope.freq_base_swa`, { default: 10_000, min: 1 });
  const cap = (key: string): number =>
    getNumber(metadata, `${architecture}.${key}`, { default: 0, min: 0, max: 2 ** 20 });
  return {
    ...config,
    activation: "gelu",
    windows: readWindows(checkpoint, config.layers, { period: 6, required: true }).map((window) =>
      reach(window, config),
    ),
    localFrequencies: inverseFrequencies(localBase, 2 * config.frequencies.length),
    attentionSoftcap: cap("attn_logit_softcapping"),
    logitSoftcap: cap("final_logit_softcapping"),
  };
}

/** A causal window includes the token itself; `is_causal: false` has that many tokens on either side besides. */
function reach(window: number, { bidirectional }: DecoderConfig): number {
  return bidirectional && window > 0 ? window + 1 : window;
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
      const options = { window, softcap: c.attentionSoftcap, bidirectional: c.bidirectional };
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

/**
 * EmbeddingGemma (Google 2025; transformers, use_bidirectional_attention): Gemma 3 in which each token attends to all
 * tokens, or in a layer with a window to half of it on either side; two dense layers follow the pooling.
 */
export const gemmaEmbedding: Architecture<Gemma3Config> = {
  ...gemma3,
  name: "gemma-embedding",
  unusedKeys: ["dense_2_feat_in", "dense_2_feat_out", "dense_3_feat_in", "dense_3_feat_out"], // the tensors say it

  async readConfig(checkpoint) {
    const config = await readConfig(checkpoint);
    const key = "gemma-embedding.attention.sliding_window";
    const half = Math.floor(getNumber(checkpoint.metadata, key) / 2) + 1;
    const windows = config.windows.map((window) => (window ? half : 0));
    return { ...config, windows, headless: true, logitSoftcap: 0, bidirectional: true };
  },
};
