/**
 * Importance of a matrix's columns: the mean square of what they are multiplied with, over a text. Quantisers weigh
 * errors by it. Files are those of llama.cpp's `llama-imatrix` (GGUF, tools/imatrix): per matrix the tensors
 * `NAME.in_sum2`, sums of squares f32[columns], and `NAME.counts`, rows seen f32[1].
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import type { MetadataValue, TensorInfo } from "../../src/formats/checkpoint.ts";
import { readGgufHeader } from "../../src/formats/gguf/header.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { readExactly } from "../../src/io/byte-source.ts";
import { type ByteSink, type GgufTensor, writeGguf } from "../gguf/writer.ts";

/** Mean squares by tensor name, one a column. */
export type Importance = ReadonlyMap<string, Float32Array>;

interface Sums {
  readonly squares: Float64Array;
  rows: number;
}

/** Importance as a file holds it, and where it comes from as far as the file says. */
export interface ImportanceFile {
  readonly importance: Importance;
  /** Name of the text. */
  readonly dataset: string | undefined;
  /** Windows read. */
  readonly chunkCount: number | undefined;
}

/** What the collected rows come from, for the file. */
export interface ImportanceFacts {
  /** Name of the text. */
  readonly dataset: string;
  /** Windows read, and tokens a window. */
  readonly chunkCount: number;
  readonly chunkSize: number;
}

/** Adds up the squares of rows in float64. */
export class ImportanceCollector {
  /** Matrices of one input share their sums. */
  readonly #sums = new Map<string, Sums>();

  /** An input row of these matrices, as `WasmExecutor.forward` shows it. */
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

  /** Names of the matrices, in the order in which they came. */
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
        throw new NibbleError("bad_weights", `${name}: expected finite activations, the model gave others`);
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
 * Reads a file of ours or of llama.cpp. Matrices that no row has reached are left out.
 * @throws NibbleError with a format code; `bad_magic` for llama.cpp's older `.dat` files; `bad_value` for a file that is
 *   no importance matrix or has impossible sums; `unsupported_architecture` for sums of several experts
 */
export async function readImportance(source: ByteSource): Promise<ImportanceFile> {
  const { metadata, tensors } = await readGgufHeader(source);
  const type = metadata.get("general.type");
  if (type !== "imatrix")
    throw new NibbleError("bad_value", `expected an importance matrix (general.type imatrix), got ${String(type)}`);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const importance = new Map<string, Float32Array>();
  for (const tensor of tensors) {
    if (!tensor.name.endsWith(sumSuffix)) continue;
    const name = tensor.name.slice(0, -sumSuffix.length);
    const counts = byName.get(name + countSuffix);
    if (counts === undefined)
      throw new NibbleError("missing_tensor", `expected a tensor ${name}${countSuffix}, the file has none`);
    const [rows, ...experts] = await readFloats(counts);
    if (experts.length > 0)
      throw new NibbleError("unsupported_architecture", `${name}: expected one matrix, got ${experts.length + 1}`);
    const sums = await readFloats(tensor);
    if (!(rows! >= 0) || !sums.every((sum) => sum >= 0 && sum < Number.POSITIVE_INFINITY))
      throw new NibbleError("bad_value", `${name}: expected sums of squares and a count, got other numbers`);
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
  if (type !== "F32") throw new NibbleError("bad_type", `${name}: expected F32, got ${type}`);
  return new Float32Array(new Uint8Array(await readExactly(source, offset, byteLength)).buffer);
}
