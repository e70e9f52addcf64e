/**
 * The tensors that a program reads, checked against the shapes that it expects, and their places among the weights.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { TensorInfo } from "../formats/checkpoint.ts";
import { transposed } from "../formats/derived-tensors.ts";
import { type TensorType, tensorTypeFacts } from "../formats/tensor-types.ts";
import { align, matrixBytes } from "./layout.ts";
import { hasKernel } from "./weight-types.ts";

/** A tensor's place. Matrices are tiled, vectors are f32. */
export interface WeightPlacement {
  readonly info: TensorInfo;
  readonly kind: "matrix" | "vector";
  readonly type: TensorType;
  readonly rows: number;
  readonly columns: number;
  /** Offset in bytes from the start of the weight region. */
  readonly offset: number;
  readonly bytes: number;
}

export class WeightTable {
  /** In the order of their first use, which is the order in memory. */
  readonly placements: WeightPlacement[] = [];
  private readonly byName = new Map<string, WeightPlacement>();
  private readonly tensors: ReadonlyMap<string, TensorInfo>;
  bytes = 0;

  constructor(tensors: ReadonlyMap<string, TensorInfo>) {
    this.tensors = tensors;
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** @throws NibbleError `missing_tensor` */
  rowsOf(name: string): number {
    const rows = this.tensors.get(name)?.shape[0];
    if (rows) return rows;
    throw new NibbleError("missing_tensor", `expected a tensor ${name} with rows, the file has none`);
  }

  placement(name: string): WeightPlacement {
    return this.byName.get(name)!;
  }

  /** @throws NibbleError `missing_tensor`, `bad_shape`, `unsupported_type` */
  matrix(name: string, rows: number, columns: number): WeightPlacement {
    return this.placeMatrix(this.require(name, [rows, columns]), rows, columns);
  }

  /**
   * Places a matrix that is not in the checkpoint, under its own name.
   * @throws NibbleError `bad_shape`, `unsupported_type`
   */
  foreign(info: TensorInfo, rows: number, columns: number): WeightPlacement {
    checkShape(info, [rows, columns]);
    return this.placeMatrix(info, rows, columns);
  }

  private placeMatrix(info: TensorInfo, rows: number, columns: number): WeightPlacement {
    const { name } = info;
    if (!hasKernel(info.type))
      throw new NibbleError("unsupported_type", `tensor ${name}: this version has no kernel for ${info.type}`);
    const { blockValues } = tensorTypeFacts(info.type);
    if (columns % blockValues !== 0)
      throw new NibbleError(
        "bad_shape",
        `tensor ${name}: expected a multiple of ${blockValues} columns for ${info.type}, got ${columns}`,
      );
    return this.place({ info, kind: "matrix", type: info.type, rows, columns }, matrixBytes(info.type, rows, columns));
  }

  /** @throws NibbleError `missing_tensor`, `bad_shape`, `unsupported_type` */
  vector(name: string, length: number): WeightPlacement {
    const info = this.require(name, [length]);
    if (info.type !== "F32" && info.type !== "F16" && info.type !== "BF16")
      throw new NibbleError("unsupported_type", `tensor ${name}: expected F32, F16 or BF16, got ${info.type}`);
    return this.place({ info, kind: "vector", type: info.type, rows: 1, columns: length }, align(length * 4));
  }

  /**
   * Places a matrix [rows, columns] with its rows and columns exchanged, as f32.
   * @throws NibbleError `missing_tensor`, `bad_shape`, `unsupported_type`
   */
  transposed(name: string, rows: number, columns: number): WeightPlacement {
    const info = transposed(this.require(name, [rows, columns]));
    const length = rows * columns;
    return this.place({ info, kind: "vector", type: info.type, rows: 1, columns: length }, align(length * 4));
  }

  private require(name: string, shape: readonly number[]): TensorInfo {
    const info = this.tensors.get(name);
    if (!info) throw new NibbleError("missing_tensor", `expected a tensor ${name}, the file has none`);
    checkShape(info, shape);
    return info;
  }

  private place(facts: Omit<WeightPlacement, "offset" | "bytes">, bytes: number): WeightPlacement {
    const known = this.byName.get(facts.info.name);
    if (known) return known;
    // Tiles are whole vectors, so matrices may follow each other without a gap (ProgramBuilder.matmuls relies on it).
    const placement = { ...facts, offset: this.bytes, bytes };
    this.bytes += bytes;
    this.placements.push(placement);
    this.byName.set(facts.info.name, placement);
    return placement;
  }
}

function checkShape({ name, shape }: TensorInfo, expected: readonly number[]): void {
  if (shape.length !== expected.length || shape.some((n, i) => n !== expected[i]))
    throw new NibbleError("bad_shape", `tensor ${name}: expected shape [${expected}], got [${shape}]`);
}
