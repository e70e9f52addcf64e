/**
 * What tests of the executor share: a small model in a cache of 16 pages, loaded anew for each test of the file that
 * imports this.
 * @module
 */
import { beforeEach } from "vitest";
import type { WasmExecutor } from "../../src/runtime/executor.ts";
import type { Sequence } from "../../src/runtime/types.ts";
import { executorOf, openFixture } from "./models.ts";

/** The executor of the test that runs. */
export let executor: WasmExecutor;
export const PAGES = 16;
/** Token ids of a text; another seed gives another text. */
export const tokens = (count: number, seed = 1): number[] =>
  Array.from({ length: count }, (_, i) => (i * 37 + seed * 11) % 316);

beforeEach(async () => {
  executor = await executorOf(await openFixture("mobilellm-r1", "gguf"), {
    contextLength: 256,
    cacheTokens: PAGES * 32,
    maxBatchTokens: 64,
    maxSequences: 4,
  });
});

/** Appends in chunks of at most 64, and returns the logits of the last row. */
export function append(sequence: Sequence, ids: readonly number[]): Float32Array {
  let last: Float32Array | undefined;
  for (let i = 0; i < ids.length; i += 64)
    last = executor.forward([{ sequence, tokens: ids.slice(i, i + 64), logits: "last" }])[0];
  return last!.slice();
}

/** Logits after `ids` in a sequence of its own. */
export function fresh(ids: readonly number[]): Float32Array {
  const sequence = executor.createSequence();
  const logits = append(sequence, ids);
  sequence.dispose();
  return logits;
}
