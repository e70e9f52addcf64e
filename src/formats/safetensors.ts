/**
 * Reader for safetensors files (format: https://huggingface.co/docs/safetensors). They are checked as the reference
 * implementation does it (safetensors/src/tensor.rs), and bounded by limits.ts.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { isObject, parseJsonObject } from "../base/json.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { Cursor } from "./cursor.ts";
import type { FormatLimits } from "./limits.ts";
import { defaultLimits } from "./limits.ts";

/** A tensor as the file describes it. */
export interface SafetensorsTensor {
  readonly name: string;
  readonly dtype: string;
  /** Row-major, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
  /** The file. */
  readonly source: ByteSource;
  /** Absolute offset in `source`, in bytes. It need not be aligned. */
  readonly offset: number;
  /** Length in bytes. */
  readonly byteLength: number;
}

/** The header of a file. */
export interface SafetensorsFile {
  /** By name, in the order of their offsets. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  /** The strings under `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Bytes read from the source. */
  readonly headerBytes: number;
}

/** Bits per value, by dtype. */
const bitsOf: ReadonlyMap<string, number> = new Map([
  ...["F4"].map((type) => [type, 4] as const),
  ...["F6_E2M3", "F6_E3M2"].map((type) => [type, 6] as const),
  ...["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"].map((t) => [t, 8] as const),
  ...["I16", "U16", "F16", "BF16"].map((type) => [type, 16] as const),
  ...["I32", "U32", "F32"].map((type) => [type, 32] as const),
  ...["C64", "F64", "I64", "U64"].map((type) => [type, 64] as const),
]);

/**
 * Reads and checks the header of a safetensors file. The tensors must cover the rest of the file without holes or overlaps.
 * @throws NibbleError with a format code
 */
export async function readSafetensors(
  source: ByteSource,
  limits: Partial<FormatLimits> = {},
): Promise<SafetensorsFile> {
  const bounds = { ...defaultLimits, ...limits };
  const cursor = new Cursor(source, Number.MAX_SAFE_INTEGER, bounds.windowBytes);
  const length = await cursor.u64("safetensors header length");
  if (length > bounds.safetensorsHeaderBytes) {
    throw new NibbleError(
      "limit_exceeded",
      `safetensors header: expected at most ${bounds.safetensorsHeaderBytes} bytes, got ${length}`,
    );
  }
  const header = await cursor.bytes(length, "safetensors header");
  if (header[0] !== 0x7b) {
    throw new NibbleError("bad_json", `safetensors header: expected "{" as its first byte, got ${header[0]}`);
  }
  // Three levels: the header, a tensor, its shape.
  const json = parseJsonObject(header, { maxDepth: 3, integersOnly: true, name: "safetensors header" });
  if (json.size > bounds.tensors) {
    throw new NibbleError("limit_exceeded", `number of tensors: expected at most ${bounds.tensors}, got ${json.size}`);
  }
  const tensors: SafetensorsTensor[] = [];
  for (const [name, value] of json) {
    if (name !== "__metadata__") tensors.push(toTensor(name, value, source, cursor.position));
  }
  tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkCoverage(tensors, cursor.position, source.size);
  return {
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    metadata: toMetadata(json),
    headerBytes: cursor.fetched,
  };
}

