/**
 * Writes GGUF version 3 front to back: first the header, then tensor after tensor as the caller produces them. Only the
 * header and one chunk are in memory. Format: ggml, docs/gguf.md.
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import { GgufType } from "../../src/formats/gguf/values.ts";
import { rowBytes, type TensorType, tensorTypeFacts } from "../../src/formats/tensor-types.ts";
import { HeaderBytes } from "./header-bytes.ts";
import { numberType } from "./number-types.ts";

/** Takes bytes in order. */
export interface ByteSink {
  /** Writes bytes. When its promise resolves it must not need `bytes` any more, because the buffer is used again. */
  write(bytes: Uint8Array): Promise<void>;
}

/** A tensor to write. `shape` is row-major, outermost first, as in TensorInfo. */
export interface GgufTensor {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
}

/** A value as another file encodes it, beginning with its type (`Checkpoint.encodedMetadata`). It is copied. */
export interface EncodedValue {
  readonly encoded: Uint8Array;
}
/** A value of the header. */
export type HeaderValue = MetadataValue | EncodedValue;
/** Keys and values of the header, in the order of the file. */
export type HeaderMetadata = ReadonlyMap<string, HeaderValue>;

/** The alignment of tensors if there is no `general.alignment`. */
const defaultAlignment = 32;
const largestAlignment = 65_536; // as in src/formats/limits.ts
const maxNameBytes = 63; // GGML_MAX_NAME less its NUL

/** Bytes of a tensor's data. */
export function tensorBytes({ type, shape }: GgufTensor): number {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((product, length) => product * length, 1);
  return rows * rowBytes(type, columns);
}

/**
 * Writes a whole file.
 * @param metadata its `general.alignment` is obeyed
 * @param data the bytes of a tensor, in order, in chunks of any size
 * @returns the number of bytes written
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
      throw new NibbleError(
        "invalid_argument",
        `tensor ${tensor.name}: expected ${expected} bytes of data, got ${came}`,
      );
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

/** The value of an encoded u32, which is the only type that readers accept for `general.alignment`. */
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
    for (const length of tensor.shape.toReversed()) header.u64(length); // GGUF has the fastest dimension first
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
  if (names.has(name)) throw new NibbleError("invalid_argument", `tensor ${name} is given twice`);
  names.add(name);
  const nameBytes = new TextEncoder().encode(name).length;
  if (nameBytes === 0 || nameBytes > maxNameBytes) {
    throw new NibbleError(
      "invalid_argument",
      `tensor name ${JSON.stringify(name)}: expected 1 to ${maxNameBytes} bytes, got ${nameBytes}`,
    );
  }
  const { blockValues } = tensorTypeFacts(type);
  const fits =
    shape.length >= 1 && shape.length <= 4 && shape.every((length) => Number.isSafeInteger(length) && length > 0);
  if (!fits || shape.at(-1)! % blockValues !== 0) {
    throw new NibbleError(
      "bad_shape",
      `tensor ${name}: expected 1 to 4 dimensions and rows of a multiple of ${blockValues} values for ${type}, got [${shape}]`,
    );
  }
}
