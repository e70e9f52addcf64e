/**
 * Takes one file out of a zip archive (a Python wheel is one) without holding it in memory. The format is that of PKWARE's
 * APPNOTE 6.3. Entries may be stored or deflated; encryption and zip64 are not supported.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { readExactly } from "../io/byte-source.ts";

interface Entry {
  readonly method: number;
  readonly compressed: number;
  readonly size: number;
  readonly headerOffset: number;
}

const END_RECORD_BYTES = 22;
const LONGEST_COMMENT = 65_535;
const LOCAL_HEADER_BYTES = 30;
/** Bytes of one read of the archive. */
const READ_BYTES = 2 ** 20;

/**
 * The bytes of an entry, in chunks.
 * @throws NibbleError `missing_file` if the archive has no such entry; `truncated`, `bad_magic`, `bad_value`,
 *   `limit_exceeded`, `unsupported_version` for an archive that is broken or of a kind we do not read
 */
export async function* zipEntry(archive: ByteSource, name: string, size: number): AsyncGenerator<Uint8Array> {
  const { method, compressed, start } = await locate(archive, name, size);
  if (compressed === 0) return;
  const packed = packedBytes(archive, start, start + compressed);
  const bytes = method === 0 ? packed : packed.pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = bytes.getReader();
  let total = 0;
  try {
    for (;;) {
      const { value, done } = await reader.read().catch((cause: unknown) => {
        if (cause instanceof NibbleError) throw cause;
        throw new NibbleError("bad_value", `${name} in the archive is damaged: ${cause}`, { cause });
      });
      if (done) break;
      total += value.length;
      if (total > size)
        throw new NibbleError("limit_exceeded", `${name} is longer than the ${size} bytes it should have`);
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
  if (total !== size) throw new NibbleError("truncated", `${name} has ${total} bytes, but should have ${size}`);
}

function packedBytes(archive: ByteSource, start: number, end: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = start;
  return new ReadableStream(
    {
      async pull(controller) {
        const length = Math.min(READ_BYTES, end - at);
        if (length === 0) return controller.close();
        controller.enqueue((await readExactly(archive, at, length)) as Uint8Array<ArrayBuffer>);
        at += length;
      },
    },
    { highWaterMark: 0 },
  );
}

/** Finds where the packed bytes of an entry begin. */
async function locate(archive: ByteSource, name: string, size: number): Promise<Entry & { start: number }> {
  const read = async (offset: number, length: number): Promise<DataView> => {
    const bytes = await readExactly(archive, offset, length);
    return new DataView(bytes.buffer, bytes.byteOffset, length);
  };
  const tail = Math.min(archive.size, END_RECORD_BYTES + LONGEST_COMMENT);
  const directory = findDirectory(await read(archive.size - tail, tail));
  const entry = findEntry(await read(directory.offset, directory.length), name);
  if (entry === undefined) throw new NibbleError("missing_file", `the archive holds no ${name}`);
  if (entry.size !== size)
    throw new NibbleError("bad_shape", `${name} has ${entry.size} bytes in the archive, but should have ${size}`);
  if (entry.method !== 0 && entry.method !== 8)
    throw new NibbleError("unsupported_version", `${name} is packed by method ${entry.method}, not stored or deflated`);
  const header = await read(entry.headerOffset, LOCAL_HEADER_BYTES);
  if (header.getUint32(0, true) !== 0x04034b50)
    throw new NibbleError("bad_magic", `the archive has no entry where ${name} should be`);
  const start = entry.headerOffset + LOCAL_HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + entry.compressed > archive.size) throw new NibbleError("truncated", `the archive ends inside ${name}`);
  return { ...entry, start };
}

/** Finds the table of contents by the end record, which only a comment of unknown length follows. */
function findDirectory(tail: DataView): { offset: number; length: number } {
  for (let at = tail.byteLength - END_RECORD_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50) continue;
    if (at + END_RECORD_BYTES + tail.getUint16(at + 20, true) !== tail.byteLength) continue;
    const offset = tail.getUint32(at + 16, true);
    if (offset === 0xffffffff)
      throw new NibbleError("unsupported_version", "the archive is a zip64 archive, which is not supported");
    return { offset, length: tail.getUint32(at + 12, true) };
  }
  throw new NibbleError("bad_magic", "the file is not a zip archive: it has no end record");
}

function findEntry(directory: DataView, name: string): Entry | undefined {
  const text = new TextDecoder();
  for (let at = 0; at + 46 <= directory.byteLength; ) {
    if (directory.getUint32(at, true) !== 0x02014b50)
      throw new NibbleError("bad_magic", "the zip archive's table of contents is broken");
    const nameBytes = directory.getUint16(at + 28, true);
    if (at + 46 + nameBytes > directory.byteLength)
      throw new NibbleError("truncated", "the zip archive's table of contents is broken");
    if (text.decode(new Uint8Array(directory.buffer, directory.byteOffset + at + 46, nameBytes)) === name) {
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
