/**
 * Files that the browser keeps between visits, in its origin private file system.
 * @module
 */
const FOLDER = "playground-models";

export const canKeep: boolean = typeof navigator.storage?.getDirectory === "function";

async function folder(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

/** Names, sorted. */
export async function keptNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const name of (await folder()).keys()) names.push(name);
  return names.sort();
}

/** Appears under its name when it is complete. @throws DOMException "QuotaExceededError" */
export async function keep(file: File): Promise<void> {
  const handle = await (await folder()).getFileHandle(file.name, { create: true });
  const writable = await handle.createWritable();
  await file.stream().pipeTo(writable);
}

export async function openKept(name: string): Promise<File> {
  return (await (await folder()).getFileHandle(name)).getFile();
}

export async function removeKept(name: string): Promise<void> {
  await (await folder()).removeEntry(name);
}
