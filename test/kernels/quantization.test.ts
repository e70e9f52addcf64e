// repack and embedRow give, bit for bit, the values that ggml and gguf-py dequantised.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { TensorType } from "../../src/formats/tensor-types.ts";
import { matrixBytes } from "../../src/runtime/layout.ts";
import { typeId } from "../helpers/kernel-data.ts";
import { KernelMemory } from "../helpers/kernel-memory.ts";
import { type BuildName, canRun, loadBuild } from "../helpers/wasm-builds.ts";

const columns = 512;
const fixture = (name: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(readFileSync(new URL(`../fixtures/quantization/${name}.bin`, import.meta.url)));
const builds = (["debug", "simd", "relaxed", "threads"] as BuildName[]).filter(canRun).map((name) => loadBuild(name));

/** The names of fixtures: blocks as in a file, and their values as f32. (F32 blocks are the values.) */
const FIXTURES: readonly (readonly [type: TensorType, blocks: string, values: string])[] = [
  ["Q4_0", "q4_0.blocks", "q4_0.f32"],
  ["Q4_0", "q4_0-random.blocks", "q4_0-random.f32"],
  ["Q4_1", "q4_1.blocks", "q4_1.f32"],
  ["Q4_1", "q4_1-random.blocks", "q4_1-random.f32"],
  ["Q8_0", "q8_0.blocks", "q8_0.f32"],
  ["Q8_0", "q8_0-random.blocks", "q8_0-random.f32"],
  ...["Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4"].map(
    (type) => [type as TensorType, `${type.toLowerCase()}-random.blocks`, `${type.toLowerCase()}-random.f32`] as const,
  ),
  ["F16", "f16.blocks", "f16.f32"],
  ["BF16", "bf16.blocks", "bf16.f32"],
  ["F32", "input.f32", "input.f32"],
];

describe.each(builds)("$name", (build) => {
  it.each(FIXTURES)("%s: %s gives %s bit for bit", (type, blocks, values) => {
    const expected = new Uint32Array(fixture(values).buffer);
    const rows = expected.length / columns;
    const memory = new KernelMemory(build);
    const tiles = memory.reserve(matrixBytes(type, rows, columns));
    expect(
      memory.run("repack", { dst: tiles, src: memory.put(fixture(blocks)), rows, columns, typeId: typeId(type) }),
    ).toBe(0);
    const row = memory.reserve(4 * columns);
    for (let r = 0; r < rows; r++) {
      memory.run("embedRow", { dst: row, w: tiles, typeId: typeId(type), columns, row: r });
      expect(new Uint32Array(memory.bytes(row, 4 * columns).buffer)).toEqual(
        expected.subarray(r * columns, (r + 1) * columns),
      );
    }
  });

  it.each(["F16", "BF16", "F32"] as const)("widen %s gives the same", (type) => {
    const [, blocks, values] = FIXTURES.find(([name]) => name === type)!;
    const expected = new Uint32Array(fixture(values).buffer);
    const memory = new KernelMemory(build);
    const dst = memory.reserve(4 * expected.length);
    expect(
      memory.run("widen", { dst, src: memory.put(fixture(blocks)), count: expected.length, type: typeId(type) }),
    ).toBe(0);
    expect(new Uint32Array(memory.bytes(dst, 4 * expected.length).buffer)).toEqual(expected);
  });

  it("decodes all 63,488 finite f16 and refuses the other 2,048", () => {
    const memory = new KernelMemory(build);
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const dst = memory.reserve(4 * bits.length);
    expect(memory.run("widen", { dst, src: memory.put(bits), count: bits.length, type: typeId("F16") })).toBe(1);
    const values = memory.floats(dst, bits.length);
    const one = memory.reserve(4);
    let wrong = 0;
    for (const b of bits) {
      const exponent = (b >> 10) & 31;
      const size = exponent ? 2 ** (exponent - 15) * (1 + (b & 1023) / 1024) : (b & 1023) * 2 ** -24;
      const expected = exponent === 31 ? Number.NaN : b & 0x8000 ? -size : size;
      if (!Object.is(values[b], expected)) wrong++;
      const src = memory.put(Uint16Array.of(b));
      const refused = memory.run("widen", { dst: one, src, count: 1, type: typeId("F16") });
      if (refused !== Number(exponent === 31)) wrong++;
    }
    expect(wrong).toBe(0);
  });
});
