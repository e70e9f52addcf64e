/**
 * Pulled models in a directory:
 *
 *     files/<SHA-256>      complete files
 *     models/<hash>.json   records, one a model
 *     partial/<key>.data, .pieces, .lock   what is under way
 *
 * `.pieces` lists what is in `.data`: a piece's number and SHA-256, appended after the piece was written. Nothing is synced
 * before the end, so an ended machine may leave pieces that are not there: their hashes tell.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { type ModelCache, type PartialFile, PIECE_BYTES, parseRecord } from "../../hub/cache.ts";
import { digest, hexOf } from "../../hub/sha256.ts";
import { fileSource } from "./files.ts";
import { type Lock, lock } from "./lock.ts";

const ENTRY_BYTES = 36;

/** @throws NibbleError `io_error` where the directory cannot be made */
export async function directoryCache(root: string): Promise<ModelCache> {
  const fs = await import("node:fs/promises");
  const { join } = await import("node:path");
  const { createHash, randomUUID } = await import("node:crypto");
  const folders = { files: join(root, "files"), models: join(root, "models"), partial: join(root, "partial") };
  const fileOf = (sha256: string): string => join(folders.files, sha256);
  const recordOf = async (id: string): Promise<string> =>
    join(folders.models, `${hexOf(await digest(new TextEncoder().encode(id))).slice(0, 32)}.json`);
  const make = async (): Promise<void> => {
    for (const folder of Object.values(folders)) await io(root, () => fs.mkdir(folder, { recursive: true }));
  };
  const sizeOf = (path: string): Promise<number | undefined> =>
    fs.stat(path).then(
      (stats) => (stats.isFile() ? stats.size : undefined),
      () => undefined,
    );
  const has = async (sha256: string, bytes: number): Promise<boolean> => (await sizeOf(fileOf(sha256))) === bytes;
  const readRecord = async (path: string) => parseRecord(await fs.readFile(path, "utf8").catch(() => ""));
  const names = (folder: string): Promise<string[]> => fs.readdir(folder).catch(() => []);

  return {
    has,
    open: async (sha256, bytes) => ((await has(sha256, bytes)) ? fileSource(fileOf(sha256)) : undefined),
    locate: fileOf,
    deleteFile: (sha256) => io(root, () => fs.rm(fileOf(sha256), { force: true })),
    async partial(key, bytes, signal) {
      await make();
      const path = join(folders.partial, key);
      const owned = await lock(`${path}.lock`, signal);
      try {
        return await openPartial(path, bytes, owned, fileOf);
      } catch (error) {
        await owned.release();
        throw error;
      }
    },
    async prune() {
      let freed = 0;
      for (const name of await names(folders.partial)) {
        if (name.endsWith(".lock")) continue;
        const owned = await lock(join(folders.partial, `${name.replace(/\.\w+$/, "")}.lock`), undefined, 0).catch(
          () => undefined,
        );
        if (!owned) continue;
        freed += (await sizeOf(join(folders.partial, name))) ?? 0;
        await fs.rm(join(folders.partial, name), { force: true });
        await owned.release();
      }
      return freed;
    },
    async record(id) {
      const record = await readRecord(await recordOf(id));
      return record?.id === id ? record : undefined;
    },
    async records() {
      const paths = (await names(folders.models)).filter((name) => name.endsWith(".json"));
      const records = await Promise.all(paths.map((name) => readRecord(join(folders.models, name))));
      return records.filter((record) => record !== undefined).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    async putRecord(record) {
      await make();
      const path = await recordOf(record.id);
      const temporary = `${path}.${randomUUID()}.tmp`;
      await io(path, async () => {
        try {
          await fs.writeFile(temporary, `${JSON.stringify(record, null, 2)}\n`, { flush: true });
          await fs.rename(temporary, path);
        } finally {
          await fs.rm(temporary, { force: true });
        }
        await syncFolder(folders.models);
      });
    },
    async deleteRecord(id) {
      const path = await recordOf(id);
      await io(path, () => fs.rm(path, { force: true }));
    },
    hasher() {
      const hash = createHash("sha256");
      return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
    },
  };
}

async function openPartial(
  path: string,
  bytes: number,
  owned: Lock,
  fileOf: (sha256: string) => string,
): Promise<PartialFile> {
  const fs = await import("node:fs/promises");
  const { dirname } = await import("node:path");
  const [dataPath, piecesPath] = [`${path}.data`, `${path}.pieces`];
  const list = await fs.readFile(piecesPath).catch(() => new Uint8Array(0));
  // An entry that was cut off is dropped: what follows must begin where an entry does.
  const whole = list.length - (list.length % ENTRY_BYTES);
  const digests = new Map<number, Uint8Array>();
  const view = new DataView(list.buffer, list.byteOffset, whole);
  for (let at = 0; at < whole; at += ENTRY_BYTES)
    digests.set(view.getUint32(at, true), list.slice(at + 4, at + ENTRY_BYTES));
  const { O_CREAT, O_RDWR } = fs.constants;
  const data = await io(dataPath, () => fs.open(dataPath, O_RDWR | O_CREAT));
  const pieces = await io(piecesPath, () => fs.open(piecesPath, O_RDWR | O_CREAT)).catch(async (error: unknown) => {
    await data.close();
    throw error;
  });
  let end = whole;
  let open = true;
  const release = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await data.close();
    await pieces.close();
    await owned.release();
  };
  return {
    digests,
    release,
    async read(piece) {
      const buffer = new Uint8Array(Math.min(PIECE_BYTES, bytes - piece * PIECE_BYTES));
      let done = 0;
      while (done < buffer.length) {
        const { bytesRead } = await io(dataPath, () =>
          data.read(buffer, done, buffer.length - done, piece * PIECE_BYTES + done),
        );
        if (bytesRead === 0)
          throw new NibbleError("truncated", `${dataPath}: expected piece ${piece}, got its beginning`);
        done += bytesRead;
      }
      return buffer;
    },
    async write(piece, content, hash) {
      const entry = new Uint8Array(ENTRY_BYTES);
      new DataView(entry.buffer).setUint32(0, piece, true);
      entry.set(hash, 4);
      const at = end;
      end += ENTRY_BYTES;
      await io(dataPath, async () => {
        await writeAll(data, content, piece * PIECE_BYTES);
        await writeAll(pieces, entry, at);
      });
    },
    async commit(sha256) {
      await io(dataPath, async () => {
        await data.truncate(bytes); // a file that was longer once
        await data.sync();
        await fs.rename(dataPath, fileOf(sha256));
        await syncFolder(dirname(fileOf(sha256)));
        await fs.rm(piecesPath, { force: true });
      });
      await release();
    },
    async discard() {
      await fs.rm(dataPath, { force: true });
      await fs.rm(piecesPath, { force: true });
      await release();
    },
  };
}

async function writeAll(
  file: import("node:fs/promises").FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}

/** A rename is on the disk once its folder is. Windows cannot open one, and needs not. */
async function syncFolder(folder: string): Promise<void> {
  const { open } = await import("node:fs/promises");
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

async function io<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : message;
    throw new NibbleError("io_error", `could not use ${path}: ${reason}`, { cause });
  }
}
