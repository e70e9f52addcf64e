/**
 * Describes a forward pass: a model file calls the builder's operations in order, and the builder checks the shapes of
 * the tensors and records what `assembly/interpreter.ts` will run.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { TensorInfo } from "../formats/checkpoint.ts";
import { tensorTypeFacts } from "../formats/tensor-types.ts";
import { type AttentionOptions, AttentionRecorder } from "./attention-recorder.ts";
import { align } from "./layout.ts";
import { link } from "./linker.ts";
import { MatmulRecorder, type Matrix } from "./matmul-recorder.ts";
import { Placement } from "./placement.ts";
import type { Program, ProgramOptions, Rows } from "./program.ts";
import { dst, type KvLayer, type Operand, type RopeTable, src, type Value } from "./recording.ts";
import { RecurrentBuilder } from "./recurrent-builder.ts";

/** What names a row in a table of embeddings. The values are those of `Embed.source` in assembly/operations.ts. */
const EMBED_SOURCES = { token: 0, position: 1, type: 2 } as const;

/** Records the operations of a forward pass. */
export class ProgramBuilder extends RecurrentBuilder {
  private readonly frequencies: Float32Array[] = [];
  private readonly ropeFactors: number[] = [];
  private readonly options: ProgramOptions;
  private readonly recorder: MatmulRecorder;
  private readonly attentions: AttentionRecorder;
  private vocabSize = 0;
  private pooled: { readonly value: Value; readonly operation: number } | undefined;

  constructor(tensors: ReadonlyMap<string, TensorInfo>, options: ProgramOptions) {
    super(tensors, options.threads);
    this.options = options;
    this.recorder = new MatmulRecorder(this.recording, this.weights, options);
    this.attentions = new AttentionRecorder(this.recording, options);
  }

  /** Whether the checkpoint has a tensor of this name. */
  has(name: string): boolean {
    return this.weights.has(name);
  }

  /** Rows of a matrix of the checkpoint. @throws NibbleError `missing_tensor` */
  rowsOf(name: string): number {
    return this.weights.rowsOf(name);
  }

  /**
   * Rows of an embedding table [count, width] for the batch's tokens, or for their positions or token types:
   * [rows, width].
   */
  embed(weight: string, count: number, width: number, source: keyof typeof EMBED_SOURCES = "token"): Value {
    const { type } = this.weights.matrix(weight, count, width);
    if (source === "token") this.vocabSize = count;
    const y = this.recording.value(width, "all");
    this.recording.emit("embed", "all", {
      ...dst(y),
      weights: { weight },
      type: tensorTypeFacts(type).id,
      columns: width,
      source: EMBED_SOURCES[source],
    });
    return y;
  }

  /** Keeps only the rows whose logits are wanted. */
  selectOutputs(x: Value): Value {
    const y = this.recording.value(x.width, "outputs");
    this.recording.emit("selectOutputs", "outputs", { ...dst(y), ...src(x), rowBytes: x.width * 4 });
    return y;
  }

  /** x / sqrt(mean(x^2) + eps) * weight over the whole row. */
  rmsNorm(x: Value, weight: string, eps: number): Value {
    this.weights.vector(weight, x.width);
    const y = this.recording.value(x.width, x.rows);
    this.recordRmsNorm(y, x, { weight: { weight }, n: x.width, eps: eps });
    return y;
  }

  /** RMSNorm of every head of `headDim` values, with one weight [headDim] for all heads or without a weight. */
  rmsNormHeads(x: Value, headDim: number, eps: number, weight?: string): Value {
    if (weight) this.weights.vector(weight, headDim);
    const y = this.recording.place(x);
    this.recordRmsNorm(y, x, { weight: weight ? { weight } : 0, n: headDim, eps: eps });
    return y;
  }

  private recordRmsNorm(y: Value, x: Value, operands: { weight: Operand; n: number; eps: number }): void {
    const { n } = operands;
    if (n % 4 !== 0) throw new NibbleError("bad_value", `expected a norm over a multiple of 4 values, got ${n}`);
    this.recording.emit("rmsNorm", x.rows, { ...dst(y), ...src(x), ...operands, parts: x.width / n });
  }

  /** (x - mean) / sqrt(variance + eps) * weight + bias over the whole row. @param name the tensors without ".weight" */
  layerNorm(x: Value, name: string, eps: number): Value {
    if (x.width % 4 !== 0)
      throw new NibbleError("bad_value", `expected a norm over a multiple of 4 values, got ${x.width}`);
    const [weight, bias] = [`${name}.weight`, `${name}.bias`];
    this.weights.vector(weight, x.width);
    this.weights.vector(bias, x.width);
    const y = this.recording.value(x.width, x.rows);
    const vectors = { weight: { weight }, bias: { weight: bias } };
    this.recording.emit("layerNorm", x.rows, { ...dst(y), ...src(x), ...vectors, n: x.width, eps });
    return y;
  }

  /** W x: [rows, out]. */
  matmul(x: Value, weight: string, out: number): Value {
    return this.matmuls(x, [[weight, out]])[0]!;
  }

  /** Several matmuls of the same x, as few operations as possible. The results lie side by side in one buffer. */
  matmuls(x: Value, matrices: readonly Matrix[]): Value[] {
    return this.recorder.matmuls(x, matrices);
  }

