/**
 * Metadata values of GGUF.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { MetadataValue, NumericArray } from "../checkpoint.ts";
import type { Cursor } from "../cursor.ts";
import type { FormatLimits } from "../limits.ts";
import type { StringTable } from "../string-table.ts";

/** Value types (ggml/include/gguf.h). */
export const GgufType = {
  U8: 0,
  I8: 1,
  U16: 2,
  I16: 3,
  U32: 4,
  I32: 5,
  F32: 6,
  BOOL: 7,
  STRING: 8,
  ARRAY: 9,
  U64: 10,
  I64: 11,
  F64: 12,
} as const;

interface NumericType {
  readonly bytes: number;
  /** Decodes little-endian numbers into an array with memory of its own. */
  readonly decode: (bytes: Uint8Array, what: string) => NumericArray;
}

const numericTypes: ReadonlyMap<number, NumericType> = new Map<number, NumericType>([
  [GgufType.U8, { bytes: 1, decode: copy }],
  [GgufType.I8, { bytes: 1, decode: (bytes) => new Int8Array(copy(bytes).buffer) }],
  [GgufType.U16, { bytes: 2, decode: (bytes) => new Uint16Array(copy(bytes).buffer) }],
  [GgufType.I16, { bytes: 2, decode: (bytes) => new Int16Array(copy(bytes).buffer) }],
  [GgufType.U32, { bytes: 4, decode: (bytes) => new Uint32Array(copy(bytes).buffer) }],
  [GgufType.I32, { bytes: 4, decode: (bytes) => new Int32Array(copy(bytes).buffer) }],
  [GgufType.F32, { bytes: 4, decode: (bytes) => new Float32Array(copy(bytes).buffer) }],
  [GgufType.F64, { bytes: 8, decode: (bytes) => new Float64Array(copy(bytes).buffer) }],
  [GgufType.U64, { bytes: 8, decode: (bytes, what) => exact(new BigUint64Array(copy(bytes).buffer), what) }],
  [GgufType.I64, { bytes: 8, decode: (bytes, what) => exact(new BigInt64Array(copy(bytes).buffer), what) }],
]);

/**
 * Reads one value of a type. An array of numbers becomes a typed array (64-bit integers a Float64Array), an array of
 * strings a StringTable.
 * @throws NibbleError `bad_type`, `bad_value`, `bad_string`, `limit_exceeded`, `truncated`
 */
export async function readValue(
  cursor: Cursor,
  type: number,
  what: string,
  limits: FormatLimits,
): Promise<MetadataValue | StringTable> {
  if (type === GgufType.STRING) return cursor.string(what, limits.stringBytes);
  if (type === GgufType.BOOL) return toBoolean(await cursor.u8(what), what);
  if (type === GgufType.ARRAY) return readArray(cursor, what, limits);
  const numeric = numericTypes.get(type);
  if (!numeric) throw new NibbleError("bad_type", `${what}: expected a value type from 0 to 12, got ${type}`);
  return numeric.decode(await cursor.bytes(numeric.bytes, what), what)[0]!;
}

async function readArray(cursor: Cursor, what: string, limits: FormatLimits): Promise<MetadataValue | StringTable> {
  const type = await cursor.u32(what);
  if (type === GgufType.ARRAY) throw new NibbleError("bad_type", `${what}: arrays of arrays are not supported`);
  const count = await cursor.u64(what);
  if (count > limits.arrayLength) {
    throw new NibbleError("limit_exceeded", `${what}: expected at most ${limits.arrayLength} elements, got ${count}`);
  }
  if (type === GgufType.STRING) return cursor.strings(count, what, limits.stringBytes);
  if (type === GgufType.BOOL) {
    return Array.from(await cursor.bytes(count, what), (byte) => toBoolean(byte, what));
  }
  const numeric = numericTypes.get(type);
  if (!numeric) throw new NibbleError("bad_type", `${what}: expected an element type from 0 to 12, got ${type}`);
  return numeric.decode(await cursor.bytes(count * numeric.bytes, what), what);
}

/** A copy, aligned for any element type. (`slice` of a Node Buffer would be a view.) */
function copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function toBoolean(byte: number, what: string): boolean {
  if (byte > 1) throw new NibbleError("bad_value", `${what}: expected 0 or 1, got ${byte}`);
  return byte === 1;
}

/** 64-bit integers as doubles. @throws NibbleError `limit_exceeded` where a double is not exact */
function exact(values: BigUint64Array | BigInt64Array, what: string): Float64Array {
  return Float64Array.from(values, (value) => {
    if (BigInt.asIntN(54, value) !== value || value === -(2n ** 53n)) {
      throw new NibbleError(
        "limit_exceeded",
        `${what}: expected an integer from -(2^53 - 1) to 2^53 - 1, got ${value}`,
      );
    }
    return Number(value);
  });
}
