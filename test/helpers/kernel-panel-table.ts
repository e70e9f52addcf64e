/**
 * The kernels of matmuls of several rows, for the kernel table: those that unpack panels, and tiles.
 * @module
 */
import type { TensorType } from "../../src/formats/tensor-types.ts";
import { groupBytes } from "../../src/runtime/layout.ts";
import { takesWide } from "../../src/runtime/weight-types.ts";
import type { Case } from "./kernel-cases.ts";
import { CODED, DIGITS, LEVELLED, type PanelForm, SCALES_FIRST } from "./kernel-data.ts";
import { combine, EDGE_BLOCKS, type Kernel, OUTLIERS, SCALES, times, type Work } from "./kernel-lists.ts";
import { type Tile, tile, unpack, unpackCodes, unpackGroupScales } from "./kernel-panel-cases.ts";

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
    ...times(combine(outliers, [1, 2]), ([every, tokens]) => tile({ ...base, tokens, first: 2, outliers: every })),
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

/** A panel in L1. */
function tileBench(form: PanelForm, type: TensorType, columns: number): Work {
  const options: Tile = { form, type, columns, tokens: 4, outliers: OUTLIERS, scale: 0.01 };
  return {
    ...tile(options),
    title: `${type} K ${columns}, 16 rows x 4 tokens`,
    bytes: (form === "i8" ? 16 : 32) * columns,
    macs: 16 * 4 * columns,
  };
}

export const PANEL_KERNELS: readonly Kernel[] = [
  {
    name: "unpackQ4I8",
    cases: unpackCases("i8", ["Q4_0", "Q4_1"], [0x00, 0xff, 0xf0, 0x0f]),
    bench: [unpackBench("i8", "Q4_0")],
  },
  {
    name: "unpackQ4I16",
    cases: unpackCases("i16", ["Q4_0", "Q4_1"], [0x00, 0xff, 0xf0, 0x0f]),
    bench: [unpackBench("i16", "Q4_0")],
  },
  {
    name: "unpackQ8I16",
    cases: unpackCases("i16", ["Q8_0"], [0x80, 0x7f, 0x81, 0x00]),
    bench: [unpackBench("i16", "Q8_0")],
  },
  {
    name: "unpackCodesI8",
    cases: unpackCodesCases("i8", CODED),
    bench: CODED.map((type) => unpackCodesBench("i8", type)),
  },
  {
    name: "unpackCodesI16",
    cases: unpackCodesCases("i16", CODED),
    bench: CODED.map((type) => unpackCodesBench("i16", type)),
  },
  {
    name: "unpackLevelsI16",
    cases: unpackCodesCases("i16", LEVELLED),
    bench: LEVELLED.slice(0, 1).map((type) => unpackCodesBench("i16", type)),
  },
  {
    name: "unpackGroupScales",
    cases: [
      ...times(combine(SCALES_FIRST, [256, 768]), ([type, columns]) =>
        unpackGroupScales({ type, columns, count: columns }),
      ),
      ...times(combine(SCALES_FIRST, [0, 128, 256, 384], [64, 128, 384]), ([type, from, count]) =>
        unpackGroupScales({ type, columns: 768, from, count }),
      ),
      ...times(combine(SCALES_FIRST, SCALES), ([type, scales]) =>
        unpackGroupScales({ type, columns: 256, count: 256, f16: scales }),
      ),
    ],
    bench: SCALES_FIRST.map((type) => ({
      ...unpackGroupScales({ type, columns: 768, count: 768 }),
      title: `${type} K 768`,
      bytes: 0,
      macs: 0,
    })),
  },
  ...["matmulTileI8", "matmulTileI8Fused"].map((name) => ({
    name,
    sameAs: "matmulTileI8",
    cases: [
      ...(["Q4_0", "Q4_1"] as const).flatMap((type) => tileCases("i8", type, [0, 15])),
      ...(["Q3_K", "Q2_K"] as const).flatMap((type) => tileCases("i8", type, [0, 15], [32, 160])),
      ...(["Q5_0", "Q5_K"] as const).flatMap((type) => tileCases("i8", type, [0, 31], [32, 160])),
      ...tileCases("i8", "Q6_K", [0, 63], [32, 160]),
    ],
    bench: [...combine(["Q4_0", "Q4_1", "Q5_0", "Q5_K", "Q6_K"] as const, [576, 2048])].map(([type, columns]) =>
      tileBench("i8", type, columns),
    ),
  })),
  {
    name: "matmulTileI16",
    cases: [
      ...tileCases("i16", "Q4_0", [-8, 7]),
      ...tileCases("i16", "Q4_1", [0, 15]),
      ...tileCases("i16", "Q8_0", [-128, 127]),
      ...tileCases("i16", "Q5_1", [0, 31], [32, 160]),
      ...tileCases("i16", "Q2_K", [0, 15], [32, 160]),
      ...tileCases("i16", "Q6_K", [-32, 31], [32, 160]),
    ],
    bench: [...combine(["Q4_0", "Q8_0"] as const, [576, 2048])].map(([type, columns]) =>
      tileBench("i16", type, columns),
    ),
  },
];
