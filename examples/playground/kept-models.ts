/**
 * Models that the browser keeps between visits: those fetched by name in nibble's own storage, and opened files in a folder
 * of the origin's private file system.
 * @module
 */
import { type ModelRecord, models } from "nibble-llm/browser";

export interface KeptModel {
  readonly name: string;
  readonly bytes: number;
  /** The source for `load`. */
  readonly source: string | File;
  remove(): Promise<unknown>;
}

const FOLDER = "playground-models";

export const canKeepFiles: boolean = typeof navigator.storage?.getDirectory === "function";

/** The fetched models, and then the files by name. */
export async function keptModels(): Promise<KeptModel[]> {
  return [...(await models.list()).map(pulledModel), ...(await keptFiles())];
}

export function pulledModel({ id, files }: ModelRecord): KeptModel {
  return {
    name: id.slice(id.lastIndexOf("/") + 1),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    source: id,
    remove: () => models.remove(id),
  };
}

/** Keeps a file; it replaces one of its name when it is complete. @throws DOMException "QuotaExceededError" */
export async function keepFile(file: File): Promise<void> {
  const handle = await (await folder()).getFileHandle(file.name, { create: true });
  await file.stream().pipeTo(await handle.createWritable());
}

async function folder(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

async function keptFiles(): Promise<KeptModel[]> {
  if (!canKeepFiles) return [];
  const kept: KeptModel[] = [];
  const place = await folder();
  for await (const handle of place.values()) {
    if (handle.kind !== "file") continue;
    const file = await (handle as FileSystemFileHandle).getFile();
    kept.push({ name: file.name, bytes: file.size, source: file, remove: () => place.removeEntry(handle.name) });
  }
  return kept.sort((a, b) => (a.name < b.name ? -1 : 1));
}
