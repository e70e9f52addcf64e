/** Streams as sources: they are read once, in order, with chunks of any size. */
import { describe, expect, it } from "vitest";
import { seekableSource, streamSource } from "../../src/io/stream-source.ts";

const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 2654435761) >>> 24);

/** A stream that ends after `length` bytes, in chunks of `chunk`; `type: "bytes"` can be read with BYOB. */
function stream(chunk: number, type: "bytes" | undefined, from = 0, length: number = bytes.length) {
  let at = from;
  const source = {
    type,
    pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      if (at >= length) {
        controller.close();
        (controller as unknown as ReadableByteStreamController).byobRequest?.respond(0);
        return;
      }
      controller.enqueue(bytes.slice(at, (at = Math.min(length, at + chunk))));
    },
  };
  return new ReadableStream(source as UnderlyingDefaultSource<Uint8Array>);
}

describe.each([
  ["bytes", 65536],
  ["bytes", 7],
  [undefined, 65536],
  [undefined, 4097],
] as const)("a stream of type %s in chunks of %d", (type, chunk) => {
  const size = chunk === 7 ? 5000 : bytes.length;
  const open = () => streamSource({ size, body: stream(chunk, type, 0, size) });

  it("reads in order, skips gaps, and can repeat the last read", async () => {
    const source = open();
    const at = (share: number): number => Math.floor(size * share);
    expect(await source.read(0, 100)).toEqual(bytes.slice(0, 100));
    expect(await source.read(40, 200)).toEqual(bytes.slice(40, 240));
    const target = new Uint8Array(at(0.3));
    await source.readInto!(at(0.2), target);
    expect(Buffer.compare(target, bytes.subarray(at(0.2), at(0.2) + at(0.3)))).toBe(0);
    expect(await source.read(size - 5, 5)).toEqual(bytes.slice(size - 5, size));
  });

  it("concurrent reads are served in the order of their calls", async () => {
    const source = open();
    const parts = await Promise.all([0, 1, 2, 3].map((i) => source.read(i * 1000, 1000)));
    expect(parts).toEqual([0, 1, 2, 3].map((i) => bytes.slice(i * 1000, i * 1000 + 1000)));
  });

  it("reading earlier bytes is an error, and so is a stream that ends early", async () => {
    const source = open();
    await source.read(2000, 10);
    await source.read(2010, 10);
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: "io_error" });
    await expect(source.read(size - 5, 6)).rejects.toMatchObject({ code: "truncated" });
    const short = streamSource({ size: size + 1, body: stream(chunk, type, 0, size) });
    await expect(short.read(size - 1, 2)).rejects.toMatchObject({ code: "truncated" });
  });
});

it("a stream that can be opened again is opened at the offset for a read backwards or far ahead, but not for a small gap", async () => {
  const opened: number[] = [];
  const open = async (offset: number) => {
    opened.push(offset);
    return stream(65536, "bytes", offset);
  };
  const source = seekableSource({ size: bytes.length, open, maxSkipBytes: 100_000 });
  for (const offset of [0, 50_000, 1_000_000, 900_000, 2_000_000])
    expect(await source.read(offset, 1000)).toEqual(bytes.slice(offset, offset + 1000));
  expect(opened).toEqual([0, 1_000_000, 900_000, 2_000_000]);
});

it("the error of a failed stream says the offset, and the next read opens the stream again", async () => {
  let fails = true;
  const open = async (offset: number): Promise<ReadableStream<Uint8Array>> => {
    if (!fails) return stream(1000, "bytes", offset);
    fails = false;
    return new ReadableStream({ pull: (controller) => controller.error(new Error("line cut")) });
  };
  const source = seekableSource({ size: bytes.length, open });
  await expect(source.read(0, 10)).rejects.toMatchObject({ code: "io_error", message: /at 0: .*line cut/ });
  expect(await source.read(0, 10)).toEqual(bytes.slice(0, 10));
});

it("close cancels the stream", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => {
      cancelled = true;
    },
  });
  const source = streamSource({ size: 1000, body });
  await source.read(0, 10);
  await source.close!();
  expect(cancelled).toBe(true);
});
