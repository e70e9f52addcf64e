/**
 * V8's revectorizer: the hot loops are packed whole, the self-check finds wrong bits, and nothing else in the process is
 * compiled with it. test/runtime/determinism.test.ts compares the logits.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Checkpoint } from "../../src/formats/checkpoint.ts";
import { nodeHost } from "../../src/hosts/node/host.ts";
import { canRevectorize, compileRevectorized } from "../../src/hosts/node/revectorize.ts";
import { loadExecutor } from "../../src/load/executor.ts";
import { SELF_CHECK, selfCheck } from "../../src/runtime/self-check.ts";
import { openFixture, root, testHost } from "../helpers/models.ts";
import { canRun, wasmBytes, wasmText } from "../helpers/wasm-builds.ts";

const BUILDS = (["simd", "relaxed", "threads"] as const).filter(canRun);
/** The functions whose loops take most of a prefill, and of decode with codes of 4 bits, by the end of their names in the text format. */
const PREFILL = /\/multiply\/multiply<[^>]*>$|\/attention\/addPage$/;
const DECODE = /\/row-codes\/rowCodes<i(16|32),u8,[^>]*>$/;

const opened: Checkpoint[] = [];
async function checkpointOf(): Promise<Checkpoint> {
  opened.push(await openFixture("qwen3", "gguf"));
  return opened.at(-1)!;
}
afterAll(() => Promise.all(opened.map((checkpoint) => checkpoint.close())));

describe("the self-check", () => {
  it.each(BUILDS)("%s: the recorded checksum", async (name) => {
    const check = await selfCheck(await WebAssembly.compile(wasmBytes(name)), name === "threads");
    expect(check()).toBe(SELF_CHECK);
  });
});

/** Names of a module's functions by their index: imports come first. */
function functionNames(text: string): string[] {
  return [...text.matchAll(/^ \((?:import .* \(func|func) \$"?([^\s"]+)/gm)].map(([, name]) => name!);
}

/** The part of a trace about each function, by the function's name. */
function traces(trace: string, text: string): Map<string, string> {
  const names = functionNames(text);
  const parts = trace.split(/^Begin revec function wasm-function#/m).slice(1);
  return new Map(parts.map((part) => [names[Number.parseInt(part, 10)]!, part]));
}

describe.runIf(canRevectorize())("where V8 has it", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "nibble-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(BUILDS)("%s: hot kernels are packed whole", async (name) => {
    const script = join(folder, `${name}.mjs`);
    const contents = `import { readFileSync } from "node:fs";
      import { selfCheck } from "./src/runtime/self-check.ts";
      const module = await WebAssembly.compile(readFileSync("dist/wasm/${name}.wasm"));
      (await selfCheck(module, ${name === "threads"}))();`;
    const entry = { contents, resolveDir: root, loader: "ts" as const };
    await build({ stdin: entry, bundle: true, format: "esm", platform: "node", outfile: script });
    const flags = ["--experimental-wasm-revectorize", "--no-liftoff", "--trace-wasm-revectorize"];
    const options = { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 } as const;
    const trace = execFileSync(process.execPath, [...flags, script], options);
    const hot = [...traces(trace, wasmText(name))].filter(
      ([key]) => PREFILL.test(key) || (name !== "simd" && DECODE.test(key)),
    );
    // Two and four token rows; i16 codes, digits, and digits of plain codes. Digits have sums of i16 or of i32: a machine
    // runs those of its instructions (`FUSED_DOT`). One more function is a page of attention, and
    // three are decode: scales in tiles, of one group and of two, and scales before them.
    expect(hot.length).toBe(name === "simd" ? 3 : 10);
    for (const [key, part] of hot) {
      expect(part, key).toContain("Added a vector of stores");
      expect(part, key).not.toContain("Build tree failed");
    }
  });

  it("gives a module that passes", async () => {
    const module = await compileRevectorized("relaxed", wasmBytes("relaxed"));
    expect(module).toBeInstanceOf(WebAssembly.Module);
    expect((await selfCheck(module!, false))()).toBe(SELF_CHECK);
  });

  it("compiles several builds that are asked for at once", async () => {
    const modules = await Promise.all(BUILDS.map((name) => compileRevectorized(name, wasmBytes(name))));
    for (const module of modules) expect(module).toBeInstanceOf(WebAssembly.Module);
  });

  // While the flags were set across an await, V8 crashed in all of six runs of this process.
  it("does not disturb modules that are compiled and run meanwhile", () => {
    const script = `
      import { createLoad } from "./src/load/create-load.ts";
      import { testHost } from "./test/helpers/models.ts";
      const load = createLoad(testHost);
      const file = "models/crumb";
      for (let round = 0; round < 4; round++) {
        const models = await Promise.all([{ threads: 2 }, { threads: 1, revectorize: true }].map((o) => load(file, o)));
        for (const model of models) { await model.embed([[1, 2, 3], [4, 5]]); model.dispose(); }
      }`;
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: root });
  });

  it("gives no module where a bit differs", async () => {
    const bytes = wasmBytes("relaxed");
    const at = Buffer.from(bytes).indexOf(Buffer.from([0x0f, 0x0f, 0x0f, 0x0f, 0xff, 0x00, 0xff, 0x00]));
    expect(at).toBeGreaterThan(0);
    bytes[at] = 0x0e; // the mask of nibbles (assembly/lanes.ts)
    expect(await compileRevectorized("relaxed", bytes)).toBeUndefined();
  });

  it("is what `revectorize: true` runs", async () => {
    const host = { ...testHost, revectorized: async () => compileRevectorized("relaxed", wasmBytes("relaxed")) };
    const options = { threads: 1, contextLength: 64 };
    const packed = await loadExecutor(await checkpointOf(), host, { ...options, revectorize: true });
    expect(packed.revectorized).toBe(true);
    packed.dispose();
    const plain = await loadExecutor(await checkpointOf(), host, options);
    expect(plain.revectorized).toBe(false);
    plain.dispose();
  });

  it("falls back where the self-check fails", async () => {
    const host = { ...testHost, revectorized: async () => undefined };
    const executor = await loadExecutor(await checkpointOf(), host, { revectorize: true });
    expect(executor.revectorized).toBe(false);
    executor.dispose();
  });
});

it("leaves the plain module where V8 would end the process (Node 25 and 26)", async () => {
  const versions = { ...process.versions, node: "26.10.0", v8: "14.6.202.34-node.34" };
  vi.stubGlobal("process", { ...process, versions });
  try {
    expect(canRevectorize()).toBe(false);
    expect(await compileRevectorized("relaxed", wasmBytes("relaxed"))).toBeUndefined();
  } finally {
    vi.unstubAllGlobals();
  }
});

it("is refused by name on a host without it, and beside a compiled module", async () => {
  const { revectorized: _, ...host } = { ...testHost, revectorized: nodeHost.revectorized };
  const checkpoint = await checkpointOf();
  await expect(loadExecutor(checkpoint, host, { revectorize: true })).rejects.toMatchObject({
    code: "unsupported_host",
    param: "revectorize",
  });
  const wasm = await WebAssembly.compile(wasmBytes("simd"));
  await expect(loadExecutor(checkpoint, host, { revectorize: true, wasm })).rejects.toMatchObject({
    code: "invalid_argument",
    param: "revectorize",
  });
});
