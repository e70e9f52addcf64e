/**
 * LFM2 and LFM2.5 (Liquid AI 2025, arXiv:2511.23404; transformers, lfm2/modeling_lfm2.py).
 * It differs from Llama so: most layers have a gated short convolution in place of attention; queries and keys are normed
 * per head before RoPE, and all heads share the weight of the norm.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getNumber, getPerLayer } from "../formats/typed-values.ts";
import type { ProgramBuilder } from "../runtime/builder.ts";
import type { Value } from "../runtime/recording.ts";
import {
  type Architecture,
  type DecoderConfig,
  gatedFeedForward,
  lmHead,
  projectAttention,
  projectOutput,
  readDecoderConfig,
} from "./decoder.ts";

interface Lfm2Config extends DecoderConfig {
  /** Whether each layer is a convolution. */
  readonly convolutions: readonly boolean[];
  /** Taps of the convolutions. */
  readonly taps: number;
}

/** Layers without heads of keys and values are convolutions. */
async function readConfig(checkpoint: Checkpoint): Promise<Lfm2Config> {
  const { metadata } = checkpoint;
  const key = "lfm2.attention.head_count_kv";
  const layers = getNumber(metadata, "lfm2.block_count", { integer: true, min: 1, max: 1024 });
  const counts = getPerLayer(metadata, key, layers, { integer: true, min: 0, max: 1024 });
  const attention = new Set(counts.filter((heads) => heads > 0));
  if (attention.size > 1)
    throw new NibbleError(
      "unsupported_architecture",
      `${key}: expected one number for all layers with attention, got ${counts}`,
    );
  const config = await readDecoderConfig(checkpoint, false, { kvHeads: [...attention][0] ?? 1 });
  return {
    ...config,
    convolutions: counts.map((heads) => heads === 0),
    taps: getNumber(metadata, "lfm2.shortconv.l_cache", { integer: true, min: 1, max: 64 }),
  };
}

/** C * conv(B * x), where B, C and x are projections. In the last layer only the output rows go on. */
function gatedConvolution(b: ProgramBuilder, c: Lfm2Config, i: number, input: { h: Value; x: Value }): Value {
  const name = (part: string): string => `blk.${i}.shortconv.${part}`;
  const biased = (y: Value, part: string): Value => (b.has(name(part)) ? b.bias(y, name(part)) : y);
  const projected = biased(b.matmul(input.x, name("in_proj.weight"), 3 * c.hidden), "in_proj.bias");
  const [B, C, x] = [0, 1, 2].map((part) => b.slice(projected, part * c.hidden, c.hidden));
  const y = biased(b.shortConv(b.mul(B!, x!), name("conv.weight"), c.taps), "conv.bias");
  const last = i === c.layers - 1;
  const gated = last ? b.mul(b.selectOutputs(y), b.selectOutputs(C!)) : b.mul(y, C!);
  const h = last ? b.selectOutputs(input.h) : input.h;
  return b.add(h, biased(b.matmul(gated, name("out_proj.weight"), c.hidden), "out_proj.bias"));
}

export const lfm2: Architecture<Lfm2Config> = {
  name: "lfm2",
  readConfig,

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      if (c.convolutions[i]) {
        h = gatedConvolution(b, c, i, { h, x });
      } else {
        const p = projectAttention(b, c, i, { h, x });
        const q = b.rmsNormHeads(p.q, c.headDim, c.eps, `blk.${i}.attn_q_norm.weight`);
        const k = b.rmsNormHeads(p.k, c.headDim, c.eps, `blk.${i}.attn_k_norm.weight`);
        const layer = b.kvStore(b.rope(k, c.headDim, table), p.v, c.headDim);
        const o = b.attention(b.rope(q, c.headDim, table), layer, c.attentionScale);
        h = b.add(p.h, projectOutput(b, c, i, o));
      }
      h = b.add(h, gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps)));
    }
    // Files name the final norm so, although it has nothing to do with embeddings (llama.cpp, src/models/lfm2.cpp).
    return lmHead(b, c, h, "token_embd_norm.weight");
  },
};
