/**
 * Times the matmuls of several wasm files by turns in one process, so that what disturbs the machine disturbs all of
 * them. Run it as `node bench/by-turns.ts [--types Q4_0,Q8_0] [--samples 60] before.wasm after.wasm`, with V8's flags
 * before the script. Prints the median and the best rate of each file, and their ratios to the first file. A file with
 * `+packed` behind its name multiplies four token rows at once, as revectorized modules do.
 * @module
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { markdownTable } from "../src/cli/llama-bench.ts";
import type { TensorType } from "../src/formats/tensor-types.ts";
import { groupBytes, matmulScratchBytes, quantizedRowBytes, TILE_TOKENS } from "../src/runtime/layout.ts";
import { takesWide } from "../src/runtime/weight-types.ts";
import { inOrder } from "../test/helpers/kernel-arguments.ts";
import { QUANTIZED, typeId, weights } from "../test/helpers/kernel-data.ts";
import { KernelMemory } from "../test/helpers/kernel-memory.ts";
import { operation } from "../test/helpers/kernel-records.ts";
import { Random } from "../test/helpers/random.ts";
import type { WasmBuild } from "../test/helpers/wasm-builds.ts";

const PREFILL = { rows: 64, groups: 4, copies: 1, calls: 2 };
/** One row from L2: what computing alone allows. */
const ROW = { rows: 1, groups: 8, copies: 1, calls: 40 };
/** All copies together do not fit the caches. */
const DECODE = { rows: 1, groups: 36, copies: 120, calls: 12 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    types: { type: "string", default: QUANTIZED.join(",") },
    samples: { type: "string", default: "200" },
    columns: { type: "string", default: "2048" },
    phases: { type: "string", default: "prefill,row,decode" },
  },
});
const COLUMNS = Number(values.columns);
const types = values.types.split(",") as TensorType[];

const PACKED = "+packed";

function instantiate(name: string): WasmBuild {
  const path = name.replace(PACKED, "");
  const bytes = readFileSync(path);
  const module = new WebAssembly.Module(bytes);
  const shared = path.endsWith("threads.wasm");
  const memory = new WebAssembly.Memory({ initial: 3072, maximum: 3072, shared });
  const { exports } = new WebAssembly.Instance(module, { env: { memory, abort() {} } });
  return { name: "relaxed", memory, kernels: exports as unknown as WasmBuild["kernels"] };
}

/** A function that multiplies as often as a sample needs. */
function caller(file: string, type: TensorType, { rows, groups, copies, calls }: typeof PREFILL): () => void {
  const build = instantiate(file);
  const memory = new KernelMemory(build);
  const random = new Random(type);
  const one = weights(random, type, groups, COLUMNS, { scales: "sane" });
  const fits = Math.min(copies, Math.floor((160 * 2 ** 20) / one.length));
  const copiesAt = Array.from({ length: fits }, () => memory.put(one));
  const stride = quantizedRowBytes(COLUMNS);
  const width = rows === 1 ? 1 : TILE_TOKENS;
  const src = memory.reserve(rows * stride);
  for (let r = 0; r < rows; r++) {
    const values = memory.put(random.normals(COLUMNS));
    const dst = src + (r - (r % width)) * stride;
    const wide = takesWide(type) ? 1 : 0;
    memory.run("quantizeRow", { dst, src: values, columns: COLUMNS, wide, width, tileRow: r % width });
  }
  const dst = memory.reserve(rows * 64 * groups);
  const packed = file.endsWith(PACKED) ? 1 : 0;
  const fields = { dst, dstStride: 64 * groups, src, srcStride: stride, type: typeId(type), columns: COLUMNS, packed };
  const ops = copiesAt.map((at) => memory.put(operation("matmul", { ...fields, weights: at })));
  const scratch = memory.reserve(matmulScratchBytes(COLUMNS));
  let next = 0;
  return () => {
    for (let i = 0; i < calls; i++) {
      const op = ops[next++ % ops.length]!;
      build.kernels.matmul!(...inOrder("matmul", { op, rows, groupBegin: 0, groupEnd: groups, scratch }));
    }
  };
}

/** Milliseconds of each sample of each file, by turns. */
function sample(callers: readonly (() => void)[]): number[][] {
  const samples: number[][] = callers.map(() => []);
  for (const call of callers) for (let i = 0; i < 60; i++) call();
  for (let s = 0; s < Number(values.samples); s++)
    callers.forEach((call, i) => {
      const start = performance.now();
      call();
      samples[i]!.push(performance.now() - start);
    });
  return samples.map((times) => times.toSorted((a, b) => a - b));
}

const rows: string[][] = [];
for (const type of types)
  for (const [phase, work] of [
    ["prefill", PREFILL],
    ["row", ROW],
    ["decode", DECODE],
  ] as const) {
    if (!values.phases.split(",").includes(phase)) continue;
    const times = sample(positionals.map((file) => caller(file, type, work)));
    const decode = work.rows === 1;
    const total = (decode ? groupBytes(type, COLUMNS) : 16 * COLUMNS * work.rows) * work.groups * work.calls;
    const rate = (ms: number) => (total / ms / 1e6).toFixed(1);
    const [first] = times;
    const middle = Math.floor(first!.length / 2);
    times.forEach((sorted, i) => {
      const ratios = [first![middle]! / sorted[middle]!, first![0]! / sorted[0]!].map((ratio) => ratio.toFixed(2));
      rows.push([type, phase, positionals[i]!, rate(sorted[middle]!), rate(sorted[0]!), ...ratios]);
    });
  }
const unit = "G multiply-adds/s in prefill, GB/s of one row (row: from L2)";
console.log(unit);
console.log(
  markdownTable(["type", "phase", "file", "median", "best", "ratio of medians", "of bests"], rows, [0, 1, 2]),
);
