/**
 * Granite 3, and Granite 4 where it has neither experts nor Mamba layers (IBM 2024, 2025; transformers,
 * granite/modeling_granite.py): Llama with factors for the embeddings, for the output of attention and feed-forward, and for
 * the scores, and a divisor of the logits. Granite 4 may have no position embedding at all.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getBoolean, getNumber } from "../formats/typed-values.ts";
import {
  type Architecture,
  type DecoderConfig,
  gatedFeedForward,
  lmHead,
  projectAttention,
  projectOutput,
  readDecoderConfig,
} from "./decoder.ts";

export interface GraniteConfig extends DecoderConfig {
  readonly embeddingScale: number;
  readonly residualScale: number;
  readonly logitDivisor: number;
  readonly useRope: boolean;
}

/** Reads a factor. As in llama.cpp, a file's 0 stands for no factor. */
export function readFactor({ metadata, architecture }: Checkpoint, name: string, missing: number): number {
  const factor = getNumber(metadata, `${architecture}.${name}`, { default: missing, min: 0, max: 2 ** 20 });
  if (factor === 0 || factor >= 2 ** -20) return factor || 1;
  throw new NibbleError("bad_value", `${architecture}.${name}: expected 0 or at least 2^-20, got ${factor}`);
}

/** llama.cpp's key for Granite without RoPE is `rope.scaling.finetuned`, which is false then. */
async function readConfig(checkpoint: Checkpoint): Promise<GraniteConfig> {
  return {
    ...(await readDecoderConfig(checkpoint, checkpoint.permutedQK)), // `granite.attention.scale` is read here, too
    embeddingScale: readFactor(checkpoint, "embedding_scale", 1),
    residualScale: readFactor(checkpoint, "residual_scale", 1),
    logitDivisor: readFactor(checkpoint, "logit_scale", 1),
    useRope: getBoolean(checkpoint.metadata, `${checkpoint.architecture}.rope.scaling.finetuned`, { default: true }),
  };
}

export const granite: Architecture<GraniteConfig> = {
  name: "granite",
  // Facts about Mamba layers, of which the file has none: their tensors would be refused.
  unusedKeys: ["conv_kernel", "state_size", "group_count", "inner_size", "time_step_rank"].map((key) => `ssm.${key}`),
  readConfig,

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.scale(b.embed("token_embd.weight", c.vocabSize, c.hidden), c.embeddingScale);
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x });
      const k = c.useRope ? b.rope(p.k, c.headDim, table) : p.k;
      const q = c.useRope ? b.rope(p.q, c.headDim, table) : p.q;
      const o = b.attention(q, b.kvStore(k, p.v, c.headDim), c.attentionScale);
      h = b.add(p.h, b.scale(projectOutput(b, c, i, o), c.residualScale));
      const f = gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps));
      h = b.add(h, b.scale(f, c.residualScale));
    }
    return b.scale(lmHead(b, c, h), 1 / c.logitDivisor);
  },
};

/** The name that IBM's own files of Granite 4 have, also where every layer has attention. Mamba layers have no kv heads. */
export const graniteHybrid: Architecture<GraniteConfig> = { ...granite, name: "granitehybrid" };
