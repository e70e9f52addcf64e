/**
 * Takes one file out of a zip archive (a Python wheel is one), without holding it in memory.
 * Format: PKWARE APPNOTE 6.3. Stored and deflated entries; no encryption, no zip64.
 * @module
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createInflateRaw } from "node:zlib";
import { NibbleError } from "../src/errors.ts";

interface Entry {
  readonly method: number;
  readonly compressed: number;
  readonly size: number;
  readonly headerOffset: number;
}

const endRecordBytes = 22;
const longestComment = 65_535;
const localHeaderBytes = 30;

/**
 * The bytes of an entry, in chunks.
 * @throws NibbleError `missing_file` if the archive has no such entry; `truncated`, `bad_magic`, `limit_exceeded`,
 *   `unsupported_version` for an archive that is broken or of a kind we do not read
 */
export async function* zipEntry(path: string, name: string, size: number): AsyncGenerator<Uint8Array> {
  const { method, compressed, start } = await locate(path, name, size);
  if (compressed === 0) return;
  const packed = createReadStream(path, { start, end: start + compressed - 1 });
  const bytes = method === 0 ? packed : packed.pipe(createInflateRaw());
  packed.on("error", (error) => bytes.destroy(error));
  let total = 0;
  try {
    for await (const chunk of bytes) {
      total += chunk.length;
      if (total > size)
        throw new NibbleError("limit_exceeded", `${name} is longer than the ${size} bytes it should have`);
      yield chunk;
    }
  } finally {
    packed.destroy();
  }
  if (total !== size) throw new NibbleError("truncated", `${name} has ${total} bytes, but should have ${size}`);
}

/** Finds the entry's packed bytes. */
async function locate(path: string, name: string, size: number): Promise<Entry & { start: number }> {
  const file = await open(path);
  try {
    const fileSize = (await file.stat()).size;
    const read = async (offset: number, length: number): Promise<DataView> => {
      if (offset + length > fileSize)
        throw new NibbleError("truncated", `${path} ends before its own table of contents`);
      const buffer = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await file.read(buffer, done, length - done, offset + done);
        if (bytesRead === 0) throw new NibbleError("truncated", `${path} became shorter while it was read`);
        done += bytesRead;
      }
      return new DataView(buffer.buffer);
    };
    const tail = Math.min(fileSize, endRecordBytes + longestComment);
    const directory = findDirectory(await read(fileSize - tail, tail), path);
    const entry = findEntry(await read(directory.offset, directory.length), name);
    if (entry === undefined) throw new NibbleError("missing_file", `${path} holds no ${name}`);
    if (entry.size !== size) {
      throw new NibbleError("bad_shape", `${name} has ${entry.size} bytes in ${path}, but should have ${size}`);
    }
    if (entry.method !== 0 && entry.method !== 8) {
      throw new NibbleError(
        "unsupported_version",
        `${name} is packed by method ${entry.method}, not stored or deflated`,
      );
    }
    const header = await read(entry.headerOffset, localHeaderBytes);
    if (header.getUint32(0, true) !== 0x04034b50)
      throw new NibbleError("bad_magic", `${path}: no entry where ${name} should be`);
    const start = entry.headerOffset + localHeaderBytes + header.getUint16(26, true) + header.getUint16(28, true);
    if (start + entry.compressed > fileSize) throw new NibbleError("truncated", `${path} ends inside ${name}`);
    return { ...entry, start };
  } finally {
    await file.close();
  }
}

/** The end record is the last thing in the file, but for a comment of unknown length. */
function findDirectory(tail: DataView, path: string): { offset: number; length: number } {
  for (let at = tail.byteLength - endRecordBytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50) continue;
    if (at + endRecordBytes + tail.getUint16(at + 20, true) !== tail.byteLength) continue;
    const offset = tail.getUint32(at + 16, true);
    if (offset === 0xffffffff) throw new NibbleError("unsupported_version", `${path} is a zip64 archive`);
    return { offset, length: tail.getUint32(at + 12, true) };
  }
  throw new NibbleError("bad_magic", `${path} is no zip archive`);
}

function findEntry(directory: DataView, name: string): Entry | undefined {
  const text = new TextDecoder();
  for (let at = 0; at + 46 <= directory.byteLength; ) {
    if (directory.getUint32(at, true) !== 0x02014b50)
      throw new NibbleError("bad_magic", "broken zip table of contents");
    const nameBytes = directory.getUint16(at + 28, true);
    if (at + 46 + nameBytes > directory.byteLength) throw new NibbleError("truncated", "broken zip table of contents");
    if (text.decode(new Uint8Array(directory.buffer, at + 46, nameBytes)) === name) {
      return {
        method: directory.getUint16(at + 10, true),
        compressed: directory.getUint32(at + 20, true),
        size: directory.getUint32(at + 24, true),
        headerOffset: directory.getUint32(at + 42, true),
      };
    }
    at += 46 + nameBytes + directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
  }
  return undefined;
}
