/**
 * Describes a forward pass: a model file calls the builder, which records operations on activation buffers, decides where
 * each buffer lies, and writes the flat program that `assembly/program.ts` executes.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { TensorInfo } from "../formats/checkpoint.ts";
import type { Adapter, LowRank } from "../formats/lora/products.ts";
import { type TensorType, tensorTypeFacts } from "../formats/tensor-types.ts";
import { type Interval, placeBuffers } from "./activations.ts";
import {
  ATTENTION_QUERIES,
  align,
  attentionOperationBytes,
  GROUP_ROWS,
  isQuantized,
  KV_TYPES,
  type KvType,
  kvHeadBytes,
  lowRankScratchBytes,
  MAX_HEAD_DIM,
  matmulScratchBytes,
  OP_BYTES,
  quantizedRowBytes,
  TILE_TOKENS,
  takesWide,
} from "./layout.ts";
import { WeightTable } from "./weight-table.ts";

/** Codes of `assembly/program.ts`. */
const OP = {
  embed: 1,
  select: 2,
  rmsNorm: 3,
  quantize: 4,
  matmul: 5,
  ropeTable: 6,
  rope: 7,
  kvStore: 8,
  attention: 9,
  siluMul: 10,
  add: 11,
  geluMul: 12,
  scale: 13,
  softcap: 14,
  lowRank: 15,
} as const;

/** Operations whose token rows depend on no other row, and the operand that holds their row set (0: all rows). */
const ROW_LOCAL: ReadonlyMap<number, number> = new Map([
  [OP.embed, 0],
  [OP.rmsNorm, 1],
  [OP.quantize, 1],
  [OP.ropeTable, 0],
  [OP.rope, 1],
  [OP.kvStore, 0],
  [OP.siluMul, 1],
  [OP.add, 1],
  [OP.geluMul, 1],
  [OP.scale, 1],
  [OP.softcap, 1],
  [OP.lowRank, 1],
]);
/** The operand that says whether threads must meet after an operation. */
const BARRIER = 31;

/** Which token rows a value has: all of the batch, or only those whose logits are wanted. */
export type RowSet = "all" | "outputs";
const SET_ID: Record<RowSet, number> = { all: 0, outputs: 1 };

interface Buffer {
  readonly rows: RowSet;
  /** Bytes a row. */
  readonly stride: number;
  readonly interval: Interval;
}

/** `width` f32 a row, somewhere in a buffer. Operations marked "in place" give back the same place. */
export interface Value {
  readonly width: number;
  readonly rows: RowSet;
  readonly buffer: Buffer;
  /** Bytes from the start of a row of the buffer. */
  readonly offset: number;
}

/** Rotations of every row of the batch, for `rope`. */
export interface Rotations {
  readonly buffer: Buffer;
  readonly half: number;
  readonly interleaved: boolean;
}

/** A layer's place in the key-value cache. */
export interface CachedLayer {
  /** Bytes of the layers before it, a page. */
  readonly offset: number;
  readonly kvHeads: number;
  /** Bytes of one kv head, a page. */
  readonly headBytes: number;
}

export interface AttentionOptions {
  /** A token sees itself and the `window` - 1 tokens before it; 0 (default): all. */
  readonly window?: number;
  /** Of the scores: cap tanh(score / cap); 0 (default): none. */
  readonly softcap?: number;
}

/** An operand: a number as it stands, an f32, or an address known once the plan is made. */
type Operand =
  | number
  | { readonly f32: number }
  | { readonly value: Value }
  | { readonly buffer: Buffer }
  | { readonly weight: string }
  | { readonly table: number }
  /** Where a layer's pages begin: bytes of the layers before it, a page. */
  | { readonly layerPages: number }
  /** Bytes of all pages of one kv head: bytes a page. */
  | { readonly headPages: number }
  | { readonly scratch: true }
  /** Bytes of scratch a thread, known at the end. */
  | { readonly scratchStride: true };

export interface ProgramOptions {
  readonly maxBatchTokens: number;
  readonly maxLogitRows: number;
  readonly kvType: KvType;
  readonly threads: number;
  /** Low-rank adapters; which rows take which is said by each batch. */
  readonly adapters?: readonly Adapter[];
}

/** The input of products, as it is when `operation` begins: what `Executor.forward` shows an observer. */
export interface ProductInput {
  readonly operation: number;
  /** The matrices it is multiplied with. */
  readonly weights: string[];
  readonly rows: RowSet;
  readonly width: number;
  /** Offset of the first row in the activations, and bytes from row to row. */
  readonly offset: number;
  readonly stride: number;
}

