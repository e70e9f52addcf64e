/**
 * MiniCPM 1, 2 and 4 without sparse attention (Hu et al. 2024, arXiv:2404.06395; OpenBMB's modeling_minicpm.py): Llama with
 * factors for the embeddings and for the output of attention and feed-forward, and a divisor of the logits, as Granite has
 * them. MiniCPM 4 has LongRoPE.
 * @module
 */
import { type Architecture, readDecoderConfig } from "./decoder.ts";
import { type GraniteConfig, granite, readFactor } from "./granite.ts";

export const minicpm: Architecture<GraniteConfig> = {
  name: "minicpm",

  /** Files that were made before llama.cpp had keys for the factors get those of MiniCPM 1 and 2. */
  async readConfig(checkpoint) {
    const config = await readDecoderConfig(checkpoint, checkpoint.permutedQK);
    return {
      ...config,
      embeddingScale: readFactor(checkpoint, "embedding_scale", 12),
      residualScale: readFactor(checkpoint, "residual_scale", 1.4 / Math.sqrt(config.layers)),
      logitDivisor: readFactor(checkpoint, "logit_scale", config.hidden / 256),
      useRope: true,
    };
  },

  build: granite.build,
};
