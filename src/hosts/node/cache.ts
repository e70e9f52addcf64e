/**
 * The cache of models as a directory:
 *
 *     files/<SHA-256>                      complete files
 *     models/<key>.json                    records, one per model
 *     partial/<key>.data, .pieces, .lock   files that are being fetched
 * @module
 */
import {
  type ModelCache,
  type ModelRecord,
  type PartialFile,
  parseRecord,
  parseRecords,
  recordKey,
} from "../../hub/cache.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { fileSource } from "./files.ts";
import { ifThere, io, syncFolder } from "./io.ts";
import { lock } from "./lock.ts";
import { openPartial } from "./partial-file.ts";

/** Node's modules, which are imported when the cache is opened and not before. */
interface Modules {
  readonly fs: typeof import("node:fs/promises");
  readonly join: (...parts: string[]) => string;
  readonly createHash: typeof import("node:crypto").createHash;
  readonly randomUUID: () => string;
}

export async function directoryCache(root: string): Promise<ModelCache> {
  const fs = await import("node:fs/promises");
  const { join } = await import("node:path");
  const { createHash, randomUUID } = await import("node:crypto");
  return new DirectoryCache(root, { fs, join, createHash, randomUUID });
}

class DirectoryCache implements ModelCache {
  readonly #root: string;
  readonly #node: Modules;
  readonly #folders: { readonly files: string; readonly models: string; readonly partial: string };

  constructor(root: string, node: Modules) {
    this.#root = root;
    this.#node = node;
    const { join } = node;
    this.#folders = { files: join(root, "files"), models: join(root, "models"), partial: join(root, "partial") };
  }

  async has(sha256: string, bytes: number): Promise<boolean> {
    return (await this.#sizeOf(this.locate(sha256))) === bytes;
  }

  async open(sha256: string, bytes: number): Promise<ByteSource | undefined> {
    return (await this.has(sha256, bytes)) ? fileSource(this.locate(sha256)) : undefined;
  }

  locate(sha256: string): string {
    return this.#node.join(this.#folders.files, sha256);
  }

  deleteFile(sha256: string): Promise<void> {
    return this.#delete(this.locate(sha256));
  }

  async partial(key: string, bytes: number, signal?: AbortSignal): Promise<PartialFile> {
    await this.#makeFolders();
    const path = this.#node.join(this.#folders.partial, key);
    const owned = await lock(`${path}.lock`, signal);
    try {
      return await openPartial({ path, bytes, owned, fileOf: (sha256) => this.locate(sha256) });
    } catch (error) {
      await owned.release();
      throw error;
    }
  }

  async prune(): Promise<number> {
    const { join } = this.#node;
    const { partial } = this.#folders;
    let freed = 0;
    for (const name of await this.#names(partial)) {
      if (name.endsWith(".lock")) continue;
      const path = join(partial, `${name.replace(/\.\w+$/, "")}.lock`);
      const owned = await lock(path, undefined, 0).catch(() => undefined);
      if (!owned) continue;
      freed += (await this.#sizeOf(join(partial, name))) ?? 0;
      await this.#node.fs.rm(join(partial, name), { force: true });
      await owned.release();
    }
    return freed;
  }

  async record(id: string): Promise<ModelRecord | undefined> {
    const record = parseRecord(await this.#read(await this.#recordPath(id)));
    return record?.id === id ? record : undefined;
  }

  async records(): Promise<ModelRecord[]> {
    const { models } = this.#folders;
    const names = (await this.#names(models)).filter((name) => name.endsWith(".json"));
    return parseRecords(await Promise.all(names.map((name) => this.#read(this.#node.join(models, name)))));
  }

  async putRecord(record: ModelRecord): Promise<void> {
    const { fs, randomUUID } = this.#node;
    await this.#makeFolders();
    const path = await this.#recordPath(record.id);
    const temporary = `${path}.${randomUUID()}.tmp`;
    await io(path, async () => {
      try {
        await fs.writeFile(temporary, `${JSON.stringify(record, null, 2)}\n`, { flush: true });
        await fs.rename(temporary, path);
      } finally {
        await fs.rm(temporary, { force: true });
      }
      await syncFolder(this.#folders.models);
    });
  }

  async deleteRecord(id: string): Promise<void> {
    await this.#delete(await this.#recordPath(id));
  }

  hasher(): ReturnType<NonNullable<ModelCache["hasher"]>> {
    const hash = this.#node.createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
  }

  async #recordPath(id: string): Promise<string> {
    return this.#node.join(this.#folders.models, `${await recordKey(id)}.json`);
  }

  async #makeFolders(): Promise<void> {
    for (const folder of Object.values(this.#folders))
      await io(this.#root, () => this.#node.fs.mkdir(folder, { recursive: true }));
  }

  #delete(path: string): Promise<void> {
    return io(path, () => this.#node.fs.rm(path, { force: true }));
  }

  /** The text of a file, which is empty if there is none. */
  async #read(path: string): Promise<string> {
    return (await ifThere(path, () => this.#node.fs.readFile(path, "utf8"))) ?? "";
  }

  async #names(folder: string): Promise<string[]> {
    return (await ifThere(folder, () => this.#node.fs.readdir(folder))) ?? [];
  }

  async #sizeOf(path: string): Promise<number | undefined> {
    const stats = await ifThere(path, () => this.#node.fs.stat(path));
    return stats?.isFile() ? stats.size : undefined;
  }
}
