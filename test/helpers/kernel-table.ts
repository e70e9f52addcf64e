/**
 * Every kernel once: the cases that its tests run against the scalar reference, and the shapes that the benchmark
 * times. assembly/README.md says how to add one. A test fails until the kernel, its reference and its entry here are
 * there.
 * @module
 */
import { rowBytes, tensorTypeFacts } from "../../src/formats/tensor-types.ts";
import type { Arena } from "./arena.ts";
import { ATTENTION_KERNELS } from "./kernel-attention-table.ts";
import {
  add,
  embedRow,
  gatedMul,
  geluErf,
  layerNorm,
  quantizeRow,
  repack,
  rmsNorm,
  ropeHead,
  ropeTable,
  scaleByPosition,
  unary,
  widen,
} from "./kernel-cases.ts";
import { FLOATS, fileF16s, QUANTIZED, SCALES_FIRST, wholeBlocks } from "./kernel-data.ts";
import { combine, EDGE_BLOCKS, type Kernel, PATTERNS, times } from "./kernel-lists.ts";
import { MATMUL_KERNELS } from "./kernel-matmul-table.ts";
import { PANEL_KERNELS } from "./kernel-panel-table.ts";
import { RECURRENT_KERNELS } from "./kernel-recurrent-table.ts";

const EXP_INPUTS = [
  0, -0, 1, -1, 1e-20, 0.34657359, -0.34657359, 88.3762, 88.4, 1e30, -87.33654, -87.3366, -1e30, 1e-45,
];
const TANH_INPUTS = [
  0, -0, 1e-45, -1e-45, 1e-20, 0.1, -0.3, 0.62499994, 0.625, -0.625, 0.7, -1, 5, 9.1, -44.1, 1e30, -1e38,
];
const ANGLES = [0, 1e-300, 0.1, ...[1, 2, 3, 4, 6, 8].map((n) => (n * Math.PI) / 4), 2, 4, 6, 30000.123, 1048575.9];

