/**
 * Makes the cases of the kernel table: which buffers a call has, what is in them, what it may write.
 * @module
 */
import type { TensorType } from "../../src/formats/tensor-types.ts";
import { BLOCK, type KvType, kvHeadBytes, quantizedRowBytes } from "../../src/runtime/layout.ts";
import type { Arena, Prepare } from "./arena.ts";
import {
  ACTIVATIONS,
  type Cached,
  DIGITS,
  fileRows,
  groupsOf,
  keyBytes,
  keyOffsets,
  kvId,
  kvPages,
  QUANTIZED,
  typeId,
  valueOffsets,
  type WeightOptions,
  weights,
  writeDigits,
  writeWide,
} from "./kernel-data.ts";
import { Random } from "./random.ts";

export interface Case {
  readonly title: string;
  readonly prepare: Prepare;
}

const activations = (pattern: string, n: number, random: Random): Float32Array<ArrayBuffer> =>
  ACTIVATIONS[pattern]!(n, random);
/** A case whose inputs come from a generator seeded with its title. */
const seeded = (title: string, prepare: (arena: Arena, random: Random) => number[]): Case => ({
  title,
  prepare: (arena) => prepare(arena, new Random(title)),
});

// --- products

export interface Gemv {
  readonly type: TensorType;
  readonly columns: number;
  readonly options?: WeightOptions;
  /** Of DIGITS. */
  readonly pattern?: string;
  /** Every how many blocks one has two digits: 0 none, 1 all, 2 by turns (where left out). Int4 only. */
  readonly outliers?: number;
  readonly scale?: number;
}

/** A quantised row at `at` in the form that weights of `type` take. */
function writeRow(
  arena: Arena,
  at: number,
  { type, columns, pattern = "random", outliers = 2, scale }: Gemv,
  random: Random,
): void {
  const digit = (column: number): number => DIGITS[pattern]!(column, random);
  const d = (): number => scale ?? random.normal() * 0.1;
  if (type !== "Q8_0")
    writeDigits(arena, at, columns, digit, (block) => (outliers && block % outliers === 0 ? 2 : 1), d);
  else
    writeWide(
      arena,
      at,
      Int16Array.from({ length: columns }, (_, c) => 258 * digit(c) + Math.sign(digit(c))),
      d,
    );
}

/** The last argument: minima for Q4, nothing for Q8_0, the type for floats. */
const gemvTail = (type: TensorType): number[] =>
  type === "Q4_0" ? [0] : type === "Q4_1" ? [1] : type === "Q8_0" ? [] : [typeId(type)];

export function gemvQuantized(gemv: Gemv): Case {
  const { type, columns, options } = gemv;
  return seeded(`${JSON.stringify(gemv)} d ${gemv.scale}`, (arena, random) => {
    const w = arena.input(weights(random, type, 1, columns, options));
    const x = arena.reserve(quantizedRowBytes(columns), 16);
    writeRow(arena, x, gemv, random);
    return [arena.output(64, "f32"), w, x, columns, ...gemvTail(type)];
  });
}

export function gemvFloat(type: TensorType, columns: number, pattern: string, options?: WeightOptions): Case {
  return seeded(`${type} K ${columns} ${options?.scales ?? "any"} x ${pattern}`, (arena, random) => {
    const w = arena.input(weights(random, type, 1, columns, options));
    const x = arena.input(activations(pattern, columns, random));
    return [arena.output(64, "f32"), w, x, columns, typeId(type)];
  });
}

/** `rows` activation rows times groups [begin, end); strides with a gap, so that a wrong one shows. */
export function matmul(
  type: TensorType,
  columns: number,
  rows: number,
  begin: number,
  end: number,
  outliers = 2,
): Case {
  return seeded(`${type} K ${columns}, ${rows} rows, groups ${begin}..${end}`, (arena, random) => {
    const quantized = QUANTIZED.includes(type);
    const w = arena.input(weights(random, type, end, columns, { scales: "sane" }));
    const gap = 64;
    const xStride = Math.ceil((quantized ? quantizedRowBytes(columns) : 4 * columns) / 64) * 64 + gap;
    const dstStride = end * 64 + gap;
    const x = arena.reserve(rows * xStride, 16);
    for (let r = 0; r < rows; r++) {
      if (quantized) writeRow(arena, x + r * xStride, { type, columns, outliers, scale: 0.01 }, random);
      else arena.write(x + r * xStride, random.normals(columns));
    }
    const dst = arena.reserve(rows * dstStride);
    for (let r = 0; r < rows; r++) arena.owned(dst + r * dstStride + 64 * begin, 64 * (end - begin), "f32");
    return [dst, dstStride, x, xStride, rows, w, typeId(type), columns, begin, end];
  });
}

