/**
 * Where files of requests and results are kept.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

/** Bytes under names. A name has letters, digits and any of `._-`. */
export interface BlobStore {
  /** The names that begin with a text. */
  names(prefix: string): Promise<readonly string[]>;
  /** How many bytes are under a name; undefined where there is none. */
  size(name: string): Promise<number | undefined>;
  /** The bytes from `start` to before `end` (default: all); none where the name is not there. */
  read(name: string, start?: number, end?: number): AsyncIterable<Uint8Array>;
  /** Writes all of it or nothing, in place of what was there. @throws NibbleError `too_large` where there is no room */
  write(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Adds bytes at the end of what is there. @throws NibbleError `too_large` where there is no room */
  append(name: string, bytes: Uint8Array): Promise<void>;
  /** Deletes what is under a name, if there is something. */
  delete(name: string): Promise<void>;
}

/** The text under a name; undefined where there is none. */
export async function readBlob(store: BlobStore, name: string): Promise<string | undefined> {
  if ((await store.size(name)) === undefined) return undefined;
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of store.read(name)) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

export async function writeBlob(store: BlobStore, name: string, text: string): Promise<void> {
  await store.write(name, once(new TextEncoder().encode(text)));
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}

/** Blobs in memory. @param maxBytes most bytes of all of them together */
export function memoryStore(maxBytes: number): BlobStore {
  const blobs = new Map<string, { readonly parts: Uint8Array[]; bytes: number }>();
  let total = 0;
  const reserve = (bytes: number): void => {
    if (total + bytes > maxBytes)
      throw new NibbleError(
        "too_large",
        `the server keeps ${maxBytes} bytes of files, and there is no room for more; delete some`,
      );
    total += bytes;
  };
  const drop = (name: string): void => {
    total -= blobs.get(name)?.bytes ?? 0;
    blobs.delete(name);
  };
  return {
    names: async (prefix) => [...blobs.keys()].filter((name) => name.startsWith(prefix)),
    size: async (name) => blobs.get(name)?.bytes,
    async *read(name, start = 0, end = Infinity) {
      let at = 0;
      for (const part of blobs.get(name)?.parts ?? []) {
        const piece = part.subarray(Math.max(0, start - at), Math.max(0, end - at));
        if (piece.length > 0) yield piece;
        at += part.length;
        if (at >= end) return;
      }
    },
    async write(name, chunks) {
      const blob = { parts: [] as Uint8Array[], bytes: 0 };
      try {
        for await (const chunk of chunks) {
          reserve(chunk.length);
          blob.parts.push(chunk.slice());
          blob.bytes += chunk.length;
        }
      } catch (error) {
        total -= blob.bytes;
        throw error;
      }
      drop(name);
      blobs.set(name, blob);
    },
    async append(name, bytes) {
      reserve(bytes.length);
      const blob = blobs.get(name) ?? { parts: [], bytes: 0 };
      blob.parts.push(bytes.slice());
      blob.bytes += bytes.length;
      blobs.set(name, blob);
    },
    delete: async (name) => drop(name),
  };
}
