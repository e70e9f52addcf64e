/**
 * The files of a server's users: facts and bytes in a store. A user sees only files of the same API key.
 * @module
 */
import { NibbleError } from "../../../base/errors.ts";
import { type BlobStore, readBlob, writeBlob } from "../../../batch/store.ts";
import { randomId } from "../../blocks.ts";

/** A file in OpenAI's shape. Times are seconds since 1970. */
export interface FileObject {
  readonly id: string;
  readonly object: "file";
  readonly bytes: number;
  readonly created_at: number;
  readonly expires_at?: number;
  readonly filename: string;
  readonly purpose: string;
  readonly status: "processed";
}

/** Whose a file or batch is: the digest of an API key, or undefined where all callers have the same key or none. */
export type Owner = string | undefined;

interface Stored {
  readonly owner: Owner;
  /** Milliseconds since 1970, for the order of lists. */
  readonly created: number;
  readonly file: FileObject;
}

export interface NewFile {
  /** Default: a random one. */
  readonly id?: string;
  readonly owner: Owner;
  readonly filename: string;
  readonly purpose: string;
  /** Seconds after which the file is deleted. Default: never. */
  readonly expiresAfter?: number | undefined;
}

/** The ids of files, of which names in the store are made. */
const ID = /^file-[0-9a-f]{24}[oe]?$/;

export class FileLibrary {
  readonly #store: BlobStore;
  /** Ends when nothing of an earlier process is in the way of new files. */
  #tidied: Promise<void> = Promise.resolve();

  constructor(store: BlobStore) {
    this.#store = store;
  }

  /**
   * Removes bytes without facts: a process that was killed between the two, or while it deleted a file, leaves them, and they
   * would count against the room for files. New files wait for it. @throws what the store throws
   */
  removeOrphans(): Promise<void> {
    const remove = async (): Promise<void> => {
      const names = new Set(await this.#store.names("file-"));
      for (const name of names) {
        const id = name.replace(/\.data$/, "");
        if (ID.test(id) && !names.has(`${id}.file.json`)) await this.#store.delete(name);
      }
    };
    const removal = remove();
    this.#tidied = removal.catch(() => {});
    return removal;
  }

  /** @throws NibbleError `too_large` where the store is full; what `chunks` throws */
  async create(
    { id = randomId("file").replace("_", "-"), owner, filename, purpose, expiresAfter }: NewFile,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<FileObject> {
    await this.#tidied;
    await this.#store.write(`${id}.data`, chunks);
    const created = Date.now();
    const seconds = Math.floor(created / 1000);
    const file: FileObject = {
      id,
      object: "file",
      bytes: (await this.#store.size(`${id}.data`)) ?? 0,
      created_at: seconds,
      ...(expiresAfter !== undefined && { expires_at: seconds + expiresAfter }),
      filename,
      purpose,
      status: "processed",
    };
    const stored: Stored = { owner, created, file };
    await writeBlob(this.#store, `${id}.file.json`, JSON.stringify(stored));
    return file;
  }

  /** @throws NibbleError `not_found` for files of other users too */
  async get(id: string, owner: Owner): Promise<FileObject> {
    const stored = ID.test(id) ? await this.#stored(`${id}.file.json`) : undefined;
    if (stored && stored.owner === owner) return stored.file;
    throw new NibbleError("not_found", `there is no file ${JSON.stringify(id.slice(0, 100))} here`);
  }

  /** The files of one user, oldest first. */
  async list(owner: Owner): Promise<FileObject[]> {
    const names = (await this.#store.names("file-")).filter((name) => name.endsWith(".file.json"));
    const all = await Promise.all(names.map((name) => this.#stored(name)));
    const own = all.filter((one) => one !== undefined && one.owner === owner) as Stored[];
    return own.sort((a, b) => a.created - b.created || (a.file.id < b.file.id ? -1 : 1)).map(({ file }) => file);
  }

  /** The bytes of a file whose id `get` has confirmed. */
  read(id: string): AsyncIterable<Uint8Array> {
    return this.#store.read(`${id}.data`);
  }

  async delete(id: string): Promise<void> {
    await this.#store.delete(`${id}.file.json`);
    await this.#store.delete(`${id}.data`);
  }

  /** Undefined for a file that is not there, or whose time is over. */
  async #stored(name: string): Promise<Stored | undefined> {
    const text = await readBlob(this.#store, name);
    if (text === undefined) return undefined;
    const stored = JSON.parse(text) as Stored;
    const { id, expires_at: end = Infinity } = stored.file;
    if (Date.now() / 1000 < end) return stored;
    await this.delete(id);
    return undefined;
  }
}