/** Rows that a caller reads: there when so many operations have run. */
export interface Output {
  readonly operations: number;
  readonly width: number;
  /** Offset of the first row in the activations, and bytes from row to row. */
  readonly offset: number;
  readonly stride: number;
}

/** Where the regions begin, for `link`. */
export interface Bases {
  readonly tables: number;
  readonly activations: number;
  readonly pages: number;
  readonly weights: number;
}

/** A recorded forward pass, sizes known, addresses not yet. */
export interface Program {
  readonly operations: number;
  /** Low-rank adapters that it knows. */
  readonly adapters: number;
  readonly weights: WeightTable;
  readonly tables: readonly Float32Array[];
  readonly activationBytes: number;
  /** Bytes of a page of the key-value cache over all layers. */
  readonly pageBytes: number;
  /** The same, one a layer and kv head, in the order in which their pages lie in memory. */
  readonly headPageBytes: readonly number[];
  /** In the order of their operations. */
  readonly inputs: readonly ProductInput[];
  readonly logits: Output;
  /** Hidden states: what the LM head, the last product, is multiplied with. */
  readonly hidden: Output;
  /** The program's words, OP_BYTES an operation. */
  link(bases: Bases, pageCount: number): Int32Array;
}

export class ProgramBuilder {
  private readonly operations: Operand[][] = [];
  private readonly buffers: Buffer[] = [];
  private readonly tables: Float32Array[] = [];
  private readonly weights: WeightTable;
  private readonly options: ProgramOptions;
  private readonly quantized = new Map<Value, { wide?: Buffer; digits?: Buffer }>();
  private readonly inputs = new Map<Value, { operation: number; weights: string[] }>();
  private readonly adapted = new Set<LowRank>();
  private pageBytes = 0;
  private readonly headPageBytes: number[] = [];
  private scratchBytes = 0;

  constructor(tensors: ReadonlyMap<string, TensorInfo>, options: ProgramOptions) {
    this.weights = new WeightTable(tensors);
    this.options = options;
  }

  /** Whether the checkpoint has a tensor of this name. */
  has(name: string): boolean {
    return this.weights.has(name);
  }

  /** Rows of the embedding table for the batch's tokens: [rows, columns of the table]. */
  embed(weight: string, vocabSize: number, width: number): Value {
    const { type } = this.weights.matrix(weight, vocabSize, width);
    const dst = this.value(width, "all");
    this.emit(OP.embed, { value: dst }, dst.buffer.stride, { weight }, tensorTypeFacts(type).id, width);
    return dst;
  }

  /** Keeps only the rows whose logits are wanted. */
  outputs(x: Value): Value {
    const dst = this.value(x.width, "outputs");
    this.emit(OP.select, { value: dst }, dst.buffer.stride, { value: x }, x.buffer.stride, x.width * 4);
    return dst;
  }

  /** x / sqrt(mean(x^2) + eps) * weight over the whole row. */
  rmsNorm(x: Value, weight: string, eps: number): Value {
    this.weights.vector(weight, x.width);
    const dst = this.value(x.width, x.rows);
    this.norm(dst, x, { weight }, x.width, eps);
    return dst;
  }

  /** In place: the same per head of `headDim` values, all with one weight [headDim], or without. */
  headNorm(x: Value, headDim: number, eps: number, weight?: string): Value {
    if (weight) this.weights.vector(weight, headDim);
    this.norm(x, x, weight ? { weight } : 0, headDim, eps);
    return { ...x };
  }

  private norm(dst: Value, x: Value, weight: Operand, n: number, eps: number): void {
    const groups = x.width / n;
    if (n % 4 !== 0) throw new NibbleError("bad_value", `expected a norm over a multiple of 4 values, got ${n}`);
    this.emit(
      OP.rmsNorm,
      SET_ID[x.rows],
      { value: dst },
      dst.buffer.stride,
      { value: x },
      x.buffer.stride,
      weight,
      n,
      groups,
      { f32: eps },
    );
  }

  /** W x: [rows, out]. */
  matmul(x: Value, weight: string, out: number): Value {
    return this.matmuls(x, [[weight, out]])[0]!;
  }

