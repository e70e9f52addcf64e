/**
 * Makes the cases of the matmul kernels that take rows, and of lora: which buffers a call has, what is in them, what it
 * may write. Those of panels are in kernel-panel-cases.ts.
 * @module
 */
import type { TensorType } from "../../src/formats/tensor-types.ts";
import {
  BLOCK,
  loraScratchBytes,
  matmulScratchBytes,
  quantizedRowBytes,
  TILE_TOKENS,
} from "../../src/runtime/layout.ts";
import { isQuantized, takesWide, weightTypeFacts } from "../../src/runtime/weight-types.ts";
import type { Arena } from "./arena.ts";
import { activations, type Case, seeded } from "./kernel-cases.ts";
import {
  DIGITS,
  type Place,
  planesOf,
  typeId,
  type WeightOptions,
  weights,
  writeDigits,
  writeWide,
} from "./kernel-data.ts";
import { operation } from "./kernel-records.ts";
import type { Random } from "./random.ts";

export interface RowCase {
  readonly type: TensorType;
  readonly columns: number;
  readonly options?: WeightOptions;
  /** A name of DIGITS. */
  readonly pattern?: string;
  /**
   * One block in `outliers` has two digits: 0 means none, 1 all, 2 every other one (the default). It does not apply to
   * wide rows.
   */
  readonly outliers?: number;
  readonly scale?: number;
}

/**
 * Writes a quantised row in the form that weights of `type` take. The rows of a tile have two digits in different
 * blocks.
 */
export function writeRow(
  arena: Arena,
  place: Place,
  { type, pattern = "random", outliers = 2, scale }: Omit<RowCase, "columns">,
  random: Random,
): void {
  const digit = (column: number): number => DIGITS[pattern]!(column, random);
  const d = (): number => scale ?? random.normal() * 0.1;
  if (!takesWide(type)) {
    const digits = (block: number): number => (outliers && (block + place.tileRow) % outliers === 0 ? 2 : 1);
    writeDigits(arena, place, { digit, digits, scale: d });
  } else {
    const wide = (x: number): number => 258 * x + Math.sign(x);
    writeWide(arena, place, (column) => wide(digit(column)), d);
  }
}

/** Whether the type has minima, for the kernels that serve both Q4_0 and Q4_1. */
export const minimaOf = (type: TensorType): { minima?: number } =>
  type === "Q8_0" ? {} : { minima: type === "Q4_1" ? 1 : 0 };

export function matmulRowQuantized(row: RowCase): Case {
  const { type, columns, options } = row;
  return seeded(`${JSON.stringify(row)} d ${row.scale}`, (arena, random) => {
    const w = arena.input(weights(random, type, 1, columns, options));
    const x = arena.reserve(quantizedRowBytes(columns), 16);
    writeRow(arena, { at: x, columns, width: 1, tileRow: 0 }, row, random);
    return { dst: arena.output(64, "f32"), w, x, columns, ...minimaOf(type) };
  });
}

/** Scales or minima of a group as f32, 16 per block. */
export const floats = (arena: Arena, random: Random, count: number, value?: number): number =>
  arena.input(
    random.normals(count).map((x) => value ?? x),
    16,
  );

export interface CodesRowCase extends RowCase {
  /** Every scale and minimum; random where left out. */
  readonly weightScale?: number;
}

/** The code of 0, for types whose codes have no minima. */
export const zeroOf = (type: TensorType): number => (weightTypeFacts(type).minima ? 0 : 8 << planesOf(type));

/** A group of tiles without scales. */
export const tilesOnly = (
  random: Random,
  type: TensorType,
  columns: number,
  codes?: number,
): Uint8Array<ArrayBuffer> => {
  const bytes = random.bytes((columns / BLOCK) * (256 + 64 * planesOf(type)));
  return codes === undefined ? bytes : bytes.fill(codes);
};

/** Codes of 4 to 6 bits whose scales are f32. */
export function matmulRowCodes(row: CodesRowCase): Case {
  const { type, columns, options, weightScale } = row;
  return seeded(`${JSON.stringify(row)} d ${row.scale} ${weightScale}`, (arena, random) => {
    const { columnsPerScale, minima } = weightTypeFacts(type);
    const w = arena.input(tilesOnly(random, type, columns, options?.codes));
    const scales = floats(arena, random, (16 * columns) / columnsPerScale, weightScale);
    const m = minima ? floats(arena, random, (16 * columns) / columnsPerScale, weightScale) : 0;
    const x = arena.reserve(quantizedRowBytes(columns), 16);
    writeRow(arena, { at: x, columns, width: 1, tileRow: 0 }, row, random);
    const dst = arena.output(64, "f32");
    return { dst, w, scales, minima: m, x, columns, type: arena.weightType(typeId(type)) };
  });
}

