/**
 * vitest's globalSetup: makes dist/wasm when it is missing or older than its sources.
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sources = readdirSync(join(root, "assembly"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => join("assembly", path));
const outputs = ["debug", "simd", "relaxed"].map((name) => `dist/wasm/${name}.wasm`);

const changed = (path: string): number => statSync(join(root, path)).mtimeMs;

function isFresh(): boolean {
  if (!outputs.every((path) => existsSync(join(root, path)))) return false;
  return Math.min(...outputs.map(changed)) >= Math.max(...[...sources, "asconfig.json"].map(changed));
}

export default function buildWasm(): void {
  if (isFresh()) return;
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs", "wasm"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`node scripts/build.mjs wasm failed:\n${stderr}`);
}
