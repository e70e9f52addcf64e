/**
 * Llama (Touvron et al. 2023), which SmolLM2, Llama 3.2, Falcon 3 and MiniCPM 5 are too, and Mistral (Jiang et al. 2023), whose
 * layers may attend to a sliding window. A GGUF stores the rows of q and k permuted for interleaved RoPE (llama.cpp,
 * convert_hf_to_gguf.py), and a Hugging Face folder does not.
 * @module
 */
import type { Checkpoint } from "../formats/checkpoint.ts";
import {
  type Architecture,
  type DecoderConfig,
  gatedFeedForward,
  lmHead,
  projectAttention,
  projectOutput,
  readConfigOfEither,
} from "./decoder.ts";
import { readWindows } from "./windows.ts";

export interface LlamaConfig extends DecoderConfig {
  /** How many tokens each layer attends to, 0 for all. Missing: all layers attend to all tokens. */
  readonly windows?: readonly number[] | undefined;
}

async function readConfig(checkpoint: Checkpoint): Promise<LlamaConfig> {
  const config = await readConfigOfEither(checkpoint, checkpoint.permutedQK);
  return { ...config, windows: readWindows(checkpoint, config.layers, { period: Infinity }) };
}

export const llama: Architecture<LlamaConfig> = {
  name: "llama",
  readConfig,

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x });
      const layer = b.kvStore(b.rope(p.k, c.headDim, table), p.v, c.headDim);
      const options = { window: c.windows?.[i] ?? 0, bidirectional: c.bidirectional };
      const o = b.attention(b.rope(p.q, c.headDim, table), layer, c.attentionScale, options);
      h = b.add(p.h, projectOutput(b, c, i, o));
      h = b.add(h, gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps)));
    }
    return lmHead(b, c, h);
  },
};
