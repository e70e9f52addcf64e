/**
 * Checks whether a model's files are sound, and whether two checkpoints are the same model.
 * @module
 */
import { NibbleError } from "../src/base/errors.ts";
import type { Checkpoint } from "../src/formats/checkpoint.ts";
import { type TensorType, tensorTypeFacts } from "../src/formats/tensor-types.ts";
import type { ByteSource } from "../src/io/byte-source.ts";
import { ggufMetadata } from "./gguf/metadata.ts";
import { ErrorMeter } from "./measure/error-meter.ts";
import { type Chunk, readChunks, readRaw, type SourceTensor, sourceTensors } from "./source-tensors.ts";

/** A running hash, such as node:crypto's SHA-256. */
export interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

/** A tensor and its hash. */
export interface TensorDigest {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** SHA-256 of the bytes as they are stored, in hexadecimal. */
  readonly sha256: string;
}

/** The results of reading every weight. */
export interface Verification {
  /** All tensors, in the source's order. */
  readonly tensors: readonly TensorDigest[];
  /** Problems as sentences; empty for a sound file. Problems that the readers find are errors instead. */
  readonly problems: readonly string[];
}

/**
 * Reads every weight, hashes it and looks for values that are not finite.
 * @param onTensor is called after every tensor
 * @throws NibbleError what the source rejects with
 */
export async function verifyCheckpoint(
  checkpoint: Checkpoint,
  newHash: () => Hash,
  onTensor?: (index: number, count: number) => void,
): Promise<Verification> {
  const tensors: TensorDigest[] = [];
  const problems: string[] = [];
  const ends = new Map<ByteSource, number>();
  for (const info of checkpoint.tensors.values()) {
    const { name, type, shape, source, offset, byteLength } = info;
    const hash = newHash();
    for await (const bytes of readRaw(info)) hash.update(bytes);
    tensors.push({ name, type, shape, sha256: hash.digest("hex") });
    const bad = await firstBadValue({ name, shape, type, info, headRows: 0 });
    if (bad !== undefined) problems.push(`tensor ${name}: ${bad}`);
    ends.set(source, Math.max(ends.get(source) ?? 0, offset + byteLength));
    onTensor?.(tensors.length, checkpoint.tensors.size);
  }
  const alignment = Number(checkpoint.metadata.get("general.alignment") ?? 32);
  for (const [source, end] of ends) {
    const extra = source.size - Math.ceil(end / alignment) * alignment;
    if (extra > 0) problems.push(`the file has ${extra} bytes after its last tensor`);
  }
  return { tensors, problems };
}

async function firstBadValue(tensor: SourceTensor): Promise<string | undefined> {
  try {
    for await (const { values, from } of readChunks(tensor)) {
      const at = values.findIndex((value) => !Number.isFinite(value));
      if (at >= 0) return `value ${from + at}: expected a finite weight, got ${values[at]}`;
    }
  } catch (error) {
    if (error instanceof NibbleError && error.code === "unsupported_type") return error.message;
    throw error;
  }
  return undefined;
}

/** SHA-256 of a whole file, in hexadecimal. */
export async function hashSource(source: ByteSource, hash: Hash): Promise<string> {
  for await (const bytes of readRaw({ source, offset: 0, byteLength: source.size })) hash.update(bytes);
  return hash.digest("hex");
}

/** How far a tensor of one checkpoint is from that of another. */
export interface TensorComparison {
  readonly name: string;
  readonly types: readonly [TensorType, TensorType];
  /** Root mean square error of the second, relative to the root mean square of the first's values. */
  readonly rmse: number;
  /** Largest absolute error of the second, relative to the root mean square of the first's values. */
  readonly maxError: number;
  /** The largest `rmse` that their types explain. */
  readonly tolerance: number;
}

/** Whether two checkpoints are the same model. */
export interface Comparison {
  /** Whether there is no difference, and every error is within its tolerance. */
  readonly same: boolean;
  /** Whether all values of all tensors are equal, too. */
  readonly equal: boolean;
  /** Their differences in hyper-parameters, vocabulary and tensors, as sentences. */
  readonly differences: readonly string[];
  readonly tensors: readonly TensorComparison[];
}

/**
 * Compares two checkpoints across containers and types. Keys that only one of them has are not compared, because programs
 * differ in the defaults that they write.
 * @param onTensor is called after every tensor
 */
