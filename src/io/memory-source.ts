/**
 * Byte sources that need no host: bytes in memory and Blobs.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { type ByteSource, checkRange } from "./byte-source.ts";

/** A source over bytes in memory. `read` returns a view of them, not a copy: do not write to it. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  const view = (offset: number, length: number): Uint8Array => {
    checkRange(bytes.length, offset, length);
    // subarray() of a Node Buffer would be a Buffer, whose slice() and toString() behave differently.
    return new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length);
  };
  return {
    size: bytes.length,
    read: async (offset, length) => view(offset, length),
    readInto: async (offset, target) => target.set(view(offset, target.length)),
  };
}

/** A source over a Blob or File. Only the ranges that are read come into memory. */
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
