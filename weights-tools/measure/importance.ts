/**
 * The importance of a matrix's columns: the mean square of the activations that they are multiplied with, over a text.
 * Quantisers weight errors by it. The files are those of llama.cpp's `llama-imatrix` (GGUF, tools/imatrix). They have two
 * tensors per matrix: `NAME.in_sum2`, f32[columns], the sums of squares, and `NAME.counts`, f32[1], the number of rows.
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import type { MetadataValue, TensorInfo } from "../../src/formats/checkpoint.ts";
import { readGgufHeader } from "../../src/formats/gguf/header.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { readExactly } from "../../src/io/byte-source.ts";
import { type ByteSink, type GgufTensor, writeGguf } from "../gguf/writer.ts";

/** Mean squares by tensor name, one per column. */
export type Importance = ReadonlyMap<string, Float32Array>;

interface Sums {
  readonly squares: Float64Array;
  rows: number;
}

/** The importance in a file, and what the file says about its origin. */
export interface ImportanceFile {
  readonly importance: Importance;
  /** Name of the text that was read. */
  readonly dataset: string | undefined;
  /** Number of windows of the text that were read. */
  readonly chunkCount: number | undefined;
}

/** The origin of the collected rows. */
export interface ImportanceFacts {
  /** Name of the text that was read. */
  readonly dataset: string;
  /** Number of windows of the text that were read. */
  readonly chunkCount: number;
  /** Tokens per window. */
  readonly chunkSize: number;
}

/** Adds up the squares of rows in float64. */
export class ImportanceCollector {
  /** By matrix. Matrices with the same input share their sums. */
  readonly #sums = new Map<string, Sums>();

  /** Adds a row that these matrices are multiplied with, as the observer of `Executor.forward` gets it. */
  add(weights: readonly string[], row: Float32Array): void {
    let sums = this.#sums.get(weights[0]!);
    if (sums === undefined) {
      sums = { squares: new Float64Array(row.length), rows: 0 };
      for (const weight of weights) this.#sums.set(weight, sums);
    }
    const { squares } = sums;
    for (let i = 0; i < row.length; i++) squares[i]! += row[i]! * row[i]!;
    sums.rows++;
  }

  /** Names of the matrices, in the order of their first row. */
  get names(): readonly string[] {
    return [...this.#sums.keys()];
  }

  /**
   * Writes the file.
   * @returns bytes written
   * @throws NibbleError `bad_weights` for sums that are not finite; what the sink rejects with
   */
  write(sink: ByteSink, { dataset, chunkCount, chunkSize }: ImportanceFacts): Promise<number> {
    const metadata = new Map<string, MetadataValue>([
      ["general.type", "imatrix"],
      ["imatrix.datasets", [dataset]],
      ["imatrix.chunk_count", chunkCount],
      ["imatrix.chunk_size", chunkSize],
    ]);
    const tensors = [...this.#sums].flatMap(([name, { squares, rows }]) => [
      floats(`${name}${sumSuffix}`, Float32Array.from(squares)),
      floats(`${name}${countSuffix}`, Float32Array.of(rows)),
    ]);
    return writeGguf(sink, metadata, tensors, async function* ({ name, values }) {
      if (!values.every(Number.isFinite))
        throw new NibbleError(
          "bad_weights",
          `${name}: the sums are not finite, because the model's activations are not`,
        );
      yield new Uint8Array(values.buffer);
    });
  }
}

const sumSuffix = ".in_sum2";
const countSuffix = ".counts";

function floats(name: string, values: Float32Array<ArrayBuffer>): GgufTensor & { values: Float32Array<ArrayBuffer> } {
  return { name, type: "F32", shape: [values.length], values };
}

/**
 * Reads a file that this program or llama.cpp has written. Matrices without rows are left out.
 * @throws NibbleError with a format code; `bad_magic` for llama.cpp's older `.dat` files; `bad_value` for a file that is
 *   not an importance matrix or has impossible sums; `unsupported_architecture` for sums of several experts
 */
export async function readImportance(source: ByteSource): Promise<ImportanceFile> {
  const { metadata, tensors } = await readGgufHeader(source);
  const type = metadata.get("general.type");
  if (type !== "imatrix")
    throw new NibbleError("bad_value", `general.type: expected imatrix (an importance matrix), got ${String(type)}`);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const importance = new Map<string, Float32Array>();
  for (const tensor of tensors) {
    if (!tensor.name.endsWith(sumSuffix)) continue;
    const name = tensor.name.slice(0, -sumSuffix.length);
    const counts = byName.get(name + countSuffix);
    if (counts === undefined) throw new NibbleError("missing_tensor", `tensor ${name}${countSuffix} is missing`);
    const [rows, ...experts] = await readFloats(counts);
    if (experts.length > 0)
      throw new NibbleError(
        "unsupported_architecture",
        `${name}: an importance matrix with ${experts.length + 1} experts is not supported; use one of a dense model`,
      );
    const sums = await readFloats(tensor);
    if (!(rows! >= 0) || !sums.every((sum) => sum >= 0 && sum < Number.POSITIVE_INFINITY))
      throw new NibbleError("bad_value", `${name}: the sums of squares and the count must be finite and not negative`);
    if (rows! > 0)
      importance.set(
        name,
        sums.map((sum) => sum / rows!),
      );
  }
  const datasets = metadata.get("imatrix.datasets");
  const dataset = Array.isArray(datasets) ? datasets[0] : undefined;
  const chunkCount = metadata.get("imatrix.chunk_count");
  return {
    importance,
    dataset: typeof dataset === "string" ? dataset : undefined,
    chunkCount: typeof chunkCount === "number" ? chunkCount : undefined,
  };
}

async function readFloats({ name, type, source, offset, byteLength }: TensorInfo): Promise<Float32Array> {
  if (type !== "F32") throw new NibbleError("bad_type", `tensor ${name}: expected type F32, got ${type}`);
  return new Float32Array(new Uint8Array(await readExactly(source, offset, byteLength)).buffer);
}
