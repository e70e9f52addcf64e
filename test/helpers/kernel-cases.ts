/**
 * Makes the cases of the kernel table: which buffers a call has, what is in them, what it may write.
 * @module
 */
import type { TensorType } from "../../src/formats/tensor-types.ts";
import {
  attentionScratchBytes,
  BLOCK,
  type KvType,
  kvHeadBytes,
  lowRankScratchBytes,
  matmulScratchBytes,
  quantizedRowBytes,
  TILE_TOKENS,
  takesWide,
} from "../../src/runtime/layout.ts";
import type { Arena, Prepare } from "./arena.ts";
import {
  ACTIVATIONS,
  type Cached,
  codeAt,
  DIGITS,
  digitAt,
  fileRows,
  GROUPS,
  groupsOf,
  keyBytes,
  keyOffsets,
  kvId,
  kvPages,
  metaAt,
  type PanelForm,
  type Place,
  panelBytes,
  QUANTIZED,
  type Scales,
  scalesBytes,
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
  /** Every how many blocks one has two digits: 0 none, 1 all, 2 by turns (where left out). Not for wide rows. */
  readonly outliers?: number;
  readonly scale?: number;
}

/** A quantised row at `place` in the form that weights of `type` take. Rows of a tile have their two digits in different blocks. */
function writeRow(
  arena: Arena,
  place: Place,
  { type, pattern = "random", outliers = 2, scale }: Omit<Gemv, "columns">,
  random: Random,
): void {
  const digit = (column: number): number => DIGITS[pattern]!(column, random);
  const d = (): number => scale ?? random.normal() * 0.1;
  if (!takesWide(type)) {
    writeDigits(arena, place, digit, (block) => (outliers && (block + place.slot) % outliers === 0 ? 2 : 1), d);
  } else {
    const wide = (x: number): number => 258 * x + Math.sign(x);
    writeWide(arena, place, (column) => wide(digit(column)), d);
  }
}

/** The last argument: minima for Q4, nothing for Q8_0, the type for floats. */
const gemvTail = (type: TensorType): number[] =>
  type === "Q4_0" ? [0] : type === "Q4_1" ? [1] : type === "Q8_0" ? [] : [typeId(type)];

export function gemvQuantized(gemv: Gemv): Case {
  const { type, columns, options } = gemv;
  return seeded(`${JSON.stringify(gemv)} d ${gemv.scale}`, (arena, random) => {
    const w = arena.input(weights(random, type, 1, columns, options));
    const x = arena.reserve(quantizedRowBytes(columns), 16);
    writeRow(arena, { at: x, columns, width: 1, slot: 0 }, gemv, random);
    return [arena.output(64, "f32"), w, x, columns, ...gemvTail(type)];
  });
}

/** Scales or minima as f32 of a group, 16 a block. */
const floats = (arena: Arena, random: Random, count: number, value?: number): number =>
  arena.input(
    random.normals(count).map((x) => value ?? x),
    16,
  );

export interface GemvCodes extends Gemv {
  /** Every scale and minimum; random where left out. */
  readonly weightScale?: number;
}

/** A group of tiles without scales. */
const tilesOnly = (random: Random, type: TensorType, columns: number, codes?: number): Uint8Array<ArrayBuffer> => {
  const bytes = random.bytes((columns / BLOCK) * (256 + 64 * GROUPS.get(type)!.planes));
  return codes === undefined ? bytes : bytes.fill(codes);
};

/** Codes of 4 to 6 bits whose scales are f32. */
export function gemvCodes(gemv: GemvCodes): Case {
  const { type, columns, options, weightScale } = gemv;
  return seeded(`${JSON.stringify(gemv)} d ${gemv.scale} ${weightScale}`, (arena, random) => {
    const { planes, perScale, minima } = GROUPS.get(type)!;
    const w = arena.input(tilesOnly(random, type, columns, options?.codes));
    const scales = floats(arena, random, (16 * columns) / perScale, weightScale);
    const m = minima ? floats(arena, random, (16 * columns) / perScale, weightScale) : 0;
    const x = arena.reserve(quantizedRowBytes(columns), 16);
    writeRow(arena, { at: x, columns, width: 1, slot: 0 }, gemv, random);
    return [arena.output(64, "f32"), w, scales, m, x, columns, planes, perScale];
  });
}

