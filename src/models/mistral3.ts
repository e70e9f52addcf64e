/**
 * Ministral 3 (Mistral AI 2025; transformers, ministral3/modeling_ministral3.py).
 * It differs from Llama so: beyond the original context, queries grow with the logarithm of their position, after RoPE. RoPE
 * has YaRN's frequencies.
 * @module
 */
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getNumber } from "../formats/typed-values.ts";
import {
  type Architecture,
  gatedFeedForward,
  lmHead,
  projectAttention,
  projectOutput,
  readDecoderConfig,
  refuseExperts,
} from "./decoder.ts";
import type { LlamaConfig } from "./llama.ts";
import { readWindows } from "./windows.ts";

interface Mistral3Config extends LlamaConfig {
  /** How queries grow: by 1 + beta ln(1 + floor(position / length)). */
  readonly temperature: { readonly beta: number; readonly length: number };
}

/** llama.cpp takes the original context of YaRN as the length, whatever `attention.temperature_length` says. */
async function readConfig(checkpoint: Checkpoint): Promise<Mistral3Config> {
  const { metadata } = checkpoint;
  const config = await readDecoderConfig(checkpoint, checkpoint.permutedQK);
  refuseExperts(checkpoint, "mistral3");
  const positive = { integer: true, min: 1, max: 2 ** 31 - 1 };
  return {
    ...config,
    windows: readWindows(checkpoint, config.layers, { period: Infinity }),
    temperature: {
      beta: getNumber(metadata, "mistral3.attention.temperature_scale", { default: 0, min: 0, max: 2 ** 20 }),
      length: getNumber(metadata, "mistral3.rope.scaling.original_context_length", {
        default: config.contextLength,
        ...positive,
      }),
    },
  };
}

export const mistral3: Architecture<Mistral3Config> = {
  name: "mistral3",
  readConfig,

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x });
      const layer = b.kvStore(b.rope(p.k, c.headDim, table), p.v, c.headDim);
      const q = b.scaleByPosition(b.rope(p.q, c.headDim, table), c.temperature);
      const o = b.attention(q, layer, c.attentionScale, { window: c.windows?.[i] ?? 0 });
      h = b.add(p.h, projectOutput(b, c, i, o));
      h = b.add(h, gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps)));
    }
    return lmHead(b, c, h);
  },
};
