/**
 * Writes GGUF v3 front to back: header first, then tensor after tensor as the caller produces them.
 * Nothing but the header and one chunk is ever held. Format: ggml/include/gguf.h, docs/gguf.md of ggml.
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import { GgufType } from "../../src/formats/gguf/values.ts";
import { rowBytes, type TensorType, tensorTypeFacts } from "../../src/formats/tensor-types.ts";
import { HeaderBytes } from "./header-bytes.ts";
import { numberType } from "./number-types.ts";

/** Takes bytes in order. It must be done with `bytes` when its promise resolves: the buffer is used again. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

/** A tensor to be written. `shape` is row-major, outermost first, as in TensorInfo. */
export interface GgufTensor {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
}

/** A value as another file encodes it, its type in front (`Checkpoint.encodedMetadata`): written as it stands. */
export interface EncodedValue {
  readonly encoded: Uint8Array;
}
export type HeaderValue = MetadataValue | EncodedValue;
/** Written in the map's order. */
export type HeaderMetadata = ReadonlyMap<string, HeaderValue>;

/** Where tensor data begins: what llama.cpp assumes where `general.alignment` does not say otherwise. */
const defaultAlignment = 32;
const largestAlignment = 65_536; // as our reader
const maxNameBytes = 63; // GGML_MAX_NAME less its NUL

/** Bytes of a tensor's data. */
export function tensorBytes({ type, shape }: GgufTensor): number {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((product, length) => product * length, 1);
  return rows * rowBytes(type, columns);
}

/**
 * Writes a whole file.
 * @param metadata `general.alignment` counts
 * @param data gives a tensor's bytes in chunks of any size, in order
 * @returns bytes written in all
 * @throws NibbleError `bad_shape` for rows that are no whole blocks; `invalid_argument` for names that GGUF cannot
 *   hold, or where `data` gives more or fewer bytes than the shape needs; whatever `data` and the sink reject with
 */
export async function writeGguf<T extends GgufTensor>(
  sink: ByteSink,
  metadata: HeaderMetadata,
  tensors: readonly T[],
  data: (tensor: T) => AsyncIterable<Uint8Array>,
): Promise<number> {
  const alignment = alignmentOf(metadata);
  const header = encodeHeader(metadata, tensors, alignment);
  await sink.write(header);
  let total = header.length;
  for (const tensor of tensors) {
    const expected = tensorBytes(tensor);
    let written = 0;
    for await (const chunk of data(tensor)) {
      written += chunk.length;
      if (written > expected) break;
      await sink.write(chunk);
    }
    if (written !== expected) {
      const came = written > expected ? "more" : written;
      throw new NibbleError("invalid_argument", `tensor ${tensor.name} has ${expected} bytes, but ${came} came`);
    }
    const padding = padded(expected, alignment) - expected;
    if (padding > 0) await sink.write(new Uint8Array(padding));
    total += expected + padding;
  }
  return total;
}

const padded = (length: number, alignment: number): number => Math.ceil(length / alignment) * alignment;

function alignmentOf(metadata: HeaderMetadata): number {
  const value = metadata.get("general.alignment") ?? defaultAlignment;
  const alignment = typeof value === "object" && "encoded" in value ? encodedU32(value.encoded) : value;
  if (
    typeof alignment === "number" &&
    alignment >= 1 &&
    alignment <= largestAlignment &&
    Number.isInteger(Math.log2(alignment))
  )
    return alignment;
  throw new NibbleError(
    "bad_alignment",
    `general.alignment: expected a power of two from 1 to ${largestAlignment}, got ${String(alignment)}`,
  );
}

/** Readers let `general.alignment` be nothing but a u32. */
const encodedU32 = ({ buffer, byteOffset }: Uint8Array): number => new DataView(buffer, byteOffset).getUint32(4, true);

/** Everything before the first tensor's bytes, padded to the alignment. */
function encodeHeader(metadata: HeaderMetadata, tensors: readonly GgufTensor[], alignment: number): Uint8Array {
  const header = new HeaderBytes();
  header.u32(0x46554747); // "GGUF"
  header.u32(3);
  header.u64(tensors.length);
  header.u64(metadata.size);
  for (const [key, value] of metadata) writeEntry(header, key, value);
  let offset = 0;
  const names = new Set<string>();
  for (const tensor of tensors) {
    checkTensor(tensor, names);
    header.string(tensor.name);
    header.u32(tensor.shape.length);
    for (const length of tensor.shape.toReversed()) header.u64(length); // GGUF names the fastest dimension first
    header.u32(tensorTypeFacts(tensor.type).id);
    header.u64(offset);
    offset += padded(tensorBytes(tensor), alignment);
  }
  header.padTo(alignment);
  return header.take();
}

function writeEntry(header: HeaderBytes, key: string, value: HeaderValue): void {
  header.string(key);
  if (typeof value === "number") {
    const type = numberType(key, value);
    header.u32(GgufType[type]);
    header.number(type, value);
  } else if (typeof value === "string") {
    header.u32(GgufType.STRING);
    header.string(value);
  } else if (typeof value === "boolean") {
    header.u32(GgufType.BOOL);
    header.u8(Number(value));
  } else if ("encoded" in value) {
    header.bytes(value.encoded);
  } else {
    header.u32(GgufType.ARRAY);
    header.array(value);
  }
}

function checkTensor({ name, shape, type }: GgufTensor, names: Set<string>): void {
  if (names.has(name)) throw new NibbleError("invalid_argument", `two tensors are called ${name}`);
  names.add(name);
  const nameBytes = new TextEncoder().encode(name).length;
  if (nameBytes === 0 || nameBytes > maxNameBytes) {
    throw new NibbleError(
      "invalid_argument",
      `a tensor name has 1 to ${maxNameBytes} bytes, not ${nameBytes}: ${name}`,
    );
  }
  const { blockValues } = tensorTypeFacts(type);
  const fits =
    shape.length >= 1 && shape.length <= 4 && shape.every((length) => Number.isSafeInteger(length) && length > 0);
  if (!fits || shape.at(-1)! % blockValues !== 0) {
    throw new NibbleError(
      "bad_shape",
      `tensor ${name} of shape [${shape}] cannot be ${type}: rows of whole ${blockValues}s`,
    );
  }
}
