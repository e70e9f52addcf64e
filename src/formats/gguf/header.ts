/**
 * The header of a GGUF file, versions 2 and 3 (specification: ggml, docs/gguf.md). It is checked as ggml/src/gguf.cpp
 * checks it, and bounded by limits.ts.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { ByteRange, ByteSource } from "../../io/byte-source.ts";
import type { Metadata, TensorInfo } from "../checkpoint.ts";
import { Cursor } from "../cursor.ts";
import type { FormatLimits } from "../limits.ts";
import { defaultLimits } from "../limits.ts";
import { StringTable } from "../string-table.ts";
import { GgufMetadata } from "./packed-metadata.ts";
import type { HeaderTensor } from "./tensors.ts";
import { pad, placeTensors, readTensor } from "./tensors.ts";
import { GgufType, readValue } from "./values.ts";

/** One GGUF file. */
export interface GgufHeader {
  /** Version of the format: 2 or 3. */
  readonly version: number;
  /** Tensor data begins at multiples of this many bytes. */
  readonly alignment: number;
  /** All key-value pairs. */
  readonly metadata: Metadata;
  /** Where each value lies in the file, beginning with its type. */
  readonly encodedMetadata: ReadonlyMap<string, ByteRange>;
  /** In the order of the file; every range lies inside it. */
  readonly tensors: readonly TensorInfo[];
  /** Absolute offset of the data section, which is also the length of the padded header. */
  readonly dataOffset: number;
  /** Bytes read from the source. */
  readonly bytesRead: number;
}

/** Whether a file is a GGUF, by its first bytes: they spell "GGUF". */
export function isGguf(firstBytes: Uint8Array): boolean {
  return firstBytes[0] === 0x47 && firstBytes[1] === 0x47 && firstBytes[2] === 0x55 && firstBytes[3] === 0x46;
}

/**
 * Reads and checks one GGUF file by itself, which need not be a model.
 * @throws NibbleError with a format code
 */
export async function readGgufHeader(source: ByteSource, limits: Partial<FormatLimits> = {}): Promise<GgufHeader> {
  const bounds = { ...defaultLimits, ...limits };
  const cursor = new Cursor(source, bounds.headerBytes, bounds.windowBytes);
  const magic = await cursor.bytes(4, "magic");
  if (!isGguf(magic))
    throw new NibbleError("bad_magic", `GGUF file: expected "GGUF" as its first four bytes, got [${magic}]`);
  const version = checkVersion(await cursor.u32("version"));
  const tensorCount = await count(cursor, "tensors", bounds.tensors);
  const keyCount = await count(cursor, "metadata keys", bounds.keyValues);
  const encodedMetadata = new Map<string, ByteRange>();
  const metadata = await readMetadata(cursor, keyCount, bounds, (key, offset) =>
    encodedMetadata.set(key, { source, offset, length: cursor.position - offset }),
  );
  const alignment = (metadata.get("general.alignment") as number | undefined) ?? 32;
  const tensors = new Map<string, HeaderTensor>();
  for (let i = 0; i < tensorCount; i++) {
    const tensor = await readTensor(cursor, i, bounds);
    if (tensors.has(tensor.name)) {
      throw new NibbleError("duplicate_key", `tensor ${JSON.stringify(tensor.name)} is in the file twice`);
    }
    tensors.set(tensor.name, tensor);
  }
  const dataOffset = pad(cursor.position, alignment);
  return {
    version,
    alignment,
    metadata,
    encodedMetadata,
    tensors: placeTensors(tensors.values(), source, dataOffset, alignment),
    dataOffset,
    bytesRead: cursor.fetched,
  };
}

function checkVersion(version: number): number {
  if (version === 2 || version === 3) return version;
  const hint = version !== 0 && (version & 0xffff) === 0 ? "; the file seems to be big-endian" : "";
  throw new NibbleError("unsupported_version", `GGUF version: expected 2 or 3, got ${version}${hint}`);
}

async function count(cursor: Cursor, what: string, limit: number): Promise<number> {
  const n = await cursor.u64(`number of ${what}`);
  if (n > limit) throw new NibbleError("limit_exceeded", `number of ${what}: expected at most ${limit}, got ${n}`);
  return n;
}

async function readMetadata(
  cursor: Cursor,
  keyCount: number,
  limits: FormatLimits,
  onValue: (key: string, offset: number) => void,
): Promise<Metadata> {
  const metadata = new GgufMetadata();
  for (let i = 0; i < keyCount; i++) {
    const key = await cursor.string(`metadata key ${i}`, limits.keyBytes);
    if (key === "") throw new NibbleError("bad_string", `metadata key ${i} is an empty string`);
    const what = `metadata ${JSON.stringify(key)}`;
    if (metadata.has(key)) throw new NibbleError("duplicate_key", `${what} is in the file twice`);
    const offset = cursor.position;
    const type = await cursor.u32(what);
    if (key === "general.alignment" && type !== GgufType.U32) {
      throw new NibbleError("bad_type", `${what}: expected value type ${GgufType.U32} (u32), got type ${type}`);
    }
    const value = await readValue(cursor, type, what, limits);
    if (key === "general.alignment") checkAlignment(value as number, limits);
    if (value instanceof StringTable) metadata.setStrings(key, value);
    else metadata.set(key, value);
    onValue(key, offset);
  }
  return metadata;
}

function checkAlignment(alignment: number, limits: FormatLimits): void {
  if (alignment < 1 || alignment > limits.alignment || !Number.isInteger(Math.log2(alignment))) {
    throw new NibbleError(
      "bad_alignment",
      `general.alignment: expected a power of two from 1 to ${limits.alignment}, got ${alignment}`,
    );
  }
}
