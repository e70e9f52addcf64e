/**
 * Converts a checkpoint (a Hugging Face folder or GGUF) to one GGUF file with weights of a chosen type, in bounded memory.
 * @module
 */
import { NibbleError } from "../src/base/errors.ts";
import type { Checkpoint } from "../src/formats/checkpoint.ts";
import { isConvolution } from "../src/formats/derived-tensors.ts";
import { rowBytes, type TensorType, tensorTypeFacts } from "../src/formats/tensor-types.ts";
import { dequantize } from "./dequantize/dequantize.ts";
import { ggufMetadata, type ImportanceOrigin } from "./gguf/metadata.ts";
import { type ByteSink, type GgufTensor, tensorBytes, writeGguf } from "./gguf/writer.ts";
import { ErrorMeter, type RelativeError } from "./measure/error-meter.ts";
import type { Importance } from "./measure/importance.ts";
import { checkFinite, quantize } from "./quantize/quantize.ts";
import { readChunks, type SourceTensor, sourceTensors } from "./source-tensors.ts";
import { type ModelFacts, modelFacts } from "./types/mixes.ts";
import { chooseType, matchesName, type TypeChoice, type WeightType } from "./types/weight-types.ts";

/** How the new file is made. */
export interface ConvertOptions {
  /** Type of all matrices. By default every tensor keeps its own. */
  readonly type?: WeightType;
  /** Exceptions by tensor name, as in `TypeChoice`. Each must fit a matrix. */
  readonly tensorType?: TypeChoice["tensorType"];
  /** Whether all matrices get a mix's main type, as in `TypeChoice`. */
  readonly pure?: boolean;
  /**
   * The importance of each matrix's columns, which weights their errors. Matrices that it does not name are quantised
   * without an importance.
   */
  readonly importance?: Importance;
  /** The origin of the importance, for the keys `quantize.imatrix.*` of the new file. */
  readonly importanceOrigin?: ImportanceOrigin;
  /** `general.name`; default: the source's own, else its architecture. */
  readonly name?: string;
  /** Bytes of float32 that are decoded at a time (default 4 MiB). A head of q or k is never divided. */
  readonly chunkBytes?: number;
  /** Is called after every tensor. */
  readonly onTensor?: (tensor: TensorReport, index: number, count: number) => void;
}

/** How a tensor was converted. Errors are relative to the root mean square of the source's values. */
interface TensorReport extends RelativeError {
  readonly name: string;
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  readonly from: TensorType;
  readonly to: TensorType;
  /** Bytes in the new file, without padding. */
  readonly bytes: number;
  /** Why `to` is not the type that was asked for. */
  readonly reason?: string;
}

/** How a checkpoint was converted. */
export interface ConvertReport {
  readonly architecture: string;
  /** The type that was asked for; undefined if all tensors kept theirs. */
  readonly type: WeightType | undefined;
  /** Size of the new file. */
  readonly bytes: number;
  readonly tensors: readonly TensorReport[];
  /** Facts of the source that GGUF cannot express, and weights whose errors could be smaller. */
  readonly notes: readonly string[];
}

interface PlannedTensor extends GgufTensor {
  readonly source: SourceTensor;
  readonly importance: Float32Array | undefined;
  readonly reason?: string;
}

/**
 * Writes `checkpoint` as GGUF. A tensor that is quantised already and gets another type is decoded and quantised again,
 * which a note reports.
 * @throws NibbleError `bad_weights` naming the tensor for NaN, infinity or overflow; `unsupported_type`;
 *   `unsupported_architecture`; `bad_tokenizer`; `invalid_argument`, also for an exception that fits no matrix and for the
 *   importance of another model; what the source and the sink reject with. After an error the sink has an unfinished file.
 */
