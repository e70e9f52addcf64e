import { existsSync, readFileSync } from "node:fs";
import { NibbleError } from "../../src/base/errors.ts";
import type { FormatLimits } from "../../src/formats/limits.ts";
import type { ByteSource, FileSet } from "../../src/io/byte-source.ts";
import { blobSource, bytesSource } from "../../src/io/memory-source.ts";

export const fixtures: string = new URL("../fixtures/architectures/", import.meta.url).pathname;

/** The code of the NibbleError that a promise rejects with, or "loaded". Any other error is a failure. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "loaded";
  } catch (error) {
    if (error instanceof NibbleError) return error.code;
    throw error;
  }
}

/** The ways to read the same bytes: memory, windows that begin with one byte, a Blob. */
export const readModes: readonly [name: string, open: (bytes: Uint8Array) => [ByteSource, Partial<FormatLimits>]][] = [
  ["bytes", (bytes) => [bytesSource(bytes), {}]],
  ["small windows", (bytes) => [bytesSource(bytes), { windowBytes: 1 }]],
  ["Blob", (bytes) => [blobSource(new Blob([bytes.slice()])), {}]],
];

/** A source that keeps count of what is read from it. */
export function recordingSource(bytes: Uint8Array): ByteSource & { largest: number; total: number; closed: number } {
  const inner = bytesSource(bytes);
  return {
    size: bytes.length,
    largest: 0,
    total: 0,
    closed: 0,
    read(offset, length) {
      this.largest = Math.max(this.largest, length);
      this.total += length;
      return inner.read(offset, length);
    },
    close() {
      this.closed++;
    },
  };
}

/** Files in memory. */
export function memoryFiles(
  files: Record<string, Uint8Array | string | undefined>,
): FileSet & { opened: Map<string, ReturnType<typeof recordingSource>> } {
  const opened = new Map<string, ReturnType<typeof recordingSource>>();
  return {
    opened,
    has: async (name) => files[name] !== undefined,
    async open(name) {
      const file = files[name];
      if (file === undefined) throw new NibbleError("missing_file", `no ${name}`);
      const source = recordingSource(typeof file === "string" ? new TextEncoder().encode(file) : file);
      opened.set(name, source);
      return source;
    },
  };
}

/** The Hugging Face files of a fixture model. */
export function fixtureFiles(model: string, config = "config.json"): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (const [name, path] of [
    ["config.json", `${model}/${config}`],
    ["model.safetensors", `${model}/model.safetensors`],
    ["tokenizer.json", "tokenizer/tokenizer.json"],
    ["tokenizer_config.json", "tokenizer/tokenizer_config.json"],
  ] as const) {
    if (existsSync(fixtures + path)) files[name] = readFileSync(fixtures + path);
  }
  return files;
}

/** Numbers from a seed (mulberry32), so that a failure can be run again. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