// --- activations

/** Wide rows are the i16 codes and a scale a block; the others all but the second digits of blocks that have one. */
export function quantizeRow(columns: number, pattern: string, wide: boolean): Case {
  return seeded(`K ${columns} ${pattern} ${wide ? "wide" : ""}`, (arena, random) => {
    const dst = arena.reserve(quantizedRowBytes(columns), 16);
    const x = activations(pattern, columns, random);
    for (let b = 0; b < columns / BLOCK; b++) {
      const meta = dst + 4 * columns + 32 * b;
      arena.owned(dst + 2 * columns + 64 * b, 64, "bytes");
      arena.owned(meta, wide ? 4 : 8, "f32");
      if (wide) continue;
      arena.owned(meta + 8, 20, "bytes");
      arena.owned(dst + 32 * b, 32, "bytes");
      arena.owned(dst + columns + 32 * b, 32, hasTwoDigits(x, b) ? "bytes" : "scratch");
    }
    return [dst, arena.input(x), columns, wide ? 1 : 0];
  });
}

/** Whether block `b` stands out: amax^2 more than four times the mean over the row, in f32 as the kernel computes it. */
function hasTwoDigits(x: Float32Array, b: number): boolean {
  const blocks = x.length / BLOCK;
  const amax = (block: number): number =>
    x.subarray(block * BLOCK, (block + 1) * BLOCK).reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  let total = 0;
  for (let block = 0; block < blocks; block++) total = Math.fround(total + Math.fround(amax(block) ** 2));
  return amax(b) >= 1e-30 && Math.fround(amax(b) ** 2) > Math.fround(Math.fround(4 * total) / blocks);
}

export function rmsNorm(n: number, pattern: string, weighted: boolean, inPlace: boolean): Case {
  return seeded(`n ${n} ${pattern} ${weighted ? "weighted" : ""} ${inPlace ? "in place" : ""}`, (arena, random) => {
    const x = activations(pattern, n, random);
    const weight = weighted ? arena.input(random.normals(n)) : 0;
    if (inPlace) {
      const dst = arena.inPlace(x);
      return [dst, dst, weight, n, 1e-5];
    }
    const src = arena.input(x);
    return [arena.output(4 * n, "f32"), src, weight, n, 1e-5];
  });
}

export function siluMul(n: number, pattern: string, inPlace: boolean): Case {
  return seeded(`n ${n} ${pattern} ${inPlace ? "in place" : ""}`, (arena, random) => {
    const up = arena.input(random.normals(n));
    const gate = activations(pattern, n, random);
    if (inPlace) {
      const dst = arena.inPlace(gate);
      return [dst, dst, up, n];
    }
    const src = arena.input(gate);
    return [arena.output(4 * n, "f32"), src, up, n];
  });
}

export const addTo = (n: number, pattern: string): Case =>
  seeded(`n ${n} ${pattern}`, (arena, random) => [
    arena.inPlace(random.normals(n)),
    arena.input(activations(pattern, n, random)),
    n,
  ]);

export const ropeTable = (half: number, position: number): Case =>
  seeded(`half ${half} position ${position}`, (arena) => {
    const frequencies = Float32Array.from({ length: half }, (_, j) => 500000 ** (-j / half));
    return [arena.output(8 * half, "f32"), arena.input(frequencies), half, position];
  });

/** Eight values after the rotated ones, as in a partly rotated head: they must not change. */
export const ropeHead = (half: number, interleaved: number, pattern: string): Case =>
  seeded(`half ${half} ${interleaved ? "interleaved" : "halves"} ${pattern}`, (arena, random) => {
    const x = arena.input(activations(pattern, 2 * half + 8, random));
    const angles = random.normals(half, 3);
    const table = arena.input(Float32Array.of(...angles.map(Math.cos), ...angles.map(Math.sin)));
    return [arena.owned(x, 8 * half, "f32"), table, half, interleaved];
  });

// --- weights

export const embedRow = (type: TensorType, columns: number, row: number): Case =>
  seeded(`${type} K ${columns} row ${row}`, (arena, random) => {
    const w = arena.input(weights(random, type, groupsOf(row + 1), columns));
    return [arena.output(4 * columns, "f32"), w, typeId(type), columns, row];
  });

