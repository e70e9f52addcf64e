import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { SHAPES, type Shape, writeSyntheticModel } from "../../bench/synthetic-model.ts";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import { executorOf, testHost } from "../helpers/models.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-synthetic-"));
afterAll(() => rmSync(folder, { recursive: true }));

const small: Shape = { layers: 2, heads: 3, kvHeads: 1, hidden: 192, feedForward: 256, vocabulary: 1030 };

describe.each(["Q4_0", "Q4_1", "Q8_0"] as const)("a synthetic model in %s", (type) => {
  const path = join(folder, `${type}.gguf`);

  test("has the tensors of its shape, all matrices in its type", async () => {
    await writeSyntheticModel(path, small, type);
    const checkpoint = await openCheckpoint(path, testHost);
    const shapes = Object.fromEntries([...checkpoint.tensors.values()].map((t) => [t.name, [t.type, ...t.shape]]));
    await checkpoint.close();
    expect(Object.keys(shapes)).toHaveLength(2 + 9 * small.layers);
    expect(shapes).toMatchObject({
      "token_embd.weight": [type, 1030, 192],
      "output_norm.weight": ["F32", 192],
      "blk.1.attn_q.weight": [type, 192, 192],
      "blk.1.attn_k.weight": [type, 64, 192],
      "blk.1.ffn_gate.weight": [type, 256, 192],
      "blk.1.ffn_down.weight": [type, 192, 256],
    });
  });

  test("loads, and its logits are finite, near 1 in size and not all alike", async () => {
    const executor = await executorOf(await openCheckpoint(path, testHost), { contextLength: 64 });
    const [logits] = executor.forward([
      { sequence: executor.createSequence(), tokens: [5, 900, 31, 7], logits: "last" },
    ]);
    expect(logits).toHaveLength(1030);
    const size = Math.sqrt(logits!.reduce((sum, x) => sum + x * x, 0) / 1030);
    executor.dispose();
    expect(size).toBeGreaterThan(0.3);
    expect(size).toBeLessThan(3);
  });

  test("is the same file every time", async () => {
    const again = join(folder, "again.gguf");
    await writeSyntheticModel(again, small, type);
    expect(readFileSync(again).equals(readFileSync(path))).toBe(true);
  });
});

test("the 140M shape has the parameters of MobileLLM-R1-140M", () => {
  const { layers, heads, kvHeads, hidden, feedForward, vocabulary } = SHAPES["140m"];
  const layer = hidden * (2 * heads + 2 * kvHeads) * 64 + 3 * hidden * feedForward;
  expect((vocabulary * hidden + layers * layer) / 1e6).toBeCloseTo(140.2, 0);
});