function toTensor(name: string, value: Json, source: ByteSource, dataOffset: number): SafetensorsTensor {
  const what = `tensor ${JSON.stringify(name)}`;
  if (name === "") throw new NibbleError("bad_string", "the name of a tensor is an empty string");
  const dtype = isObject(value) ? value.get("dtype") : undefined;
  const shape = isObject(value) ? value.get("shape") : undefined;
  const offsets = isObject(value) ? value.get("data_offsets") : undefined;
  if (typeof dtype !== "string" || !isSizes(shape) || !isSizes(offsets) || (value as JsonObject).size !== 3) {
    throw new NibbleError("bad_json", `${what} must be { dtype: string, shape: [sizes], data_offsets: [begin, end] }`);
  }
  const bits = bitsOf.get(dtype);
  if (bits === undefined)
    throw new NibbleError("bad_type", `${what}: expected a dtype of ${[...bitsOf.keys()].join(", ")}, got ${dtype}`);
  const values = shape.reduce((product, size) => product * Math.max(size, 1), 1);
  const byteLength = shape.includes(0) ? 0 : (values * bits) / 8;
  if (values * bits > Number.MAX_SAFE_INTEGER || !Number.isInteger(byteLength)) {
    throw new NibbleError(
      "bad_shape",
      `${what}: expected a whole number of bytes and fewer than 2^53 bits, got ${dtype} [${shape}]`,
    );
  }
  const [begin, end] = offsets as [number, number];
  if (offsets.length !== 2 || end < begin) {
    throw new NibbleError("bad_offset", `${what}: expected data_offsets [begin, end], got [${offsets}]`);
  }
  if (end - begin !== byteLength) {
    throw new NibbleError(
      "bad_shape",
      `${what}: expected ${byteLength} bytes for ${dtype} [${shape}], got ${end - begin}`,
    );
  }
  return { name, dtype, shape, source, offset: dataOffset + begin, byteLength };
}

function isSizes(value: Json | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number" && item >= 0);
}

/** Checks that every byte after the header belongs to exactly one tensor, so that nothing is hidden in the file. */
function checkCoverage(sorted: readonly SafetensorsTensor[], dataOffset: number, size: number): void {
  let end = dataOffset;
  for (const { name, offset, byteLength } of sorted) {
    if (offset !== end) {
      const what = offset < end ? "overlaps the tensor before it" : "leaves a hole in front of it";
      throw new NibbleError(
        "bad_offset",
        `tensor ${JSON.stringify(name)} ${what}: expected offset ${end - dataOffset}, got ${offset - dataOffset}`,
      );
    }
    end += byteLength;
  }
  if (end > size)
    throw new NibbleError("truncated", `the tensors end at byte ${end}, but the file ends at byte ${size}`);
  if (end < size) throw new NibbleError("bad_offset", `the file has ${size - end} bytes after its last tensor`);
}

function toMetadata(json: JsonObject): ReadonlyMap<string, string> {
  const metadata = json.get("__metadata__") ?? new Map<string, Json>();
  if (!isObject(metadata) || ![...metadata.values()].every((value) => typeof value === "string")) {
    throw new NibbleError("bad_json", "safetensors __metadata__ must be an object of strings");
  }
  return metadata as ReadonlyMap<string, string>;
}

/**
 * The file of every tensor, from `model.safetensors.index.json`.
 * @throws NibbleError `bad_json`, `bad_value` for a name that is not a plain file name, `limit_exceeded`
 */
export function parseShardIndex(bytes: Uint8Array, limits: Partial<FormatLimits> = {}): ReadonlyMap<string, string> {
  const bounds = { ...defaultLimits, ...limits };
  const name = "model.safetensors.index.json";
  const map = parseJsonObject(bytes, { maxDepth: 8, name }).get("weight_map");
  if (!isObject(map)) throw new NibbleError("bad_json", `${name}: "weight_map" must be an object`);
  if (map.size > bounds.tensors) {
    throw new NibbleError(
      "limit_exceeded",
      `${name}, number of tensors: expected at most ${bounds.tensors}, got ${map.size}`,
    );
  }
  for (const file of map.values()) {
    // A name in a file must not lead out of the folder.
    if (typeof file !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors$/.test(file)) {
      throw new NibbleError(
        "bad_value",
        `${name}: expected plain *.safetensors file names, got ${JSON.stringify(file)}`,
      );
    }
  }
  const shards = new Set(map.values()).size;
  if (shards > bounds.shards) {
    throw new NibbleError(
      "limit_exceeded",
      `${name}, number of shards: expected at most ${bounds.shards}, got ${shards}`,
    );
  }
  return map as ReadonlyMap<string, string>;
}
