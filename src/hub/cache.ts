/**
 * The interface of the cache that keeps pulled models. A host implements it over a directory, OPFS or the Cache API.
 *
 * Files are named by their SHA-256. A model is a record that names its files. The record is written last, so a model
 * without a record is not complete.
 * @module
 */
import type { ByteSource } from "../io/byte-source.ts";
import { digest, hexOf } from "./sha256.ts";

/**
 * Bytes of a piece, which is the unit of writing. A process that is killed loses at most one piece per connection. A store
 * that cannot write at an offset (the Cache API) keeps each piece as an entry of its own.
 */
export const PIECE_BYTES: number = 2 ** 20;

/** A file that is being fetched. One process owns it at a time; its pieces stay for the next one that opens it. */
export interface PartialFile {
  /** The SHA-256 of each piece that was written, by its number. A piece may be damaged nevertheless: compare it. */
  readonly digests: ReadonlyMap<number, Uint8Array>;
  /** @throws NibbleError `io_error`, `truncated` where the piece is not there */
  read(piece: number): Promise<Uint8Array>;
  /** @throws NibbleError `io_error` where it cannot be written */
  write(piece: number, bytes: Uint8Array, digest: Uint8Array): Promise<void>;
  /** Makes it the complete file of this SHA-256, in one durable step, and releases it. */
  commit(sha256: string): Promise<void>;
  /** Lets other processes have the file. Without `commit` its pieces stay for the next attempt. */
  release(): Promise<void>;
  /** Deletes the pieces, and releases the file. */
  discard(): Promise<void>;
}

/** Computes the SHA-256 of a stream. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Ends the stream. Returns its SHA-256 in hexadecimal digits. */
  hex(): string;
}

/** A file of a pulled model. */
export interface CachedFile {
  /** Its name in the repository or URL, without folders. */
  readonly name: string;
  /** Length in bytes. */
  readonly bytes: number;
  /** SHA-256 of the whole file, in hexadecimal digits. */
  readonly sha256: string;
  /** The version that the server named, if it did: an ETag or a date. Another one at the same URL is a new file. */
  readonly tag?: string;
}

/** A complete model in the cache. */
export interface ModelRecord {
  /** The reference in its one spelling, such as `smollm2:135m` or `hf:owner/repo:Q4_K_M`. */
  readonly id: string;
  /** The repository or URL that it came from. */
  readonly source: string;
  /** The commit, or the version of the package. */
  readonly revision?: string;
  /** The licence as the registry or the hub names it. */
  readonly licence?: string;
  /** When it was pulled, as ISO 8601 writes it. */
  readonly pulled: string;
  /** One GGUF, its shards in order, or the files of a folder. */
  readonly files: readonly CachedFile[];
}

/** The interface to a host's cache. Every method rejects with NibbleError `io_error` where the host fails. */
export interface ModelCache {
  /** Opens a complete file. Returns undefined if there is none of this length. */
  open(sha256: string, bytes: number): Promise<ByteSource | undefined>;
  /** Whether there is a complete file of this length. */
  has(sha256: string, bytes: number): Promise<boolean>;
  /** The path of a file, on a host where users can see it. */
  locate(sha256: string): string | undefined;
  deleteFile(sha256: string): Promise<void>;
  /**
   * Opens a file that is to be fetched. Waits while another process has it.
   * @param key hexadecimal digits that stand for one content, so that the pieces of two attempts fit together
   */
  partial(key: string, bytes: number, signal?: AbortSignal): Promise<PartialFile>;
  /** Deletes the pieces that ended pulls left. Returns how many bytes they had. */
  prune(): Promise<number>;
  record(id: string): Promise<ModelRecord | undefined>;
  /** All records, ordered by id. */
  records(): Promise<ModelRecord[]>;
  /** Writes a record in one step. Afterwards the model is there. */
  putRecord(record: ModelRecord): Promise<void>;
  deleteRecord(id: string): Promise<void>;
  /** The host's own streaming SHA-256, where that is faster than ours. */
  hasher?(): Hasher;
}

/** A name for the record of a model that every store allows: 32 hexadecimal digits. */
export async function recordKey(id: string): Promise<string> {
  return hexOf(await digest(new TextEncoder().encode(id))).slice(0, 32);
}

/** The records among these texts, ordered by id. */
export function parseRecords(texts: readonly string[]): ModelRecord[] {
  const records = texts.map(parseRecord).filter((record) => record !== undefined);
  return records.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** A record from its JSON, or undefined if the text is not one. */
export function parseRecord(json: string): ModelRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is ModelRecord {
  if (typeof value !== "object" || value === null) return false;
  const { id, source, revision, licence, pulled, files } = value as Record<string, unknown>;
  const texts = [id, source, pulled].every((text) => typeof text === "string");
  const optional = [revision, licence].every((text) => text === undefined || typeof text === "string");
  return texts && optional && Array.isArray(files) && files.length > 0 && files.every(isFile);
}

function isFile(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { name, bytes, sha256 } = value as Record<string, unknown>;
  return (
    typeof name === "string" &&
    Number.isSafeInteger(bytes) &&
    (bytes as number) > 0 &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256)
  );
}
