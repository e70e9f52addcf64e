/**
 * A cache of models over a store that keeps bytes under names: OPFS, the Cache API, or memory.
 *
 *     piece.<key>.<number>.<SHA-256>   a piece, as it was fetched
 *     file.<SHA-256>                   JSON: the names of the pieces of a complete file
 *     model.<key>                      the record of a model
 *
 * A file is complete once its list of pieces is written. Nothing is copied or renamed.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { type ByteSource, fillSource } from "../io/byte-source.ts";
import {
  type ModelCache,
  type ModelRecord,
  type PartialFile,
  PIECE_BYTES,
  parseRecord,
  parseRecords,
  recordKey,
} from "./cache.ts";
import { hexOf } from "./sha256.ts";

/** Keeps bytes under names. If the host is interrupted, an entry may be empty, but never half written. */
export interface BlobStore {
  get(name: string): Promise<Blob | undefined>;
  put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  delete(name: string): Promise<void>;
  names(): Promise<string[]>;
}

/** Locks by name. Both functions return what releases the lock. */
export interface Locks {
  /** Waits until the lock is free. */
  acquire(name: string, signal?: AbortSignal): Promise<() => void>;
  /** Returns undefined if the lock is taken. */
  tryAcquire(name: string): Promise<(() => void) | undefined>;
}

/** The pieces of a complete file, in order. */
interface FileList {
  readonly bytes: number;
  readonly pieces: readonly string[];
}

const PIECE = /^piece\.([0-9a-f]+)\.(\d+)\.([0-9a-f]{64})$/;
const FILE = "file.";
const MODEL = "model.";

export function pieceCache(store: BlobStore, locks: Locks): ModelCache {
  return new PieceCache(new PieceStore(store), locks);
}

class PieceCache implements ModelCache {
  readonly #store: PieceStore;
  readonly #locks: Locks;

  constructor(store: PieceStore, locks: Locks) {
    this.#store = store;
    this.#locks = locks;
  }

