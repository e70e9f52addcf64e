/**
 * A file that the system cannot read just now is not a missing one: taking it for none has lost results in silence. A link
 * to itself is such a file for every user, also for the super-user, whom no permission stops.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { fixedExamples } from "../../src/cli/eval/fewshot.ts";
import { findLocal } from "../../src/cli/eval/local-data.ts";
import { SampleFile } from "../../src/cli/eval/output.ts";
import { openFolders } from "../../src/cli/eval/run-folder.ts";
import { readText } from "../../src/cli/input.ts";
import { isModel } from "../../src/cli/model.ts";
import { TASKS } from "../../src/eval/registry.ts";
import { browserStore } from "../../src/hosts/browser/store.ts";
import { fileSource } from "../../src/hosts/node/files.ts";
import { nodeHost } from "../../src/hosts/node/host.ts";
import { syncFolder } from "../../src/hosts/node/io.ts";
import { lock } from "../../src/hosts/node/lock.ts";
import { openPartial } from "../../src/hosts/node/partial-file.ts";
import { Running } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-unreadable-"));
afterAll(() => rmSync(folder, { recursive: true }));

const loop = (name: string): string => {
  const path = join(folder, name);
  symlinkSync(path, path);
  return path;
};
const LOOP = loop("loop");
const failure = { code: "io_error", message: expect.stringContaining("ELOOP") };

it("texts and models", async () => {
  await expect(readText(LOOP)).rejects.toMatchObject(failure);
  await expect(fileSource(LOOP)).rejects.toMatchObject(failure);
  await expect(nodeHost.open(LOOP)).rejects.toMatchObject(failure);
  // A path by its look alone begins with a slash or a dot; any other text may be a prompt for crumb.
  expect(isModel(join("test", relative("test", LOOP)))).toBe(true);
  expect(isModel(`src/../${relative(".", LOOP)}`)).toBe(true);
  expect(isModel("Why? ".repeat(2000))).toBe(false);
});

it("samples and settings of an evaluation, data and examples", async () => {
  await expect(SampleFile.open(undefined, [LOOP], ["none"])).rejects.toMatchObject(failure);
  mkdirSync(join(folder, "run"));
  symlinkSync("run.json", join(folder, "run/run.json"));
  await expect(openFolders({ out: undefined, merge: [join(folder, "run")] }, {})).rejects.toMatchObject(failure);
  await expect(openFolders({ out: join(folder, "run"), merge: [] }, {})).rejects.toMatchObject(failure);
  await expect(fixedExamples([TASKS.get("gsm8k")!], LOOP)).rejects.toMatchObject(failure);
  const refs = join(folder, "data/datasets--openai--gsm8k/refs");
  mkdirSync(refs, { recursive: true });
  symlinkSync("main", join(refs, "main"));
  const wanted = { task: TASKS.get("gsm8k")!, split: "test", isPool: false };
  expect(() => findLocal(wanted, join(folder, "data"))).toThrow(expect.objectContaining(failure));
});

it("samples that cannot be read are told with their path", async () => {
  const path = join(folder, "samples.jsonl");
  mkdirSync(path);
  await expect(SampleFile.open(path, [], ["none"])).rejects.toMatchObject({
    code: "io_error",
    message: expect.stringContaining(path),
  });
});

it("a lock that cannot be removed ends the wait", async () => {
  const path = join(folder, `${"x".repeat(230)}.lock`); // the name that it is moved to is longer than the system allows
  const { child, exit } = new Running(process.execPath, ["-e", ""]);
  await exit;
  const { hostname } = await import("node:os");
  writeFileSync(path, JSON.stringify({ pid: child.pid, host: hostname(), id: "gone" }));
  const failed = { code: "io_error", message: expect.stringContaining("ENAMETOOLONG") };
  await expect(lock(path, undefined, 1000)).rejects.toMatchObject(failed);
});

it("a folder's fsync: a disk that fails is told, a file system without this step is not", async () => {
  const handle = await open(folder);
  const sync = vi.spyOn(Object.getPrototypeOf(handle), "sync");
  await handle.close();
  const fails = (code: string) => sync.mockRejectedValueOnce(Object.assign(new Error(code), { code }));
  fails("EIO");
  await expect(syncFolder(folder)).rejects.toThrow("EIO");
  fails("EINVAL");
  await syncFolder(folder);
  sync.mockRestore();
});

it("pieces of a pull", async () => {
  const options = { path: join(folder, "partial"), bytes: 10, owned: { release: async () => {} } };
  symlinkSync("partial.pieces", `${options.path}.pieces`);
  const opened = openPartial({ ...options, fileOf: (name) => join(folder, name) });
  await expect(opened).rejects.toMatchObject({ code: "io_error", message: expect.stringContaining(".pieces") });
});

it("a browser's storage: what fails is an error of the library's", async () => {
  const broken = () => Promise.reject(new DOMException("the disk went away", "UnknownError"));
  const cache = { match: broken, put: broken, delete: broken, keys: broken };
  vi.stubGlobal("caches", { open: async () => cache });
  const store = await browserStore();
  vi.unstubAllGlobals();
  const told = { name: "NibbleError", code: "io_error", message: expect.stringContaining("the disk went away") };
  await expect(store.get("a")).rejects.toMatchObject(told);
  await expect(store.names()).rejects.toMatchObject(told);
  await expect(store.delete("a")).rejects.toMatchObject(told);
});
