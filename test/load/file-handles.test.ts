/** `load` closes every file that it opened, even if it fails. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fileSource } from "../../src/hosts/node/files.ts";
import { createLoad } from "../../src/load/create-load.ts";
import type { LoadOptions } from "../../src/load/options.ts";
import { handlesLeft } from "../helpers/file-handles.ts";
import { architectures, root, testHost } from "../helpers/models.ts";

const load = createLoad(testHost);
const crumb = join(root, "dist/crumb.gguf");
const temporary = mkdtempSync(join(tmpdir(), "nibble-handles-"));
afterAll(() => rmSync(temporary, { recursive: true }));

function file(name: string, bytes: Uint8Array): string {
  writeFileSync(join(temporary, name), bytes);
  return join(temporary, name);
}

/** A Hugging Face folder whose files `change` may spoil. */
function folder(name: string, change: (path: string) => void): string {
  const path = join(temporary, name);
  mkdirSync(path);
  for (const from of ["config.json", "model.safetensors"])
    copyFileSync(join(architectures, "mobilellm-r1", from), join(path, from));
  for (const from of ["tokenizer.json", "tokenizer_config.json"])
    copyFileSync(join(architectures, "tokenizer", from), join(path, from));
  change(path);
  return path;
}

const bytes = readFileSync(crumb);
const aborted = AbortSignal.abort();

/** Options that abort the load after so many progress reports. */
function abortedAfter(reports: number): LoadOptions {
  const controller = new AbortController();
  return { signal: controller.signal, onProgress: () => --reports === 0 && controller.abort() };
}

describe("every file is closed after", () => {
  it.each<[what: string, source: string, options: LoadOptions, opened: number, outcome: string]>([
    ["a load", crumb, {}, 1, "loaded"],
    ["a folder's load", folder("good", () => {}), {}, 4, "loaded"],
    ["an option that the model refuses", crumb, { contextLength: 2 ** 20 }, 1, "invalid_argument"],
    ["too little memory", crumb, { memoryLimit: 1000 }, 1, "out_of_memory"],
    ["an abort before the weights", crumb, { signal: aborted }, 1, "AbortError"],
    ["an abort among the weights", crumb, abortedAfter(3), 1, "AbortError"],
    ["a file that is no GGUF", file("text.gguf", Buffer.from("hello")), {}, 1, "bad_magic"],
    ["a file cut in its header", file("short.gguf", bytes.subarray(0, 1000)), {}, 1, "truncated"],
    ["a file cut in its weights", file("cut.gguf", bytes.subarray(0, 3_000_000)), {}, 1, "truncated"],
    ["a first shard alone", file("lone-00001-of-00002.gguf", bytes), {}, 1, "missing_file"],
    [
      "a folder with broken weights",
      folder("bad", (path) => writeFileSync(join(path, "model.safetensors"), "x")),
      {},
      4,
      "truncated",
    ],
    [
      "a folder without weights",
      folder("empty", (path) => rmSync(join(path, "model.safetensors"))),
      {},
      3,
      "missing_file",
    ],
    [
      "a folder with a folder for weights",
      folder("deep", (path) => {
        rmSync(join(path, "model.safetensors"));
        mkdirSync(join(path, "model.safetensors"));
      }),
      {},
      3, // what is no file is not opened
      "missing_file",
    ],
  ])("%s", async (_, source, options, opened, outcome) => {
    let result = "";
    const handles = await handlesLeft(async () => {
      try {
        (await load(source, options)).dispose();
        result = "loaded";
      } catch (error) {
        const { code, name } = error as { code?: string; name: string };
        result = typeof code === "string" ? code : name;
      }
    });
    expect({ result, ...handles }).toEqual({ result: outcome, opened, left: [] });
  });

  it("a folder that is opened as a file, which is a typed error", async () => {
    const opening = () => expect(fileSource(temporary)).rejects.toMatchObject({ code: "missing_file" });
    expect((await handlesLeft(opening)).left).toEqual([]);
  });
});

it("the count sees a handle that is left open", async () => {
  const sources: Awaited<ReturnType<typeof fileSource>>[] = [];
  const handles = await handlesLeft(async () => sources.push(await fileSource(crumb)));
  await sources[0]!.close!();
  expect(handles).toEqual({ opened: 1, left: [crumb] });
});

it("a pipe is refused without waiting for its writer", async () => {
  const pipe = join(temporary, "pipe");
  expect(spawnSync("mkfifo", [pipe]).status).toBe(0);
  await expect(load(pipe)).rejects.toMatchObject({ code: "missing_file", message: expect.stringContaining("a pipe") });
});
