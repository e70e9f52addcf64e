/** A model's fingerprint: it tells models apart by whatever keys and values depend on, and by nothing else. */
import { expect, it } from "vitest";
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import type { LoadOptions } from "../../src/load/options.ts";
import { executorOf, openFixture } from "../helpers/models.ts";

async function fingerprintOf(options: LoadOptions = {}, changes: Record<string, MetadataValue> = {}): Promise<string> {
  const checkpoint = await openFixture("gemma3", "gguf");
  const metadata = new Map([...checkpoint.metadata, ...Object.entries(changes)]);
  const executor = await executorOf({ ...checkpoint, metadata, close: () => checkpoint.close() }, options);
  const words = executor.fingerprint().join(" ");
  executor.dispose();
  return words;
}

it("is the same for every build, number of threads, batch and context", async () => {
  const own = await fingerprintOf();
  const others: LoadOptions[] = [
    { build: "simd", threads: 1 },
    { build: "relaxed", threads: 1 },
    { threads: 2 },
    { threads: 3, maxBatchTokens: 32, maxLogitRows: 1 },
    { contextLength: 64, cacheTokens: 256, maxSequences: 2 },
  ];
  for (const options of others) expect([options, await fingerprintOf(options)]).toEqual([options, own]);
});

it.each<[string, MetadataValue]>([
  ["gemma3.attention.layer_norm_rms_epsilon", 1e-5],
  ["gemma3.attention.sliding_window", 7],
  ["gemma3.rope.freq_base", 12345],
])("differs where %s is %s", async (key, value) => {
  expect(await fingerprintOf({}, { [key]: value })).not.toBe(await fingerprintOf());
});

it("differs between types of the cache", async () => {
  expect(await fingerprintOf({ kvType: "int8" })).not.toBe(await fingerprintOf({ kvType: "f32" }));
});
