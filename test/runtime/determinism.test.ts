/**
 * Logits have the same bits with every build, engine, prefill chunk and batch. Their hashes are also compared with
 * recorded ones, so that a change of numerics on any machine is seen. `UPDATE_HASHES=1` records them anew after a
 * wanted change.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertCrumb } from "../../scripts/convert-crumb.ts";
import { canRevectorize } from "../../src/hosts/node/revectorize.ts";
import { writeFileAtomically } from "../../weights-tools/atomic-file.ts";
import { convert } from "../../weights-tools/convert.ts";
import { weightType } from "../../weights-tools/types/weight-types.ts";
import { logitsHash, type Run } from "../helpers/logits-hash.ts";
import { openFixture, root } from "../helpers/models.ts";

const wasm = join(root, "dist/wasm");
const recordPath = join(root, "test/fixtures/logits-sha256.json");
const recorded: Record<string, string> = JSON.parse(readFileSync(recordPath, "utf8"));
/**
 * crumb, and fixtures for what crumb lacks: a window and GELU; grouped heads and norms of heads with weights; softcaps;
 * queries that grow with their position, and YaRN; short convolutions; the gated delta rule. same-bits.test.ts of
 * test/models has fewer runs for more architectures.
 */
const models = [
  ["crumb", "q4_0", "mixed"],
  ["crumb", "q4_0", "int8"],
  ["crumb", "q4_1", "mixed"],
  ["crumb", "q8_0", "mixed"],
  ["crumb", "f16", "f32"],
  ["gemma3", "q4_0", "mixed"],
  ["qwen3", "q8_0", "int8"],
  ["gemma2", "f16", "int8"],
  ["ministral3", "f16", "mixed"],
  ["lfm2", "q4_0", "mixed"],
  ["qwen3_5", "q8_0", "int8"],
] as const;

const runs: Omit<Run, "kvType">[] = [
  { build: "simd", chunk: 64, neighbours: 0 },
  { build: "relaxed", chunk: 64, neighbours: 0 },
  { build: "relaxed", chunk: 7, neighbours: 0 },
  { build: "relaxed", chunk: 1, neighbours: 0 },
  { build: "simd", chunk: 7, neighbours: 7 },
  { build: "relaxed", chunk: 64, neighbours: 7 },
  { build: "relaxed", chunk: 1, neighbours: 7 },
  { build: "relaxed", chunk: 16, neighbours: 3 },
  { build: "threads", chunk: 64, neighbours: 0, threads: 1 },
  { build: "threads", chunk: 64, neighbours: 0, threads: 2 },
  { build: "threads", chunk: 7, neighbours: 7, threads: 3 },
  { build: "threads", chunk: 64, neighbours: 1, threads: 4 },
];

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "nibble-"));
  for (const [name, type] of models) {
    const out = join(folder, `${name}-${type}.gguf`);
    if (existsSync(out)) continue;
    if (name === "crumb") {
      await convertCrumb(join(root, "models/crumb"), out, weightType(type));
      continue;
    }
    const checkpoint = await openFixture(name, "gguf");
    await writeFileAtomically(out, (sink) => convert(checkpoint, sink, { type }));
    await checkpoint.close();
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("one hash for all builds, chunks and neighbours", () => {
  it.each(models)("%s %s, %s cache", async (name, type, kvType) => {
    const model = readFileSync(join(folder, `${name}-${type}.gguf`));
    const hashes: string[] = [];
    for (const run of runs) hashes.push(await logitsHash(wasm, model, { ...run, kvType }));
    expect(new Set(hashes).size).toBe(1);
    const key = `${name} ${type}, ${kvType} cache`;
    if (process.env.UPDATE_HASHES) {
      recorded[key] = hashes[0]!;
      writeFileSync(recordPath, `${JSON.stringify(recorded, null, 2)}\n`);
    }
    expect(hashes[0]).toBe(recorded[key]);
  });
});

/** Hashes by the command line of logits-hash.ts, in a process of its own. */
async function hashesOf(
  command: readonly string[],
  name: string,
  type: string,
  tried: readonly Run[],
): Promise<string[]> {
  const script = join(folder, "logits-hash.mjs");
  const entry = join(root, "test/helpers/logits-hash.ts");
  await build({ entryPoints: [entry], bundle: true, format: "esm", platform: "node", outfile: script });
  const [node, ...flags] = command;
  const args = [...flags, script, wasm, join(folder, `${name}-${type}.gguf`), JSON.stringify(tried)];
  return execFileSync(node!, args, { encoding: "utf8" }).trim().split("\n");
}

describe.runIf(canRevectorize())("V8's revectorizer", () => {
  it.each(models)("%s %s, %s cache: the same hashes", async (name, type, kvType) => {
    // Without the baseline compiler all code is compiled with the flag, at the first call.
    const command = [process.execPath, "--experimental-wasm-revectorize", "--no-liftoff"];
    const tried = runs.filter(({ neighbours }) => neighbours !== 3).map((run) => ({ ...run, kvType }));
    const hashes = await hashesOf(command, name, type, tried);
    expect(hashes).toEqual(tried.map(() => recorded[`${name} ${type}, ${kvType} cache`]));
  });
});

/** npm runs on the machine's Node (20 in CI); the tests run on that of the development dependency, which is newer. */
describe("another Node", () => {
  const other = process.env.npm_node_execpath ?? "/usr/bin/node";
  const version = execFileSync(other, ["--version"], { encoding: "utf8" }).trim();

  it(`${version} beside ${process.version}: the same hashes`, async () => {
    // Node 20 does not validate relaxed SIMD, so it runs the simd build.
    for (const [name, type, kvType] of models) {
      const tried = runs.filter((run) => run.build === "simd").map((run) => ({ ...run, kvType }));
      const hashes = await hashesOf([other], name, type, tried);
      expect(hashes).toEqual(tried.map(() => recorded[`${name} ${type}, ${kvType} cache`]));
    }
  });
});
