import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { folderBlobs } from "../../src/cli/remote/folder-blobs.ts";
import { folderStore } from "../../src/cli/serve/slot-folder.ts";
import { directoryFiles } from "../../src/hosts/node/files.ts";
import { ifThere } from "../../src/hosts/node/io.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-if-there-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "file"), "text");

/** The system refuses a name of this length, also for the super-user, whom no permission stops. */
const UNREADABLE = "x".repeat(300);

test("a missing file is undefined; one that cannot be reached is an error with its path", async () => {
  const read = (name: string): Promise<string | undefined> => {
    const path = join(folder, name);
    return ifThere(path, () => readFile(path, "utf8"));
  };
  expect(await read("file")).toBe("text");
  expect(await read("none")).toBeUndefined();
  expect(await read("file/below")).toBeUndefined();
  await expect(read(UNREADABLE)).rejects.toMatchObject({ code: "io_error", message: expect.stringContaining(folder) });
});

test("batches, saved slots and model folders do not take an unreachable file for a missing one", async () => {
  const blobs = folderBlobs(folder);
  const failure = { code: "io_error" };
  await expect(blobs.size(UNREADABLE)).rejects.toMatchObject(failure);
  await expect(blobs.read(UNREADABLE)[Symbol.asyncIterator]().next()).rejects.toMatchObject(failure);
  await expect(folderStore(folder).read(UNREADABLE)).rejects.toMatchObject(failure);
  await expect(directoryFiles(folder).has(UNREADABLE)).rejects.toMatchObject(failure);
  expect(await blobs.size("none")).toBeUndefined();
  expect(await directoryFiles(folder).has("none")).toBe(false);
});

test("a folder of batches loses the unfinished files of killed processes, which count against its limit", async () => {
  const [old, fresh] = ["a", "b"].map((name) => join(folder, `${name}.${randomUUID()}.tmp`)) as [string, string];
  for (const path of [old, fresh]) writeFileSync(path, "unfinished");
  utimesSync(old, new Date(0), new Date(0));
  folderBlobs(folder);
  await vi.waitFor(() => expect([old, fresh].map((path) => existsSync(path))).toEqual([false, true]));
});
