/**
 * The interpreter's operations on a small batch, for tests that run them with any number of threads.
 * @module
 */
import {
  attentionScratchBytes,
  kvHeadBytes,
  loraScratchBytes,
  matmulScratchBytes,
  QUERY_BLOCK_BYTES,
  quantizedRowBytes,
} from "../../src/runtime/layout.ts";
import { BATCH_HEADER_BYTES, type RowSet } from "../../src/runtime/operations.ts";
import { kvId, typeId, weights } from "../helpers/kernel-data.ts";
import { KernelMemory } from "../helpers/kernel-memory.ts";
import { operation } from "../helpers/kernel-records.ts";
import { Random } from "../helpers/random.ts";
import { loadBuild } from "../helpers/wasm-builds.ts";

const build = loadBuild("simd");
export const ROWS = 5;
export const OUTPUTS = [1, 4];
export const COLUMNS = 64;
export const GROUPS = 7;
export const MOST_THREADS = 16;
export const FIRST_POSITION = 30;
export const X_STRIDE = 320; // wider than a row, as buffers in a program may be
const Q_STRIDE = quantizedRowBytes(COLUMNS) + 64;
const TILED_ROWS = 8; // ROWS in whole tiles
export const KV_HEADS = 2;
const HEAD_DIM = 8;
const HEAD_STRIDE = 3 * kvHeadBytes("int8", HEAD_DIM);
const SCRATCH = QUERY_BLOCK_BYTES + attentionScratchBytes(HEAD_DIM);
export const CAP = 2;
const RANK = 8;
export const Y_STRIDE = 64 * GROUPS + 64;
/** Heads of the delta rule: two of keys and four of values. Their state, and two rows of 20 channels. */
const DELTA = { keyHeads: 2, valueHeads: 4, keyDim: 4, valueDim: 8 };
const CHANNELS = 20;
const STATE_BYTES = 4 * 4 * 4 * 8 + 4 * 2 * CHANNELS;

/** Three int8 pages of each kv head, full of tokens. */
function cache(random: Random): Uint8Array<ArrayBuffer> {
  const bytes = random.bytes(KV_HEADS * HEAD_STRIDE);
  const part = 32 * (4 + HEAD_DIM); // the scales and codes of keys, or of values
  for (let at = 0; at < bytes.length; at += part) {
    new Float32Array(bytes.buffer, at, 32).set(random.normals(32, 0.01).map(Math.abs));
  }
  return bytes;
}

/** Memory with a batch of five rows of which rows 1 and 4 are outputs; all addresses are the same each time. */
export function setup() {
  const random = new Random("program");
  const memory = new KernelMemory(build);
  const outputs = memory.put(Int32Array.from(OUTPUTS));
  const tokens = memory.put(Int32Array.from({ length: ROWS }, (_, i) => 3 * i));
  const positions = memory.put(Int32Array.from({ length: ROWS }, (_, i) => FIRST_POSITION + i));
  // Rows 0 to 2 belong to one sequence, 3 and 4 to another; they cross the end of a page.
  const tables = [memory.put(Int32Array.of(2, 0)), memory.put(Int32Array.of(1, 0))] as const;
  const pages = memory.put(Int32Array.from({ length: ROWS }, (_, i) => tables[i < 3 ? 0 : 1]));
  const loraScales = memory.put(Float32Array.of(0, 1, 0.5, 0, 2, -1)); // those of the adapter begin at the second
  const types = memory.put(Int32Array.of(0, 1, 1, 0, 2));
  // The states of those sequences, and a copy of the first one's after row 1.
  const slots = [0, 1, 2].map(() => memory.put(random.normals(STATE_BYTES / 4)));
  const states = memory.put(Int32Array.from({ length: ROWS }, (_, i) => slots[i < 3 ? 0 : 1]!));
  const snapshots = memory.put(Int32Array.of(0, slots[2]!, 0, 0, 0));
  const arrays = [tokens, positions, pages, outputs, loraScales, types, states, snapshots];
  const header = new Int32Array(BATCH_HEADER_BYTES / 4);
  header.set([ROWS, OUTPUTS.length, ...arrays]);
  const batch = memory.put(header);
  const x = memory.put(random.normals((ROWS * X_STRIDE) / 4));
  const q = memory.reserve(TILED_ROWS * Q_STRIDE);
  const y = memory.reserve(ROWS * Y_STRIDE);
  const w = memory.put(weights(random, "Q4_0", GROUPS, COLUMNS, { scales: "sane" }));
  const frequencies = memory.put(Float32Array.of(1, 0.3, 0.1, 0.03));
  const adapter = memory.put(random.normals(16 * GROUPS * COLUMNS));
  const norm = memory.put(random.normals(COLUMNS));
  const kv = memory.put(cache(random));
  const all = { from: outputs, to: memory.reserve(0) };
  const scratch = memory.reserve(MOST_THREADS * Math.max(SCRATCH, matmulScratchBytes(COLUMNS)));
  const run = (operations: readonly Int32Array[], threads: number): Uint8Array => {
    for (const each of operations) {
      const program = memory.put(each);
      // One operation at a time, as with a barrier after each. Threads take turns, the last one first.
      for (let thread = threads - 1; thread >= 0; thread--)
        memory.run("execute", { program, count: 1, batch, thread, threads });
    }
    return memory.bytes(all.from, all.to - all.from);
  };
  return { memory, batch, x, q, y, w, frequencies, adapter, norm, kv, scratch, run };
}

