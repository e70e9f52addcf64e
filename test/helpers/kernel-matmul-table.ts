/**
 * matmul, its kernels for one activation row, and lora, for the kernel table.
 * @module
 */
import type { TensorType } from "../../src/formats/tensor-types.ts";
import { groupBytes } from "../../src/runtime/layout.ts";
import { operationWord } from "../../src/runtime/operations.ts";
import { takesWide } from "../../src/runtime/weight-types.ts";
import type { Case } from "./kernel-cases.ts";
import { CODED, DIGITS, FLOATS, groupsOf, LEVELLED, planesOf, QUANTIZED, wholeBlocks } from "./kernel-data.ts";
import {
  combine,
  EDGE_BLOCKS,
  EDGE_FLOATS,
  type Kernel,
  OUTLIERS,
  PATTERNS,
  SCALES,
  times,
  type Work,
} from "./kernel-lists.ts";
import {
  type CodesRowCase,
  lora,
  matmul,
  matmulRowCodes,
  matmulRowFloat,
  matmulRowLevels,
  matmulRowQuantized,
} from "./kernel-matmul-cases.ts";

/** `extremes`: bytes that fill the codes. */
function matmulRowQuantizedCases(types: readonly TensorType[], extremes: readonly number[]): Case[] {
  const outliers = types.includes("Q8_0") ? [0] : [0, 1];
  return [
    ...times(combine(types, EDGE_BLOCKS), ([type, columns]) => matmulRowQuantized({ type, columns })),
    ...times(combine(types, outliers), ([type, every]) => matmulRowQuantized({ type, columns: 576, outliers: every })),
    ...times(combine(types, extremes, Object.keys(DIGITS), outliers), ([type, codes, pattern, every]) =>
      matmulRowQuantized({ type, columns: 96, options: { codes }, pattern, outliers: every }),
    ),
    ...times(combine(types, SCALES, [0, 1e-38, 1e30, Number.NaN, Infinity]), ([type, scales, scale]) =>
      matmulRowQuantized({ type, columns: 64, options: { scales }, scale }),
    ),
  ];
}

function matmulRowCodesCases(types: readonly TensorType[], make: (row: CodesRowCase) => Case): Case[] {
  const outliers = types.some(takesWide) ? [0] : [0, 1];
  const scales = [0, 1e-38, 1e30, Number.NaN];
  return [
    ...times(combine(types, EDGE_BLOCKS), ([type, columns]) => make({ type, columns })),
    ...times(combine(types, outliers), ([type, every]) => make({ type, columns: 576, outliers: every })),
    ...times(combine(types, [0x00, 0xff, 0xf0, 0x0f], Object.keys(DIGITS), outliers), ([type, codes, pattern, every]) =>
      make({ type, columns: 96, options: { codes }, pattern, outliers: every }),
    ),
    ...times(combine(types, scales, [...scales, Infinity]), ([type, weightScale, scale]) =>
      make({ type, columns: 64, weightScale, scale }),
    ),
  ];
}

function matmulRowCodesBench(type: TensorType, make: (row: CodesRowCase) => Case): Work {
  const columns = 2048;
  const bytes = (columns / 32) * (256 + 64 * planesOf(type));
  const title = `${type} K ${columns}`;
  return { ...make({ type, columns, outliers: OUTLIERS, scale: 0.01 }), title, bytes, macs: 16 * columns };
}

/** One group of weight rows, which stays in L1, so that the instructions are the limit. */
function matmulRowBench(type: TensorType, outliers: number): Work {
  const columns = 2048;
  const digits = type === "Q8_0" ? "" : `, two digits ${outliers ? `1 in ${outliers}` : "never"}`;
  return {
    ...matmulRowQuantized({ type, columns, options: { scales: "sane" }, outliers, scale: 0.01 }),
    title: `${type} K ${columns}${digits}`,
    bytes: groupBytes(type, columns),
    macs: 16 * columns,
  };
}

/** Where a matmul has the address of its weights. */
const COLD_WEIGHTS = 4 * operationWord("matmul", "weights");

function matmulBench(type: TensorType, columns: number, outputs: number, rows: number): Work {
  const groups = groupsOf(outputs);
  const base = matmul({ type, columns, rows, end: groups, outliers: OUTLIERS });
  const bytes = groupBytes(type, columns) * groups;
  const title = `${type} ${rows === 1 ? "decode" : `prefill ${rows}`} K ${columns}, ${outputs} outputs`;
  return { ...base, title, bytes, macs: rows * outputs * columns, ...(rows === 1 && { cold: COLD_WEIGHTS }) };
}

// Shapes of MobileLLM-R1-140M: hidden 576, feed-forward 2,048, 9 heads of 64 over 3 kv heads, vocabulary 128,256. Calls
// stay below 1 ms: the head's product is timed on 2,048 of its outputs, a prefill of 128 rows on four row groups.
const DECODE = [
  [576, 960],
  [576, 4096],
  [2048, 576],
  [576, 2048],
] as const;
const PREFILL = [
  [576, 64],
  [2048, 64],
] as const;

