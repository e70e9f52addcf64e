/**
 * A browser's storage: the private files of the origin (OPFS) if every thread can write them, else the Cache API, else
 * memory. A page without a secure context has only memory.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { BlobStore, Locks } from "../../hub/piece-cache.ts";

const NAME = "nibble";

/** The first kind of storage that this browser has. */
export async function browserStore(): Promise<BlobStore> {
  return (await opfsStore()) ?? (await cacheStore()) ?? memoryStore();
}

/** Safari before version 26 can write such files from workers only, so it gets the Cache API. */
async function opfsStore(): Promise<BlobStore | undefined> {
  const able = typeof FileSystemFileHandle === "function" && "createWritable" in FileSystemFileHandle.prototype;
  const root = able ? await navigator.storage?.getDirectory?.().catch(() => undefined) : undefined;
  if (!root) return undefined;
  const folder = await root.getDirectoryHandle(NAME, { create: true });
  return {
    get: (name) => stored("read", async () => (await folder.getFileHandle(name).catch(ifNotFound))?.getFile()),
    put: (name, bytes) =>
      stored("write to", async () => {
        const handle = await folder.getFileHandle(name, { create: true });
        const file = await handle.createWritable(); // replaces the old file when it is closed
        await file.write(bytes);
        await file.close();
      }),
    delete: (name) => stored("write to", () => folder.removeEntry(name).catch(ifNotFound)),
    names: () =>
      stored("read", async () => {
        const names: string[] = [];
        for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
        return names;
      }),
  };
}

/** @throws every other error: a file that the browser cannot read just now is not a missing one */
function ifNotFound(error: DOMException): undefined {
  if (error.name !== "NotFoundError") throw error;
}

async function cacheStore(): Promise<BlobStore | undefined> {
  if (typeof caches === "undefined") return undefined;
  const cache = await caches.open(NAME).catch(() => undefined);
  if (!cache) return undefined;
  const urlOf = (name: string): string => `https://${NAME}.invalid/${name}`;
  return {
    get: (name) => stored("read", async () => (await cache.match(urlOf(name)))?.blob()),
    put: (name, bytes) => stored("write to", () => cache.put(urlOf(name), new Response(bytes))),
    delete: (name) => stored("write to", async () => void (await cache.delete(urlOf(name)))),
    names: () => stored("read", async () => (await cache.keys()).map(({ url }) => url.slice(urlOf("").length))),
  };
}

/** A store that ends with the page. */
export function memoryStore(): BlobStore {
  const blobs = new Map<string, Blob>();
  return {
    get: async (name) => blobs.get(name),
    put: async (name, bytes) => void blobs.set(name, new Blob([bytes])),
    delete: async (name) => void blobs.delete(name),
    names: async () => [...blobs.keys()],
  };
}

/** Runs a call of the storage. @throws NibbleError `io_error` if it fails, with the reason */
async function stored<T>(verb: "read" | "write to", call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    const { name, message } = cause as Error;
    const reason = name === "QuotaExceededError" ? "its quota is full" : message;
    throw new NibbleError("io_error", `could not ${verb} the browser's storage: ${reason}`, { cause });
  }
}

/** Web Locks, which all pages and workers of an origin share. Without them, locks hold within this page or worker only. */
export function browserLocks(): Locks {
  const { locks } = navigator;
  if (!locks) return realmLocks();
  const request = (name: string, options: LockOptions): Promise<(() => void) | undefined> =>
    new Promise((resolve, reject) => {
      locks
        .request(`${NAME} ${name}`, options, (lock) =>
          lock ? new Promise<void>((release) => resolve(release)) : resolve(undefined),
        )
        .catch(reject);
    });
  return {
    acquire: async (name, signal) => (await request(name, signal ? { signal } : {}))!,
    tryAcquire: (name) => request(name, { ifAvailable: true }),
  };
}

/** Locks within this page or worker. */
export function realmLocks(): Locks {
  const held = new Map<string, Promise<void>>();
  const take = (name: string): (() => void) => {
    let release = (): void => {};
    held.set(name, new Promise((resolve) => (release = resolve)));
    return () => {
      held.delete(name);
      release();
    };
  };
  return {
    async acquire(name, signal) {
      for (let other = held.get(name); other; other = held.get(name)) {
        await other;
        signal?.throwIfAborted();
      }
      return take(name);
    },
    tryAcquire: async (name) => (held.has(name) ? undefined : take(name)),
  };
}