export async function convert(checkpoint: Checkpoint, sink: ByteSink, options: ConvertOptions): Promise<ConvertReport> {
  const facts = modelFacts(checkpoint, options.importance !== undefined);
  const sources = sourceTensors(checkpoint);
  checkExceptions(sources, options);
  checkImportance(sources, options.importance);
  const tensors = sources.map((source) => plan(source, options, facts));
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
  return {
    architecture: checkpoint.architecture,
    type: options.type,
    bytes,
    tensors: reports,
    notes: [...notes, ...qualityNotes(tensors, options)],
  };
}

function plan(source: SourceTensor, options: ConvertOptions, facts: ModelFacts): PlannedTensor {
  const { name, shape } = source;
  const choice = newType(source, options, facts);
  const importance = isQuantized(choice.type) ? options.importance?.get(name) : undefined;
  return { name, shape, source, importance, ...choice };
}

const isMatrix = ({ name, shape }: SourceTensor): boolean => shape.length > 1 && !isConvolution(name);

function checkExceptions(sources: readonly SourceTensor[], { tensorType = [] }: ConvertOptions): void {
  for (const [pattern] of tensorType) {
    if (sources.some((source) => isMatrix(source) && matchesName(pattern, source.name))) continue;
    throw new NibbleError("invalid_argument", `tensorType: ${JSON.stringify(pattern)} matches no matrix of this model`);
  }
}

function checkImportance(sources: readonly SourceTensor[], importance: Importance | undefined): void {
  if (importance === undefined) return;
  const named = sources.filter((source) => isMatrix(source) && importance.has(source.name));
  if (named.length === 0)
    throw new NibbleError("invalid_argument", "importance: none of its names is a matrix of this model");
  for (const { name, shape } of named) {
    const columns = importance.get(name)!.length;
    if (columns !== shape.at(-1))
      throw new NibbleError(
        "invalid_argument",
        `importance of ${name}: expected ${shape.at(-1)} columns, got ${columns}`,
      );
  }
}

function newType(
  source: SourceTensor,
  { type, tensorType = [], pure = false }: ConvertOptions,
  facts: ModelFacts,
): { type: TensorType; reason?: string } {
  if (type !== undefined) return chooseType(source.info, { type, tensorType, pure }, facts);
  if (tensorType.length > 0 || pure)
    throw new NibbleError(
      "invalid_argument",
      "type: a type is required together with tensorType or pure, for all other matrices",
    );
  // In GGUF files vectors are F32, even if those of the folder have another float type.
  return { type: isMatrix(source) || isQuantized(source.type) ? source.type : "F32" };
}

function qualityNotes(tensors: readonly PlannedTensor[], { importance }: ConvertOptions): string[] {
  const quantized = tensors.filter(({ type, source }) => isQuantized(type) && type !== source.type);
  const again = quantized.filter(({ source }) => isQuantized(source.type));
  const types = [...new Set(again.map(({ source }) => source.type))].join(", ");
  const without = quantized.filter((tensor) => tensor.importance === undefined);
  const notes: string[] = [];
  if (again.length > 0)
    notes.push(
      `${again.length} tensors were ${types} and have the errors of both types; a float source would give smaller ones`,
    );
  if (importance !== undefined && without.length > 0)
    notes.push(`quantised without importance: ${without.map(({ name }) => name).join(", ")}`);
  return notes;
}

const isQuantized = (type: TensorType): boolean => tensorTypeFacts(type).blockValues > 1;

/** The tensor's bytes in its new type, chunk by chunk. Chunks share one buffer. */
async function* encodedChunks(
  { name, type, source, importance }: PlannedTensor,
  meter: ErrorMeter,
  { chunkBytes }: ConvertOptions,
): AsyncGenerator<Uint8Array> {
  let decoded = new Float32Array(0);
  let encoded = new Uint8Array(0);
  const wholeRows = importance !== undefined;
  for await (const { values, stored } of readChunks(source, { chunkBytes, wholeRows })) {
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
        quantize(type, values, output, importance);
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