export const KERNELS: readonly Kernel[] = [
  ...MATMUL_KERNELS,
  ...PANEL_KERNELS,
  ...ATTENTION_KERNELS,
  ...RECURRENT_KERNELS,
  {
    name: "quantizeRow",
    cases: [
      ...times(combine([32, 64, 576], ["normal", "outlying blocks"], [false, true], [0, 1, 2, 3]), (values) => {
        const [columns, pattern, wide, tileRow] = values;
        return quantizeRow(columns, pattern, wide, { width: 4, tileRow });
      }),
      ...times(combine(EDGE_BLOCKS, ["normal", "outlying blocks"], [false, true]), ([columns, pattern, wide]) =>
        quantizeRow(columns, pattern, wide),
      ),
      ...times(combine([32, 576], PATTERNS, [false, true]), ([columns, pattern, wide]) =>
        quantizeRow(columns, pattern, wide),
      ),
    ],
    bench: [...combine([576, 2048], [false, true])].map(([columns, wide]) => ({
      ...quantizeRow(columns, "normal", wide, { width: 4, tileRow: 1 }),
      bytes: 4 * columns,
      macs: 0,
    })),
  },
  {
    name: "embedRow",
    cases: [
      ...times(combine(QUANTIZED, [32, 96], [0, 1, 15, 16, 17, 38]), ([type, columns, row]) =>
        embedRow(type, wholeBlocks(type, columns), row),
      ),
      ...times(combine(FLOATS, [1, 33, 100], [0, 7, 15, 16, 33]), ([type, columns, row]) =>
        embedRow(type, columns, row),
      ),
    ],
    bench: QUANTIZED.map((type) => ({ ...embedRow(type, 768, 5), bytes: rowBytes(type, 768), macs: 0 })),
  },
  {
    name: "repack",
    cases: [
      ...times(combine(QUANTIZED, [32, 96, 512], [1, 15, 16, 17, 33]), ([type, columns, rows]) =>
        repack(type, wholeBlocks(type, columns), rows),
      ),
      // A NaN in each f16 of the second block.
      ...SCALES_FIRST.flatMap((type) => {
        const { blockBytes, blockValues } = tensorTypeFacts(type);
        const f16s = fileF16s(type);
        return (f16s.length > 0 ? f16s : [0]).map((at) => repack(type, 2 * blockValues, 1, blockBytes + at));
      }),
      ...times(combine(FLOATS, [1, 3, 31, 33, 100], [1, 15, 16, 17, 33]), ([type, columns, rows]) =>
        repack(type, columns, rows),
      ),
      repack("Q4_0", 64, 3, 18),
      repack("Q4_1", 64, 3, 20),
      repack("Q4_1", 64, 3, 22),
      repack("Q8_0", 64, 3, 34),
      repack("F32", 33, 3, 4 * 33 * 2 + 2),
      repack("F16", 33, 3, 64),
      repack("BF16", 33, 3, 64),
    ],
    bench: QUANTIZED.map((type) => ({ ...repack(type, 768, 16), bytes: 16 * rowBytes(type, 768), macs: 0 })),
  },
  {
    name: "widen",
    cases: times(combine(FLOATS, [1, 3, 4, 31, 576], [false, true]), ([type, count, bad]) => widen(type, count, bad)),
    bench: [],
  },
  {
    name: "rmsNorm",
    cases: [
      ...times(combine([4, 8, 64, 100, 576, 2048], [true, false]), ([n, weighted]) =>
        rmsNorm(n, "normal", weighted, false),
      ),
      ...times(combine(PATTERNS, [true, false]), ([pattern, inPlace]) => rmsNorm(64, pattern, true, inPlace)),
    ],
    bench: [64, 576].map((n) => ({ ...rmsNorm(n, "normal", true, false), bytes: 4 * n, macs: 0 })),
  },
  {
    name: "layerNorm",
    cases: [
      ...[4, 8, 64, 100, 384, 1024].map((n) => layerNorm(n, "normal", false)),
      ...times(combine(PATTERNS, [true, false]), ([pattern, inPlace]) => layerNorm(64, pattern, inPlace)),
    ],
    bench: [{ ...layerNorm(384, "normal", false), bytes: 4 * 384, macs: 0 }],
  },
  {
    name: "geluErf",
    cases: [
      ...times(combine([4, 8, 100, 1536], [1, 5, 100]), ([n, size]) => geluErf(n, "normal", size)),
      ...PATTERNS.map((pattern) => geluErf(64, pattern)),
    ],
    bench: [{ ...geluErf(1536, "normal"), bytes: 4 * 1536, macs: 0 }],
  },
  {
    name: "ropeTable",
    cases: times(combine([1, 4, 16, 32, 64, 128], [0, 1, 31, 32, 200, 30000, 131071]), ([pairs, position]) =>
      ropeTable(pairs, position),
    ),
    bench: [{ ...ropeTable(32, 1000), bytes: 128, macs: 0 }],
  },
  {
    name: "ropeHead",
    cases: [
      ...times(combine([1, 4, 16, 32, 64, 128], [0, 1]), ([pairs, interleaved]) =>
        ropeHead(pairs, interleaved, "normal"),
      ),
      ...times(combine(PATTERNS, [0, 1]), ([pattern, interleaved]) => ropeHead(32, interleaved, pattern)),
    ],
    bench: [0, 1].map((interleaved) => ({ ...ropeHead(32, interleaved, "normal"), bytes: 512, macs: 0 })),
  },
  ...["siluMul", "geluMul"].map((name) => ({
    name,
    cases: [
      ...[4, 8, 100, 2048].map((n) => gatedMul(n, "normal", false)),
      ...times(combine(PATTERNS, [true, false]), ([pattern, inPlace]) => gatedMul(64, pattern, inPlace)),
    ],
    bench: [{ ...gatedMul(2048, "normal", false), bytes: 4 * 2048 * 2, macs: 0 }],
  })),
  ...(
    [
      ["scale", "factor"],
      ["softcap", "cap"],
    ] as const
  ).map(([name, parameter]) => ({
    name,
    cases: [
      ...times(combine([4, 8, 100, 576], [30, 0.01]), ([n, factor]) => unary(parameter, n, "normal", factor)),
      ...PATTERNS.map((pattern) => unary(parameter, 64, pattern, 25.298221)),
    ],
    bench: [{ ...unary(parameter, 576, "normal", 1.0001), bytes: 4 * 576, macs: 0 }],
  })),
  {
    name: "scaleByPosition",
    cases: [
      ...times(combine([0, 15, 16, 1048575], [1, 16, 8192]), ([position, length]) =>
        scaleByPosition(100, "normal", position, length),
      ),
      ...PATTERNS.map((pattern) => scaleByPosition(64, pattern, 40, 16)),
    ],
    bench: [{ ...scaleByPosition(576, "normal", 40000, 16384), bytes: 4 * 576, macs: 0 }],
  },
  {
    name: "logF64",
    cases: [1, Math.SQRT2, 1.4142135623730954, 2, 3, 65, 1e6, 2 ** 31 - 1].map((x) => ({
      title: `${x}`,
      prepare: () => ({ x }),
    })),
    bench: [],
  },
  {
    name: "add",
    cases: [...[4, 8, 100, 576].map((n) => add(n, "normal")), ...PATTERNS.map((pattern) => add(64, pattern))],
    bench: [{ ...add(576, "normal"), bytes: 4 * 576 * 2, macs: 0 }],
  },
  {
    name: "expF32",
    cases: [...EXP_INPUTS, Number.NaN, Infinity, -Infinity].map((x) => ({ title: `${x}`, prepare: () => ({ x }) })),
    bench: [],
  },
  {
    name: "tanhF32",
    cases: [...TANH_INPUTS, Number.NaN, Infinity, -Infinity].map((x) => ({ title: `${x}`, prepare: () => ({ x }) })),
    bench: [],
  },
  {
    name: "storeCosSin",
    cases: ANGLES.map((x) => ({
      title: `${x}`,
      prepare: (arena: Arena) => ({ x, cosAt: arena.output(4, "f32"), sinAt: arena.output(4, "f32") }),
    })),
    bench: [],
  },
];

/**
 * Exports that are no kernels: sizes (layout.test.ts), the table of types, the interpreter (interpreter.test.ts) and what
 * times a thread's waiting (test/runtime/threads.test.ts).
 */
export const OTHER_EXPORTS: readonly string[] = [
  "attentionScratchBytes",
  "execute",
  "groupBytes",
  "heapBase",
  "keyBytes",
  "loraScratchBytes",
  "matmulScratchBytes",
  "quantizedRowBytes",
  "run",
  "serve",
  "spin",
  "valueBytes",
  "weightType",
];