/** `bad` puts infinity or NaN (f16 or the upper half of an f32) at that byte of the file. */
export const repack = (type: TensorType, columns: number, rows: number, bad?: number): Case =>
  seeded(`${type} K ${columns}, ${rows} rows${bad === undefined ? "" : `, not finite at ${bad}`}`, (arena, random) => {
    const file = fileRows(random, type, rows, columns);
    if (bad !== undefined)
      new DataView(file.buffer).setUint16(bad, type.includes("F32") || type === "BF16" ? 0x7f80 : 0xfc01, true);
    const dst = arena.output(weights(random, type, groupsOf(rows), columns).length, "bytes");
    return [dst, arena.input(file), rows, columns, typeId(type)];
  });

export const widen = (type: TensorType, count: number, bad: boolean): Case =>
  seeded(`${type} ${count} ${bad ? "with infinity" : ""}`, (arena, random) => {
    const file = fileRows(random, type, 1, count);
    const view = new DataView(file.buffer);
    if (bad) view.setUint16(file.length - 2, type === "F16" ? 0x7c00 : 0xff80, true);
    return [arena.output(4 * count, "f32"), arena.input(file), count, typeId(type)];
  });

// --- key-value cache

export function kvStore(kvType: KvType, headDim: number, slot: number, pattern: string): Case {
  return seeded(`${kvType} head ${headDim} slot ${slot} ${pattern}`, (arena, random) => {
    const keys = arena.reserve(kvHeadBytes(kvType, headDim));
    const values = keys + keyBytes(kvType, headDim);
    const float = kvType === "f32";
    for (const offset of keyOffsets(kvType, headDim, slot)) {
      arena.owned(keys + offset, float ? 4 : kvType === "mixed" ? 2 : 1, float ? "f32" : "bytes");
    }
    for (const offset of valueOffsets(kvType, headDim, slot)) {
      arena.owned(values + offset, float ? 4 : 1, float ? "f32" : "bytes");
    }
    if (!float) for (const scales of [keys, values]) arena.owned(scales + 4 * slot, 4, "f32");
    const key = arena.input(activations(pattern, headDim, random));
    const value = arena.input(activations(pattern, headDim, random).reverse());
    return [keys, slot, key, value, headDim, kvId(kvType)];
  });
}

/** A cached vector: random codes up to both ends, and a scale. 12 bits for keys of the mixed type. */
function cached(kvType: KvType, part: "key" | "value", headDim: number, random: Random, size = 2.5): Cached {
  if (kvType === "f32") return { values: random.normals(headDim), scale: 1 };
  const limit = kvType === "mixed" && part === "key" ? 2047 : 127;
  const codes = Array.from({ length: headDim }, () => random.integer(-limit, limit));
  const values = limit === 127 ? Int8Array.from(codes) : Int16Array.from(codes);
  return { values, scale: (size / limit) * (0.5 + random.uint32() / 2 ** 32) };
}

export interface Attention {
  readonly kvType: KvType;
  readonly headDim: number;
  readonly position: number;
  readonly query?: string;
  /** Of the scores: 1 / sqrt(headDim) where left out. */
  readonly scale?: number;
  /** Replaces the value of the token in the middle. */
  readonly middle?: number;
  /** Of the largest value. */
  readonly valueSize?: number;
}

export function attention({ kvType, headDim, position, query = "normal", scale, middle, valueSize }: Attention): Case {
  const extra = `${scale ? `scale ${scale} ` : ""}${middle ?? ""}${valueSize ?? ""}`;
  return seeded(`${kvType} head ${headDim} position ${position} q ${query} ${extra}`, (arena, random) => {
    const headAt = 192;
    const token = (t: number): { key: Cached; value: Cached } => {
      const value = cached(kvType, "value", headDim, random, valueSize);
      const changed = middle !== undefined && t === position >> 1;
      const special: Cached =
        kvType === "f32" ? { values: new Float32Array(headDim).fill(middle!), scale: 1 } : { ...value, scale: middle! };
      return { key: cached(kvType, "key", headDim, random), value: changed ? special : value };
    };
    const pages = kvPages(arena, kvType, headDim, headAt, token, position);
    const q = arena.input(activations(query, headDim, random));
    const scratch = arena.output(192 + 6 * headDim, "scratch", 16);
    const dst = arena.output(4 * headDim, "f32");
    return [dst, q, pages, headAt, position, headDim, scale ?? headDim ** -0.5, kvId(kvType), scratch];
  });
}
