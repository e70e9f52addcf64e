/**
 * A checkpoint (Hugging Face folder or GGUF) to one GGUF file with weights of a chosen type, in bounded memory.
 * @module
 */
import { NibbleError } from "../src/errors.ts";
import { rowBytes, type TensorType, tensorTypeFacts } from "../src/formats/tensor-types.ts";
import type { Checkpoint } from "../src/formats/types.ts";
import { dequantize } from "./dequantize.ts";
import { ErrorMeter, type RelativeError } from "./error-meter.ts";
import { ggufMetadata } from "./gguf-metadata.ts";
import { type ByteSink, type GgufTensor, tensorBytes, writeGguf } from "./gguf-writer.ts";
import { type ModelFacts, modelFacts } from "./mixes.ts";
import { checkFinite, quantize } from "./quantize.ts";
import { readChunks, type SourceTensor, sourceTensors } from "./source-tensors.ts";
import { chooseType, type TypeChoice, type WeightType } from "./weight-types.ts";

export interface ConvertOptions {
  /** Type of all matrices. Default: every tensor keeps its own. */
  readonly type?: WeightType;
  /** Exceptions by tensor name, as in `TypeChoice`. */
  readonly tensorType?: TypeChoice["tensorType"];
  /** `general.name`; default: the source's own, else its architecture. */
  readonly name?: string;
  /** Whether a tensor of a quantised type may become another quantised type: its error then adds up. Default: true. */
  readonly allowRequantize?: boolean;
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
  /** The type asked for; undefined where all tensors kept theirs. */
  readonly type: WeightType | undefined;
  /** Size of the new file. */
  readonly bytes: number;
  readonly tensors: readonly TensorReport[];
  /** What the new file cannot say about the source. Empty for an exact translation. */
  readonly notes: readonly string[];
}

interface PlannedTensor extends GgufTensor {
  readonly source: SourceTensor;
  readonly reason?: string;
}

/**
 * Writes `checkpoint` as GGUF.
 * @throws NibbleError `bad_weights` naming the tensor for NaN, infinity or overflow; `unsupported_type`;
 *   `unsupported_architecture`; `bad_tokenizer`; `invalid_argument`, also for a tensor that must not be quantised again;
 *   what the source and the sink reject with. The sink then holds an unfinished file.
 */
export async function convert(checkpoint: Checkpoint, sink: ByteSink, options: ConvertOptions): Promise<ConvertReport> {
  const facts = modelFacts(checkpoint);
  const tensors = sourceTensors(checkpoint).map((source) => plan(source, options, facts));
  const { metadata, notes } = await ggufMetadata(checkpoint, tensors, options);
  const reports: TensorReport[] = [];
  const bytes = await writeGguf(sink, metadata, tensors, async function* (tensor) {
    const meter = new ErrorMeter();
    yield* encodedChunks(tensor, meter, options);
    const { name, shape, type, source, reason } = tensor;
    const facts = { name, shape, from: source.info.type, to: type, bytes: tensorBytes(tensor), ...meter.result() };
    const report = reason === undefined ? facts : { ...facts, reason };
    reports.push(report);
    options.onTensor?.(report, reports.length - 1, tensors.length);
  });
  return { architecture: checkpoint.architecture, type: options.type, bytes, tensors: reports, notes };
}

function plan(source: SourceTensor, options: ConvertOptions, facts: ModelFacts): PlannedTensor {
  const { name, shape } = source;
  const { allowRequantize = true } = options;
  const choice = newType(source, options, facts);
  if (!allowRequantize && choice.type !== source.type && isQuantized(source.type) && isQuantized(choice.type)) {
    throw new NibbleError(
      "invalid_argument",
      `tensor ${name} is ${source.type} already: as ${choice.type} it would have the errors of both; start from a float model, or allow it (--allow-requantize)`,
    );
  }
  return { name, shape, source, ...choice };
}

function newType(
  source: SourceTensor,
  { type, tensorType }: ConvertOptions,
  facts: ModelFacts,
): { type: TensorType; reason?: string } {
  if (type !== undefined)
    return chooseType(source.info, tensorType === undefined ? { type } : { type, tensorType }, facts);
  if (tensorType !== undefined)
    throw new NibbleError("invalid_argument", "expected a type for the tensors without one of their own, got none");
  // A folder's vectors are F32 in GGUF, whatever they were.
  return { type: source.shape.length === 1 && !isQuantized(source.type) ? "F32" : source.type };
}

const isQuantized = (type: TensorType): boolean => tensorTypeFacts(type).blockValues > 1;

/** The tensor's bytes in its new type, chunk by chunk. Chunks share one buffer. */
async function* encodedChunks(
  { name, type, source }: PlannedTensor,
  meter: ErrorMeter,
  { chunkBytes }: ConvertOptions,
): AsyncGenerator<Uint8Array> {
  let decoded = new Float32Array(0);
  let encoded = new Uint8Array(0);
  for await (const { values, stored } of readChunks(source, { chunkBytes })) {
    if (decoded.length < values.length) {
      decoded = new Float32Array(values.length);
      encoded = new Uint8Array(rowBytes(type, values.length));
    }
    const output = encoded.subarray(0, rowBytes(type, values.length));
    try {
      if (type === source.type) {
        checkFinite(values);
        output.set(stored);
      } else {
        quantize(type, values, output);
      }
    } catch (error) {
      throw named(error, name);
    }
    const again = decoded.subarray(0, values.length);
    dequantize(type, output, again);
    meter.add(values, again);
    yield output;
  }
}

function named(error: unknown, tensor: string): unknown {
  if (!(error instanceof NibbleError)) return error;
  return new NibbleError(error.code, `tensor ${tensor}: ${error.message}`, { cause: error });
}
