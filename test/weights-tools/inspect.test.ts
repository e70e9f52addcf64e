import { expect, it } from "vitest";
import { inspectCheckpoint } from "../../weights-tools/inspect.ts";
import { bytesOf, converted, crumb, fixtureGguf, floatSource, syntheticCheckpoint } from "./helpers.ts";

it("counts crumb", async () => {
  const inspection = inspectCheckpoint(await crumb());
  expect(inspection).toMatchObject({ format: "huggingface", architecture: "llama4", parameters: 3_345_600 });
  expect(inspection.bytes).toBe(4 * 3_345_600);
  expect(inspection.bitsPerWeight).toBe(32);
  expect(inspection.types).toEqual([{ type: "F32", tensors: 74, parameters: 3_345_600, bytes: 13_382_400 }]);
});

it("sums a mixed file by type, largest first", async () => {
  const { checkpoint } = await converted(await crumb(), { type: "q4_0", name: "crumb" });
  const inspection = inspectCheckpoint(checkpoint);
  expect(inspection.name).toBe("crumb");
  expect(inspection.types).toEqual([
    { type: "Q4_0", tensors: 57, parameters: 3_342_336, bytes: (3_342_336 / 32) * 18 },
    { type: "F32", tensors: 17, parameters: 3_264, bytes: 13_056 },
  ]);
  expect(inspection.bitsPerWeight).toBeCloseTo(4.527, 3);
});

it("cuts long arrays and is plain JSON", async () => {
  const inspection = inspectCheckpoint(await fixtureGguf("llama"));
  const value = (key: string): unknown => inspection.metadata.find((entry) => entry.key === key)?.value;
  expect(value("tokenizer.ggml.tokens")).toEqual({ length: 320, first: ["Ā", "ā", "Ă", "ă", "Ą", "ą", "Ć", "ć"] });
  expect(value("tokenizer.ggml.token_type")).toEqual({ length: 320, first: [1, 1, 1, 1, 1, 1, 1, 1] });
  expect(value("llama.block_count")).toBe(2);
  expect(inspection.tensors[0]).toEqual({ name: "token_embd.weight", type: "F16", shape: [320, 192], bytes: 122_880 });
  expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection);
});

it("reads no weight", async () => {
  const bytes = bytesOf("test/fixtures/architectures/llama/model.gguf");
  const inspection = inspectCheckpoint(await fixtureGguf("llama"));
  expect(inspection.headerBytes).toBeLessThan(bytes.length);
});

it("has no bits for a file without tensors", () => {
  expect(inspectCheckpoint(syntheticCheckpoint([], floatSource([])))).toMatchObject({
    parameters: 0,
    bitsPerWeight: 0,
  });
});
