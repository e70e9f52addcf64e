/**
 * Records matmuls, the quantised activations that they read, and what LoRA adapters add to them.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { LowRank } from "../formats/lora/products.ts";
import { type TensorType, tensorTypeFacts } from "../formats/tensor-types.ts";
import { align, GROUP_ROWS, loraScratchBytes, matmulScratchBytes, quantizedRowBytes } from "./layout.ts";
import type { ProgramOptions } from "./program.ts";
import { type Buffer, dst, type Operand, type Recording, src, type Value } from "./recording.ts";
import type { WeightTable } from "./weight-table.ts";
import { isQuantized, takesWide } from "./weight-types.ts";

/** A matrix by the name of its tensor, and its number of rows. */
export type Matrix = readonly [weight: string, out: number];

export class MatmulRecorder {
  /**
   * The inputs of matmuls: the operation before which an input is complete, and the matrices that it is multiplied
   * with.
   */
  readonly inputs: Map<Value, { readonly operation: number; readonly weights: string[] }> = new Map();
  private readonly quantized = new Map<Value, { wide?: Buffer; digits?: Buffer }>();
  private readonly adapted = new Set<LowRank>();
  private readonly recording: Recording;
  private readonly weights: WeightTable;
  private readonly options: ProgramOptions;

  constructor(recording: Recording, weights: WeightTable, options: ProgramOptions) {
    this.recording = recording;
    this.weights = weights;
    this.options = options;
  }

  /**
   * Records several matmuls of the same x, whose results lie side by side in one buffer. Neighbouring matrices of one
   * type whose rows fill whole groups lie one after the other in memory. They become a single matmul, which reads one
   * linear stream of weights.
   */
  matmuls(x: Value, matrices: readonly Matrix[]): Value[] {
    const input = this.inputs.get(x) ?? { operation: this.recording.operations.length, weights: [] };
    this.inputs.set(x, input);
    for (const [weight] of matrices) input.weights.push(weight);
    const total = matrices.reduce((sum, [, out]) => sum + align(out, GROUP_ROWS), 0);
    const buffer = this.recording.buffer(total * 4, x.rows, false);
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
      const y = { width: (offset - begin) / 4, rows: x.rows, buffer, offset: begin };
      this.recordMatmul(y, x, first);
    }
    return this.adapt(values, x, matrices);
  }

  /** The products with what the adapters add to them. They stay side by side in one buffer. */
  private adapt(values: readonly Value[], x: Value, matrices: readonly Matrix[]): Value[] {
    const { adapters = [] } = this.options;
    if (!matrices.some(([weight]) => adapters.some(({ products }) => products.has(weight)))) return [...values];
    const [{ buffer, rows }] = values as readonly [Value];
    const own = this.recording.own({ buffer, rows, offset: 0, width: buffer.stride / 4 });
    const adapted = values.map((value) => ({ ...value, buffer: own.buffer }));
    for (const [i, [weight]] of matrices.entries()) this.lora(adapted[i]!, x, weight);
    return adapted;
  }

  /** y = W x for the groups of rows that y has room for, which begin with the matrix `weight`. */
  private recordMatmul(y: Value, x: Value, weight: string): void {
    const { type } = this.weights.placement(weight);
    const input = isQuantized(type) ? { buffer: this.quantize(x, type), offset: 0 } : x;
    this.recording.emit("matmul", x.rows, {
      ...dst(y),
      ...src(input),
      weights: { weight },
      type: tensorTypeFacts(type).id,
      columns: x.width,
      groups: y.width / GROUP_ROWS,
      packed: "packed",
      ...this.recording.scratch(isQuantized(type) ? matmulScratchBytes(x.width) : 0),
    });
  }

  /**
   * The quantised activations of x, which are computed once however many matmuls read them. Some weight types take wide
   * codes.
   */
  private quantize(x: Value, type: TensorType): Buffer {
    const form = takesWide(type) ? "wide" : "digits";
    const made = this.quantized.get(x) ?? {};
    this.quantized.set(x, made);
    const known = made[form];
    if (known) return known;
    const buffer = this.recording.buffer(quantizedRowBytes(x.width), x.rows);
    made[form] = buffer;
    const wide = form === "wide" ? 1 : 0;
    this.recording.emit("quantize", x.rows, { ...dst({ buffer, offset: 0 }), ...src(x), columns: x.width, wide });
    return buffer;
  }

  /** Records the addition of the adapters' products for W to y = W x, in the rows that choose them. */
  private lora(y: Value, x: Value, weight: string): void {
    const { adapters = [], maxBatchTokens } = this.options;
    for (const [index, { products }] of adapters.entries()) {
      const low = products.get(weight);
      if (!low) continue;
      const rank = low.a.shape[0]!;
      const place = (matrix: "a" | "b", rows: number, columns: number): { weight: Operand; type: number } => {
        const name = `${weight}.lora_${matrix} of adapter ${index}`;
        const { type } = this.weights.foreign({ ...low[matrix], name }, rows, columns);
        return { weight: { weight: name }, type: tensorTypeFacts(type).id };
      };
      const a = place("a", rank, x.width);
      const b = place("b", y.width, rank);
      this.recording.emit("lora", x.rows, {
        ...dst(y),
        ...src(x),
        a: a.weight,
        aType: a.type,
        columns: x.width,
        rank,
        b: b.weight,
        bType: b.type,
        groups: Math.ceil(y.width / GROUP_ROWS),
        scale: low.scale,
        rowScales: 4 * index * maxBatchTokens,
        ...this.recording.scratch(loraScratchBytes(rank)),
      });
      this.adapted.add(low);
    }
  }

  /**
   * Refuses adapters with weights for something that is no matmul of this model, because these would be ignored
   * silently.
   */
  checkAdapters(): void {
    for (const { products } of this.options.adapters ?? [])
      for (const [weight, low] of products)
        if (!this.adapted.has(low))
          throw new NibbleError("missing_tensor", `adapter of ${weight}: expected a product of this model`);
  }
}
