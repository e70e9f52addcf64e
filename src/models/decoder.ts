/**
 * The parts that decoder-only architectures share: their hyper-parameters, which all come from the file, and the parts
 * of a layer.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getBoolean, getNumber, getPerLayer, type NumberOptions } from "../formats/typed-values.ts";
import type { ProgramBuilder } from "../runtime/builder.ts";
import type { Value } from "../runtime/recording.ts";
import { embeddingHead, type HeadConfig, hasEmbeddingHead, readHeadConfig } from "./embedding-head.ts";
import { readRotation } from "./rope.ts";

/** The hyper-parameters that every model has. */
export interface ModelConfig {
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
  /** Most tokens that the model was trained for. */
  readonly contextLength: number;
  /** Whether tokens attend to those after them too (default false). */
  readonly bidirectional?: boolean | undefined;
}

/** The hyper-parameters of a decoder. */
export interface DecoderConfig extends ModelConfig {
  /** Width of the feed-forward layer. */
  readonly ffn: number;
  /** Number of tokens in the vocabulary. */
  readonly vocabSize: number;
  /** The number that RMSNorm adds to the mean of squares. */
  readonly eps: number;
  /** Factor of the scores q k before the softmax. */
  readonly attentionScale: number;
  /** Inverse frequencies of RoPE, f32[headDim / 2 or less]. */
  readonly frequencies: Float32Array;
  /** Factor of RoPE's cosines and sines. */
  readonly ropeFactor: number;
  /** The frequencies for contexts of more than `beyond` tokens, where they are others (LongRoPE). */
  readonly longRope?: { readonly frequencies: Float32Array; readonly beyond: number } | undefined;
  /** Whether RoPE rotates pairs (2j, 2j + 1). Otherwise the pairs are (j, j + n / 2), for n rotated values. */
  readonly interleaved: boolean;
  /** Activation of the feed-forward gate: silu (SwiGLU), or the tanh form of GELU (GeGLU). */
  readonly activation: "silu" | "gelu";
  /** The layers behind the pooling of an embedding model. */
  readonly head: HeadConfig;
  /** Whether the file has no LM head, so that the states after the final norm are the result. */
  readonly headless: boolean;
}

/** An architecture reads its hyper-parameters from a checkpoint and describes its forward pass. */
export interface Architecture<Config extends ModelConfig = DecoderConfig> {
  /** `general.architecture` of its GGUF files. */
  readonly name: string;
  /** Keys `{name}.*`, without the name, that change nothing for this architecture and that `readConfig` does not read. */
  readonly unusedKeys?: readonly string[];
  /**
   * Reads the hyper-parameters. Every key `{name}.*` of the checkpoint that it does not ask for is refused, unless it is
   * known to change nothing (unread-keys.ts).
   * @throws NibbleError `missing_key`, `bad_value`, `unsupported_architecture`
   */
  readConfig(checkpoint: Checkpoint): Promise<Config>;
  /** Describes the forward pass to `b`. Returns the logits of the rows that are asked for: f32[rows, vocabSize]. */
  build(b: ProgramBuilder, config: Config): Value;
  /** Whether the forward pass leaves a tensor out on purpose. Any other tensor that it does not read is an error. */
  skips?(tensor: string, config: Config): boolean;
}

/**
 * Bounds that no published model comes near. A header beyond them is broken or hostile. Up to the bound of the context, cos
 * and sin of a position are exact (assembly/math.ts).
 */
export const LIMITS: Readonly<Record<"layers" | "hidden" | "heads" | "ffn" | "context", number>> = {
  layers: 1024,
  hidden: 65536,
  heads: 1024,
  ffn: 2 ** 20,
  context: 2 ** 20,
};

/**
 * Reads the hyper-parameters that all architectures have, from the keys `{architecture}.*`.
 * @param interleaved as in `DecoderConfig`, which the keys do not say
 * @param known.kvHeads heads of keys and values, where the key has other numbers for layers without attention
 * @throws NibbleError `missing_key`, `bad_type`, `bad_value`, `missing_tensor`; `unsupported_architecture` for layers of
 *   different shapes
 */