/** Sixteen levels up to both ends of i8. */
const someLevels = (arena: Arena, random: Random): number =>
  arena.input(Int8Array.from({ length: 16 }, (_, i) => (i < 2 ? [-128, 127][i]! : random.integer(-128, 127))));

export function gemvLevels(gemv: GemvCodes): Case {
  const { type, columns, options, weightScale } = gemv;
  return seeded(`${JSON.stringify(gemv)} d ${gemv.scale} ${weightScale}`, (arena, random) => {
    const w = arena.input(tilesOnly(random, type, columns, options?.codes));
    const scales = floats(arena, random, columns / 2, weightScale);
    const x = arena.reserve(quantizedRowBytes(columns), 16);
    writeRow(arena, { at: x, columns, width: 1, slot: 0 }, gemv, random);
    return [arena.output(64, "f32"), w, scales, x, columns, someLevels(arena, random)];
  });
}

export function gemvFloat(type: TensorType, columns: number, pattern: string, options?: WeightOptions): Case {
  return seeded(`${type} K ${columns} ${options?.scales ?? "any"} x ${pattern}`, (arena, random) => {
    const w = arena.input(weights(random, type, 1, columns, options));
    const x = arena.input(activations(pattern, columns, random));
    return [arena.output(64, "f32"), w, x, columns, typeId(type)];
  });
}

export interface LowRankCase {
  readonly aType: TensorType;
  readonly bType: TensorType;
  readonly rank: number;
  readonly columns: number;
  /** Of 16 rows of B. */
  readonly groups: number;
  readonly scale?: number;
}

export function addLowRank({ aType, bType, rank, columns, groups, scale = 0.7 }: LowRankCase): Case {
  const title = `A ${aType} [${rank}, ${columns}], B ${bType} of ${groups} groups, scale ${scale}`;
  return seeded(title, (arena, random) => {
    const a = arena.input(weights(random, aType, Math.ceil(rank / 16), columns, { scales: "sane" }));
    const b = arena.input(weights(random, bType, groups, rank, { scales: "sane" }));
    const x = arena.input(activations("normal", columns, random));
    const dst = arena.inPlace(random.normals(16 * groups));
    const scratch = arena.output(lowRankScratchBytes(rank), "scratch", 16);
    return [dst, x, a, typeId(aType), columns, rank, b, typeId(bType), groups, scale, scratch];
  });
}

/** `rows` activation rows times groups [begin, end); strides with a gap, so that a wrong one shows; the last tile's rest poison. */
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
    const width = rows === 1 ? 1 : TILE_TOKENS;
    const x = arena.reserve(Math.ceil(rows / width) * width * xStride, 16);
    for (let r = 0; r < rows; r++) {
      const slot = r % width;
      const place = { at: x + (r - slot) * xStride, columns, width, slot };
      if (quantized) writeRow(arena, place, { type, outliers, scale: 0.01 }, random);
      else arena.write(x + r * xStride, random.normals(columns));
    }
    const dst = arena.reserve(rows * dstStride);
    for (let r = 0; r < rows; r++) arena.owned(dst + r * dstStride + 64 * begin, 64 * (end - begin), "f32");
    const scratch = quantized ? arena.output(matmulScratchBytes(columns), "scratch", 16) : 0;
    return [dst, dstStride, x, xStride, rows, w, typeId(type), columns, begin, end, scratch];
  });
}

/** Unpacks one group. */
export function unpack(form: PanelForm, type: TensorType, columns: number, options?: WeightOptions): Case {
  return seeded(`${type} K ${columns} ${JSON.stringify(options ?? "")}`, (arena, random) => {
    const w = arena.input(weights(random, type, 1, columns, options));
    const panel = arena.output(panelBytes(form, columns), "bytes", 16);
    const scales = arena.output(scalesBytes(columns) * (type === "Q4_1" ? 2 : 1), "f32", 16);
    return [panel, scales, w, columns, ...(type === "Q8_0" ? [] : [type === "Q4_1" ? 1 : 0])];
  });
}

