/** The sources and options that `load` accepts, and those that it refuses before it opens or allocates anything. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { createLoad } from "../../src/load/create-load.ts";
import { root, testHost } from "../helpers/models.ts";

const load = createLoad(testHost) as (source?: unknown, options?: unknown) => ReturnType<ReturnType<typeof createLoad>>;
const crumb = join(root, "dist/crumb.gguf");

describe("a value that is not a source is refused", () => {
  it.each([undefined, null, 5, true, {}, { size: -1, read: () => {} }, { size: Number.NaN, read: () => {} }])(
    "%o",
    async (source) => {
      await expect(load(source)).rejects.toMatchObject({ code: "invalid_argument" });
    },
  );
});

describe("the error for a wrong option names it", () => {
  it.each([
    ["contextLenght", 32],
    ["contextLength", 0],
    ["contextLength", "32"],
    ["memoryLimit", Number.NaN],
    ["memoryLimit", "x"],
    ["kvType", "int4"],
    ["build", "debug"],
    ["wasm", 5],
    ["wasm", {}],
    ["onProgress", 5],
    ["signal", 5],
    ["signal", {}],
    ["threads", -1],
    ["name", 5],
  ])("%s: %o", async (param, value) => {
    await expect(load(crumb, { [param]: value })).rejects.toMatchObject({ code: "invalid_argument", param });
  });

  it.each([null, 5, "x"])("options %o", async (options) => {
    await expect(load(crumb, options)).rejects.toMatchObject({ code: "invalid_argument" });
  });
});

it("bytes and an ArrayBuffer are accepted too", async () => {
  const bytes = new Uint8Array(readFileSync(crumb));
  for (const source of [bytes, bytes.buffer, new Blob([bytes])]) {
    const model = await load(source);
    expect(model.info.name).toBe("crumb");
    model.dispose();
  }
});

it("a file URL is the path of its file or folder", async () => {
  const url = pathToFileURL(crumb);
  for (const source of [url, url.href, pathToFileURL(join(root, "models/crumb"))]) (await load(source)).dispose();
  for (const wrong of ["file:///missing.gguf", "file://elsewhere/a.gguf"])
    await expect(load(wrong)).rejects.toMatchObject({ code: "missing_file", message: expect.stringContaining(wrong) });
});

it("a second load shares the compiled module, and with it the machine code", async () => {
  const compile = vi.spyOn(WebAssembly, "compile");
  const instantiate = vi.spyOn(WebAssembly, "instantiate");
  try {
    const { load } = await import(pathToFileURL(join(root, "dist/index.js")).href);
    for (const model of await Promise.all([load("crumb"), load("crumb")])) model.dispose();
    (await load("crumb")).dispose();
    expect(compile).toHaveBeenCalledTimes(1);
    expect(new Set(instantiate.mock.calls.map(([module]) => module)).size).toBe(1);
    expect(instantiate).toHaveBeenCalledTimes(3);
  } finally {
    compile.mockRestore();
    instantiate.mockRestore();
  }
});

it("has the model's facts, and accepts another chat template", async () => {
  const model = await load(crumb, { threads: 1, chatTemplate: "{{ messages[0].content }}!" });
  const { format, bytes, parameters, quantization, template } = model.info;
  expect(format).toBe("gguf");
  expect(parameters).toBeGreaterThan(3e6);
  expect(bytes).toBeGreaterThan((parameters as number) / 3);
  expect(quantization).toMatch(/^(Q\d_\w+|F16|BF16|F32)$/);
  expect(template).toBe("{{ messages[0].content }}!");
  expect(model.applyTemplate([{ role: "user", content: "a" }])).toBe("a!");
  model.dispose();
  await expect(load(crumb, { chatTemplate: 5 })).rejects.toMatchObject({ param: "chatTemplate" });
  await expect(load(crumb, { threads: 1, chatTemplate: "{% if %}" })).rejects.toMatchObject({ code: "template_error" });
});
