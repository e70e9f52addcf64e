import { describe, expect, test } from "vitest";
import { readExactly } from "../../src/io/byte-source.ts";
import { blobSource, bytesSource } from "../../src/io/memory-source.ts";
import { codeOf } from "../formats/helpers.ts";

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);

describe.each([
  ["bytes", bytesSource(bytes)],
  ["a Buffer inside a larger one", bytesSource(Buffer.concat([Buffer.alloc(3), bytes]).subarray(3))],
  ["Blob", blobSource(new Blob([bytes]))],
])("%s", (_, source) => {
  test("reads ranges", async () => {
    expect(source.size).toBe(100);
    expect(await source.read(10, 3)).toEqual(new Uint8Array([10, 11, 12]));
    expect(await source.read(100, 0)).toEqual(new Uint8Array(0));
    expect(await source.read(0, 100)).toEqual(bytes);
  });
  test("refuses ranges outside the bytes", async () => {
    for (const [offset, length] of [
      [0, 101],
      [100, 1],
      [101, 0],
      [99, 2],
      [2 ** 53 - 1, 1],
    ] as const) {
      expect(await codeOf(source.read(offset, length))).toBe("truncated");
    }
    for (const [offset, length] of [
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
      [2 ** 60, 1],
    ] as const) {
      expect(await codeOf(source.read(offset, length))).toBe("invalid_argument");
    }
  });
});

test("reads into a target", async () => {
  const target = new Uint8Array(4);
  await bytesSource(bytes).readInto!(96, target);
  expect(target).toEqual(new Uint8Array([96, 97, 98, 99]));
  expect(await codeOf(bytesSource(bytes).readInto!(97, target))).toBe("truncated");
});

test("a source that gives no bytes, or too few, breaks its contract", async () => {
  for (const answer of [undefined, "text", new Uint8Array(3), new Uint16Array(2), [1, 2, 3, 4]]) {
    const source = { size: 10, read: async () => answer as Uint8Array };
    expect(await codeOf(readExactly(source, 0, 4))).toBe("io_error");
  }
});