/** Unpacks the codes of one group, without scales. */
export function unpackCodes(form: PanelForm, type: TensorType, columns: number, codes?: number): Case {
  return seeded(`${type} K ${columns} codes ${codes}`, (arena, random) => {
    const { planes, minima } = GROUPS.get(type)!;
    const w = arena.input(tilesOnly(random, type, columns, codes));
    const panel = arena.output(panelBytes(form, columns), "bytes", 16);
    if (takesWide(type)) return [panel, w, columns, someLevels(arena, random)];
    return [panel, w, columns, planes, ...(form === "words" ? [minima ? 0 : 8 << planes] : [])];
  });
}

/** The scales of columns [from, from + count) of a group. */
export function unpackGroupScales(
  type: TensorType,
  columns: number,
  from: number,
  count: number,
  scales: Scales = "any",
): Case {
  return seeded(`${type} K ${columns}, ${count} columns from ${from} ${scales}`, (arena, random) => {
    const { perScale, minima } = GROUPS.get(type)!;
    const group = arena.input(weights(random, type, 1, columns, { scales }));
    const bytes = scalesBytes(count, perScale);
    const out = arena.output(bytes, "f32", 16);
    return [out, minima ? arena.output(bytes, "f32", 16) : 0, group, typeId(type), from, count];
  });
}

export interface Tile extends Gemv {
  readonly form: PanelForm;
  readonly tokens: number;
  /** Every code of the panel; random where left out. */
  readonly code?: number;
  /** Of the weights; random where left out. */
  readonly weightScale?: number;
  /** Columns that an earlier call has summed up. */
  readonly from?: number;
}

/** The codes of half a panel lie in this range. */
function panelCodes({ form, type }: Tile): [low: number, high: number] {
  if (takesWide(type)) return [-128, 127];
  const { planes, minima } = GROUPS.get(type)!;
  const zero = form === "words" && !minima ? 8 << planes : 0;
  return [-zero, (16 << planes) - 1 - zero];
}

/** Half a panel times a tile of which `tokens` rows are in use, the others poison. */
export function tile(tile: Tile): Case {
  const { form, type, columns, tokens, code, weightScale, from = 0 } = tile;
  const count = columns - from;
  return seeded(`${JSON.stringify(tile)} d ${tile.scale} ${weightScale}`, (arena, random) => {
    const codes = Array.from({ length: 8 * count }, () => code ?? random.integer(...panelCodes(tile)));
    const panel = arena.input(form === "bytes" ? Uint8Array.from(codes) : Int16Array.from(codes), 16);
    const { planes, perScale, minima } = GROUPS.get(type)!;
    const scales = floats(arena, random, (8 * count) / perScale, weightScale);
    const m = minima ? floats(arena, random, (8 * count) / perScale, weightScale) : 0;
    const x = arena.reserve(TILE_TOKENS * quantizedRowBytes(columns), 16);
    for (let slot = 0; slot < tokens; slot++) {
      writeRow(arena, { at: x, columns, width: TILE_TOKENS, slot }, tile, random);
    }
    const dstStride = 32 + 64;
    const dst = arena.reserve(tokens * dstStride);
    for (let t = 0; t < tokens; t++) {
      arena.owned(dst + t * dstStride, 32, "f32");
      if (from > 0) arena.write(dst + t * dstStride, random.normals(8));
    }
    const tail = form === "bytes" ? [planes, perScale] : [perScale];
    return [dst, dstStride, tokens, panel, scales, m, x, columns, from, count, ...tail];
  });
}

// --- activations

/** Wide rows are the i16 codes and a scale a block; the others all but the second digits of blocks that have one. */
export function quantizeRow(columns: number, pattern: string, wide: boolean, width = 1, slot = 0): Case {
  return seeded(`K ${columns} ${pattern} ${wide ? "wide" : ""} slot ${slot} of ${width}`, (arena, random) => {
    const at = arena.reserve(quantizedRowBytes(columns) * width, 16);
    const place = { at, columns, width, slot };
    const x = activations(pattern, columns, random);
    for (let c = 0; c < columns; c++) arena.owned(codeAt(place, c), 2, "bytes");
    for (let b = 0; b < columns / BLOCK; b++) {
      arena.owned(metaAt(place, b), wide ? 4 : 8, "f32");
      if (wide) continue;
      arena.owned(metaAt(place, b) + 8, 32, "bytes");
      arena.owned(metaAt(place, b) + 40, 8, "f32");
      const two = hasTwoDigits(x, b);
      for (let c = b * BLOCK; c < (b + 1) * BLOCK; c += 4) {
        arena.owned(digitAt(place, c, 0), 4, "bytes");
        if (two) arena.owned(digitAt(place, c, 1), 4, "bytes");
      }
    }
    return [at, arena.input(x), columns, wide ? 1 : 0, width, slot];
  });
}

