/** The newer architectures give the same bits with every build, chunk and batch, and on several threads. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { logitsHash, type Run } from "../helpers/logits-hash.ts";
import { NEWER_FIXTURES, openFixture, root } from "../helpers/models.ts";
import { converted } from "../weights-tools/helpers.ts";

const RUNS: readonly Omit<Run, "kvType">[] = [
  { build: "simd", chunk: 64, neighbours: 0 },
  { build: "relaxed", chunk: 1, neighbours: 0 },
  { build: "relaxed", chunk: 7, neighbours: 3 },
  { build: "threads", chunk: 64, neighbours: 1, threads: 2 },
];

it.each(NEWER_FIXTURES)("%s", async (name) => {
  const folder = await openFixture(name, "config.json");
  const { bytes } = await converted(folder, { type: "f16" });
  await folder.close();
  const hashes: string[] = [];
  for (const run of RUNS) hashes.push(await logitsHash(join(root, "dist/wasm"), bytes, { ...run, kvType: "mixed" }));
  expect(new Set(hashes).size).toBe(1);
});