export async function readDecoderConfig(
  checkpoint: Checkpoint,
  interleaved: boolean,
  known: { readonly kvHeads?: number } = {},
): Promise<DecoderConfig> {
  const { metadata, architecture } = checkpoint;
  const keys = new DecoderKeys(checkpoint);
  const hidden = keys.count("embedding_length", LIMITS.hidden);
  const { rotated, ...heads } = readHeads(keys, hidden, known.kvHeads);
  const rotation = await readRotation(checkpoint, rotated);
  return {
    layers: keys.layers,
    hidden,
    ...heads,
    ffn: keys.sameInAllLayers("feed_forward_length", LIMITS.ffn),
    vocabSize: readVocabSize(checkpoint),
    contextLength: keys.count("context_length", LIMITS.context),
    eps: getNumber(metadata, `${architecture}.attention.layer_norm_rms_epsilon`, { min: 0, max: 1 }),
    attentionScale: getNumber(metadata, `${architecture}.attention.scale`, {
      default: 1 / Math.sqrt(heads.headDim),
      min: 2 ** -126,
      max: 2 ** 20,
    }),
    frequencies: rotation.frequencies,
    ropeFactor: rotation.factor,
    longRope: rotation.long,
    interleaved,
    activation: "silu",
    head: readHeadConfig(checkpoint),
    headless: getBoolean(metadata, "nibble.headless", { default: false }),
  };
}

/**
 * The same for an architecture whose attention may be bidirectional: key `attention.causal`. Its `build` passes
 * `bidirectional` on to `attention`.
 */
export async function readConfigOfEither(checkpoint: Checkpoint, interleaved: boolean): Promise<DecoderConfig> {
  const config = await readDecoderConfig(checkpoint, interleaved);
  const key = `${checkpoint.architecture}.attention.causal`;
  return { ...config, bidirectional: !getBoolean(checkpoint.metadata, key, { default: true }) };
}

/** Reads counts, which are whole numbers from 1 to a bound. */
export class DecoderKeys {
  readonly layers: number;
  readonly #metadata: Checkpoint["metadata"];
  readonly #architecture: string;

  constructor({ metadata, architecture }: Checkpoint) {
    this.#metadata = metadata;
    this.#architecture = architecture;
    this.layers = this.count("block_count", LIMITS.layers);
  }

