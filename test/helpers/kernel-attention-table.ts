/**
 * kvStore and attention, for the kernel table.
 * @module
 */
import { type KvType, kvHeadBytes } from "../../src/runtime/layout.ts";
import { attention, kvStore } from "./kernel-attention-cases.ts";
import type { Case } from "./kernel-cases.ts";
import { KV } from "./kernel-data.ts";
import { combine, type Kernel, PATTERNS, times, type Work } from "./kernel-lists.ts";

function attentionCases(): Case[] {
  const positions = [...combine(KV, [0, 1, 2, 30, 31, 32, 33, 63, 64, 200])].map(([kvType, position]) =>
    attention({ kvType, headDim: 64, positions: [position] }),
  );
  const heads = [...combine(KV, [8, 16, 24, 32, 40, 96, 128, 256])].map(([kvType, headDim]) =>
    attention({ kvType, headDim, positions: [36], heads: 2 }),
  );
  const rows = [...combine(KV, ROWS_OF_ATTENTION)].map(([kvType, [heads, rowPositions]]) =>
    attention({ kvType, headDim: 32, heads, positions: rowPositions }),
  );
  const queries = [...combine(KV, PATTERNS)].map(([kvType, query]) =>
    attention({ kvType, headDim: 64, positions: [5, 40], query }),
  );
  // With scores of +-100 and more, e^score overflows and e^(score - max) does not.
  const steep = [...combine(KV, [10, 100, 1e-6])].map(([kvType, scale]) =>
    attention({ kvType, headDim: 64, positions: [70], scale }),
  );
  const specials = [...combine(KV, [Number.NaN, Infinity, 1e30, 0])].map(([kvType, middle]) =>
    attention({ kvType, headDim: 64, positions: [12, 40], middle }),
  );
  const tiny = times(combine(KV, [0, 1e-33]), ([kvType, valueSize]) =>
    attention({ kvType, headDim: 64, positions: [40], valueSize }),
  );
  const windows = [...combine(KV, WINDOWS)].map(([kvType, [window, rowPositions, heads]]) =>
    attention({ kvType, headDim: 32, positions: rowPositions, window, heads }),
  );
  // No row sees the token in the middle, so its contents must not matter.
  const hidden = [...combine(KV, [Number.NaN, Infinity])].map(([kvType, middle]) =>
    attention({ kvType, headDim: 64, positions: [50, 51], window: 20, middle }),
  );
  const caps = [...combine(KV, [0.5, 50], [1, 1e-6, 100])].map(([kvType, cap, scale]) =>
    attention({ kvType, headDim: 64, positions: [12, 40], window: 33, cap, scale }),
  );
  const bidirectional = [...combine(KV, BOTH_SIDES)].map(([kvType, [end, rowPositions, window]]) =>
    attention({ kvType, headDim: 32, heads: 2, positions: rowPositions, window, end }),
  );
  return [
    ...bidirectional,
    ...positions,
    ...heads,
    ...rows,
    ...queries,
    ...steep,
    ...specials,
    ...tiny,
    ...windows,
    ...hidden,
    ...caps,
  ];
}

/**
 * Windows of one token, that end inside pages and at their ends, wider than the context, and that begin pages apart.
 */
const WINDOWS: readonly (readonly [window: number, positions: readonly number[], heads: number])[] = [
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

/** Bidirectional: full, windows of one token, that end inside pages and at their ends, and wider than the text. */
const BOTH_SIDES: readonly (readonly [end: number, positions: readonly number[], window: number])[] = [
  [0, [0], 0],
  [31, [0, 1, 30, 31], 0],
  [32, [0, 31, 32], 0],
  [100, [0, 17, 63, 100], 0],
  [100, [0, 17, 63, 100], 1],
  [100, [31, 32, 33, 64], 16],
  [100, [0, 1, 50, 99], 33],
  [63, [0, 20, 62, 63], 500],
];

/** Rows before, at and after the ends of pages, neighbours and not, up to 16 queries. */
const ROWS_OF_ATTENTION: readonly (readonly [heads: number, positions: readonly number[]])[] = [
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
  const [headDim, heads] = [64, 3];
  const positions = Array.from({ length: rows }, (_, r) => last - rows + 1 + r);
  return {
    ...attention({ kvType, headDim, heads, positions }),
    title: `${kvType} head ${headDim}, ${heads} heads x ${rows} rows to position ${last}`,
    bytes: ((last + 1) / 32) * kvHeadBytes(kvType, headDim),
    macs: 2 * headDim * heads * positions.reduce((sum, position) => sum + position + 1, 0),
  };
}

export const ATTENTION_KERNELS: readonly Kernel[] = [
  {
    name: "kvStore",
    cases: [
      ...times(combine(KV, [8, 16, 24, 64, 128, 256], [0, 1, 3, 4, 30, 31]), ([kvType, headDim, token]) =>
        kvStore(kvType, headDim, token, "normal"),
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
];
