/**
 * Makes the cases of the kernels that unpack weights into panels and multiply panels with tiles of rows.
 * @module
 */
import type { TensorType } from "../../src/formats/tensor-types.ts";
import { BLOCK, quantizedRowBytes, TILE_TOKENS } from "../../src/runtime/layout.ts";
import { takesWide, weightTypeFacts } from "../../src/runtime/weight-types.ts";
import { type Case, seeded } from "./kernel-cases.ts";
import {
  type PanelForm,
  panelBytes,
  planesOf,
  type Scales,
  scalesBytes,
  typeId,
  type WeightOptions,
  weights,
} from "./kernel-data.ts";
import { floats, minimaOf, type RowCase, someLevels, tilesOnly, writeRow, zeroOf } from "./kernel-matmul-cases.ts";
import { panelTile } from "./kernel-records.ts";

/** Bytes of a BlockMeta (assembly/activations.ts). */
const META_BYTES = 48;

/** Unpacks one group. */
export function unpack(form: PanelForm, type: TensorType, columns: number, options?: WeightOptions): Case {
  return seeded(`${type} K ${columns} ${JSON.stringify(options ?? "")}`, (arena, random) => {
    const w = arena.input(weights(random, type, 1, columns, options));
    const panel = arena.output(panelBytes(form, columns), "bytes", 16);
    const scales = arena.output(scalesBytes(columns) * (type === "Q4_1" ? 2 : 1), "f32", 16);
    return { panel, scales, w, columns, ...minimaOf(type) };
  });
}

/** Unpacks the codes of one group, without scales. */
export function unpackCodes(form: PanelForm, type: TensorType, columns: number, codes?: number): Case {
  return seeded(`${type} K ${columns} codes ${codes}`, (arena, random) => {
    const planes = planesOf(type);
    const w = arena.input(tilesOnly(random, type, columns, codes));
    const panel = arena.output(panelBytes(form, columns), "bytes", 16);
    if (takesWide(type)) return { panel, w, columns, table: someLevels(arena, random) };
    return { panel, w, columns, planes, ...(form === "i16" && { zero: zeroOf(type) }) };
  });
}

export interface GroupScalesCase {
  readonly type: TensorType;
  readonly columns: number;
  /** The first column, 0 where left out, and how many. */
  readonly from?: number;
  readonly count: number;
  readonly f16?: Scales;
}

/** The scales of columns [from, from + count) of a group. */
export function unpackGroupScales({ type, columns, from = 0, count, f16 = "any" }: GroupScalesCase): Case {
  return seeded(`${type} K ${columns}, ${count} columns from ${from} ${f16}`, (arena, random) => {
    const { columnsPerScale, minima } = weightTypeFacts(type);
    const group = arena.input(weights(random, type, 1, columns, { scales: f16 }));
    const bytes = scalesBytes(count, columnsPerScale);
    const scales = arena.output(bytes, "f32", 16);
    const m = minima ? arena.output(bytes, "f32", 16) : 0;
    return { scales, minima: m, group, type: arena.weightType(typeId(type)), from, count };
  });
}

export interface Tile extends RowCase {
  readonly form: PanelForm;
  readonly tokens: number;
  /** The first of the token rows in their tile of activations: 0 or 2. */
  readonly first?: number;
  /** Every code of the panel; random where left out. */
  readonly code?: number;
  /** Scales and minima of the weights; random where left out. */
  readonly weightScale?: number;
  /** Columns that an earlier call has summed up. */
  readonly from?: number;
}

/** The codes of a panel lie in this range. */
function panelCodes({ form, type }: Tile): [low: number, high: number] {
  if (takesWide(type)) return [-128, 127];
  const zero = form === "i16" ? zeroOf(type) : 0;
  return [-zero, (16 << planesOf(type)) - 1 - zero];
}

/** A panel times rows of a tile, of which `tokens` rows are in use and the others are poison. */
export function tile(tile: Tile): Case {
  const { form, type, columns, tokens, first = 0, code, weightScale, from = 0 } = tile;
  const count = columns - from;
  return seeded(`${JSON.stringify(tile)} d ${tile.scale} ${weightScale}`, (arena, random) => {
    const codes = Array.from({ length: 16 * count }, () => code ?? random.integer(...panelCodes(tile)));
    const panel = arena.input(form === "i8" ? Uint8Array.from(codes) : Int16Array.from(codes), 16);
    const { columnsPerScale, minima } = weightTypeFacts(type);
    const scales = floats(arena, random, (16 * count) / columnsPerScale, weightScale);
    const m = minima ? floats(arena, random, (16 * count) / columnsPerScale, weightScale) : 0;
    const x = arena.reserve(TILE_TOKENS * quantizedRowBytes(columns), 16);
    for (let tileRow = first; tileRow < first + tokens; tileRow++) {
      writeRow(arena, { at: x, columns, width: TILE_TOKENS, tileRow }, tile, random);
    }
    const dstStride = 64 + 64;
    const dst = arena.reserve(tokens * dstStride);
    for (let t = 0; t < tokens; t++) {
      arena.owned(dst + t * dstStride, 64, "f32");
      if (from > 0) arena.write(dst + t * dstStride, random.normals(16));
    }
    const second = TILE_TOKENS * columns;
    const before = TILE_TOKENS * from;
    const source = {
      x: x + 4 * first + (form === "i8" ? before : 2 * (second + before)),
      second,
      meta: x + 4 * second + ((from / BLOCK) * TILE_TOKENS + first) * META_BYTES,
    };
    const shape = { from, count, planes: planesOf(type), columnsPerScale };
    return { t: arena.input(panelTile({ dst, dstStride, tokens, panel, scales, minima: m, ...source, ...shape })) };
  });
}
