/**
 * Granite 3, dense (IBM 2024; transformers, granite/modeling_granite.py): an architecture that nibble itself does not
 * have. It is Llama with factors for the embeddings, for the output of attention and feed-forward, and for the scores,
 * and a divisor of the logits.
 *
 * Importing this file registers it. GGUF files and Hugging Face folders of Granite then load like any other model.
 */
import {
  type Architecture,
  type DecoderConfig,
  gatedFeedForward,
  getNumber,
  type HuggingFaceFamily,
  llamaLayerTensors,
  lmHead,
  projectAttention,
  projectOutput,
  readDecoderConfig,
  registerArchitecture,
} from "nibble-llm";

interface GraniteConfig extends DecoderConfig {
  readonly embeddingScale: number;
  readonly residualScale: number;
  readonly logitDivisor: number;
}

const granite: Architecture<GraniteConfig> = {
  name: "granite",

  async readConfig(checkpoint) {
    const positive = (key: string): number => getNumber(checkpoint.metadata, key, { min: 2 ** -20, max: 2 ** 20 });
    return {
      // llama.cpp's converter permutes q and k rows for interleaved RoPE. `granite.attention.scale` is read here, too.
      ...(await readDecoderConfig(checkpoint, checkpoint.format === "gguf")),
      embeddingScale: positive("granite.embedding_scale"),
      residualScale: positive("granite.residual_scale"),
      logitDivisor: positive("granite.logit_scale"),
    };
  },

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved);
    let h = b.scale(b.embed("token_embd.weight", c.vocabSize, c.hidden), c.embeddingScale);
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x });
      const layer = b.kvStore(b.rope(p.k, c.headDim, table), p.v, c.headDim);
      const o = b.attention(b.rope(p.q, c.headDim, table), layer, c.attentionScale);
      h = b.add(p.h, b.scale(projectOutput(b, c, i, o), c.residualScale));
      const f = gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps));
      h = b.add(h, b.scale(f, c.residualScale));
    }
    return b.scale(lmHead(b, c, h), 1 / c.logitDivisor);
  },
};

/** config.json under GGUF's keys. `{a}` stands for the architecture. */
const folder: HuggingFaceFamily = {
  layerTensors: llamaLayerTensors,
  defaults: { rms_norm_eps: 1e-6, rope_theta: 10_000, tie_word_embeddings: false, max_position_embeddings: 2048 },
  feedForward: "intermediate_size",
  addFacts(config, put) {
    put("{a}.embedding_scale", getNumber(config, "embedding_multiplier", { default: 1 }));
    put("{a}.residual_scale", getNumber(config, "residual_multiplier", { default: 1 }));
    put("{a}.attention.scale", getNumber(config, "attention_multiplier", { default: 1 }));
    put("{a}.logit_scale", getNumber(config, "logits_scaling", { default: 1 }));
  },
};

registerArchitecture(granite, { granite: folder });
