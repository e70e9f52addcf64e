/**
 * Tensor infos of GGUF: names, shapes, types and offsets.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import type { TensorInfo } from "../checkpoint.ts";
import type { Cursor } from "../cursor.ts";
import type { FormatLimits } from "../limits.ts";
import type { TensorType } from "../tensor-types.ts";
import { ggmlTypeName, tensorTypeFacts, tensorTypeOf } from "../tensor-types.ts";

/** A tensor info as the header has it: `offset` counts from the start of the data section. */
export interface HeaderTensor {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly byteLength: number;
}

/** A type id that is not below this is damage, and not a type of a newer ggml, which has 43 of them today. */
const GGML_TYPE_LIMIT = 256;

/**
 * Reads one tensor info.
 * @throws NibbleError `bad_string`, `bad_shape`, `bad_type`, `unsupported_type`, `bad_offset`, `limit_exceeded`, `truncated`
 */
export async function readTensor(cursor: Cursor, index: number, limits: FormatLimits): Promise<HeaderTensor> {
  const name = await cursor.string(`name of tensor ${index}`, limits.nameBytes);
  if (name === "") throw new NibbleError("bad_string", `the name of tensor ${index} is an empty string`);
  const what = `tensor ${JSON.stringify(name)}`;
  const dimensions = await cursor.u32(what);
  if (dimensions < 1 || dimensions > limits.dimensions) {
    throw new NibbleError("bad_shape", `${what}: expected 1 to ${limits.dimensions} dimensions, got ${dimensions}`);
  }
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) shape.push(await cursor.u64(what, "bad_shape"));
  shape.reverse(); // the file has the fastest dimension first
  const type = toType(await cursor.u32(what), what);
  const byteLength = tensorBytes(type, shape, what);
  return { name, type, shape, offset: await cursor.u64(what, "bad_offset"), byteLength };
}

function toType(id: number, what: string): TensorType {
  const type = tensorTypeOf(id);
  if (type) return type;
  if (id >= GGML_TYPE_LIMIT)
    throw new NibbleError("bad_type", `${what}: expected a ggml type below ${GGML_TYPE_LIMIT}, got ${id}`);
  throw new NibbleError(
    "unsupported_type",
    `${what}: type ${ggmlTypeName(id)} (ggml id ${id}) is not supported; files of Q4_K_M, Q8_0, F16 and similar types are`,
  );
}

/**
 * Bytes of a tensor. Values and bytes are checked to stay below 2^53, so no product is rounded.
 * @throws NibbleError `bad_shape`
 */
export function tensorBytes(type: TensorType, shape: readonly number[], what: string): number {
  const columns = shape[shape.length - 1] ?? 1;
  const { blockValues, blockBytes } = tensorTypeFacts(type);
  if (columns % blockValues !== 0) {
    throw new NibbleError(
      "bad_shape",
      `${what}: expected rows of a multiple of ${blockValues} values (a block of ${type}), got ${columns}`,
    );
  }
  // A dimension of zero counts as one here, because a product of zero would hide an absurd dimension beside it.
  const values = shape.reduce((product, size) => product * Math.max(size, 1), 1);
  const bytes = (values / blockValues) * blockBytes;
  if (values > Number.MAX_SAFE_INTEGER || bytes > Number.MAX_SAFE_INTEGER) {
    throw new NibbleError("bad_shape", `${what}: expected fewer than 2^53 values and bytes, got shape [${shape}]`);
  }
  return shape.includes(0) ? 0 : bytes;
}

/** `n` rounded up to a multiple of `alignment`. (JavaScript's bit operators have 32 bits, too few for offsets.) */
export function pad(n: number, alignment: number): number {
  return Math.ceil(n / alignment) * alignment;
}

/**
 * The tensors with their absolute offsets. As in ggml, each must begin at the padded end of the one before, so tensors
 * neither overlap nor leave holes.
 * @throws NibbleError `bad_offset`, `truncated`
 */
export function placeTensors(
  tensors: Iterable<HeaderTensor>,
  source: ByteSource,
  dataOffset: number,
  alignment: number,
): TensorInfo[] {
  const placed: TensorInfo[] = [];
  let expected = 0;
  for (const { name, type, shape, offset, byteLength } of tensors) {
    const what = `tensor ${JSON.stringify(name)}`;
    if (offset !== expected) {
      throw new NibbleError(
        "bad_offset",
        `${what}: expected offset ${expected}, the aligned end of the tensor before, got ${offset}`,
      );
    }
    expected = pad(offset + byteLength, alignment);
    if (expected > Number.MAX_SAFE_INTEGER) {
      throw new NibbleError("bad_offset", `${what}: expected its end below 2^53, got ${offset + byteLength}`);
    }
    const end = dataOffset + offset + byteLength;
    if (end > source.size && byteLength > 0) {
      throw new NibbleError("truncated", `${what}: it ends at byte ${end}, but the file ends at byte ${source.size}`);
    }
    placed.push({ name, type, shape, source, offset: Math.min(dataOffset + offset, source.size), byteLength });
  }
  return placed;
}
