import { describe, expect, test } from "vitest";
import { Cursor } from "../../src/formats/cursor.ts";
import { blobSource, bytesSource } from "../../src/io/memory-source.ts";
import { codeOf, recordingSource } from "./helpers.ts";

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
  test("refuses what is outside", async () => {
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

test("a source that gives the wrong number of bytes is an io_error", async () => {
  for (const wrong of [99, 101]) {
    const source = { size: 100, read: async () => new Uint8Array(wrong) };
    expect(await codeOf(new Cursor(source, 1_000, 64 * 1024).bytes(4, "test"))).toBe("io_error");
  }
});

test("a cursor sees the same bytes through any window", async () => {
  for (const window of [1, 2, 3, 7, 64, 1_000]) {
    const source = recordingSource(bytes);
    const cursor = new Cursor(source, 1_000, window);
    expect(await cursor.u8("a")).toBe(0);
    expect(await cursor.u32("b")).toBe(0x04030201);
    expect(cursor.position).toBe(5);
    expect(await cursor.bytes(20, "c")).toEqual(bytes.subarray(5, 25));
    expect(cursor.remaining).toBe(75);
    expect(await codeOf(cursor.bytes(76, "d"))).toBe("truncated");
    expect(await cursor.bytes(75, "e")).toEqual(bytes.subarray(25));
    expect(await codeOf(cursor.u8("f"))).toBe("truncated");
    expect(source.total).toBe(100); // no byte twice
  }
});
