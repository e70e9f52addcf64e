/**
 * Every kernel once: the cases that its tests run against the scalar reference, and the shapes that the bench times.
 * To add a kernel: export it from assembly/index.ts, write assembly/ref/<file>.ts, add an entry here. A test fails until
 * all three are done.
 * @module
 */
import { rowBytes, type TensorType, tensorTypeFacts } from "../../src/formats/tensor-types.ts";
import { groupBytes, type KvType, kvHeadBytes, takesWide } from "../../src/runtime/layout.ts";
import type { Arena } from "./arena.ts";
import {
  addLowRank,
  addTo,
  adjust,
  attention,
  type Case,
  embedRow,
  type GemvCodes,
  gatedMul,
  gemvCodes,
  gemvFloat,
  gemvLevels,
  gemvQuantized,
  kvStore,
  matmul,
  quantizeRow,
  repack,
  rmsNorm,
  ropeHead,
  ropeTable,
  type Tile,
  tile,
  unpack,
  unpackCodes,
  unpackGroupScales,
  widen,
} from "./kernel-cases.ts";
import {
  ACTIVATIONS,
  DIGITS,
  FLOATS,
  GROUPS,
  groupsOf,
  KV,
  type PanelForm,
  QUANTIZED,
  SCALES_FIRST,
  wholeBlocks,
} from "./kernel-data.ts";

/** What one call of a benchmark moves and computes. */
export interface Work extends Case {
  /** Bytes of weights, cache or activations that a call must read. */
  readonly bytes: number;
  /** Multiply-adds of a call; 0 where they are not the point. */
  readonly macs: number;
  /** The argument whose buffer is read from memory, not from cache, in decode. */
  readonly cold?: number;
}

export interface Kernel {
  readonly name: string;
  /** The kernel whose scalar reference this one has; its own where absent. */
  readonly sameAs?: string;
  readonly cases: readonly Case[];
  readonly bench: readonly Work[];
}

/** One value of each list. */
function* combine<const T extends readonly (readonly unknown[])[]>(
  ...lists: T
): Generator<{ [I in keyof T]: T[I][number] }> {
  const [first, ...rest] = lists;
  if (!first) yield [] as never;
  else for (const value of first) for (const tail of combine(...rest)) yield [value, ...tail] as never;
}

const times = <T>(lists: Iterable<T>, make: (values: T) => Case): Case[] => [...lists].map(make);

const EDGE_BLOCKS = [32, 64, 96, 576, 2048];
const EDGE_FLOATS = [1, 3, 31, 32, 33, 100, 576];
const PATTERNS = Object.keys(ACTIVATIONS);

/** `extremes`: bytes that fill the codes. */
function gemvQuantizedCases(types: readonly TensorType[], extremes: readonly number[]): Case[] {
  const outliers = types.includes("Q8_0") ? [0] : [0, 1];
  return [
    ...times(combine(types, EDGE_BLOCKS), ([type, columns]) => gemvQuantized({ type, columns })),
    ...times(combine(types, outliers), ([type, every]) => gemvQuantized({ type, columns: 576, outliers: every })),
    ...times(combine(types, extremes, Object.keys(DIGITS), outliers), ([type, codes, pattern, every]) =>
      gemvQuantized({ type, columns: 96, options: { codes }, pattern, outliers: every }),
    ),
    ...times(combine(types, SCALES, [0, 1e-38, 1e30, Number.NaN, Infinity]), ([type, scales, scale]) =>
      gemvQuantized({ type, columns: 64, options: { scales }, scale }),
    ),
  ];
}

/** Types whose codes have 4 to 6 bits; those whose codes stand for levels have 16-bit activations. */
const CODED = SCALES_FIRST.filter((type) => !takesWide(type));
const LEVELLED = SCALES_FIRST.filter(takesWide);