  count(name: string, max: number, missing?: number): number {
    return getNumber(this.#metadata, `${this.#architecture}.${name}`, countOptions(max, missing));
  }

  /** A count that files may list per layer. Layers of different shapes are not supported. */
  sameInAllLayers(name: string, max: number, missing?: number): number {
    const key = `${this.#architecture}.${name}`;
    const values = getPerLayer(this.#metadata, key, this.layers, countOptions(max, missing));
    if (new Set(values).size > 1)
      throw new NibbleError("unsupported_architecture", `${key}: expected one number for all layers, got ${values}`);
    return values[0]!;
  }
}

function countOptions(max: number, missing: number | undefined): NumberOptions {
  return { integer: true, min: 1, max, ...(missing !== undefined && { default: missing }) };
}

type Heads = Pick<ModelConfig, "heads" | "kvHeads" | "headDim">;

/** Reads the shape of attention. `rotated` is how many values of a head RoPE rotates. */
export function readHeads(keys: DecoderKeys, hidden: number, known?: number): Heads & { rotated: number } {
  const heads = keys.sameInAllLayers("attention.head_count", LIMITS.heads);
  const kvHeads = known ?? keys.sameInAllLayers("attention.head_count_kv", LIMITS.heads, heads);
  const headDim = keys.count("attention.key_length", LIMITS.hidden, hidden / heads);
  const valueDim = keys.count("attention.value_length", LIMITS.hidden, headDim);
  const rotated = keys.count("rope.dimension_count", headDim, headDim);
  if (heads % kvHeads !== 0)
    throw new NibbleError(
      "bad_value",
      `expected query heads to be a multiple of kv heads, got ${heads} and ${kvHeads}`,
    );
  if (valueDim !== headDim)
    throw new NibbleError("bad_value", `expected keys and values of one length, got ${headDim} and ${valueDim}`);
  if (rotated % 2 !== 0)
    throw new NibbleError("bad_value", `expected an even number of rotated values, got ${rotated}`);
  return { heads, kvHeads, headDim, rotated };
}

/** @throws NibbleError `unsupported_architecture` where the feed-forward blocks are mixtures of experts */
export function refuseExperts({ metadata }: Checkpoint, architecture: string): void {
  const experts = getNumber(metadata, `${architecture}.expert_count`, { default: 0 });
  if (experts > 0)
    throw new NibbleError(
      "unsupported_architecture",
      `a ${architecture} model with ${experts} experts is not supported`,
    );
}

/** The rows of the embedding table. They can be more than the tokenizer's tokens, because files pad the vocabulary. */
export function readVocabSize({ tensors }: Checkpoint): number {
  const rows = tensors.get("token_embd.weight")?.shape[0];
  if (rows) return rows;
  throw new NibbleError("missing_tensor", "the file has no tensor token_embd.weight with rows");
}

/**
 * Queries, keys and values of layer `i`, with the biases that the file has.
 *
 * In the last layer only the rows whose logits are asked for go on. Of the other rows, keys and values are still needed, but
 * nothing else, so the result has queries and a residual stream for the output rows only.
 * @param input `h` is the residual stream, and `x` is what the layer projects: `h` after its norm, or `h` itself. `last` says
 *   whether no layer follows, which by default is so for the last of the file.
 * @returns the residual stream that the layer adds to, and q [rows, heads headDim], k and v [rows, kvHeads headDim]
 */
export function projectAttention(
  b: ProgramBuilder,
  c: ModelConfig,
  i: number,
  input: { readonly h: Value; readonly x: Value; readonly last?: boolean },
): { h: Value; q: Value; k: Value; v: Value } {
  const { h, x, last = i === c.layers - 1 } = input;
  const query = [`blk.${i}.attn_q.weight`, c.heads * c.headDim] as const;
  const key = [`blk.${i}.attn_k.weight`, c.kvHeads * c.headDim] as const;
  const value = [`blk.${i}.attn_v.weight`, c.kvHeads * c.headDim] as const;
  const biased = (y: Value, name: string): Value => withBias(b, y, `blk.${i}.${name}`);
  if (!last) {
    const [q, k, v] = b.matmuls(x, [query, key, value]);
    return { h, q: biased(q!, "attn_q"), k: biased(k!, "attn_k"), v: biased(v!, "attn_v") };
  }
  const [k, v] = b.matmuls(x, [key, value]);
  const out = b.selectOutputs(h);
  const q = b.matmul(x === h ? out : b.selectOutputs(x), ...query);
  return { h: out, q: biased(q, "attn_q"), k: biased(k!, "attn_k"), v: biased(v!, "attn_v") };
}

/** The product of the heads' results `o` [rows, heads headDim] with W_o of layer `i`, with the bias if the file has one. */
export function projectOutput(b: ProgramBuilder, c: ModelConfig, i: number, o: Value): Value {
  return withBias(b, b.matmul(o, `blk.${i}.attn_output.weight`, c.hidden), `blk.${i}.attn_output`);
}

/** `y` with the bias of the projection `name`, if the file has one. */
export function withBias(b: ProgramBuilder, y: Value, name: string): Value {
  return b.has(`${name}.bias`) ? b.bias(y, `${name}.bias`) : y;
}

/**
 * Gated feed-forward of layer `i` (Shazeer 2020): W_down(f(W_gate x) * W_up x), where f is the activation, with
 * the biases that the file has.
 */
export function gatedFeedForward(b: ProgramBuilder, c: DecoderConfig, i: number, x: Value): Value {
  const [gate, up] = b.matmuls(x, [
    [`blk.${i}.ffn_gate.weight`, c.ffn],
    [`blk.${i}.ffn_up.weight`, c.ffn],
  ]);
  const [g, u] = [withBias(b, gate!, `blk.${i}.ffn_gate`), withBias(b, up!, `blk.${i}.ffn_up`)];
  const inner = c.activation === "silu" ? b.siluMul(g, u) : b.geluMul(g, u);
  return withBias(b, b.matmul(inner, `blk.${i}.ffn_down.weight`, c.hidden), `blk.${i}.ffn_down`);
}

/**
 * The final norm and the LM head. If the file has no matrix for the head, the embedding table serves as it. An embedding
 * model or a reranker has its own layers in place of it, or nothing.
 */
export function lmHead(b: ProgramBuilder, c: DecoderConfig, h: Value, norm = "output_norm.weight"): Value {
  const x = b.rmsNorm(h, norm, c.eps);
  if (c.headless || hasEmbeddingHead(b)) return embeddingHead(b, x, c.head);
  return b.matmul(x, b.has("output.weight") ? "output.weight" : "token_embd.weight", c.vocabSize);
}
