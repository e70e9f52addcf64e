/**
 * What the decoder-only architectures share: hyper-parameters, all read from the file, and the projections of attention.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getNumber, getPerLayer } from "../formats/typed-values.ts";
import type { ProgramBuilder } from "../runtime/builder.ts";
import type { Value } from "../runtime/recording.ts";
import { readFrequencies } from "./rope.ts";

/** The hyper-parameters of a decoder. */
export interface DecoderConfig {
  /** Number of layers. */
  readonly layers: number;
  /** Width of the hidden state. */
  readonly hidden: number;
  /** Query heads. */
  readonly heads: number;
  /** Heads of keys and values; each is shared by heads / kvHeads query heads. */
  readonly kvHeads: number;
  /** Width of a head. */
  readonly headDim: number;
  /** Width of the feed-forward layer. */
  readonly ffn: number;
  /** Number of tokens in the vocabulary. */
  readonly vocabSize: number;
  /** Most tokens that the model was trained for. */
  readonly contextLength: number;
  /** Of RMSNorm. */
  readonly eps: number;
  /** Softmax scale. */
  readonly attentionScale: number;
  /** Inverse frequencies of RoPE, f32[headDim / 2 or less]. */
  readonly frequencies: Float32Array;
  /** RoPE pairs (2j, 2j + 1); otherwise (j, j + half). */
  readonly interleaved: boolean;
}

/** An architecture: reads its facts from a checkpoint and describes its forward pass. */
export interface Architecture<Config extends DecoderConfig = DecoderConfig> {
  /** `general.architecture` of its GGUF files. */
  readonly name: string;
  /** @throws NibbleError `missing_key`, `bad_value`, `unsupported_architecture` */
  readConfig(checkpoint: Checkpoint): Promise<Config>;
  /** Returns the logits of the output rows: [rows, vocabSize]. */
  build(b: ProgramBuilder, config: Config): Value;
}

/**
 * Bounds that no real model comes near; what lies beyond is a broken or hostile header. The context's is where cos and sin
 * of a position stay exact (assembly/math.ts).
 */
const LIMITS = { layers: 1024, hidden: 65536, heads: 1024, ffn: 2 ** 20, context: 2 ** 20 };

/** Reads the facts common to all architectures from `{architecture}.*`. */
export async function readDecoderConfig(checkpoint: Checkpoint, interleaved: boolean): Promise<DecoderConfig> {
  const { metadata, architecture, tensors } = checkpoint;
  const count = (key: string, max: number, fallback?: number): number =>
    getNumber(metadata, `${architecture}.${key}`, {
      integer: true,
      min: 1,
      max,
      ...(fallback !== undefined && { default: fallback }),
    });
  const layers = count("block_count", LIMITS.layers);
  /** Files may list these a layer. We run models whose layers are alike. */
  const alike = (name: string, max: number, fallback?: number): number => {
    const key = `${architecture}.${name}`;
    const values = getPerLayer(metadata, key, layers, {
      integer: true,
      min: 1,
      max,
      ...(fallback !== undefined && { default: fallback }),
    });
    if (new Set(values).size > 1)
      throw new NibbleError("unsupported_architecture", `${key}: expected one number for all layers, got ${values}`);
    return values[0]!;
  };
  const hidden = count("embedding_length", LIMITS.hidden);
  const heads = alike("attention.head_count", LIMITS.heads);
  const kvHeads = alike("attention.head_count_kv", LIMITS.heads, heads);
  const headDim = count("attention.key_length", LIMITS.hidden, hidden / heads);
  const valueDim = count("attention.value_length", LIMITS.hidden, headDim);
  const dims = count("rope.dimension_count", headDim, headDim);
  if (heads % kvHeads !== 0)
    throw new NibbleError(
      "bad_value",
      `expected query heads to be a multiple of kv heads, got ${heads} and ${kvHeads}`,
    );
  if (valueDim !== headDim)
    throw new NibbleError("bad_value", `expected keys and values of one length, got ${headDim} and ${valueDim}`);
  if (dims % 2 !== 0) throw new NibbleError("bad_value", `expected an even number of rotated values, got ${dims}`);
  // The table's rows are the truth: files pad the vocabulary beyond the tokenizer's.
  const vocabSize = tensors.get("token_embd.weight")?.shape[0];
  if (!vocabSize)
    throw new NibbleError("missing_tensor", "expected a tensor token_embd.weight with rows, the file has none");
  return {
    layers,
    hidden,
    heads,
    kvHeads,
    headDim,
    ffn: alike("feed_forward_length", LIMITS.ffn),
    vocabSize,
    contextLength: count("context_length", LIMITS.context),
    eps: getNumber(metadata, `${architecture}.attention.layer_norm_rms_epsilon`, { min: 0, max: 1 }),
    attentionScale: getNumber(metadata, `${architecture}.attention.scale`, {
      default: 1 / Math.sqrt(headDim),
      min: 2 ** -126,
      max: 2 ** 20,
    }),
    frequencies: await readFrequencies(checkpoint, dims),
    interleaved,
  };
}

/**
 * Queries, keys and values of layer `i` from its (normed) input x, with the biases that the file has, and the residual
 * stream to go on with. In the last layer only the rows whose logits are wanted go on: the other rows' keys and values are all that is read of them.
 */
export function projectAttention(
  b: ProgramBuilder,
  c: DecoderConfig,
  i: number,
  h: Value,
  x: Value,
): { h: Value; q: Value; k: Value; v: Value } {
  const query = [`blk.${i}.attn_q.weight`, c.heads * c.headDim] as const;
  const key = [`blk.${i}.attn_k.weight`, c.kvHeads * c.headDim] as const;
  const value = [`blk.${i}.attn_v.weight`, c.kvHeads * c.headDim] as const;
  const biased = (y: Value, name: string): Value => {
    const bias = `blk.${i}.${name}.bias`;
    return b.has(bias) ? b.bias(y, bias) : y;
  };
  if (i < c.layers - 1) {
    const [q, k, v] = b.matmuls(x, [query, key, value]);
    return { h, q: biased(q!, "attn_q"), k: biased(k!, "attn_k"), v: biased(v!, "attn_v") };
  }
  const [k, v] = b.matmuls(x, [key, value]);
  const out = b.selectOutputs(h);
  const q = b.matmul(x === h ? out : b.selectOutputs(x), ...query);
  return { h: out, q: biased(q, "attn_q"), k: biased(k!, "attn_k"), v: biased(v!, "attn_v") };
}

/** Gated feed-forward (Shazeer 2020): W_down(f(W_gate x) * W_up x), f = silu (SwiGLU) or the tanh form of GELU (GeGLU). */
export function gatedFeedForward(
  b: ProgramBuilder,
  c: DecoderConfig,
  i: number,
  x: Value,
  activation: "silu" | "gelu" = "silu",
): Value {
  const [gate, up] = b.matmuls(x, [
    [`blk.${i}.ffn_gate.weight`, c.ffn],
    [`blk.${i}.ffn_up.weight`, c.ffn],
  ]);
  const inner = activation === "silu" ? b.siluMul(gate!, up!) : b.geluMul(gate!, up!);
  return b.matmul(inner, `blk.${i}.ffn_down.weight`, c.hidden);
}

/** The LM head; its matrix is the embedding table where the file has none of its own. */
export function lmHead(b: ProgramBuilder, c: DecoderConfig, h: Value): Value {
  const x = b.rmsNorm(h, "output_norm.weight", c.eps);
  return b.matmul(x, b.has("output.weight") ? "output.weight" : "token_embd.weight", c.vocabSize);
}