  /**
   * Several products of the same x, side by side in one buffer. Neighbours of one type whose rows fill whole groups lie
   * one after the other in memory and become a single product: one linear weight stream.
   */
  matmuls(x: Value, matrices: readonly (readonly [weight: string, out: number])[]): Value[] {
    const input = this.inputs.get(x) ?? { operation: this.operations.length, weights: [] };
    this.inputs.set(x, input);
    for (const [weight] of matrices) input.weights.push(weight);
    const total = matrices.reduce((sum, [, out]) => sum + align(out, GROUP_ROWS), 0);
    const buffer = this.buffer(total * 4, x.rows);
    const values: Value[] = [];
    let offset = 0;
    let i = 0;
    while (i < matrices.length) {
      const [first] = matrices[i]!;
      const begin = offset;
      let type = "";
      let end: number | undefined;
      for (; i < matrices.length; i++) {
        const [weight, out] = matrices[i]!;
        const placed = this.weights.matrix(weight, out, x.width);
        if (end !== undefined && (placed.type !== type || placed.offset !== end)) break;
        type = placed.type;
        end = placed.offset + placed.bytes;
        values.push({ width: out, rows: x.rows, buffer, offset });
        offset += align(out, GROUP_ROWS) * 4;
      }
      this.product({ width: 0, rows: x.rows, buffer, offset: begin }, x, first, (offset - begin) / 4 / GROUP_ROWS);
    }
    for (const [i, [weight, out]] of matrices.entries()) this.adapt(values[i]!, x, weight, out);
    return values;
  }

  /** Adds what the adapters have for this product, to the rows that take them. */
  private adapt(dst: Value, x: Value, weight: string, out: number): void {
    const { adapters = [], maxBatchTokens } = this.options;
    for (const [index, adapter] of adapters.entries()) {
      const low = adapter.products.get(weight);
      if (!low) continue;
      const rank = low.a.shape[0]!;
      const place = (half: "a" | "b", rows: number, columns: number): Operand[] => {
        const name = `${weight}.lora_${half} of adapter ${index}`;
        const { type } = this.weights.foreign({ ...low[half], name }, rows, columns);
        return [{ weight: name }, tensorTypeFacts(type).id];
      };
      this.emit(
        OP.lowRank,
        SET_ID[x.rows],
        { value: dst },
        dst.buffer.stride,
        { value: x },
        x.buffer.stride,
        ...place("a", rank, x.width),
        x.width,
        rank,
        ...place("b", out, rank),
        Math.ceil(out / GROUP_ROWS),
        { f32: low.scale },
        4 * index * maxBatchTokens,
        { scratch: true },
        this.scratch(lowRankScratchBytes(rank)),
      );
      this.adapted.add(low);
    }
  }

  /** An adapter's weights for what is no product of this model would be left out without a word. */
  private checkAdapters(): void {
    for (const { products } of this.options.adapters ?? [])
      for (const [weight, low] of products)
        if (!this.adapted.has(low))
          throw new NibbleError("missing_tensor", `adapter of ${weight}: expected a product of this model`);
  }

  private product(dst: Value, x: Value, weight: string, groups: number): void {
    const { type } = this.weights.placement(weight);
    const input: Operand = isQuantized(type) ? { buffer: this.quantize(x, type) } : { value: x };
    const stride = "buffer" in input ? input.buffer.stride : x.buffer.stride;
    this.emit(
      OP.matmul,
      SET_ID[x.rows],
      { value: dst },
      dst.buffer.stride,
      input,
      stride,
      { weight },
      tensorTypeFacts(type).id,
      x.width,
      groups,
      { scratch: true },
      this.scratch(isQuantized(type) ? matmulScratchBytes(x.width) : 0),
    );
  }

  /** Quantised activations of x, made once however many products read them. some types take wide codes. */
  private quantize(x: Value, type: TensorType): Buffer {
    const form = takesWide(type) ? "wide" : "digits";
    const made = this.quantized.get(x) ?? {};
    this.quantized.set(x, made);
    const known = made[form];
    if (known) return known;
    const buffer = this.buffer(quantizedRowBytes(x.width), x.rows);
    made[form] = buffer;
    const wide = form === "wide" ? 1 : 0;
    this.emit(OP.quantize, SET_ID[x.rows], { buffer }, buffer.stride, { value: x }, x.buffer.stride, x.width, wide);
    return buffer;
  }

  /** cos and sin of every row's position. @param frequencies f32[half], scaled; @param interleaved pairs (2j, 2j + 1) */
  rotations(frequencies: Float32Array, interleaved: boolean): Rotations {
    const half = frequencies.length;
    const buffer = this.buffer(half * 8, "all");
    this.tables.push(frequencies);
    this.emit(OP.ropeTable, { buffer }, buffer.stride, { table: this.tables.length - 1 }, half);
    return { buffer, half, interleaved };
  }