export const MATMUL_KERNELS: readonly Kernel[] = [
  ...["matmulRowQ4", "matmulRowQ4Fused"].map((name) => ({
    name,
    sameAs: "matmulRowQ4",
    cases: matmulRowQuantizedCases(["Q4_0", "Q4_1"], [0x00, 0xff, 0xf0, 0x0f]),
    bench: [...combine(["Q4_0", "Q4_1"] as const, [0, OUTLIERS, 1])].map(([type, every]) =>
      matmulRowBench(type, every),
    ),
  })),
  {
    name: "matmulRowQ8",
    cases: matmulRowQuantizedCases(["Q8_0"], [0x80, 0x7f, 0x81, 0x00]),
    bench: [matmulRowBench("Q8_0", 0)],
  },
  ...["matmulRowCodes", "matmulRowCodesFused"].map((name) => ({
    name,
    sameAs: "matmulRowCodes",
    cases: matmulRowCodesCases(CODED, matmulRowCodes),
    bench: CODED.map((type) => matmulRowCodesBench(type, matmulRowCodes)),
  })),
  {
    name: "matmulRowLevels",
    cases: matmulRowCodesCases(LEVELLED, matmulRowLevels),
    bench: LEVELLED.map((type) => matmulRowCodesBench(type, matmulRowLevels)),
  },
  {
    name: "matmulRowFloat",
    cases: [
      ...times(combine(FLOATS, EDGE_FLOATS), ([type, columns]) => matmulRowFloat(type, columns, "normal")),
      ...times(combine(FLOATS, PATTERNS), ([type, pattern]) => matmulRowFloat(type, 100, pattern, { scales: "sane" })),
    ],
    bench: FLOATS.map((type) => ({
      ...matmulRowFloat(type, 576, "normal", { scales: "sane" }),
      bytes: 576 * (type === "F32" ? 64 : 32),
      macs: 16 * 576,
    })),
  },
  {
    name: "matmul",
    cases: [
      ...times(combine(QUANTIZED, [1, 2, 3, 4, 5, 6, 7, 8, 9, 17]), ([type, rows]) =>
        matmul({ type, columns: wholeBlocks(type, 32), rows, end: 2 }),
      ),
      ...times(combine(QUANTIZED, [4, 7, 9], [0, 1]), ([type, rows, packed]) =>
        matmul({ type, columns: wholeBlocks(type, 288), rows, end: 1, packed }),
      ),
      ...times(combine(["Q4_0", "Q4_1", "Q8_0"] as const, [2, 5, 17]), ([type, rows]) =>
        matmul({ type, columns: 576, rows, end: 2 }),
      ),
      ...times(combine(["Q4_0", "Q4_1", "Q8_0"] as const, [1, 2, 5]), ([type, end]) =>
        matmul({ type, columns: 288, rows: 1, end, packed: 1 }),
      ),
      ...times(combine(FLOATS, [1, 33, 64], [1, 2, 5, 16]), ([type, columns, rows]) =>
        matmul({ type, columns, rows, end: 2 }),
      ),
      ...times(combine([...QUANTIZED, ...FLOATS], [0, 1, 2, 3]), ([type, begin]) =>
        matmul({ type, columns: wholeBlocks(type, 96), rows: 3, begin, end: 3 }),
      ),
    ],
    bench: [
      ...[...combine(QUANTIZED, DECODE)].map(([type, [columns, outputs]]) =>
        matmulBench(type, wholeBlocks(type, columns), outputs, 1),
      ),
      ...[...combine(QUANTIZED, PREFILL)].map(([type, [columns, outputs]]) =>
        matmulBench(type, wholeBlocks(type, columns), outputs, 128),
      ),
      ...FLOATS.map((type) => matmulBench(type, 576, 960, 1)),
    ],
  },
  {
    name: "lora",
    cases: [
      ...times(combine(FLOATS, FLOATS, [1, 8, 16, 33]), ([aType, bType, rank]) =>
        lora({ aType, bType, rank, columns: 96, groups: 2 }),
      ),
      ...[1, 33, 576].map((columns) => lora({ aType: "F16", bType: "F16", rank: 8, columns, groups: 3 })),
      ...[-1, 1e-38, 1e30, Number.NaN, Infinity].map((scale) =>
        lora({ aType: "F32", bType: "F32", rank: 4, columns: 32, groups: 1, scale }),
      ),
    ],
    bench: [
      {
        ...lora({ aType: "F16", bType: "F16", rank: 16, columns: 576, groups: 36 }),
        bytes: 2 * 16 * (576 + 576),
        macs: 16 * (576 + 576),
      },
    ],
  },
];
