/** Many pieces of weights are read at a time and may arrive in any order; no read is pending when loading ends. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import { loadExecutor } from "../../src/load/executor.ts";
import type { LoadOptions } from "../../src/load/options.ts";
import type { WasmExecutor } from "../../src/runtime/executor.ts";
import { architectures, executorOf, openFixture, root, testHost } from "../helpers/models.ts";

/** Counts the pending reads. `before` may delay a read or fail. */
class WatchedSource implements ByteSource {
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly before: (read: number) => Promise<void>;
  readonly readInto?: NonNullable<ByteSource["readInto"]>;
  reads = 0;
  underWay = 0;
  mostUnderWay = 0;

  constructor(path: string, inPlace: boolean, before: (read: number) => Promise<void> = async () => {}) {
    this.bytes = readFileSync(path);
    this.size = this.bytes.length;
    this.before = before;
    if (inPlace) this.readInto = async (offset, target) => target.set(await this.read(offset, target.length));
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    try {
      await this.before(this.reads++);
      return new Uint8Array(this.bytes.subarray(offset, offset + length));
    } finally {
      this.underWay--;
    }
  }
}

const crumb = join(root, "dist/crumb.gguf");
const fixture = join(architectures, "mobilellm-r1/model.gguf");
const options: LoadOptions = { contextLength: 64 };
const logitsOf = (executor: WasmExecutor): Float32Array => {
  const tokens = Array.from({ length: 30 }, (_, i) => (i * 37) % 316);
  return executor.forward([{ sequence: executor.createSequence(), tokens, logits: "last" }])[0]!.slice();
};
const load = async (source: ByteSource, more: LoadOptions = {}, meanwhile?: () => void): Promise<WasmExecutor> =>
  loadExecutor(await openCheckpoint(source, testHost), testHost, { ...options, ...more }, meanwhile);

describe.each([true, false])("a source that reads in place: %s", (inPlace) => {
  it.each([fixture, crumb])("%s: the weights are the same in whatever order the pieces come", async (path) => {
    const expected = logitsOf(await executorOf(await openCheckpoint(path, testHost), options));
    for (const delay of [(read: number) => 3 - (read % 4), (read: number) => (read * 7) % 5]) {
      const source = new WatchedSource(path, inPlace, (read) => sleep(delay(read)));
      expect(logitsOf(await load(source))).toEqual(expected);
      expect(source.mostUnderWay).toBeGreaterThan(1);
    }
  });

  it("the error of a failed read comes once no other read is pending", async () => {
    const failure = new Error("the cable");
    const source = new WatchedSource(crumb, inPlace, async (read) => {
      await sleep(read % 3);
      if (read === 12) throw failure;
    });
    await expect(load(source)).rejects.toBe(failure);
    expect([source.underWay, source.reads > 12]).toEqual([0, true]);
  });

  it("the reason of an abort comes once no read is pending", async () => {
    const controller = new AbortController();
    const source = new WatchedSource(crumb, inPlace, () => sleep(1));
    const onProgress = () => controller.abort();
    await expect(load(source, { signal: controller.signal, onProgress })).rejects.toThrow(
      expect.objectContaining({ name: "AbortError" }),
    );
    expect(source.underWay).toBe(0);
  });
});

it("a source that must copy keeps few pieces in memory at a time", async () => {
  const source = new WatchedSource(crumb, false, () => sleep(1));
  let most = 0;
  const read = source.read.bind(source);
  const sizes = new Set<{ length: number }>();
  source.read = async (offset, length) => {
    const size = { length };
    sizes.add(size);
    most = Math.max(
      most,
      [...sizes].reduce((sum, each) => sum + each.length, 0),
    );
    return read(offset, length).finally(() => sizes.delete(size));
  };
  await load(source);
  expect(most).toBeGreaterThan(2 ** 20);
  expect(most).toBeLessThanOrEqual(2 * 2 ** 20);
});

it("work beside the reading runs while reads are pending; its error ends the load", async () => {
  const source = new WatchedSource(fixture, true, () => sleep(1));
  let underWay = 0;
  await load(source, {}, () => (underWay = source.underWay));
  expect(underWay).toBeGreaterThan(1);
  const failure = new Error("no tokenizer");
  const failing = load(source, {}, () => {
    throw failure;
  });
  await expect(failing).rejects.toBe(failure);
  expect(source.underWay).toBe(0);
});

it("threads that start beside a load that fails are ended", async () => {
  let running = 0;
  const startThread = async () => {
    running++;
    return { terminate: () => running-- };
  };
  const host = { ...testHost, startThread };
  const checkpoint = await openFixture("llama", "gguf");
  const failure = new Error("no tokenizer");
  const failing = loadExecutor(checkpoint, host, { ...options, threads: 3 }, () => {
    throw failure;
  });
  await expect(failing).rejects.toBe(failure);
  await checkpoint.close();
  expect(running).toBe(0);
});
