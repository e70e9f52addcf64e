/**
 * Text that comes in: files and stdin.
 * @module
 */
import { fstatSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { NibbleError } from "../errors.ts";

/** Whether a person can answer on stdin. */
export async function hasTerminal(): Promise<boolean> {
  const { isatty } = await import("node:tty");
  return isatty(0);
}

/**
 * Whether stdin is something that a shell connected: a pipe or a file. A Node parent's default stdin is a socket that
 * it may never close, so sockets are only read where nothing else gives the text.
 */
export function isShellInput(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isFile();
  } catch {
    return false; // closed
  }
}

export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * A file's text, exactly; `-` is stdin.
 * @throws NibbleError `missing_file`
 */
export async function readText(path: string): Promise<string> {
  if (path === "-") return readStdin();
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new NibbleError("missing_file", `expected a readable file, got ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