type Setup = ReturnType<typeof setup>;

export const Q4_0 = typeId("Q4_0");
const dstY = ({ y }: Setup) => ({ dst: y, dstStride: Y_STRIDE });
const dstX = ({ x }: Setup) => ({ dst: x, dstStride: X_STRIDE });
const srcX = ({ x }: Setup) => ({ src: x, srcStride: X_STRIDE });
const quantize = (s: Setup) =>
  operation("quantize", { dst: s.q, dstStride: Q_STRIDE, ...srcX(s), columns: COLUMNS, wide: 0 });
export const pagesOf = (s: Setup) => ({
  kvHeads: KV_HEADS,
  headDim: HEAD_DIM,
  kvType: kvId("int8"),
  pages: s.kv,
  headStride: HEAD_STRIDE,
});

/** Attention of four query heads over two kv heads. */
export const attention = (s: Setup, rows: RowSet, window = 0, bidirectional = 0) =>
  operation(
    "attention",
    {
      ...dstY(s),
      ...srcX(s),
      heads: 4,
      ...pagesOf(s),
      scale: 0.3,
      window,
      softcap: CAP,
      bidirectional,
      scratch: s.scratch,
      scratchBytes: SCRATCH,
    },
    rows,
  );

export const OPERATIONS: readonly (readonly [name: string, operations: (s: Setup) => Int32Array[]])[] = [
  ...[0, 1, 2].map(
    (source) =>
      [
        `embed of source ${source}`,
        (s: Setup) => [operation("embed", { ...dstX(s), weights: s.w, type: Q4_0, columns: COLUMNS, source })],
      ] as const,
  ),
  ["selectOutputs", (s) => [operation("selectOutputs", { ...dstY(s), ...srcX(s), rowBytes: 4 * COLUMNS }, "outputs")]],
  [
    "rmsNorm of rows",
    (s) => [operation("rmsNorm", { ...dstY(s), ...srcX(s), weight: s.norm, n: COLUMNS, parts: 1, eps: 1e-5 })],
  ],
  [
    "rmsNorm of heads, output rows",
    (s) => [operation("rmsNorm", { ...dstY(s), ...srcX(s), weight: 0, n: 16, parts: 4, eps: 1e-5 }, "outputs")],
  ],
  [
    "layerNorm of output rows",
    (s) => [
      operation(
        "layerNorm",
        { ...dstY(s), ...srcX(s), weight: s.norm, bias: s.norm, n: COLUMNS, eps: 1e-5 },
        "outputs",
      ),
    ],
  ],
  ["geluErf", (s) => [operation("geluErf", { ...dstX(s), n: COLUMNS })]],
  ["quantize", (s) => [quantize(s)]],
  [
    "matmul",
    (s) => [
      quantize(s),
      operation("matmul", {
        ...dstY(s),
        src: s.q,
        srcStride: Q_STRIDE,
        weights: s.w,
        type: Q4_0,
        columns: COLUMNS,
        groups: GROUPS,
        scratch: s.scratch,
        scratchBytes: matmulScratchBytes(COLUMNS),
      }),
    ],
  ],
  [
    "rope of output rows",
    (s) => [
      operation("ropeTable", { ...dstY(s), frequencies: s.frequencies, pairs: 4 }),
      operation(
        "rope",
        { ...dstX(s), heads: 4, headDim: 16, table: s.y, tableStride: Y_STRIDE, pairs: 4, interleaved: 0 },
        "outputs",
      ),
    ],
  ],
  [
    "kvStore",
    (s) => [
      operation("kvStore", {
        keys: s.x,
        keyStride: X_STRIDE,
        values: s.x + 128,
        valueStride: X_STRIDE,
        ...pagesOf(s),
        scratch: s.scratch,
        scratchBytes: SCRATCH,
      }),
    ],
  ],
  ["attention", (s) => [attention(s, "all")]],
  ["attention of output rows", (s) => [attention(s, "outputs")]],
  ["attention with a window", (s) => [attention(s, "all", 9)]],
  ["bidirectional attention of output rows", (s) => [attention(s, "outputs", 0, 1)]],
  ...(["siluMul", "geluMul", "sigmoidMul", "mul"] as const).map(
    (name) =>
      [
        name,
        (s: Setup) => [
          operation(name, { ...dstY(s), gate: s.x, gateStride: X_STRIDE, up: s.adapter, upStride: 4 * COLUMNS, n: 32 }),
        ],
      ] as const,
  ),
  ["copy of output rows", (s) => [operation("copy", { ...dstY(s), ...srcX(s), rowBytes: 4 * COLUMNS }, "outputs")]],
  ["sigmoid", (s) => [operation("sigmoid", { ...dstX(s), n: COLUMNS })]],
  ["decay of output rows", (s) => [operation("decay", { ...dstX(s), n: 16, bias: s.norm, rate: s.norm }, "outputs")]],
  ["splitHeads", (s) => [operation("splitHeads", { ...dstY(s), ...srcX(s), heads: 4, parts: 2, partBytes: 32 })]],
  [
    "shortConv",
    (s) => [
      operation("shortConv", {
        ...dstY(s),
        ...srcX(s),
        weights: s.adapter,
        taps: 3,
        channels: CHANNELS,
        silu: 1,
        state: 4 * 4 * 4 * 8,
      }),
    ],
  ],
  [
    "deltaRule",
    (s) => [
      operation("deltaRule", {
        ...dstY(s),
        ...srcX(s),
        values: s.x + 4 * 16,
        valueStride: X_STRIDE,
        decays: s.x + 4 * 48,
        decayStride: X_STRIDE,
        betas: s.x + 4 * 52,
        betaStride: X_STRIDE,
        ...DELTA,
        tiled: 1,
        scale: 0.5,
        state: 0,
      }),
    ],
  ],
  ["scale", (s) => [operation("scale", { ...dstX(s), n: COLUMNS, factor: 3 })]],
  [
    "scaleByPosition of output rows",
    (s) => [operation("scaleByPosition", { ...dstX(s), n: COLUMNS, beta: 0.3, length: 2, offset: 1 }, "outputs")],
  ],
  ["softcap of output rows", (s) => [operation("softcap", { ...dstX(s), n: COLUMNS, cap: 0.5 }, "outputs")]],
  ["bias", (s) => [operation("add", { ...dstX(s), src: s.norm, srcStride: 0, n: COLUMNS })]],
  ["add", (s) => [operation("add", { ...dstY(s), ...srcX(s), n: COLUMNS })]],
  [
    "lora",
    (s) => [
      operation("lora", {
        ...dstY(s),
        ...srcX(s),
        a: s.adapter,
        aType: typeId("F32"),
        columns: COLUMNS,
        rank: RANK,
        b: s.adapter,
        bType: typeId("F32"),
        groups: GROUPS,
        scale: 0.5,
        rowScales: 4,
        scratch: s.scratch,
        scratchBytes: loraScratchBytes(RANK),
      }),
    ],
  ],
];
