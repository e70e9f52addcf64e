/** SmolLM2-135M-Instruct (Q4_1) against the float reference. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { logitsHash } from "../helpers/logits-hash.ts";
import { root } from "../helpers/models.ts";
import { describeRealModel, fetchOrSkip } from "../helpers/real-model.ts";

const name = "smollm2-135m-instruct-q4_1";
const path = await fetchOrSkip(name);
describeRealModel(name, path, { nll: 0.005, argmax: 0.97, template: true });

it("one hash of the logits for both builds, chunks and neighbours", { skip: path === "" }, async () => {
  const bytes = readFileSync(path);
  const wasm = join(root, "dist/wasm");
  const hashes: string[] = [];
  for (const [build, chunk, neighbours, threads] of [
    ["simd", 64, 0, 1],
    ["relaxed", 7, 0, 1],
    ["relaxed", 64, 7, 1],
    ["threads", 64, 0, 2],
    ["threads", 64, 3, 2],
    ["threads", 32, 7, 3],
  ] as const)
    hashes.push(await logitsHash(wasm, bytes, { build, kvType: "mixed", chunk, neighbours, threads }));
  expect(new Set(hashes).size).toBe(1);
});
