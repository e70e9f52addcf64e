/**
 * Whether a model's files are sound, and whether two of them are the same model.
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

export interface TensorDigest {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** SHA-256 of the bytes as they are stored, in hexadecimal. */
  readonly sha256: string;
}

export interface Verification {
  /** One a tensor, in the source's order. */
  readonly tensors: readonly TensorDigest[];
  /** What is wrong; empty for a sound file. The readers' own checks are errors. */
  readonly problems: readonly string[];
}

/**
 * Reads every weight: hashes, and values that are not finite.
 * @param onTensor called after every tensor
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
    if (extra > 0) problems.push(`${extra} bytes follow the last tensor`);
  }
  return { tensors, problems };
}

async function firstBadValue(tensor: SourceTensor): Promise<string | undefined> {
  try {
    for await (const { values, from } of readChunks(tensor)) {
      const at = values.findIndex((value) => !Number.isFinite(value));
      if (at >= 0) return `expected finite weights, value ${from + at} is ${values[at]}`;
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

export interface TensorComparison {
  readonly name: string;
  readonly types: readonly [TensorType, TensorType];
  /** Of the second file, relative to the root mean square of the first's values. */
  readonly rmse: number;
  readonly maxError: number;
  /** The error that their types explain. */
  readonly tolerance: number;
}

export interface Comparison {
  /** No difference, and every error within its tolerance. */
  readonly same: boolean;
  /** Every value of every tensor equal. */
  readonly equal: boolean;
  /** Facts on which they differ: hyper-parameters, vocabulary, tensors. */
  readonly differences: readonly string[];
  readonly tensors: readonly TensorComparison[];
}

/**
 * Compares what two checkpoints mean, whatever their containers and types. Keys that only one of them has are not
 * compared: programs differ in which defaults they write.
 * @param onTensor called after every tensor
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

/** Number arrays of different width are equal where their numbers are. */
const text = (value: unknown): string =>
  JSON.stringify(ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value);

async function compareTensors(a: SourceTensor, b: SourceTensor): Promise<TensorComparison> {
  const meter = new ErrorMeter();
  for await (const [first, second] of sideBySide(readChunks(a), readChunks(b))) meter.add(first, second);
  const tolerance = rounding(a.type) + rounding(b.type);
  return { name: a.name, types: [a.info.type, b.info.type], ...meter.result(), tolerance };
}

/** Values of both from the same places, as the chunks may be of different lengths. */
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

/** Bits that decide the rounding of float types; block types spend theirs on values and scales. */
const floatBits: ReadonlyMap<TensorType, number> = new Map([
  ["F64", 24],
  ["F32", 24],
  ["F16", 12],
  ["BF16", 9],
]);

/**
 * A generous bound for the rmse of weights rounded to a type: about twice what SmolLM2's and crumb's matrices show
 * (README.md). Another fine-tune of the same model may lie below that of a small type, another model does not.
 */
function rounding(type: TensorType): number {
  const { blockBytes, blockValues } = tensorTypeFacts(type);
  return 4 * 2 ** -(floatBits.get(type) ?? (8 * blockBytes) / blockValues);
}
