/**
 * The sizes of what users download. The limits of bundles are in scripts/entries.mjs. A commit that raises a limit says why.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { root } from "../helpers/models.ts";
import { bundle, IMPORTED } from "./bundle.ts";

/** Kilobytes (1,000 bytes) after gzip -9; bundles are minified. */
const LIMITS = {
  wasm: { simd: 25, relaxed: 26, threads: 26 },
  /** Without the embedded model. */
  package: 638,
};

const kilobytes = (bytes: Uint8Array | string): number => gzipSync(bytes, { level: 9 }).length / 1000;

function check(name: string, size: number, limit: number): void {
  console.log(`${name}: ${size.toFixed(1)} kB gzip, at most ${limit}`);
  expect(size, name).toBeLessThanOrEqual(limit);
}

it.each(["simd", "relaxed", "threads"] as const)("%s.wasm", (build) => {
  check(`${build}.wasm`, kilobytes(readFileSync(join(root, `dist/wasm/${build}.wasm`))), LIMITS.wasm[build]);
});

it.each(IMPORTED)("$name, bundled and minified", async ({ name, kilobytes: limit }) => {
  check(`${name}.js`, kilobytes(await bundle(name, true)), limit!);
});

it("the package without its model", () => {
  const { stdout, stderr } = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stdout, stderr).toMatch(/^\[/);
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["dist/index.js", "dist/types/entries/node.d.ts", "dist/crumb.gguf"]));
  // As in a tar file: a header of 512 bytes, in which mostly the name differs, and the contents in blocks of 512 bytes.
  const parts = paths
    .filter((path) => path !== "dist/crumb.gguf")
    .flatMap((path) => {
      const bytes = readFileSync(join(root, path));
      const header = Buffer.alloc(512);
      header.write(path);
      return [header, bytes, Buffer.alloc(-bytes.length & 511)];
    });
  check("package", kilobytes(Buffer.concat(parts)), LIMITS.package);
});