  /**
   * Computes cosines and sines of every row's position.
   * @param frequencies f32[pairs], with any scaling applied
   * @param interleaved whether pairs are (2j, 2j + 1)
   * @param factor of cosines and sines, which the scalings of long contexts have. Queries and keys are multiplied by it.
   */
  ropeTable(frequencies: Float32Array, interleaved: boolean, factor = 1): RopeTable {
    const pairs = frequencies.length;
    const buffer = this.recording.buffer(pairs * 8, "all");
    this.frequencies.push(frequencies);
    this.ropeFactors.push(factor);
    const index = this.frequencies.length - 1;
    this.recording.emit("ropeTable", "all", {
      ...dst({ buffer, offset: 0 }),
      frequencies: { frequencies: index },
      pairs,
    });
    if (factor !== 1)
      this.recording.emit("scale", "all", { ...dst({ buffer, offset: 0 }), n: align(2 * pairs, 4), factor });
    return { buffer, pairs, interleaved };
  }

  /** Applies rotary position embedding to every head. */
  rope(x: Value, headDim: number, { buffer, pairs, interleaved }: RopeTable): Value {
    const y = this.recording.own(x);
    this.recording.emit("rope", x.rows, {
      ...dst(y),
      heads: x.width / headDim,
      headDim,
      table: { place: { buffer, offset: 0 } },
      tableStride: buffer.stride,
      pairs,
      interleaved: interleaved ? 1 : 0,
    });
    return y;
  }

  /** Stores the keys and values of every row of the batch. Returns the layer's place in the pages. */
  kvStore(k: Value, v: Value, headDim: number): KvLayer {
    return this.attentions.kvStore(k, v, headDim);
  }

  /**
   * Attention of q over the cached tokens of each row's sequence, causal unless the options say otherwise: [rows, q.width].
   * `scale` multiplies the scores.
   */
  attention(q: Value, layer: KvLayer, scale: number, options: AttentionOptions = {}): Value {
    return this.attentions.attention(q, layer, scale, options);
  }

  /** silu(gate) * up. */
  siluMul(gate: Value, up: Value): Value {
    return this.gatedMul("siluMul", gate, up);
  }

  /** gelu(gate) * up with the tanh form of GELU. */
  geluMul(gate: Value, up: Value): Value {
    return this.gatedMul("geluMul", gate, up);
  }

  /** x + y. x must not be read again. */
  add(x: Value, y: Value): Value {
    const sum = this.recording.own(x);
    this.recording.emit("add", x.rows, { ...dst(sum), ...src(y), n: x.width });
    return sum;
  }

  /** x with the vector `weight` added to every row. x must not be read again. */
  bias(x: Value, weight: string): Value {
    this.weights.vector(weight, x.width);
    const sum = this.recording.own(x);
    this.recording.emit("add", x.rows, { ...dst(sum), src: { weight }, srcStride: 0, n: align(x.width, 4) });
    return sum;
  }

  /** x * factor (rounded to f32). x must not be read again. */
  scale(x: Value, factor: number): Value {
    const y = this.recording.own(x);
    this.recording.emit("scale", x.rows, { ...dst(y), n: align(x.width, 4), factor: factor });
    return y;
  }

  /**
   * x *= 1 + beta ln(1 + floor((position + offset) / length)) by the position of each row: how Llama 4 and
   * Ministral 3 scale queries in a long context.
   * @param options.length from 1
   */
  scaleByPosition(x: Value, options: { beta: number; length: number; offset?: number }): Value {
    const { beta, length, offset = 0 } = options;
    const y = this.recording.own(x);
    this.recording.emit("scaleByPosition", x.rows, { ...dst(y), n: align(x.width, 4), beta, length, offset });
    return y;
  }

  /** gelu(x) = x / 2 (1 + erf(x / sqrt 2)). x must not be read again. */
  geluErf(x: Value): Value {
    const y = this.recording.own(x);
    this.recording.emit("geluErf", x.rows, { ...dst(y), n: align(x.width, 4) });
    return y;
  }

  /** x = cap tanh(x / cap), in place. */
  softcap(x: Value, cap: number): Value {
    this.recording.emit("softcap", x.rows, { ...dst(x), n: align(x.width, 4), cap: cap });
    return { ...x };
  }

  /**
   * Marks the states of which embeddings are made, in a model that is no language model. The operations after it run on the
   * pooled states of a text.
   */
  states(x: Value): Value {
    this.pooled = { value: x, operation: this.recording.operations.length };
    return x;
  }

  /** Ends the program: `logits` is what the caller reads. */
  finish(logits: Value): Program {
    const { recording, weights, frequencies, ropeFactors, options, attentions } = this;
    this.recorder.checkAdapters();
    const operations = recording.operations.length;
    logits.buffer.interval.last = operations;
    const inputs = [...this.recorder.inputs];
    const [input, { operation }] = inputs.at(-1)!;
    const { value: hidden, operation: head } = this.pooled ?? { value: input, operation };
    const placement = new Placement(recording, { batch: options.maxBatchTokens, head: options.maxLogitRows }, head);
    const rowsOf = (value: Value): Rows => ({
      width: value.width,
      offset: placement.offsetOf(value),
      stride: value.buffer.stride,
    });
    const linkable = { recording, placement, weights, frequencies };
    const { threads } = options;
    return {
      operations,
      threads,
      adapters: options.adapters?.length ?? 0,
      weights,
      frequencies,
      ropeFactors,
      constants: recording.constants(),
      activationBytes: placement.scratch + recording.scratchBytes * threads,
      pageBytes: attentions.pageBytes,
      headPageBytes: attentions.headPageBytes,
      stateBytes: this.stateBytes,
      vocabSize: this.vocabSize,
      bidirectional: attentions.bidirectional,
      poolsStates: this.pooled !== undefined,
      generates: this.pooled === undefined && !attentions.bidirectional,
      inputs: inputs.map(([x, input]) => ({ ...input, rows: x.rows, ...rowsOf(x) })),
      logits: { operations, ...rowsOf(logits) },
      hidden: { operations: head, ...rowsOf(hidden) },
      link: (bases, options) => link(linkable, bases, options),
    };
  }
}
