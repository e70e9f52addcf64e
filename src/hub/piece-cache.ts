/**
 * Pulled models where there are no files to write into: bytes under names (OPFS, the Cache API, memory).
 *
 *     piece.<key>.<number>.<SHA-256>   a piece, as it came
 *     file.<SHA-256>                   JSON: the pieces of a complete file
 *     model.<hash>                     a record
 *
 * A file is there once its list of pieces is; nothing is copied or renamed.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { checkRange } from "../io/byte-source.ts";
import { type ModelCache, type ModelRecord, type PartialFile, PIECE_BYTES, parseRecord } from "./cache.ts";
import { digest, hexOf } from "./sha256.ts";

/** Bytes under names. A name that is there may be empty if the host was interrupted, never half full. */
export interface BlobStore {
  get(name: string): Promise<Blob | undefined>;
  put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  delete(name: string): Promise<void>;
  names(): Promise<string[]>;
}

/** Waits for a name, or gives undefined at once where it is taken; call what it gives to let go. */
export interface Locks {
  acquire(name: string, signal?: AbortSignal): Promise<() => void>;
  tryAcquire(name: string): Promise<(() => void) | undefined>;
}

interface FileList {
  readonly bytes: number;
  readonly pieces: readonly string[];
}

const PIECE = /^piece\.([0-9a-f]+)\.(\d+)\.([0-9a-f]{64})$/;

export function pieceCache(store: BlobStore, locks: Locks): ModelCache {
  const json = async (name: string): Promise<string> => (await (await store.get(name))?.text()) ?? "";
  const putJson = (name: string, value: unknown): Promise<void> =>
    store.put(name, new Uint8Array(new TextEncoder().encode(JSON.stringify(value))));
  const recordName = async (id: string): Promise<string> =>
    `model.${hexOf(await digest(new TextEncoder().encode(id))).slice(0, 32)}`;
  const list = async (sha256: string): Promise<FileList | undefined> => parseList(await json(`file.${sha256}`));
  const complete = async (sha256: string, bytes: number): Promise<FileList | undefined> => {
    const file = await list(sha256);
    if (file?.bytes !== bytes) return undefined;
    const names = new Set(await store.names());
    return file.pieces.every((name) => names.has(name)) ? file : undefined;
  };

  /** Pieces of complete files. */
  const owned = async (): Promise<Set<string>> => {
    const pieces = new Set<string>();
    for (const name of await store.names()) {
      if (!name.startsWith("file.")) continue;
      for (const piece of (await list(name.slice("file.".length)))?.pieces ?? []) pieces.add(piece);
    }
    return pieces;
  };

  return {
    has: async (sha256, bytes) => (await complete(sha256, bytes)) !== undefined,
    locate: () => undefined,
    async open(sha256, bytes) {
      const file = await complete(sha256, bytes);
      return file && piecesSource(file, store);
    },
    async deleteFile(sha256) {
      const file = await list(sha256);
      await store.delete(`file.${sha256}`);
      for (const name of file?.pieces ?? []) await store.delete(name);
    },
    async partial(key, bytes, signal) {
      const release = await locks.acquire(key, signal);
      const names = (await store.names()).filter((name) => PIECE.exec(name)?.[1] === key);
      return partialFile(key, bytes, names, store, owned, putJson, release);
    },
    async prune() {
      const needed = await owned();
      let freed = 0;
      for (const name of (await store.names()).filter((one) => PIECE.test(one) && !needed.has(one))) {
        const release = await locks.tryAcquire(PIECE.exec(name)![1]!);
        if (!release) continue;
        if (!(await owned()).has(name)) {
          // and no pull has just made it part of a file
          freed += (await store.get(name))?.size ?? 0;
          await store.delete(name);
        }
        release();
      }
      return freed;
    },
    async record(id) {
      const record = parseRecord(await json(await recordName(id)));
      return record?.id === id ? record : undefined;
    },
    async records() {
      const records: ModelRecord[] = [];
      for (const name of await store.names()) {
        const record = name.startsWith("model.") ? parseRecord(await json(name)) : undefined;
        if (record) records.push(record);
      }
      return records.sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    putRecord: async (record) => putJson(await recordName(record.id), record),
    deleteRecord: async (id) => store.delete(await recordName(id)),
  };
}

function parseList(text: string): FileList | undefined {
  try {
    const { bytes, pieces } = JSON.parse(text) as Record<string, unknown>;
    const sound = Array.isArray(pieces) && pieces.every((name) => typeof name === "string" && PIECE.test(name));
    if (!Number.isSafeInteger(bytes) || !sound || pieces.length !== Math.ceil((bytes as number) / PIECE_BYTES))
      return undefined;
    return { bytes: bytes as number, pieces };
  } catch {
    return undefined; // none, or one that was interrupted
  }
}

function partialFile(
  key: string,
  bytes: number,
  found: readonly string[],
  store: BlobStore,
  owned: () => Promise<Set<string>>,
  putJson: (name: string, value: unknown) => Promise<void>,
  unlock: () => void,
): PartialFile {
  const names = new Map<number, string>();
  const digests = new Map<number, Uint8Array>();
  for (const name of found) {
    const [, , number, hash] = PIECE.exec(name)!;
    names.set(Number(number), name);
    digests.set(Number(number), bytesOf(hash!));
  }
  let locked = true;
  const release = async (): Promise<void> => {
    if (locked) unlock();
    locked = false;
  };
  /** What another pull has made complete meanwhile stays. */
  const forget = async (pieces: readonly string[]): Promise<void> => {
    const kept = await owned();
    for (const name of pieces) if (!kept.has(name)) await store.delete(name);
  };
  return {
    digests,
    release,
    async read(piece) {
      const blob = await store.get(names.get(piece) ?? "");
      if (blob) return new Uint8Array(await blob.arrayBuffer());
      throw new NibbleError("io_error", `expected piece ${piece} in the browser's storage, got none`);
    },
    async write(piece, content, hash) {
      const name = `piece.${key}.${piece}.${hexOf(hash)}`;
      const before = names.get(piece);
      await store.put(name, content as Uint8Array<ArrayBuffer>);
      names.set(piece, name);
      if (before !== undefined && before !== name) await forget([before]);
    },
    async commit(sha256) {
      const pieces = Array.from({ length: Math.ceil(bytes / PIECE_BYTES) }, (_, piece) => names.get(piece)!);
      await putJson(`file.${sha256}`, { bytes, pieces } satisfies FileList);
      await release();
    },
    async discard() {
      await forget([...names.values()]);
      names.clear();
      await release();
    },
  };
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

function piecesSource({ bytes: size, pieces }: FileList, store: BlobStore): ByteSource {
  const readInto = async (offset: number, target: Uint8Array): Promise<void> => {
    checkRange(size, offset, target.length);
    for (let done = 0; done < target.length; ) {
      const piece = Math.floor((offset + done) / PIECE_BYTES);
      const start = offset + done - piece * PIECE_BYTES;
      const blob = await store.get(pieces[piece]!);
      const part = blob?.slice(start, start + target.length - done);
      if (!part?.size)
        throw new NibbleError("truncated", `expected piece ${piece} of a pulled file, got none; pull it again`);
      target.set(new Uint8Array(await part.arrayBuffer()), done);
      done += part.size;
    }
  };
  return {
    size,
    readInto,
    async read(offset, length) {
      checkRange(size, offset, length);
      const bytes = new Uint8Array(length);
      await readInto(offset, bytes);
      return bytes;
    },
  };
}
