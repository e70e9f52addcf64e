// The tables of weight types in assembly/weight-types.ts and src/runtime/weight-types.ts have the same rows.
import { expect, it } from "vitest";
import { tensorTypeFacts } from "../../src/formats/tensor-types.ts";
import { SCALES, WEIGHT_TYPES } from "../../src/runtime/weight-types.ts";
import { offsetOf } from "../helpers/kernel-records.ts";
import { loadBuild } from "../helpers/wasm-builds.ts";

const { kernels, memory } = loadBuild("debug");

it.each([...WEIGHT_TYPES])("%s", (type, { bits, scales, columnsPerScale, minima, levels, f16At }) => {
  const { id, blockValues, blockBytes } = tensorTypeFacts(type);
  const row = kernels.weightType!(id)!;
  const view = new DataView(memory.buffer);
  const expected = {
    id,
    blockColumns: blockValues,
    blockBytes,
    bits,
    scales: SCALES.indexOf(scales),
    columnsPerScale,
    minima: Number(minima),
    levels: Number(levels),
    f16At,
  };
  const actual = Object.fromEntries(
    Object.keys(expected).map((field) => [field, view.getUint16(row + offsetOf("WeightType", field), true)]),
  );
  expect(actual).toEqual(expected);
});

it("a type without a kernel has no row", () => {
  expect(() => kernels.weightType!(tensorTypeFacts("I32").id)).toThrow("weightType: no kernel for this type");
});
