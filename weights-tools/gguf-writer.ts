/**
 * Writes GGUF v3 front to back: header first, then tensor after tensor as the caller produces them.
 * Nothing but the header and one chunk is ever held. Format: ggml/include/gguf.h, docs/gguf.md of ggml.
 * @module
 */
import { NibbleError } from "../src/errors.ts";
import { GgufType } from "../src/formats/gguf-values.ts";
import { rowBytes, type TensorType, tensorTypeFacts } from "../src/formats/tensor-types.ts";
import type { Metadata, MetadataValue } from "../src/formats/types.ts";
import { numberType } from "./gguf-number-types.ts";
import { HeaderBytes } from "./header-bytes.ts";

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

/** The alignment of tensor data that llama.cpp assumes where no key says otherwise. */
const alignment = 32;
const maxNameBytes = 63; // GGML_MAX_NAME less its NUL

/** Bytes of a tensor's data. */
export function tensorBytes({ type, shape }: GgufTensor): number {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((product, length) => product * length, 1);
  return rows * rowBytes(type, columns);
}

/**
 * Writes a whole file.
 * @param metadata written in the map's order, except that `general.architecture` comes first
 * @param data gives a tensor's bytes in chunks of any size, in order
 * @returns bytes written in all
 * @throws NibbleError `bad_shape` for rows that are no whole blocks; `invalid_argument` for names that GGUF cannot
 *   hold, or where `data` gives more or fewer bytes than the shape needs; whatever `data` and the sink reject with
 */
export async function writeGguf<T extends GgufTensor>(
  sink: ByteSink,
  metadata: Metadata,
  tensors: readonly T[],
  data: (tensor: T) => AsyncIterable<Uint8Array>,
): Promise<number> {
  const header = encodeHeader(metadata, tensors);
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
    const padding = padded(expected) - expected;
    if (padding > 0) await sink.write(new Uint8Array(padding));
    total += expected + padding;
  }
  return total;
}

const padded = (length: number): number => Math.ceil(length / alignment) * alignment;

/** Everything before the first tensor's bytes, padded to the alignment. */
function encodeHeader(metadata: Metadata, tensors: readonly GgufTensor[]): Uint8Array {
  const entries = [...metadata].sort(([a], [b]) => Number(b === architectureKey) - Number(a === architectureKey));
  const header = new HeaderBytes();
  header.u32(0x46554747); // "GGUF"
  header.u32(3);
  header.u64(tensors.length);
  header.u64(entries.length);
  for (const [key, value] of entries) writeEntry(header, key, value);
  let offset = 0;
  const names = new Set<string>();
  for (const tensor of tensors) {
    checkTensor(tensor, names);
    header.string(tensor.name);
    header.u32(tensor.shape.length);
    for (const length of tensor.shape.toReversed()) header.u64(length); // GGUF names the fastest dimension first
    header.u32(tensorTypeFacts(tensor.type).id);
    header.u64(offset);
    offset += padded(tensorBytes(tensor));
  }
  header.padTo(alignment);
  return header.take();
}

const architectureKey = "general.architecture";

function writeEntry(header: HeaderBytes, key: string, value: MetadataValue): void {
  if (key === "general.alignment" && value !== alignment) {
    throw new NibbleError("invalid_argument", `the writer aligns to ${alignment} bytes, but ${key} says ${value}`);
  }
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
