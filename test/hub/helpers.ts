import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { parseRecord } from "../../src/hub/cache.ts";

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new directory, which is deleted when the tests of the file have ended. */
export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "nibble-hub-"));
  folders.push(folder);
  return folder;
}

/** Expects a sound cache: every file has the hash in its name, and every record names files that are there. */
export function expectSound(cache: string): void {
  const list = (name: string): string[] => (existsSync(join(cache, name)) ? readdirSync(join(cache, name)) : []);
  for (const name of list("files")) expect(sha256(readFileSync(join(cache, "files", name)))).toBe(name);
  for (const name of list("models").filter((one) => one.endsWith(".json"))) {
    const record = parseRecord(readFileSync(join(cache, "models", name), "utf8"));
    expect(record).toBeDefined();
    for (const file of record!.files) expect(readFileSync(join(cache, "files", file.sha256)).length).toBe(file.bytes);
  }
}
