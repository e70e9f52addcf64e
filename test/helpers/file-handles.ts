/** Counts the file handles that stay open: one that garbage collection closes prints a warning, later an error. */
import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

/** Runs `action`. @returns paths of the files that it opened and left open, and how many it opened */
export async function handlesLeft(action: () => Promise<unknown>): Promise<{ opened: number; left: string[] }> {
  const open = fs.open;
  const left = new Map<FileHandle, string>();
  let opened = 0;
  fs.open = async (path, ...rest) => {
    const handle = await open(path, ...rest);
    opened++;
    left.set(handle, String(path));
    const close = handle.close.bind(handle);
    handle.close = async () => {
      left.delete(handle);
      await close();
    };
    return handle;
  };
  syncBuiltinESMExports();
  try {
    await action();
  } finally {
    fs.open = open;
    syncBuiltinESMExports();
  }
  return { opened, left: [...left.values()] };
}
