/**
 * Byte sources that need no host: bytes in memory and Blobs.
 * @module
 */
import { NibbleError } from "../errors.ts";
import type { ByteSource } from "./types.ts";

/**
 * Checks that `length` bytes at `offset` lie inside a source of `size` bytes.
 * @throws NibbleError `invalid_argument` for anything but whole numbers >= 0, `truncated` past the end
 */
export function checkRange(size: number, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new NibbleError("invalid_argument", `expected a byte range, got offset ${offset}, length ${length}`);
  }
  if (offset > size || length > size - offset) {
    throw new NibbleError("truncated", `expected ${length} bytes at offset ${offset}, but the file has ${size}`);
  }
}

/** Bytes in memory. What `read` gives is a view of them, not a copy: do not write to it. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  const view = (offset: number, length: number): Uint8Array => {
    checkRange(bytes.length, offset, length);
    // Not subarray: that of a Node Buffer is a Buffer, whose slice and toString differ.
    return new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length);
  };
  return {
    size: bytes.length,
    read: async (offset, length) => view(offset, length),
    readInto: async (offset, target) => target.set(view(offset, target.length)),
  };
}

/** A Blob or File: only the ranges that are read come into memory. */
export function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    async read(offset, length) {
      checkRange(blob.size, offset, length);
      let buffer: ArrayBuffer;
      try {
        buffer = await blob.slice(offset, offset + length).arrayBuffer();
      } catch (cause) {
        throw new NibbleError("io_error", `could not read ${length} bytes at offset ${offset} of the Blob`, { cause });
      }
      return new Uint8Array(buffer);
    },
  };
}

/**
 * Reads exactly `length` bytes, whatever the source does.
 * @throws NibbleError `truncated` past the end, `io_error` if the source breaks its contract
 */
export async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  checkRange(source.size, offset, length);
  const bytes = await source.read(offset, length);
  if (bytes.length !== length) {
    throw new NibbleError("io_error", `the source gave ${bytes.length} bytes where ${length} were asked for`);
  }
  return bytes;
}

/** The same into `target`, in place where the source can: it keeps nothing of what was read then. */
export async function readInto(source: ByteSource, offset: number, target: Uint8Array): Promise<void> {
  if (source.readInto) await source.readInto(offset, target);
  else target.set(await readExactly(source, offset, target.length));
}
