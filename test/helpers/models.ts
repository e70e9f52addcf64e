/** Opens the fixture models with the wasm builds of this tree. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Checkpoint } from "../../src/formats/checkpoint.ts";
import { readGguf } from "../../src/formats/gguf/model.ts";
import { directoryFiles } from "../../src/hosts/node/files.ts";
import { nodeHost, startThread } from "../../src/hosts/node/host.ts";
import { compileRevectorized } from "../../src/hosts/node/revectorize.ts";
import type { FileSet } from "../../src/io/byte-source.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import { loadExecutor } from "../../src/load/executor.ts";
import type { Host } from "../../src/load/host.ts";
import type { LoadOptions } from "../../src/load/options.ts";
import type { WasmExecutor } from "../../src/runtime/executor.ts";
import type { Sequence } from "../../src/runtime/types.ts";
import { converted } from "../weights-tools/helpers.ts";

/** Fixtures of architectures that llama.cpp has under a name of its own or not at all; they have a text of 120 tokens, too. */
export const NEWER_FIXTURES = [
  "smollm3",
  "granite",
  "granite4-dense",
  "ernie4_5",
  "hunyuan_v1_dense",
  "mistral-window",
  "ministral3",
  "minicpm4",
  "gemma2",
  "olmo3",
  "qwen3-yarn",
  "mobilellm-ls",
  "lfm2",
  "qwen3_5",
] as const;

export const root: string = join(import.meta.dirname, "../..");
export const architectures: string = join(root, "test/fixtures/architectures");

/** The Node host, with wasm from this tree's dist. */
export const testHost: Host = {
  ...nodeHost,
  startThread: (start) => startThread(join(root, "dist/thread.mjs"), start),
  wasm: async (build) => WebAssembly.compile(readFileSync(join(root, `dist/wasm/${build}.wasm`))),
  revectorized: async (build) =>
    compileRevectorized(build, Uint8Array.from(readFileSync(join(root, `dist/wasm/${build}.wasm`)))),
};

/** Files of several folders as one, the first that has a name wins; `renamed` gives a file another name. */
export function mergedFiles(folders: readonly string[], renamed: Readonly<Record<string, string>> = {}): FileSet {
  const sets = folders.map(directoryFiles);
  const find = async (name: string) => {
    for (const set of sets) if (await set.has(renamed[name] ?? name)) return set;
    return undefined;
  };
  return {
    has: async (name) => (await find(name)) !== undefined,
    open: async (name) => ((await find(name)) ?? sets[0]!).open(renamed[name] ?? name),
  };
}

async function convertFixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await openFixture(name, "config.json");
  const { bytes } = await converted(folder, {});
  await folder.close();
  return bytes;
}

/** The fixtures that have been converted: a test may open one hundreds of times. */
const conversions = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

/** A fixture's GGUF: that of llama.cpp's converter, or that of ours where the fixture has none. */
async function openGguf(name: string): Promise<Checkpoint> {
  const path = join(architectures, name, "model.gguf");
  if (existsSync(path)) return openCheckpoint(path, testHost);
  const bytes = conversions.get(name) ?? convertFixture(name);
  conversions.set(name, bytes);
  return readGguf(bytesSource(await bytes));
}

/** The three containers of a fixture: GGUF, and a folder with either spelling of its config. */
export function openFixture(
  name: string,
  container: "gguf" | "config.json" | "config.legacy.json",
): Promise<Checkpoint> {
  const folder = join(architectures, name);
  if (container === "gguf") return openGguf(name);
  const files = mergedFiles([folder, join(architectures, "tokenizer")], { "config.json": container });
  return openCheckpoint(files, testHost);
}

/** Loads and closes the checkpoint, whatever happens. */
export async function executorOf(
  checkpoint: Checkpoint,
  options: LoadOptions,
  host: Host = testHost,
): Promise<WasmExecutor> {
  try {
    return await loadExecutor(checkpoint, host, options);
  } finally {
    await checkpoint.close();
  }
}

/** Float32Array from the base64 of a reference.json. */
export function floats(base64: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);
}

export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** Greedy continuation of a prompt, its logits discarded. */
export function greedy(
  executor: WasmExecutor,
  prompt: readonly number[],
  count: number,
  ends: ReadonlySet<number> = new Set<number>(),
): number[] {
  const sequence: Sequence = executor.createSequence();
  const tokens: number[] = [];
  let next: readonly number[] = prompt;
  while (tokens.length < count) {
    const step = Math.min(next.length, executor.maxBatchTokens);
    const [logits] = executor.forward([
      { sequence, tokens: next.slice(0, step), logits: step === next.length ? "last" : "none" },
    ]);
    if (!logits) {
      next = next.slice(step);
      continue;
    }
    const token = argmax(logits);
    tokens.push(token);
    if (ends.has(token)) break;
    next = [token];
  }
  sequence.dispose();
  return tokens;
}