/** Whether block `b` stands out: amax^2 more than four times the mean over the row, in f32 as the kernel computes it. */
function hasTwoDigits(x: Float32Array, b: number): boolean {
  const blocks = x.length / BLOCK;
  const amax = (block: number): number =>
    x.subarray(block * BLOCK, (block + 1) * BLOCK).reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  let total = 0;
  for (let block = 0; block < blocks; block++) total = Math.fround(total + Math.fround(amax(block) ** 2));
  return (
    amax(b) >= 1e-30 && amax(b) < Infinity && Math.fround(amax(b) ** 2) > Math.fround(Math.fround(4 * total) / blocks)
  );
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

/** siluMul and geluMul. */
export function gatedMul(n: number, pattern: string, inPlace: boolean): Case {
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

/** x f32[n] in place, and a number that all values share. */
export const adjust = (n: number, pattern: string, factor: number): Case =>
  seeded(`n ${n} ${pattern} ${factor}`, (arena, random) => [arena.inPlace(activations(pattern, n, random)), n, factor]);

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
      new DataView(file.buffer).setUint16(bad, type.includes("F32") || type === "BF16" ? 0x7f80 : 0xfcfd, true);
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
  /** Of the token rows, not decreasing. */
  readonly positions: readonly number[];
  /** Query heads that share the kv head: 1 where left out. */
  readonly group?: number;
  readonly query?: string;
  /** Of the scores: 1 / sqrt(headDim) where left out. */
  readonly scale?: number;
  /** Replaces the value of the token in the middle: all numbers (f32), or the scale. */
  readonly middle?: number;
  /** Of the largest value. */
  readonly valueSize?: number;
  /** Tokens that a row sees; 0: all. Pages before every row's window are not there at all. */
  readonly window?: number;
  /** Of the scores; 0: none. */
  readonly cap?: number;
}

/** Strides have a gap, so that a wrong one shows. */
export function attention(options: Attention): Case {
  const {
    kvType,
    headDim,
    positions,
    group = 1,
    query = "normal",
    scale,
    middle,
    valueSize,
    window = 0,
    cap = 0,
  } = options;
  return seeded(`${JSON.stringify(options)} middle ${middle}`, (arena, random) => {
    const last = positions.at(-1)!;
    // kvStore gives the codes 0 to a vector whose scale is not finite.
    const special = (value: Cached): Cached =>
      kvType === "f32"
        ? { values: new Float32Array(headDim).fill(middle!), scale: 1 }
        : { values: Number.isFinite(middle) ? value.values : new Int8Array(headDim), scale: middle! };
    const token = (t: number): { key: Cached; value: Cached } => {
      const value = cached(kvType, "value", headDim, random, valueSize);
      const changed = middle !== undefined && t === last >> 1;
      return { key: cached(kvType, "key", headDim, random), value: changed ? special(value) : value };
    };
    const { pages, headPages } = kvPages(arena, kvType, headDim, token, last);
    // A page that no row may see has a number that leads far beyond memory: reading it would trap.
    const unseen = window ? Math.max(0, positions[0]! + 1 - window) >> 5 : 0;
    arena.write(pages, new Uint32Array(unseen).fill(Math.floor(0x70000000 / kvHeadBytes(kvType, headDim))));
    const bytes = 4 * group * headDim;
    const [qStride, dstStride] = [bytes + 64, bytes + 128];
    const q = arena.reserve(positions.length * qStride);
    const dst = arena.reserve(positions.length * dstStride);
    positions.forEach((_, r) => {
      for (let h = 0; h < group; h++) {
        arena.write(q + r * qStride + 4 * h * headDim, activations(query, headDim, random));
      }
      arena.owned(dst + r * dstStride, bytes, "f32");
    });
    return [
      dst,
      dstStride,
      q,
      qStride,
      positions.length,
      group,
      arena.input(Int32Array.from(positions)),
      pages,
      headPages,
      headDim,
      scale ?? headDim ** -0.5,
      kvId(kvType),
      arena.output(attentionScratchBytes(headDim), "scratch", 16),
      window,
      cap,
    ];
  });
}
