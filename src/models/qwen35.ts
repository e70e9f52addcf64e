/**
 * Qwen 3.5 without experts, text (Qwen Team 2026; transformers, qwen3_5/modeling_qwen3_5.py).
 * It differs from Qwen 3 so: most layers have a gated delta net (Yang, Kautz and Hatamizadeh 2024, arXiv:2412.06464) in
 * place of attention; attention has a gate for its output; RoPE rotates a part of each head. Norms multiply by 1 + w, which
 * is what a GGUF stores, except for the norm of the delta net's output.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getBooleanPerLayer, getNumber } from "../formats/typed-values.ts";
import type { ProgramBuilder } from "../runtime/builder.ts";
import type { Value } from "../runtime/recording.ts";
import type { DeltaShape } from "../runtime/recurrent-builder.ts";
import {
  type Architecture,
  type DecoderConfig,
  gatedFeedForward,
  lmHead,
  projectAttention,
  projectOutput,
  readDecoderConfig,
} from "./decoder.ts";

interface Qwen35Config extends DecoderConfig {
  /** Whether each layer is a delta net. */
  readonly recurrent: readonly boolean[];
  readonly delta: DeltaShape;
  /** Taps of the convolution over queries, keys and values of a delta net. */
  readonly taps: number;
}

/** What is added to the sum of squares of a query or key of the delta net (transformers, `l2norm`). */
const L2_EPS = 1e-6;

/** The last `nextn_predict_layers` blocks of a file predict further tokens and are no part of the model. */
async function readConfig(checkpoint: Checkpoint): Promise<Qwen35Config> {
  const { metadata } = checkpoint;
  const config = await readDecoderConfig(checkpoint, false);
  const blocks = config.layers;
  const predicting = getNumber(metadata, "qwen35.nextn_predict_layers", {
    default: 0,
    integer: true,
    min: 0,
    max: blocks - 1,
  });
  const layers = blocks - predicting;
  const ssm = (key: string, max = 2 ** 16): number =>
    getNumber(metadata, `qwen35.ssm.${key}`, { integer: true, min: 1, max });
  const [keyHeads, valueHeads, inner] = [ssm("group_count", 1024), ssm("time_step_rank", 1024), ssm("inner_size")];
  if (valueHeads % keyHeads !== 0 || inner % valueHeads !== 0)
    throw new NibbleError(
      "bad_value",
      `expected ssm.time_step_rank to be a multiple of ssm.group_count and a divisor of ssm.inner_size, got ${valueHeads}, ${keyHeads} and ${inner}`,
    );
  // A GGUF has the value heads in another order than a folder (llama.cpp, conversion/qwen.py).
  const tiled = checkpoint.format === "gguf";
  return {
    ...config,
    layers,
    recurrent: readPattern(checkpoint, blocks).slice(0, layers),
    delta: { keyHeads, valueHeads, keyDim: ssm("state_size"), valueDim: inner / valueHeads, tiled },
    taps: ssm("conv_kernel", 64),
  };
}

/** Without a list, every n-th layer has attention, and n is 4 if the file does not say. */
function readPattern({ metadata }: Checkpoint, blocks: number): boolean[] {
  const n = getNumber(metadata, "qwen35.full_attention_interval", { default: 4, integer: true, min: 1 });
  const key = "qwen35.attention.recurrent_layers";
  if (metadata.has(key)) return getBooleanPerLayer(metadata, key, blocks);
  return Array.from({ length: blocks }, (_, i) => (i + 1) % n !== 0);
}

/** Attention whose output is multiplied by the sigmoid of a gate, which comes from the same matrix as the queries. */
function gatedAttention(
  b: ProgramBuilder,
  c: Qwen35Config,
  i: number,
  { h, x, table }: { h: Value; x: Value; table: ReturnType<ProgramBuilder["ropeTable"]> },
): Value {
  const p = projectAttention(b, { ...c, heads: 2 * c.heads }, i, { h, x });
  const [query, gate] = b.splitHeads(p.q, c.heads, 2);
  const q = b.rmsNormHeads(query!, c.headDim, c.eps, `blk.${i}.attn_q_norm.weight`);
  const k = b.rmsNormHeads(p.k, c.headDim, c.eps, `blk.${i}.attn_k_norm.weight`);
  const layer = b.kvStore(b.rope(k, c.headDim, table), p.v, c.headDim);
  const o = b.attention(b.rope(q, c.headDim, table), layer, c.attentionScale);
  return b.add(p.h, projectOutput(b, c, i, b.sigmoidMul(gate!, o)));
}

/** In the last layer, the state needs all rows, and only the output rows go on. */
function deltaNet(b: ProgramBuilder, c: Qwen35Config, i: number, { h, x }: { h: Value; x: Value }): Value {
  const { keyHeads, valueHeads, keyDim, valueDim } = c.delta;
  const name = (part: string): string => `blk.${i}.${part}`;
  const [keys, values] = [2 * keyHeads * keyDim, valueHeads * valueDim];
  const [qkv, alpha, beta] = b.matmuls(x, [
    [name("attn_qkv.weight"), keys + values],
    [name("ssm_alpha.weight"), valueHeads],
    [name("ssm_beta.weight"), valueHeads],
  ]);
  const mixed = b.shortConv(qkv!, name("ssm_conv1d.weight"), c.taps, { silu: true });
  // Queries and keys of unit length: x / sqrt(sum x^2 + eps), as a norm by the mean of squares and a factor.
  const units = b.scale(b.rmsNormHeads(b.slice(mixed, 0, keys), keyDim, L2_EPS / keyDim), keyDim ** -0.5);
  const operands = {
    keys: units,
    values: b.slice(mixed, keys, values),
    decay: b.decay(alpha!, name("ssm_dt.bias"), name("ssm_a")),
    beta: b.sigmoid(beta!),
  };
  const all = b.deltaRule(operands, c.delta, keyDim ** -0.5);
  const last = i === c.layers - 1;
  const [o, from, to] = last ? [b.selectOutputs(all), b.selectOutputs(x), b.selectOutputs(h)] : [all, x, h];
  const normed = b.rmsNormHeads(o, valueDim, c.eps, name("ssm_norm.weight"));
  const gate = b.matmul(from, name("attn_gate.weight"), values);
  return b.add(to, b.matmul(b.siluMul(gate, normed), name("ssm_out.weight"), c.hidden));
}

export const qwen35: Architecture<Qwen35Config> = {
  name: "qwen35",
  readConfig,
  skips: (tensor, { layers }) => Number(/^blk\.(\d+)\./.exec(tensor)?.[1] ?? -1) >= layers,

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let i = 0; i < c.layers; i++) {
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      h = c.recurrent[i] ? deltaNet(b, c, i, { h, x }) : gatedAttention(b, c, i, { h, x, table });
      h = b.add(h, gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.post_attention_norm.weight`, c.eps)));
    }
    return lmHead(b, c, h);
  },
};
