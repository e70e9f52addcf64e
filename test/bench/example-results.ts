/** Example rows and an example run whose figures are easy to check by hand. */
import type { Row } from "../../bench/models.ts";
import { rowOf, type Subject } from "../../bench/models.ts";
import type { Results } from "../../bench/results.ts";
import type { Test } from "../../src/cli/throughput.ts";

export const limits = {
  relaxedDot: 40,
  relaxedDotAdd: 80,
  dotI16: 20,
  read: 10,
  loops: { relaxedDot: "8x4", relaxedDotAdd: "8x6", dotI16: "16x4", read: "2 streams" },
};

/** 10^9 multiply-adds per token in the layers and as many in the head; 1 GB of weights. */
export const subject: Subject = {
  work: { bodyMacs: 1e9, headMacs: 1e9, stepBytes: 1e9 },
  facts: {
    build_commit: "c",
    build_number: "1",
    cpu_info: "cpu",
    gpu_info: "",
    backends: "wasm-relaxed",
    model_filename: "m.gguf",
    model_type: "llama 2B Q4_0",
    model_size: 2 ** 30,
    model_n_params: 2e9,
    n_threads: 1,
    n_batch: 128,
    n_ubatch: 128,
    type_kv: "mixed",
  },
};

export const prompt: Test = { prompt: 3, gen: 0, depth: 0 };
export const decode: Test = { prompt: 0, gen: 1, depth: 0 };
export const deep: Test = { prompt: 0, gen: 1, depth: 64 };

/** A row of an engine. @param seconds the time of each round */
export function row(name: string, threads: number, test: Test, ...seconds: number[]): Row {
  const build = name.startsWith("nibble") ? (name.split(" ")[1] as "relaxed") : undefined;
  const engine = { name, threads, ...(build && { build }) };
  const waits = threads > 1 && build ? seconds.map((s) => ({ barriers: 76, seconds: s / 10 })) : [];
  const nanoseconds = seconds.map((s) => s * 1e9);
  const samples = { engine, test, nanoseconds, limits: seconds.map(() => limits), waits, joules: [] };
  return rowOf(samples, subject);
}

export const rows: Row[] = [
  row("nibble relaxed", 1, prompt, 0.1, 0.2, 0.1),
  row("nibble threads", 2, prompt, 0.05, 0.1, 0.05),
  row("llama.cpp avx2", 1, prompt, 0.2, 0.2, 0.2),
  row("llama.cpp avx2", 2, prompt, 0.1, 0.1, 0.1),
  row("wllama", 1, prompt, 3),
  row("nibble relaxed", 1, decode, 0.2, 0.2, 0.2),
  row("nibble relaxed", 1, deep, 0.4, 0.4, 0.4),
  row("llama.cpp avx2", 1, decode, 0.4, 0.1, 0.4),
];

export const results: Results = {
  machine: {
    cpu: "A <fast> & small CPU",
    cores: 2,
    memoryGiB: 8,
    engine: "Node",
    commit: "abc",
    date: "2026-11-25T01:02:03.000Z",
    load: 0.5,
  },
  loadAfter: 1.5,
  command: "npm run bench --",
  title: "140m shape, Q4_0",
  limits: new Map([["1 thread", [limits, limits]]]),
  sizes: [{ build: "simd", bytes: 23752, gzipBytes: 8509 }],
  start: {
    node: [30, 30],
    firstToken: [90, 94],
    firstTokenOfModel: [300, 300],
    over: { median: 62, low: 61, high: 63 },
  },
  load: [
    { name: "nibble relaxed", threads: 1, read: [0.02], load: [0.03], times: { median: 1.5, low: 1.5, high: 1.5 } },
  ],
  rows,
  kernels: [],
  about: new Map([["wllama", "llama.cpp in WebAssembly"]]),
  gaps: ["wllama, 2 threads: no Chromium"],
};