  async has(sha256: string, bytes: number): Promise<boolean> {
    return (await this.#store.complete(sha256, bytes)) !== undefined;
  }

  locate(): undefined {
    return undefined;
  }

  async open(sha256: string, bytes: number): Promise<ByteSource | undefined> {
    const file = await this.#store.complete(sha256, bytes);
    return file && this.#store.source(file);
  }

  async deleteFile(sha256: string): Promise<void> {
    const file = await this.#store.list(sha256);
    await this.#store.blobs.delete(FILE + sha256);
    for (const name of file?.pieces ?? []) await this.#store.blobs.delete(name);
  }

  async partial(key: string, bytes: number, signal?: AbortSignal): Promise<PartialFile> {
    const unlock = await this.#locks.acquire(key, signal);
    const found = (await this.#store.blobs.names()).filter((name) => PIECE.exec(name)?.[1] === key);
    return new PartialPieces({ key, bytes, store: this.#store, unlock }, found);
  }

  async prune(): Promise<number> {
    const needed = await this.#store.neededPieces();
    let freed = 0;
    for (const name of (await this.#store.blobs.names()).filter((one) => PIECE.test(one) && !needed.has(one))) {
      const unlock = await this.#locks.tryAcquire(PIECE.exec(name)![1]!);
      if (!unlock) continue;
      // A pull may have completed the file before the lock was free.
      if (!(await this.#store.neededPieces()).has(name)) {
        freed += (await this.#store.blobs.get(name))?.size ?? 0;
        await this.#store.blobs.delete(name);
      }
      unlock();
    }
    return freed;
  }

  async record(id: string): Promise<ModelRecord | undefined> {
    const record = parseRecord(await this.#store.text(MODEL + (await recordKey(id))));
    return record?.id === id ? record : undefined;
  }

  async records(): Promise<ModelRecord[]> {
    const names = (await this.#store.blobs.names()).filter((name) => name.startsWith(MODEL));
    return parseRecords(await Promise.all(names.map((name) => this.#store.text(name))));
  }

  async putRecord(record: ModelRecord): Promise<void> {
    await this.#store.putJson(MODEL + (await recordKey(record.id)), record);
  }

  async deleteRecord(id: string): Promise<void> {
    await this.#store.blobs.delete(MODEL + (await recordKey(id)));
  }
}

/** The store, read as texts, lists of pieces, and files. */
class PieceStore {
  readonly blobs: BlobStore;

  constructor(blobs: BlobStore) {
    this.blobs = blobs;
  }

  /** The text under a name, which is empty if there is none. */
  async text(name: string): Promise<string> {
    return (await (await this.blobs.get(name))?.text()) ?? "";
  }

  putJson(name: string, value: unknown): Promise<void> {
    return this.blobs.put(name, new Uint8Array(new TextEncoder().encode(JSON.stringify(value))));
  }

  /** The list of a file's pieces, whether or not the pieces are still there. */
  async list(sha256: string): Promise<FileList | undefined> {
    return parseList(await this.text(FILE + sha256));
  }

  /** The list of a file of this length, if the browser has deleted none of its pieces. */
  async complete(sha256: string, bytes: number): Promise<FileList | undefined> {
    const file = await this.list(sha256);
    if (file?.bytes !== bytes) return undefined;
    const names = new Set(await this.blobs.names());
    return file.pieces.every((name) => names.has(name)) ? file : undefined;
  }

  /** The pieces that belong to complete files. */
  async neededPieces(): Promise<Set<string>> {
    const needed = new Set<string>();
    for (const name of await this.blobs.names()) {
      if (!name.startsWith(FILE)) continue;
      for (const piece of (await this.list(name.slice(FILE.length)))?.pieces ?? []) needed.add(piece);
    }
    return needed;
  }

  /** Deletes pieces, except those of files that another pull has completed in the meantime. */
  async deletePieces(pieces: readonly string[]): Promise<void> {
    const needed = await this.neededPieces();
    for (const name of pieces) if (!needed.has(name)) await this.blobs.delete(name);
  }

  source({ bytes, pieces }: FileList): ByteSource {
    return fillSource(bytes, async (offset, target) => {
      for (let done = 0; done < target.length; ) {
        const piece = Math.floor((offset + done) / PIECE_BYTES);
        const start = offset + done - piece * PIECE_BYTES;
        const blob = await this.blobs.get(pieces[piece]!);
        const part = blob?.slice(start, start + target.length - done);
        if (!part?.size)
          throw new NibbleError("truncated", `piece ${piece} of the model's file is missing; pull the model again`);
        target.set(new Uint8Array(await part.arrayBuffer()), done);
        done += part.size;
      }
    });
  }
}

/** A list of pieces from its JSON; undefined if there is none, or if writing it was interrupted. */
function parseList(text: string): FileList | undefined {
  try {
    const { bytes, pieces } = JSON.parse(text) as Record<string, unknown>;
    const sound = Array.isArray(pieces) && pieces.every((name) => typeof name === "string" && PIECE.test(name));
    if (!Number.isSafeInteger(bytes) || !sound || pieces.length !== Math.ceil((bytes as number) / PIECE_BYTES))
      return undefined;
    return { bytes: bytes as number, pieces };
  } catch {
    return undefined;
  }
}

interface PartialOptions {
  readonly key: string;
  readonly bytes: number;
  readonly store: PieceStore;
  readonly unlock: () => void;
}

class PartialPieces implements PartialFile {
  readonly digests = new Map<number, Uint8Array>();
  readonly #options: PartialOptions;
  readonly #names = new Map<number, string>();
  #locked = true;

  /** @param found the names of the pieces that earlier attempts left */
  constructor(options: PartialOptions, found: readonly string[]) {
    this.#options = options;
    for (const name of found) {
      const [, , number, hash] = PIECE.exec(name)!;
      this.#names.set(Number(number), name);
      this.digests.set(Number(number), bytesOf(hash!));
    }
  }

  async read(piece: number): Promise<Uint8Array> {
    const blob = await this.#options.store.blobs.get(this.#names.get(piece) ?? "");
    if (blob) return new Uint8Array(await blob.arrayBuffer());
    throw new NibbleError("io_error", `piece ${piece} is missing in the browser's storage`);
  }

  async write(piece: number, bytes: Uint8Array, digest: Uint8Array): Promise<void> {
    const { key, store } = this.#options;
    const name = `piece.${key}.${piece}.${hexOf(digest)}`;
    const before = this.#names.get(piece);
    await store.blobs.put(name, bytes as Uint8Array<ArrayBuffer>);
    this.#names.set(piece, name);
    if (before !== undefined && before !== name) await store.deletePieces([before]);
  }

  async commit(sha256: string): Promise<void> {
    const { bytes, store } = this.#options;
    const pieces = Array.from({ length: Math.ceil(bytes / PIECE_BYTES) }, (_, piece) => this.#names.get(piece)!);
    await store.putJson(FILE + sha256, { bytes, pieces } satisfies FileList);
    await this.release();
  }

  async release(): Promise<void> {
    if (this.#locked) this.#options.unlock();
    this.#locked = false;
  }

  async discard(): Promise<void> {
    await this.#options.store.deletePieces([...this.#names.values()]);
    this.#names.clear();
    await this.release();
  }
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
