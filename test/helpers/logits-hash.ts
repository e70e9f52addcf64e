/**
 * SHA-256 of the raw logits of a 64-token prompt and 32 greedy steps, for one way of running them.
 * Bundled by the determinism test, so that other Node versions run it too:
 *   node logits-hash.mjs DIST_WASM MODEL.gguf '[{ "build": "simd", "chunk": 64, "neighbours": 0 }, ...]'
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { readGguf } from "../../src/formats/gguf/model.ts";
import { nodeHost, startThread } from "../../src/hosts/node/host.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { loadExecutor } from "../../src/load/executor.ts";
import type { Host } from "../../src/load/host.ts";
import type { Build } from "../../src/runtime/kernels.ts";
import type { KvType } from "../../src/runtime/layout.ts";
import type { BatchItem, Sequence } from "../../src/runtime/types.ts";

export interface Run {
  readonly build: Build;
  readonly kvType: KvType;
  /** Tokens of one prefill step. */
  readonly chunk: number;
  /** Other sequences, with other tokens, in every batch. */
  readonly neighbours: number;
  /** Threads of the `threads` build (default 1). */
  readonly threads?: number;
}

const PROMPT = 64;
const STEPS = 32;

export async function logitsHash(wasmFolder: string, model: Uint8Array, run: Run): Promise<string> {
  const host: Host = {
    ...nodeHost,
    wasm: async (build: Build) => WebAssembly.compile(readFileSync(`${wasmFolder}/${build}.wasm`)),
    startThread: (start) => startThread(`${wasmFolder}/../thread.mjs`, start),
  };
  const { build, kvType, chunk, neighbours, threads = 1 } = run;
  const options = {
    build,
    kvType,
    threads,
    contextLength: 128,
    cacheTokens: 128 * (neighbours + 1),
    maxBatchTokens: 128,
  };
  const executor = await loadExecutor(await readGguf(bytesSource(model)), host, options);
  const vocabulary = executor.vocabSize - 8;
  const token = (sequence: number, i: number): number => (i * 7919 + sequence * 104729 + 13) % vocabulary;
  const mine = executor.createSequence();
  const others = Array.from({ length: neighbours }, () => executor.createSequence());
  // Neighbours stand before and behind, some prefill while we decode.
  const batch = (tokens: readonly number[], logits: BatchItem["logits"], step: number): BatchItem[] => {
    const items: BatchItem[] = others.map((sequence: Sequence, i) => {
      if (sequence.length > 120) sequence.truncate(33 + i);
      const count = sequence.length > 80 ? 1 : 1 + ((step + i) % 6);
      const ids = Array.from({ length: count }, (_, j) => token(i + 1, step * 10 + j));
      return { sequence, tokens: ids, logits: i % 2 ? "last" : "none" };
    });
    items.splice(neighbours >> 1, 0, { sequence: mine, tokens, logits });
    return items;
  };
  const indexOfMine = others.filter((_, i) => i < neighbours >> 1 && i % 2).length;
  const hash = createHash("sha256");
  const prompt = Array.from({ length: PROMPT }, (_, i) => token(0, i));
  let logits: Float32Array | undefined;
  let step = 0;
  for (let at = 0; at < PROMPT; at += chunk) {
    const last = at + chunk >= PROMPT;
    logits = executor.forward(batch(prompt.slice(at, at + chunk), last ? "last" : "none", step++))[indexOfMine];
  }
  for (let i = 0; i <= STEPS; i++) {
    hash.update(new Uint8Array(logits!.slice().buffer)); // a copy: the memory may be shared
    let best = 0;
    for (let v = 1; v < logits!.length; v++) if (logits![v]! > logits![best]!) best = v;
    if (i < STEPS) logits = executor.forward(batch([best], "last", step++))[indexOfMine];
  }
  executor.dispose();
  return hash.digest("hex");
}

if (process.argv[1] && pathToFileURL(process.argv[1]).href === import.meta.url) {
  const [, , wasmFolder, model, runs] = process.argv;
  const bytes = readFileSync(model!);
  for (const run of JSON.parse(runs!)) console.log(await logitsHash(wasmFolder!, bytes, run));
}
