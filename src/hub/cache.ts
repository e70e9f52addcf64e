/**
 * Where pulled models lie, whatever the host: a directory, OPFS, the Cache API. Files are named by their SHA-256; a model
 * is a record that names files, written last: what has no record is not there.
 * @module
 */
import type { ByteSource } from "../io/byte-source.ts";

/**
 * Bytes of a piece: what is written at once, and what an ended process loses of each connection. A store that cannot
 * write at an offset (the Cache API) keeps each piece as an entry of its own.
 */
export const PIECE_BYTES: number = 2 ** 20;

/** A file under way. One process owns it; what it leaves behind belongs to whoever opens it next. */
export interface PartialFile {
  /** SHA-256 of the pieces that were written, by their number. What was written may still be damaged: check it. */
  readonly digests: ReadonlyMap<number, Uint8Array>;
  read(piece: number): Promise<Uint8Array>;
  write(piece: number, bytes: Uint8Array, digest: Uint8Array): Promise<void>;
  /** Makes it the file of this SHA-256, at once and durably. A file that another process made first stays. */
  commit(sha256: string): Promise<void>;
  /** Ends, without commit too: what there is stays for the next attempt. */
  release(): Promise<void>;
  /** Forgets what there is, and ends. */
  discard(): Promise<void>;
}

/** Hex of a stream's SHA-256. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  hex(): string;
}

/** A file of a pulled model. */
export interface CachedFile {
  /** Its name in the repository or URL, without folders. */
  readonly name: string;
  /** Length in bytes. */
  readonly bytes: number;
  /** Hex, of the whole file. */
  readonly sha256: string;
  /** Of the server, where it gave one: says whether an URL has something new. */
  readonly tag?: string;
}

/** A complete model. */
export interface ModelRecord {
  /** The reference in its one spelling. */
  readonly id: string;
  /** The repository or URL it came from. */
  readonly source: string;
  /** The commit. */
  readonly revision?: string;
  /** As the registry or the hub names it. */
  readonly licence?: string;
  /** When, ISO 8601. */
  readonly pulled: string;
  /** A GGUF, its shards in order, or the files of a folder. */
  readonly files: readonly CachedFile[];
}

export interface ModelCache {
  /** A complete file. Undefined: there is none of this length. */
  open(sha256: string, bytes: number): Promise<ByteSource | undefined>;
  has(sha256: string, bytes: number): Promise<boolean>;
  /** Where a person finds a file, if anywhere. */
  locate(sha256: string): string | undefined;
  deleteFile(sha256: string): Promise<void>;
  /**
   * `key`: hex that stands for one content, so that pieces of two attempts fit together. Waits while another process has
   * it.
   */
  partial(key: string, bytes: number, signal?: AbortSignal): Promise<PartialFile>;
  /** Deletes what ended pulls left; gives the number of bytes. */
  prune(): Promise<number>;
  record(id: string): Promise<ModelRecord | undefined>;
  records(): Promise<ModelRecord[]>;
  /** Atomic: afterwards the model is there. */
  putRecord(record: ModelRecord): Promise<void>;
  deleteRecord(id: string): Promise<void>;
  /** The host's own streaming SHA-256, where it is faster. */
  hasher?(): Hasher;
}

/** A record from JSON; undefined if it is none. */
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
