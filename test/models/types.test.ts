/** A model of every quantised type, loaded and run, against the float32 model of the same weights. */
import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../src/formats/checkpoint.ts";
import { readGguf } from "../../src/formats/gguf/model.ts";
import type { TensorType } from "../../src/formats/tensor-types.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { takesWide } from "../../src/runtime/weight-types.ts";
import { weightType } from "../../weights-tools/types/weight-types.ts";
import { QUANTIZED } from "../helpers/kernel-data.ts";
import { executorOf, openFixture } from "../helpers/models.ts";
import { converted } from "../weights-tools/helpers.ts";

const tokens = Array.from({ length: 40 }, (_, i) => (i * 37 + 11) % 256);

/** Logits of all tokens, taken in chunks. */
async function logitsOf(checkpoint: Checkpoint, build: "simd" | "relaxed", chunk: number): Promise<Float32Array> {
  const executor = await executorOf(checkpoint, { build, kvType: "f32", maxLogitRows: 40, contextLength: 64 });
  const sequence = executor.createSequence();
  const all: number[] = [];
  for (let at = 0; at < tokens.length; at += chunk) {
    const rows = executor.forward([{ sequence, tokens: tokens.slice(at, at + chunk), logits: "all" }]);
    for (const row of rows) all.push(...row);
  }
  return Float32Array.from(all);
}

/** The mix whose main type this is. */
const mixOf = (type: TensorType): string => type.toLowerCase() + (/^Q[345]_K$/.test(type) ? "_s" : "");

/** Root mean square of the difference, relative to that of `truth`. */
function relativeError(actual: Float32Array, truth: Float32Array): number {
  const square = (values: Float32Array): number => values.reduce((sum, x) => sum + x * x, 0);
  return Math.sqrt(square(actual.map((x, i) => x - truth[i]!)) / square(truth));
}

/** Rows of 256 (in the last product of the feed-forward) can have types with super-blocks; the others get a substitute. */
describe("mobilellm-r1", () => {
  it.each(QUANTIZED)(
    "%s: logits of its float32 weights within 3 % (0.2 % with 16-bit activations), the same bits in both builds and in chunks",
    async (type) => {
      const source = await openFixture("mobilellm-r1", "gguf");
      const { bytes } = await converted(source, { type: weightType(mixOf(type)), pure: true });
      await source.close();
      const open = (): Promise<Checkpoint> => readGguf(bytesSource(bytes));
      const types = new Set<TensorType>([...(await open()).tensors.values()].map((tensor) => tensor.type));
      expect(types).toContain(type);
      const floats = await converted(await open(), { type: weightType("f32") });
      const truth = await logitsOf(floats.checkpoint, "relaxed", 40);
      const logits = await logitsOf(await open(), "relaxed", 40);
      expect(relativeError(logits, truth)).toBeLessThan(takesWide(type) ? 2e-3 : 0.03);
      for (const [build, chunk] of [
        ["simd", 40],
        ["simd", 1],
        ["relaxed", 1],
        ["relaxed", 3],
      ] as const) {
        expect(
          Buffer.compare(Buffer.from((await logitsOf(await open(), build, chunk)).buffer), Buffer.from(logits.buffer)),
        ).toBe(0);
      }
    },
  );
});
