/**
 * vitest's globalSetup: makes dist/wasm when it is missing or older than its sources.
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** All files of a folder with this ending, from the repository's root. */
export function filesOf(folder: string, ending = ".ts"): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending))
    .map((path) => join(folder, path));
}

/** Runs parts of scripts/build.mjs unless every output is there and no source is newer. */
export function buildIfStale(parts: readonly string[], outputs: readonly string[], sources: readonly string[]): void {
  const changed = (path: string): number => statSync(join(root, path)).mtimeMs;
  const complete = outputs.every((path) => existsSync(join(root, path)));
  if (complete && Math.min(...outputs.map(changed)) >= Math.max(...sources.map(changed))) return;
  const build = ["scripts/build.mjs", ...parts];
  const { status, stderr } = spawnSync(process.execPath, build, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`node ${build.join(" ")} failed:\n${stderr}`);
}

export default function buildWasm(): void {
  const outputs = ["debug", "simd", "relaxed", "threads", "limits"].map((name) => `dist/wasm/${name}.wasm`);
  buildIfStale(["wasm"], outputs, [...filesOf("assembly"), "asconfig.json"]);
}