export async function compareCheckpoints(
  a: Checkpoint,
  b: Checkpoint,
  onTensor?: (index: number, count: number) => void,
): Promise<Comparison> {
  const differences = await metadataDifferences(a, b);
  const others = new Map(sourceTensors(b).map((tensor) => [tensor.name, tensor]));
  const mine = sourceTensors(a);
  const tensors: TensorComparison[] = [];
  for (const [i, tensor] of mine.entries()) {
    const other = others.get(tensor.name);
    others.delete(tensor.name);
    if (other === undefined) differences.push(`tensor ${tensor.name}: only in the first`);
    else if (`${tensor.shape}` !== `${other.shape}`)
      differences.push(`tensor ${tensor.name}: shapes [${tensor.shape}] and [${other.shape}]`);
    else tensors.push(await compareTensors(tensor, other));
    onTensor?.(i + 1, mine.length);
  }
  for (const name of others.keys()) differences.push(`tensor ${name}: only in the second`);
  for (const { name, rmse, tolerance } of tensors)
    if (!(rmse <= tolerance))
      differences.push(`tensor ${name}: error ${rmse.toExponential(2)}, more than ${tolerance.toExponential(2)}`);
  return {
    same: differences.length === 0,
    equal: differences.length === 0 && tensors.every(({ maxError }) => maxError === 0),
    differences,
    tensors,
  };
}

async function metadataDifferences(a: Checkpoint, b: Checkpoint): Promise<string[]> {
  if (a.architecture !== b.architecture) return [`architectures ${a.architecture} and ${b.architecture}`];
  const [first, second] = await Promise.all([meaning(a), meaning(b)]);
  const differences: string[] = [];
  for (const [key, value] of first) {
    const other = second.get(key);
    if (other === undefined || text(value) === text(other)) continue;
    const shown = typeof value === "object" ? "arrays that differ" : `${value} and ${other}`;
    differences.push(`${key}: ${shown}`);
  }
  return differences;
}

/** The keys that decide what a model computes, under GGUF's names. */
async function meaning(checkpoint: Checkpoint): Promise<Map<string, unknown>> {
  const metadata = checkpoint.huggingFace ? (await ggufMetadata(checkpoint, [], {})).metadata : checkpoint.metadata;
  const counts = (key: string): boolean =>
    key.startsWith(`${checkpoint.architecture}.`) || key.startsWith("tokenizer.ggml.");
  return new Map([...metadata].filter(([key]) => counts(key)));
}

/** A text that is equal for equal values. Arrays of numbers may have different element types. */
const text = (value: unknown): string =>
  JSON.stringify(ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value);

async function compareTensors(a: SourceTensor, b: SourceTensor): Promise<TensorComparison> {
  const meter = new ErrorMeter();
  for await (const [first, second] of sideBySide(readChunks(a), readChunks(b))) meter.add(first, second);
  const tolerance = rounding(a.type) + rounding(b.type);
  return { name: a.name, types: [a.info.type, b.info.type], ...meter.result(), tolerance };
}

/** The values of both tensors side by side. The chunks of the two may have different lengths. */
async function* sideBySide(
  a: AsyncGenerator<Chunk>,
  b: AsyncGenerator<Chunk>,
): AsyncGenerator<readonly [Float32Array, Float32Array]> {
  let rest = new Float32Array(0);
  for await (const { values } of a) {
    for (let done = 0; done < values.length; ) {
      if (rest.length === 0) rest = (await b.next()).value.values;
      const count = Math.min(rest.length, values.length - done);
      yield [values.subarray(done, done + count), rest.subarray(0, count)];
      rest = rest.subarray(count);
      done += count;
    }
  }
}

/** Significant bits of the float types. */
const floatBits: ReadonlyMap<TensorType, number> = new Map([
  ["F64", 24],
  ["F32", 24],
  ["F16", 12],
  ["BF16", 9],
]);

/**
 * A generous bound for the rmse of weights that are rounded to a type: about twice that of SmolLM2's and crumb's matrices
 * (README.md). Another fine-tune of the same model may be within the bound of a small type; another model is not.
 */
function rounding(type: TensorType): number {
  const { blockBytes, blockValues } = tensorTypeFacts(type);
  return 4 * 2 ** -(floatBits.get(type) ?? (8 * blockBytes) / blockValues);
}