  /** In place: rotary position embedding of every head. */
  rope(x: Value, headDim: number, rotations: Rotations): Value {
    this.emit(
      OP.rope,
      SET_ID[x.rows],
      { value: x },
      x.buffer.stride,
      x.width / headDim,
      headDim,
      { buffer: rotations.buffer },
      rotations.buffer.stride,
      rotations.half,
      rotations.interleaved ? 1 : 0,
    );
    return { ...x };
  }

  /** A layer's place in the pages; its keys and values are stored for every row of the batch. */
  cache(k: Value, v: Value, headDim: number): CachedLayer {
    if (headDim > MAX_HEAD_DIM || headDim % 8 !== 0)
      throw new NibbleError(
        "bad_value",
        `expected a head size that is a multiple of 8 up to ${MAX_HEAD_DIM}, got ${headDim}`,
      );
    const { kvType } = this.options;
    const kvHeads = k.width / headDim;
    const headBytes = kvHeadBytes(kvType, headDim);
    const layer = { offset: this.pageBytes, kvHeads, headBytes };
    this.pageBytes += kvHeads * headBytes;
    for (let head = 0; head < kvHeads; head++) this.headPageBytes.push(headBytes);
    this.emit(
      OP.kvStore,
      { value: k },
      k.buffer.stride,
      { value: v },
      v.buffer.stride,
      kvHeads,
      headDim,
      { layerPages: layer.offset },
      KV_TYPES[kvType],
      { headPages: headBytes },
    );
    return layer;
  }

  /** Causal attention of q over the cached tokens of each row's sequence: [rows, q.width]. */
  attention(q: Value, layer: CachedLayer, headDim: number, scale: number, options: AttentionOptions = {}): Value {
    const { window = 0, softcap = 0 } = options;
    const group = q.width / headDim / layer.kvHeads;
    if (group > ATTENTION_QUERIES)
      throw new NibbleError(
        "bad_value",
        `expected at most ${ATTENTION_QUERIES} query heads a key-value head, got ${group}`,
      );
    const dst = this.value(q.width, q.rows);
    this.emit(
      OP.attention,
      SET_ID[q.rows],
      { value: dst },
      dst.buffer.stride,
      { value: q },
      q.buffer.stride,
      { layerPages: layer.offset },
      q.width / headDim,
      layer.kvHeads,
      headDim,
      KV_TYPES[this.options.kvType],
      { f32: scale },
      { scratch: true },
      this.scratch(attentionOperationBytes(headDim)),
      { headPages: layer.headBytes },
      window,
      { f32: softcap },
    );
    return dst;
  }

  /** silu(gate) * up, in gate's place. Both come from one `matmuls`. */
  siluMul(gate: Value, up: Value): Value {
    return this.gated(OP.siluMul, gate, up);
  }

  /** gelu(gate) * up, the tanh form of GELU, in gate's place. Both come from one `matmuls`. */
  geluMul(gate: Value, up: Value): Value {
    return this.gated(OP.geluMul, gate, up);
  }

  private gated(code: number, gate: Value, up: Value): Value {
    this.emit(
      code,
      SET_ID[gate.rows],
      { value: gate },
      gate.buffer.stride,
      { value: gate },
      { value: up },
      gate.width,
      gate.buffer.stride,
    );
    return { ...gate };
  }

  /** In place: x += y. */
  add(x: Value, y: Value): Value {
    this.emit(OP.add, SET_ID[x.rows], { value: x }, x.buffer.stride, { value: y }, y.buffer.stride, x.width);
    return { ...x };
  }

  /** In place: adds the vector `weight` to every row. */
  bias(x: Value, weight: string): Value {
    this.weights.vector(weight, x.width);
    this.emit(OP.add, SET_ID[x.rows], { value: x }, x.buffer.stride, { weight }, 0, align(x.width, 4));
    return { ...x };
  }

  /** In place: x *= factor, rounded to f32. */
  scale(x: Value, factor: number): Value {
    return this.adjusted(OP.scale, x, factor);
  }

  /** In place: cap tanh(x / cap). */
  softcap(x: Value, cap: number): Value {
    return this.adjusted(OP.softcap, x, cap);
  }

  private adjusted(code: number, x: Value, factor: number): Value {
    this.emit(code, SET_ID[x.rows], { value: x }, x.buffer.stride, align(x.width, 4), { f32: factor });
    return { ...x };
  }