function gemvCodesCases(types: readonly TensorType[], make: (gemv: GemvCodes) => Case): Case[] {
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

function gemvCodesBench(type: TensorType, make: (gemv: GemvCodes) => Case): Work {
  const columns = 2048;
  const bytes = (columns / 32) * (256 + 64 * GROUPS.get(type)!.planes);
  const title = `${type} K ${columns}`;
  return { ...make({ type, columns, outliers: OUTLIERS, scale: 0.01 }), title, bytes, macs: 16 * columns };
}

function unpackCodesCases(form: PanelForm, types: readonly TensorType[]): Case[] {
  return [
    ...times(combine(types, EDGE_BLOCKS), ([type, columns]) => unpackCodes(form, type, columns)),
    ...times(combine(types, [0x00, 0xff, 0xf0, 0x0f]), ([type, codes]) => unpackCodes(form, type, 96, codes)),
  ];
}

const unpackCodesBench = (form: PanelForm, type: TensorType): Work => ({
  ...unpackCodes(form, type, 576),
  title: `${type} K 576`,
  bytes: groupBytes(type, 768) * 0.75,
  macs: 0,
});

/** One row group whose weights stay in L1: the limit of the instructions. */
function gemvBench(type: TensorType, outliers: number): Work {
  const columns = 2048;
  const digits = type === "Q8_0" ? "" : `, two digits ${outliers ? `1 in ${outliers}` : "never"}`;
  return {
    ...gemvQuantized({ type, columns, options: { scales: "sane" }, outliers, scale: 0.01 }),
    title: `${type} K ${columns}${digits}`,
    bytes: groupBytes(type, columns),
    macs: 16 * columns,
  };
}

function matmulBench(type: TensorType, columns: number, outputs: number, rows: number): Work {
  const groups = groupsOf(outputs);
  const base = matmul(type, columns, rows, 0, groups, OUTLIERS);
  const bytes = groupBytes(type, columns) * groups;
  const title = `${type} ${rows === 1 ? "decode" : `prefill ${rows}`} K ${columns}, ${outputs} outputs`;
  return { ...base, title, bytes, macs: rows * outputs * columns, ...(rows === 1 ? { cold: 5 } : {}) };
}

const SCALES = ["zero", "subnormal", "largest", "sane"] as const;

function unpackCases(form: PanelForm, types: readonly TensorType[], extremes: readonly number[]): Case[] {
  return [
    ...times(combine(types, EDGE_BLOCKS), ([type, columns]) => unpack(form, type, columns)),
    ...times(combine(types, extremes), ([type, codes]) => unpack(form, type, 96, { codes })),
    ...times(combine(types, SCALES), ([type, scales]) => unpack(form, type, 64, { scales })),
  ];
}

function unpackBench(form: PanelForm, type: TensorType): Work {
  const columns = 576;
  return { ...unpack(form, type, columns), title: `${type} K ${columns}`, bytes: groupBytes(type, columns), macs: 0 };
}

/** `extremes`: codes at both ends of the panel's range. */
function tileCases(
  form: PanelForm,
  type: TensorType,
  extremes: readonly number[],
  sizes: readonly number[] = EDGE_BLOCKS,
): Case[] {
  const outliers = takesWide(type) ? [0] : [0, 1];
  const base = { form, type, columns: 96, tokens: 4 };
  return [
    ...times(combine(sizes, [1, 2, 3, 4]), ([columns, tokens]) => tile({ ...base, columns, tokens })),
    ...times(combine(outliers, [1, 2, 3, 4]), ([every, tokens]) => tile({ ...base, tokens, outliers: every })),
    ...times(combine([32, 64], [1, 2, 3, 4]), ([from, tokens]) => tile({ ...base, tokens, from, outliers: 1 })),
    ...times(combine(extremes, Object.keys(DIGITS), outliers), ([code, pattern, every]) =>
      tile({ ...base, code, pattern, outliers: every }),
    ),
    ...times(combine([0, 1e-38, 1e30, Number.NaN], [0, 1e-38, 1e30, Number.NaN, Infinity]), ([weightScale, scale]) =>
      tile({ ...base, weightScale, scale }),
    ),
  ];
}

/** Half a panel, in L1. */
function tileBench(form: PanelForm, type: TensorType, columns: number): Work {
  const options: Tile = { form, type, columns, tokens: 4, outliers: OUTLIERS, scale: 0.01 };
  return {
    ...tile(options),
    title: `${type} K ${columns}, 8 rows x 4 tokens`,
    bytes: (form === "bytes" ? 8 : 16) * columns,
    macs: 8 * 4 * columns,
  };
}

function attentionCases(): Case[] {
  const positions = [...combine(KV, [0, 1, 2, 30, 31, 32, 33, 63, 64, 200])].map(([kvType, position]) =>
    attention({ kvType, headDim: 64, positions: [position] }),
  );
  const heads = [...combine(KV, [8, 16, 24, 32, 40, 96, 128, 256])].map(([kvType, headDim]) =>
    attention({ kvType, headDim, positions: [36], group: 2 }),
  );
  const rows = [...combine(KV, ROWS_OF_ATTENTION)].map(([kvType, [group, rowPositions]]) =>
    attention({ kvType, headDim: 32, group, positions: rowPositions }),
  );
  const queries = [...combine(KV, PATTERNS)].map(([kvType, query]) =>
    attention({ kvType, headDim: 64, positions: [5, 40], query }),
  );
  // Scores of +-100 and more: e^score overflows, e^(score - max) does not.
  const steep = [...combine(KV, [10, 100, 1e-6])].map(([kvType, scale]) =>
    attention({ kvType, headDim: 64, positions: [70], scale }),
  );
  const specials = [...combine(KV, [Number.NaN, Infinity, 1e30, 0])].map(([kvType, middle]) =>
    attention({ kvType, headDim: 64, positions: [12, 40], middle }),
  );
  const tiny = times(combine(KV, [0, 1e-33]), ([kvType, valueSize]) =>
    attention({ kvType, headDim: 64, positions: [40], valueSize }),
  );
  const windows = [...combine(KV, WINDOWS)].map(([kvType, [window, rowPositions, group]]) =>
    attention({ kvType, headDim: 32, positions: rowPositions, window, group }),
  );
  // The token in the middle is out of sight: what its slot holds must not matter.
  const hidden = [...combine(KV, [Number.NaN, Infinity])].map(([kvType, middle]) =>
    attention({ kvType, headDim: 64, positions: [50, 51], window: 20, middle }),
  );
  const caps = [...combine(KV, [0.5, 50], [1, 1e-6, 100])].map(([kvType, cap, scale]) =>
    attention({ kvType, headDim: 64, positions: [12, 40], window: 33, cap, scale }),
  );
  return [...positions, ...heads, ...rows, ...queries, ...steep, ...specials, ...tiny, ...windows, ...hidden, ...caps];
}

/** Windows of one token, ends inside and at the ends of pages, wider than the context; rows whose windows begin pages apart. */
const WINDOWS: readonly (readonly [window: number, positions: readonly number[], group: number])[] = [
  [1, [0, 1, 31, 32, 33], 1],
  [16, [0, 14, 15, 16, 17], 1],
  [16, [46, 47, 48, 63, 64], 2],
  [32, [30, 31, 32, 62, 63, 64], 1],
  [33, [63, 64, 65], 3],
  [40, [200], 1],
  [40, [20, 200], 2],
  [64, [95, 96, 127, 128, 129], 1],
  [500, [3, 70], 1],
  [512, [600, 601, 640], 1],
];

/** Rows before, at and after the ends of pages, neighbours and not, up to 16 queries. */
const ROWS_OF_ATTENTION: readonly (readonly [group: number, positions: readonly number[]])[] = [
  [1, [0, 1, 2, 3]],
  [1, [30, 31, 32, 33]],
  [1, [0, 31, 32, 63, 64, 100]],
  [1, [7, 7]],
  [1, Array.from({ length: 16 }, (_, i) => 24 + i)],
  [3, [61, 62, 63, 64, 65]],
  [16, [33]],
  [2, [0, 40]],
];

function attentionBench(kvType: KvType, rows: number, last: number): Work {
  const [headDim, group] = [64, 3];
  const positions = Array.from({ length: rows }, (_, r) => last - rows + 1 + r);
  return {
    ...attention({ kvType, headDim, group, positions }),
    title: `${kvType} head ${headDim}, ${group} heads x ${rows} rows to position ${last}`,
    bytes: ((last + 1) / 32) * kvHeadBytes(kvType, headDim),
    macs: 2 * headDim * group * positions.reduce((sum, position) => sum + position + 1, 0),
  };
}

const EXP_INPUTS = [
  0, -0, 1, -1, 1e-20, 0.34657359, -0.34657359, 88.3762, 88.4, 1e30, -87.33654, -87.3366, -1e30, 1e-45,
];
const TANH_INPUTS = [
  0, -0, 1e-45, -1e-45, 1e-20, 0.1, -0.3, 0.62499994, 0.625, -0.625, 0.7, -1, 5, 9.1, -44.1, 1e30, -1e38,
];
const ANGLES = [0, 1e-300, 0.1, ...[1, 2, 3, 4, 6, 8].map((n) => (n * Math.PI) / 4), 2, 4, 6, 30000.123, 1048575.9];

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
/** One block in twenty has a second digit, as in SmolLM2 (kernels/quantize.ts). */
const OUTLIERS = 20;

export const KERNELS: readonly Kernel[] = [
  ...["gemvQ4", "gemvQ4Fused"].map((name) => ({
    name,
    sameAs: "gemvQ4",
    cases: gemvQuantizedCases(["Q4_0", "Q4_1"], [0x00, 0xff, 0xf0, 0x0f]),
    bench: [...combine(["Q4_0", "Q4_1"] as const, [0, OUTLIERS, 1])].map(([type, every]) => gemvBench(type, every)),
  })),
  {
    name: "gemvQ8",
    cases: gemvQuantizedCases(["Q8_0"], [0x80, 0x7f, 0x81, 0x00]),
    bench: [gemvBench("Q8_0", 0)],
  },
  ...["gemvCodes", "gemvCodesFused"].map((name) => ({
    name,
    sameAs: "gemvCodes",
    cases: gemvCodesCases(CODED, gemvCodes),
    bench: CODED.map((type) => gemvCodesBench(type, gemvCodes)),
  })),
  {
    name: "gemvLevels",
    cases: gemvCodesCases(LEVELLED, gemvLevels),
    bench: LEVELLED.map((type) => gemvCodesBench(type, gemvLevels)),
  },
  {
    name: "gemvFloat",
    cases: [
      ...times(combine(FLOATS, EDGE_FLOATS), ([type, columns]) => gemvFloat(type, columns, "normal")),
      ...times(combine(FLOATS, PATTERNS), ([type, pattern]) => gemvFloat(type, 100, pattern, { scales: "sane" })),
    ],
    bench: FLOATS.map((type) => ({
      ...gemvFloat(type, 576, "normal", { scales: "sane" }),
      bytes: 576 * (type === "F32" ? 64 : 32),
      macs: 16 * 576,
    })),
  },
  {
    name: "matmul",
    cases: [
      ...times(combine(QUANTIZED, [1, 2, 3, 4, 5, 6, 7, 8, 9, 17]), ([type, rows]) =>
        matmul(type, wholeBlocks(type, 32), rows, 0, 2),
      ),
      ...times(combine(QUANTIZED, [1, 4, 7, 9]), ([type, rows]) => matmul(type, wholeBlocks(type, 288), rows, 0, 1)),
      ...times(combine(["Q4_0", "Q4_1", "Q8_0"] as const, [2, 5, 17]), ([type, rows]) => matmul(type, 576, rows, 0, 2)),
      ...times(combine(FLOATS, [1, 33, 64], [1, 2, 5, 16]), ([type, columns, rows]) =>
        matmul(type, columns, rows, 0, 2),
      ),
      ...times(combine([...QUANTIZED, ...FLOATS], [0, 1, 2, 3]), ([type, begin]) =>
        matmul(type, wholeBlocks(type, 96), 3, begin, 3),
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
    name: "unpackQ4Bytes",
    cases: unpackCases("bytes", ["Q4_0", "Q4_1"], [0x00, 0xff, 0xf0, 0x0f]),
    bench: [unpackBench("bytes", "Q4_0")],
  },
  {
    name: "unpackQ4Words",
    cases: unpackCases("words", ["Q4_0", "Q4_1"], [0x00, 0xff, 0xf0, 0x0f]),
    bench: [unpackBench("words", "Q4_0")],
  },
  {
    name: "unpackQ8Words",
    cases: unpackCases("words", ["Q8_0"], [0x80, 0x7f, 0x81, 0x00]),
    bench: [unpackBench("words", "Q8_0")],
  },
  {
    name: "unpackCodesBytes",
    cases: unpackCodesCases("bytes", CODED),
    bench: CODED.map((type) => unpackCodesBench("bytes", type)),
  },
  {
    name: "unpackCodesWords",
    cases: unpackCodesCases("words", CODED),
    bench: CODED.map((type) => unpackCodesBench("words", type)),
  },
  {
    name: "unpackLevelsWords",
    cases: unpackCodesCases("words", LEVELLED),
    bench: LEVELLED.slice(0, 1).map((type) => unpackCodesBench("words", type)),
  },
  {
    name: "unpackGroupScales",
    cases: [
      ...times(combine(SCALES_FIRST, [256, 768]), ([type, columns]) => unpackGroupScales(type, columns, 0, columns)),
      ...times(combine(SCALES_FIRST, [0, 128, 256, 384], [64, 128, 384]), ([type, from, count]) =>
        unpackGroupScales(type, 768, from, count),
      ),
      ...times(combine(SCALES_FIRST, SCALES), ([type, scales]) => unpackGroupScales(type, 256, 0, 256, scales)),
    ],
    bench: SCALES_FIRST.map((type) => ({
      ...unpackGroupScales(type, 768, 0, 768),
      title: `${type} K 768`,
      bytes: 0,
      macs: 0,
    })),
  },
  ...["tileI8", "tileI8Fused"].map((name) => ({
    name,
    sameAs: "tileI8",
    cases: [
      ...(["Q4_0", "Q4_1"] as const).flatMap((type) => tileCases("bytes", type, [0, 15])),
      ...(["Q3_K", "Q2_K"] as const).flatMap((type) => tileCases("bytes", type, [0, 15], [32, 160])),
      ...(["Q5_0", "Q5_K"] as const).flatMap((type) => tileCases("bytes", type, [0, 31], [32, 160])),
      ...tileCases("bytes", "Q6_K", [0, 63], [32, 160]),
    ],
    bench: [...combine(["Q4_0", "Q4_1", "Q5_0", "Q5_K", "Q6_K"] as const, [576, 2048])].map(([type, columns]) =>
      tileBench("bytes", type, columns),
    ),
  })),
  {
    name: "tileI16",
    cases: [
      ...tileCases("words", "Q4_0", [-8, 7]),
      ...tileCases("words", "Q4_1", [0, 15]),
      ...tileCases("words", "Q8_0", [-128, 127]),
      ...tileCases("words", "Q5_1", [0, 31], [32, 160]),
      ...tileCases("words", "Q2_K", [0, 15], [32, 160]),
      ...tileCases("words", "Q6_K", [-32, 31], [32, 160]),
    ],
    bench: [...combine(["Q4_0", "Q8_0"] as const, [576, 2048])].map(([type, columns]) =>
      tileBench("words", type, columns),
    ),
  },
  {
    name: "quantizeRow",
    cases: [
      ...times(combine([32, 64, 576], ["normal", "outlying blocks"], [false, true], [0, 1, 2, 3]), (values) => {
        const [columns, pattern, wide, slot] = values;
        return quantizeRow(columns, pattern, wide, 4, slot);
      }),
      ...times(combine(EDGE_BLOCKS, ["normal", "outlying blocks"], [false, true]), ([columns, pattern, wide]) =>
        quantizeRow(columns, pattern, wide),
      ),
      ...times(combine([32, 576], PATTERNS, [false, true]), ([columns, pattern, wide]) =>
        quantizeRow(columns, pattern, wide),
      ),
    ],
    bench: [...combine([576, 2048], [false, true])].map(([columns, wide]) => ({
      ...quantizeRow(columns, "normal", wide, 4, 1),
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
        const { fileHalves } = GROUPS.get(type)!;
        return (fileHalves.length > 0 ? fileHalves : [0]).map((at) =>
          repack(type, 2 * blockValues, 1, blockBytes + at),
        );
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
    name: "ropeTable",
    cases: times(combine([1, 4, 16, 32, 64, 128], [0, 1, 31, 32, 200, 30000, 131071]), ([half, position]) =>
      ropeTable(half, position),
    ),
    bench: [{ ...ropeTable(32, 1000), bytes: 128, macs: 0 }],
  },
  {
    name: "ropeHead",
    cases: [
      ...times(combine([1, 4, 16, 32, 64, 128], [0, 1]), ([half, interleaved]) =>
        ropeHead(half, interleaved, "normal"),
      ),
      ...times(combine(PATTERNS, [0, 1]), ([pattern, interleaved]) => ropeHead(32, interleaved, pattern)),
    ],
    bench: [0, 1].map((interleaved) => ({ ...ropeHead(32, interleaved, "normal"), bytes: 512, macs: 0 })),
  },
  {
    name: "kvStore",
    cases: [
      ...times(combine(KV, [8, 16, 24, 64, 128, 256], [0, 1, 3, 4, 30, 31]), ([kvType, headDim, slot]) =>
        kvStore(kvType, headDim, slot, "normal"),
      ),
      ...times(combine(KV, PATTERNS), ([kvType, pattern]) => kvStore(kvType, 64, 13, pattern)),
    ],
    bench: KV.map((kvType) => ({ ...kvStore(kvType, 64, 13, "normal"), bytes: 512, macs: 0 })),
  },
  {
    name: "attention",
    cases: attentionCases(),
    bench: [...combine(KV, [1, 5], [127, 1023])].map(([kvType, rows, last]) => attentionBench(kvType, rows, last)),
  },
  ...["siluMul", "geluMul"].map((name) => ({
    name,
    cases: [
      ...[4, 8, 100, 2048].map((n) => gatedMul(n, "normal", false)),
      ...times(combine(PATTERNS, [true, false]), ([pattern, inPlace]) => gatedMul(64, pattern, inPlace)),
    ],
    bench: [{ ...gatedMul(2048, "normal", false), bytes: 4 * 2048 * 2, macs: 0 }],
  })),
  ...["scaleBy", "softcap"].map((name) => ({
    name,
    cases: [
      ...times(combine([4, 8, 100, 576], [30, 0.01]), ([n, factor]) => adjust(n, "normal", factor)),
      ...PATTERNS.map((pattern) => adjust(64, pattern, 25.298221)),
    ],
    bench: [{ ...adjust(576, "normal", 1.0001), bytes: 4 * 576, macs: 0 }],
  })),
  {
    name: "addTo",
    cases: [...[4, 8, 100, 576].map((n) => addTo(n, "normal")), ...PATTERNS.map((pattern) => addTo(64, pattern))],
    bench: [{ ...addTo(576, "normal"), bytes: 4 * 576 * 2, macs: 0 }],
  },
  {
    name: "addLowRank",
    cases: [
      ...times(combine(FLOATS, FLOATS, [1, 8, 16, 33]), ([aType, bType, rank]) =>
        addLowRank({ aType, bType, rank, columns: 96, groups: 2 }),
      ),
      ...[1, 33, 576].map((columns) => addLowRank({ aType: "F16", bType: "F16", rank: 8, columns, groups: 3 })),
      ...[-1, 1e-38, 1e30, Number.NaN, Infinity].map((scale) =>
        addLowRank({ aType: "F32", bType: "F32", rank: 4, columns: 32, groups: 1, scale }),
      ),
    ],
    bench: [
      {
        ...addLowRank({ aType: "F16", bType: "F16", rank: 16, columns: 576, groups: 36 }),
        bytes: 2 * 16 * (576 + 576),
        macs: 16 * (576 + 576),
      },
    ],
  },
  {
    name: "expF32",
    cases: [...EXP_INPUTS, Number.NaN, Infinity, -Infinity].map((x) => ({ title: `${x}`, prepare: () => [x] })),
    bench: [],
  },
  {
    name: "tanhF32",
    cases: [...TANH_INPUTS, Number.NaN, Infinity, -Infinity].map((x) => ({ title: `${x}`, prepare: () => [x] })),
    bench: [],
  },
  {
    name: "storeCosSin",
    cases: ANGLES.map((x) => ({
      title: `${x}`,
      prepare: (arena: Arena) => [x, arena.output(4, "f32"), arena.output(4, "f32")],
    })),
    bench: [],
  },
];

/** Exports that are no kernels: layout constants (layout.test.ts) and the interpreter (program.test.ts). */
export const OTHER_EXPORTS: readonly string[] = [
  "attentionScratchBytes",
  "execute",
  "groupBytes",
  "heapBase",
  "keyBytes",
  "lowRankScratchBytes",
  "matmulScratchBytes",
  "quantizedRowBytes",
  "run",
  "serve",
  "valueBytes",
];
