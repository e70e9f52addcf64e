import { expect, test } from "vitest";
import { Cursor } from "../../src/formats/cursor.ts";
import { codeOf, recordingSource } from "./helpers.ts";

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);

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
