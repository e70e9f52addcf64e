/** Every prefix of a file that lacks something is `truncated`. (@huggingface/gguf 0.4.6 accepts 134 of 144 such prefixes.) */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readGgufHeader } from "../../../src/formats/gguf/header.ts";
import { readGguf } from "../../../src/formats/gguf/model.ts";
import { bytesSource } from "../../../src/io/memory-source.ts";
import { codeOf, fixtures } from "../helpers.ts";
import { buildGguf, GgufType, key } from "./builder.ts";

const allTypes = buildGguf({
  keys: [
    key.string("general.architecture", "llama"),
    key.u16("u16", 7),
    key.u32("u32", 7),
    key.f32("f32", 0.5),
    key.bool("bool", 1),
    key.u64("u64", 2 ** 53 - 1),
    key.strings("strings", ["", "a", "\u00e9\u20ac\u{1f600}"]),
    key.array("bools", GgufType.BOOL, 2, (b) => b.u8(0).u8(1)),
    key.array("doubles", GgufType.F64, 2, (b) => b.f64(1).f64(2)),
    key.array("empty", GgufType.I32, 0, () => {}),
  ],
  tensors: [
    { name: "zero", ne: [0, 4] },
    { name: "a", ne: [3, 5] },
    { name: "b", ne: [8] },
  ],
});
const customAlignment = buildGguf({
  keys: [key.u32("general.alignment", 64), key.string("general.architecture", "x")],
  tensors: [
    { name: "a", ne: [1] },
    { name: "b", ne: [32, 2], type: 2, byteLength: 36 },
  ],
  alignment: 64,
});
const fixture = new Uint8Array(readFileSync(`${fixtures}llama/model.gguf`));

test.each([
  ["all value types", allTypes],
  ["custom alignment", customAlignment],
  ["the llama fixture", fixture],
])("every prefix of the header of %s is truncated", async (_, bytes) => {
  const { dataOffset } = await readGgufHeader(bytesSource(bytes));
  expect(await codeOf(readGguf(bytesSource(bytes)))).toBe("loaded");
  const notTruncated: string[] = [];
  for (let length = 0; length <= dataOffset; length++) {
    const code = await codeOf(readGguf(bytesSource(bytes.subarray(0, length))));
    if (code !== "truncated") notTruncated.push(`${length}: ${code}`);
  }
  expect(notTruncated).toEqual([]);
});

test.each([
  ["all value types", allTypes],
  ["custom alignment", customAlignment],
  ["the llama fixture", fixture],
])("%s, cut within one byte of each tensor's end", async (_, bytes) => {
  const { tensors } = await readGgufHeader(bytesSource(bytes));
  const ends = tensors.map((tensor) => tensor.offset + tensor.byteLength);
  const needed = Math.max(...ends);
  for (const length of ends.flatMap((end) => [end - 1, end, end + 1])) {
    const code = await codeOf(readGguf(bytesSource(bytes.subarray(0, length))));
    // Padding after the last tensor may be missing, as llama.cpp's loader allows too.
    expect(`${length}: ${code}`).toBe(`${length}: ${length < needed ? "truncated" : "loaded"}`);
  }
});
