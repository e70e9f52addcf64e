/**
 * Models by name, for a host: they come from the cache, and are pulled into it if they are not there.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ByteSource, FileSet } from "../io/byte-source.ts";
import type { OpenedModel } from "../io/opened-model.ts";
import type { ModelCache, ModelRecord } from "./cache.ts";
import { type PullOptions, pull } from "./pull.ts";
import type { Reference } from "./reference.ts";

export interface HubSettings extends PullOptions {
  /** Whether fetching is forbidden, so that models come from the cache only. */
  readonly offline?: boolean | undefined;
}

/** The record of a model, if all its files are in the cache. */
export async function findModel(reference: Reference, cache: ModelCache): Promise<ModelRecord | undefined> {
  const record = await cache.record(reference.id);
  if (!record) return undefined;
  for (const { sha256, bytes } of record.files) if (!(await cache.has(sha256, bytes))) return undefined;
  return record;
}

/**
 * The record of a model, which is pulled if it is not in the cache.
 * @throws NibbleError `missing_file` if it is not there and `offline` is set; as `pull`
 */
export async function ensureModel(
  reference: Reference,
  cache: ModelCache,
  settings: HubSettings,
): Promise<ModelRecord> {
  const record = await findModel(reference, cache);
  if (record) return record;
  if (settings.offline)
    throw new NibbleError("missing_file", `${reference.id} is not in the cache, and nothing is fetched while offline`);
  return pull(reference, cache, settings);
}

/** Opens the files of a model in the cache. @throws NibbleError `missing_file` if one has been deleted */
export async function openModel(record: ModelRecord, cache: ModelCache): Promise<OpenedModel> {
  const files = cachedFiles(record, cache);
  const [first] = record.files;
  if (!/\.gguf$/i.test(first!.name)) return { files };
  return { file: await files.open(first!.name), siblings: files, name: first!.name };
}

function cachedFiles(record: ModelRecord, cache: ModelCache): FileSet {
  const byName = new Map(record.files.map((file) => [file.name, file]));
  return {
    has: async (name) => byName.has(name),
    list: async () => [...byName.keys()],
    async open(name): Promise<ByteSource> {
      const file = byName.get(name);
      const source = file && (await cache.open(file.sha256, file.bytes));
      if (source) return source;
      throw new NibbleError("missing_file", `${name} of ${record.id} is not in the cache; pull the model again`);
    },
  };
}

/** Deletes a model, and those of its files that no other model has. Returns false if there was no such model. */
export async function removeModel(id: string, cache: ModelCache): Promise<boolean> {
  const record = await cache.record(id);
  if (!record) return false;
  await cache.deleteRecord(id);
  const others = await cache.records();
  const needed = new Set(others.flatMap(({ files }) => files.map(({ sha256 }) => sha256)));
  for (const { sha256 } of record.files) if (!needed.has(sha256)) await cache.deleteFile(sha256);
  return true;
}