  /** Ends the program: `logits` is what the caller reads. */
  finish(logits: Value): Program {
    const { operations, buffers, tables, weights, pageBytes, scratchBytes, options } = this;
    this.checkAdapters();
    logits.buffer.interval.last = operations.length;
    const rows = { all: options.maxBatchTokens, outputs: options.maxLogitRows };
    // Quantised rows lie in tiles; the last one may have empty places.
    const bytes = buffers.map((buffer) => align(buffer.stride * align(rows[buffer.rows], TILE_TOKENS)));
    const inputs = [...this.inputs];
    const [hidden, { operation: head }] = inputs.at(-1)!;
    // A pass may end before the LM head.
    const needsBarrier = operations.map((operands, i) => {
      const set = rowLocalSet(operands);
      return set === undefined || set !== rowLocalSet(operations[i + 1] ?? []) || i + 1 === head ? 1 : 0;
    });
    // Between two barriers one thread may be operations ahead of another: all that is touched there lives together.
    const stretches: number[] = [];
    for (let op = 0, stretch = 0; op <= operations.length; op++) {
      stretches.push(stretch);
      stretch += needsBarrier[op] ?? 0;
    }
    const placed = placeBuffers(
      buffers.map(({ interval }) => ({ first: stretches[interval.first]!, last: stretches[interval.last]! })),
      bytes,
    );
    const offsets = new Map(buffers.map((buffer, i) => [buffer, placed.offsets[i]!]));
    const scratch = placed.total;
    const tableOffsets: number[] = [];
    let tableEnd = 0;
    for (const table of tables) {
      tableOffsets.push(tableEnd);
      tableEnd += align(table.byteLength);
    }
    const at = (value: Value): number => offsets.get(value.buffer)! + value.offset;
    const output = (value: Value, count: number): Output => ({
      operations: count,
      width: value.width,
      offset: at(value),
      stride: value.buffer.stride,
    });
    const link = (bases: Bases, pageCount: number): Int32Array => {
      const words = new Int32Array((operations.length * OP_BYTES) / 4);
      const floats = new Float32Array(words.buffer);
      operations.forEach((operands, op) => {
        words[(op * OP_BYTES) / 4 + BARRIER] = needsBarrier[op]!;
        operands.forEach((operand, i) => {
          const word = (op * OP_BYTES) / 4 + i;
          if (typeof operand === "number") words[word] = operand;
          else if ("f32" in operand) floats[word] = operand.f32;
          else if ("value" in operand) words[word] = bases.activations + at(operand.value);
          else if ("buffer" in operand) words[word] = bases.activations + offsets.get(operand.buffer)!;
          else if ("weight" in operand) words[word] = bases.weights + weights.placement(operand.weight).offset;
          else if ("layerPages" in operand) words[word] = bases.pages + operand.layerPages * pageCount;
          else if ("headPages" in operand) words[word] = operand.headPages * pageCount;
          else if ("table" in operand) words[word] = bases.tables + tableOffsets[operand.table]!;
          else if ("scratch" in operand) words[word] = bases.activations + scratch;
          else words[word] = scratchBytes;
        });
      });
      return words;
    };
    return {
      operations: operations.length,
      adapters: options.adapters?.length ?? 0,
      weights,
      tables,
      activationBytes: scratch + scratchBytes * options.threads,
      pageBytes,
      headPageBytes: this.headPageBytes,
      inputs: inputs.map(([x, input]) => ({
        ...input,
        rows: x.rows,
        width: x.width,
        offset: at(x),
        stride: x.buffer.stride,
      })),
      logits: output(logits, operations.length),
      hidden: output(hidden, head),
      link,
    };
  }

  /** Makes room for an operation's scratch; all operations share the same place, a thread after the other. */
  private scratch(bytes: number): Operand {
    this.scratchBytes = Math.max(this.scratchBytes, align(bytes));
    return { scratchStride: true };
  }

  private value(width: number, rows: RowSet): Value {
    return { width, rows, buffer: this.buffer(align(width, GROUP_ROWS) * 4, rows), offset: 0 };
  }

  private buffer(bytes: number, rows: RowSet): Buffer {
    const buffer = {
      rows,
      stride: align(bytes),
      interval: { first: this.operations.length, last: this.operations.length },
    };
    this.buffers.push(buffer);
    return buffer;
  }

  private emit(...operands: Operand[]): void {
    for (const operand of operands) {
      if (typeof operand !== "object") continue;
      const buffer = "value" in operand ? operand.value.buffer : "buffer" in operand ? operand.buffer : undefined;
      if (buffer) buffer.interval.last = this.operations.length;
    }
    this.operations.push(operands);
  }
}

/** The row set of an operation that is row-local: two neighbours with the same one need no barrier between them. */
function rowLocalSet(operands: readonly Operand[]): Operand | undefined {
  const at = ROW_LOCAL.get(operands[0] as number);
  return at === undefined ? undefined : at === 0 ? SET_ID.all : operands[at];
}