/** Sixteen levels, of which two are the ends of i8. */
export const someLevels = (arena: Arena, random: Random): number =>
  arena.input(Int8Array.from({ length: 16 }, (_, i) => (i < 2 ? [-128, 127][i]! : random.integer(-128, 127))));

export function matmulRowLevels(row: CodesRowCase): Case {
  const { type, columns, options, weightScale } = row;
  return seeded(`${JSON.stringify(row)} d ${row.scale} ${weightScale}`, (arena, random) => {
    const w = arena.input(tilesOnly(random, type, columns, options?.codes));
    const scales = floats(arena, random, columns / 2, weightScale);
    const x = arena.reserve(quantizedRowBytes(columns), 16);
    writeRow(arena, { at: x, columns, width: 1, tileRow: 0 }, row, random);
    return { dst: arena.output(64, "f32"), w, scales, x, columns, table: someLevels(arena, random) };
  });
}

export function matmulRowFloat(type: TensorType, columns: number, pattern: string, options?: WeightOptions): Case {
  return seeded(`${type} K ${columns} ${options?.scales ?? "any"} x ${pattern}`, (arena, random) => {
    const w = arena.input(weights(random, type, 1, columns, options));
    const x = arena.input(activations(pattern, columns, random));
    return { dst: arena.output(64, "f32"), w, x, columns, type: typeId(type) };
  });
}

export interface LoraCase {
  readonly aType: TensorType;
  readonly bType: TensorType;
  readonly rank: number;
  readonly columns: number;
  /** Groups of 16 rows of B. */
  readonly groups: number;
  readonly scale?: number;
}

export function lora({ aType, bType, rank, columns, groups, scale = 0.7 }: LoraCase): Case {
  const title = `A ${aType} [${rank}, ${columns}], B ${bType} of ${groups} groups, scale ${scale}`;
  return seeded(title, (arena, random) => {
    const a = arena.input(weights(random, aType, Math.ceil(rank / 16), columns, { scales: "sane" }));
    const b = arena.input(weights(random, bType, groups, rank, { scales: "sane" }));
    const x = arena.input(activations("normal", columns, random));
    const dst = arena.inPlace(random.normals(16 * groups));
    const scratch = arena.output(loraScratchBytes(rank), "scratch", 16);
    const [aId, bId] = [typeId(aType), typeId(bType)];
    const fields = { dst, src: x, a, aType: aId, columns, rank, b, bType: bId, groups, scale: 1 };
    return { op: arena.input(operation("lora", fields)), row: 0, rowScale: scale, scratch };
  });
}

export interface MatmulCase {
  readonly type: TensorType;
  readonly columns: number;
  readonly rows: number;
  /** The first group of rows, 0 where left out, and the end. */
  readonly begin?: number;
  readonly end: number;
  readonly outliers?: number;
  /** 1: four token rows at once, instead of two. */
  readonly packed?: number;
}

/**
 * `rows` activation rows times groups [begin, end). Rows have gaps between them, so that a wrong stride shows, and the
 * unused rows of the last tile are poison.
 */
export function matmul({ type, columns, rows, begin = 0, end, outliers = 2, packed = 0 }: MatmulCase): Case {
  return seeded(
    `${type} K ${columns}, ${rows} rows${packed ? ", packed" : ""}, groups ${begin}..${end}`,
    (arena, random) => {
      const quantized = isQuantized(type);
      const w = arena.input(weights(random, type, end, columns, { scales: "sane" }));
      const gap = 64;
      const xStride = Math.ceil((quantized ? quantizedRowBytes(columns) : 4 * columns) / 64) * 64 + gap;
      const dstStride = end * 64 + gap;
      const width = rows === 1 ? 1 : TILE_TOKENS;
      const x = arena.reserve(Math.ceil(rows / width) * width * xStride, 16);
      for (let r = 0; r < rows; r++) {
        const tileRow = r % width;
        const place = { at: x + (r - tileRow) * xStride, columns, width, tileRow };
        if (quantized) writeRow(arena, place, { type, outliers, scale: 0.01 }, random);
        else arena.write(x + r * xStride, random.normals(columns));
      }
      const dst = arena.reserve(rows * dstStride);
      for (let r = 0; r < rows; r++) arena.owned(dst + r * dstStride + 64 * begin, 64 * (end - begin), "f32");
      const scratch = quantized ? arena.output(matmulScratchBytes(columns), "scratch", 16) : 0;
      const shape = { weights: w, type: typeId(type), columns, packed };
      const op = arena.input(operation("matmul", { dst, dstStride, src: x, srcStride: xStride, ...shape }));
      return { op, rows, groupBegin: begin, groupEnd: end, scratch };
    },
  );
}
