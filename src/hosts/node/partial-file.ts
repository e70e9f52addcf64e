/**
 * A file that is being fetched, in the directory of the cache.
 *
 * `.data` holds the pieces in their places. `.pieces` lists them: the number of a piece and its SHA-256, appended after the
 * piece was written. Neither is synced before the end, so a machine that loses power may have listed pieces that never
 * reached the disk. Their hashes tell, and they are fetched again.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { type PartialFile, PIECE_BYTES } from "../../hub/cache.ts";
import { ifThere, io, syncFolder, writeAll } from "./io.ts";
import type { Lock } from "./lock.ts";

type FileHandle = import("node:fs/promises").FileHandle;

/** Bytes of an entry of `.pieces`: a u32, little-endian, and the SHA-256. */
const ENTRY_BYTES = 36;

export interface PartialOptions {
  /** The path without the extension. */
  readonly path: string;
  /** Length of the complete file. */
  readonly bytes: number;
  /** The lock of the path, which the file releases. */
  readonly owned: Lock;
  /** The path of a complete file. */
  readonly fileOf: (sha256: string) => string;
}

/** @throws NibbleError `io_error` */
export async function openPartial(options: PartialOptions): Promise<PartialFile> {
  const fs = await import("node:fs/promises");
  const [dataPath, piecesPath] = [`${options.path}.data`, `${options.path}.pieces`];
  const list = (await ifThere(piecesPath, () => fs.readFile(piecesPath))) ?? new Uint8Array(0);
  const { O_CREAT, O_RDWR } = fs.constants;
  const data = await io(dataPath, () => fs.open(dataPath, O_RDWR | O_CREAT));
  const pieces = await io(piecesPath, () => fs.open(piecesPath, O_RDWR | O_CREAT)).catch(async (error: unknown) => {
    await data.close();
    throw error;
  });
  return new DirectoryPartial(options, { data, pieces }, list);
}

class DirectoryPartial implements PartialFile {
  readonly digests = new Map<number, Uint8Array>();
  readonly #options: PartialOptions;
  readonly #handles: { readonly data: FileHandle; readonly pieces: FileHandle };
  readonly #dataPath: string;
  readonly #piecesPath: string;
  /** Where the next entry of `.pieces` goes. An entry that was cut off is overwritten. */
  #listEnd: number;
  #open = true;

  constructor(options: PartialOptions, handles: { data: FileHandle; pieces: FileHandle }, list: Uint8Array) {
    this.#options = options;
    this.#handles = handles;
    this.#dataPath = `${options.path}.data`;
    this.#piecesPath = `${options.path}.pieces`;
    this.#listEnd = list.length - (list.length % ENTRY_BYTES);
    const view = new DataView(list.buffer, list.byteOffset, this.#listEnd);
    for (let at = 0; at < this.#listEnd; at += ENTRY_BYTES)
      this.digests.set(view.getUint32(at, true), list.slice(at + 4, at + ENTRY_BYTES));
  }

  async read(piece: number): Promise<Uint8Array> {
    const start = piece * PIECE_BYTES;
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, this.#options.bytes - start));
    for (let done = 0; done < buffer.length; ) {
      const { bytesRead } = await io(this.#dataPath, () =>
        this.#handles.data.read(buffer, done, buffer.length - done, start + done),
      );
      if (bytesRead === 0) throw new NibbleError("truncated", `${this.#dataPath}: the file ends inside piece ${piece}`);
      done += bytesRead;
    }
    return buffer;
  }

  async write(piece: number, bytes: Uint8Array, digest: Uint8Array): Promise<void> {
    const entry = new Uint8Array(ENTRY_BYTES);
    new DataView(entry.buffer).setUint32(0, piece, true);
    entry.set(digest, 4);
    // Connections write at the same time, so each takes its place in the list before it waits.
    const at = this.#listEnd;
    this.#listEnd += ENTRY_BYTES;
    await io(this.#dataPath, async () => {
      await writeAll(this.#handles.data, bytes, piece * PIECE_BYTES);
      await writeAll(this.#handles.pieces, entry, at);
    });
  }

  async commit(sha256: string): Promise<void> {
    const fs = await import("node:fs/promises");
    const { dirname } = await import("node:path");
    const target = this.#options.fileOf(sha256);
    await io(this.#dataPath, async () => {
      // An earlier attempt may have written a longer file.
      await this.#handles.data.truncate(this.#options.bytes);
      await this.#handles.data.sync();
      await fs.rename(this.#dataPath, target);
      await syncFolder(dirname(target));
      await fs.rm(this.#piecesPath, { force: true });
    });
    await this.release();
  }

  async release(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handles.data.close();
    await this.#handles.pieces.close();
    await this.#options.owned.release();
  }

  async discard(): Promise<void> {
    const fs = await import("node:fs/promises");
    await fs.rm(this.#dataPath, { force: true });
    await fs.rm(this.#piecesPath, { force: true });
    await this.release();
  }
}
