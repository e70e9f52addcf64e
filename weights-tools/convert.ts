/**
 * A checkpoint (Hugging Face folder or GGUF) to one GGUF file with weights of a chosen type, in bounded memory.
 * @module
 */
import { NibbleError } from "../src/errors.ts";
import { readExactly } from "../src/formats/sources.ts";
import { rowBytes, type TensorType } from "../src/formats/tensor-types.ts";
import type { Checkpoint, TensorInfo } from "../src/formats/types.ts";
import { dequantize } from "./dequantize.ts";
import { ErrorMeter, type RelativeError } from "./error-meter.ts";
import { ggufMetadata } from "./gguf-metadata.ts";
import { type ByteSink, type GgufTensor, tensorBytes, writeGguf } from "./gguf-writer.ts";
import { headRows, interleaveHalves } from "./permute.ts";
import { checkFinite, quantize } from "./quantize.ts";
import { ropeFrequencies } from "./rope-frequencies.ts";
import { chooseType, type TypeChoice, type WeightType } from "./weight-types.ts";

export interface ConvertOptions extends TypeChoice {
  /** `general.name`; default: the source's own, else its architecture. */
  readonly name?: string;
  /** float32 bytes decoded at a time (default 4 MiB). A head of q or k is never divided. */
  readonly chunkBytes?: number;
  /** Called after every tensor. */
  readonly onTensor?: (tensor: TensorReport, index: number, count: number) => void;
}

/** What became of a tensor. Errors are relative to the root mean square of the source's values. */
interface TensorReport extends RelativeError {
  readonly name: string;
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  readonly from: TensorType;
  readonly to: TensorType;
  /** Bytes in the new file, without padding. */
  readonly bytes: number;
  /** Why `to` is not the type asked for. */
  readonly reason?: string;
}

export interface ConvertReport {
  readonly architecture: string;
  readonly type: WeightType;
  /** Size of the new file. */
  readonly bytes: number;
  readonly tensors: readonly TensorReport[];
  /** What the new file cannot say about the source. Empty for an exact translation. */
  readonly notes: readonly string[];
}

interface PlannedTensor extends GgufTensor {
  readonly source: TensorInfo;
  /** Rows of a head whose halves are to be interleaved; 0: rows stay where they are. */
  readonly headRows: number;
  readonly reason?: string;
}

/** A multiple of every type's block, so that a chunk is whole blocks of the old type and of the new one. */
const blockMultiple = 256;

/**
 * Writes `checkpoint` as GGUF.
 * @throws NibbleError `bad_weights` naming the tensor for NaN, infinity or overflow; `unsupported_type`;
 *   `unsupported_architecture`; `bad_tokenizer`; `invalid_argument`; what the source and the sink reject with.
 *   The sink then holds an unfinished file.
 */
export async function convert(checkpoint: Checkpoint, sink: ByteSink, options: ConvertOptions): Promise<ConvertReport> {
  const { metadata, notes } = ggufMetadata(checkpoint, options);
  const tensors = plan(checkpoint, options);
  const reports: TensorReport[] = [];
  const bytes = await writeGguf(sink, metadata, tensors, async function* (tensor) {
    const meter = new ErrorMeter();
    yield* encodedChunks(tensor, meter, options);
    const { name, shape, type, source, reason } = tensor;
    const facts = { name, shape, from: source.type, to: type, bytes: tensorBytes(tensor), ...meter.result() };
    const report = reason === undefined ? facts : { ...facts, reason };
    reports.push(report);
    options.onTensor?.(report, reports.length - 1, tensors.length);
  });
  return { architecture: checkpoint.architecture, type: options.type, bytes, tensors: reports, notes };
}

/** What is written, in the source's order. */
function plan(checkpoint: Checkpoint, options: ConvertOptions): PlannedTensor[] {
  const sources = [...checkpoint.tensors.values()];
  const frequencies = checkpoint.tensors.has("rope_freqs.weight") ? undefined : ropeFrequencies(checkpoint);
  if (frequencies !== undefined) sources.unshift(frequencies);
  return sources.map((source) => {
    const { name, shape } = source;
    return { name, shape, source, headRows: headRows(checkpoint, source), ...chooseType(source, options) };
  });
}

/** The tensor's bytes in its new type, chunk by chunk. Chunks share one buffer. */
async function* encodedChunks(
  tensor: PlannedTensor,
  meter: ErrorMeter,
  { chunkBytes = 4 * 1024 * 1024 }: ConvertOptions,
): AsyncGenerator<Uint8Array> {
  const { source, type } = tensor;
  const columns = source.shape.length === 1 ? 1 : source.shape.at(-1)!; // a bias is permuted like a matrix of one column
  const unit = tensor.headRows > 0 ? tensor.headRows * columns : blockMultiple;
  const chunkValues = unit * Math.max(1, Math.floor(chunkBytes / 4 / unit));
  const total = source.shape.reduce((product, length) => product * length, 1);
  const size = Math.min(chunkValues, total);
  const values = new Float32Array(size);
  const decoded = new Float32Array(size);
  const encoded = new Uint8Array(rowBytes(type, size));
  for (let done = 0; done < total; done += chunkValues) {
    const count = Math.min(chunkValues, total - done);
    let input = await readExactly(
      source.source,
      source.offset + rowBytes(source.type, done),
      rowBytes(source.type, count),
    );
    if (tensor.headRows > 0) input = interleaveHalves(input, tensor.headRows, rowBytes(source.type, columns));
    const from = values.subarray(0, count);
    const output = encoded.subarray(0, rowBytes(type, count));
    try {
      dequantize(source.type, input, from);
      if (type === source.type) {
        checkFinite(from);
        output.set(input);
      } else {
        quantize(type, from, output);
      }
    } catch (error) {
      throw named(error, tensor.name);
    }
    const to = decoded.subarray(0, count);
    dequantize(type, output, to);
    meter.add(from, to);
    yield output;
  }
}

function named(error: unknown, tensor: string): unknown {
  if (!(error instanceof NibbleError)) return error;
  return new NibbleError(error.code, `tensor ${tensor}: ${error.message}`, { cause: error });
}
