/**
 * Inputs of the kernels, in the layouts of assembly/layout.ts, assembly/activations.ts and
 * assembly/kernels/kv-store.ts, which are written here a second time on purpose.
 * @module
 */
import type { TensorType } from "../../src/formats/tensor-types.ts";
import { tensorTypeFacts } from "../../src/formats/tensor-types.ts";
import {
  BLOCK,
  GROUP_ROWS,
  groupBytes,
  KV_TYPES,
  type KvType,
  kvHeadBytes,
  PAGE_TOKENS,
} from "../../src/runtime/layout.ts";
import { isQuantized, scaleBlock, takesWide, WEIGHT_TYPES, weightTypeFacts } from "../../src/runtime/weight-types.ts";
import type { Arena } from "./arena.ts";
import type { Random } from "./random.ts";

const typesWhere = (accept: (type: TensorType) => boolean): TensorType[] => [...WEIGHT_TYPES.keys()].filter(accept);
export const FLOATS: readonly TensorType[] = typesWhere((type) => !isQuantized(type));
export const QUANTIZED: readonly TensorType[] = typesWhere(isQuantized);
/** The types whose scales lie before the codes of a group, not in tiles. */
export const SCALES_FIRST: readonly TensorType[] = typesWhere((type) => scaleBlock(type) !== undefined);
/** Of these types, those whose codes have 4 to 6 bits, and those whose codes stand for levels. */
export const CODED: readonly TensorType[] = SCALES_FIRST.filter((type) => !takesWide(type));
export const LEVELLED: readonly TensorType[] = SCALES_FIRST.filter(takesWide);
/** Vectors of high bits of a step of eight columns, for codes of 4 to 6 bits. */
export const planesOf = (type: TensorType): number => weightTypeFacts(type).bits - 4;
/** Where a block of a file has f16 scales and minima. */
export const fileF16s = (type: TensorType): readonly number[] => {
  const { scales, minima, f16At } = weightTypeFacts(type);
  if (scales === "exponent") return [];
  return minima ? [f16At, f16At + 2] : [f16At];
};
/** `columns` up to a whole number of the type's blocks. */
export const wholeBlocks = (type: TensorType, columns: number): number => {
  const { blockValues } = tensorTypeFacts(type);
  return Math.ceil(columns / blockValues) * blockValues;
};
export const typeId = (type: TensorType): number => tensorTypeFacts(type).id;

/** One block of 32 in nine stands out: few enough for quantizeRow to give each a second digit. */
const isOutlying = (i: number): boolean => (i >> 5) % 9 === 4;

/** Rows of f32 that break naive code, by name. */
export const ACTIVATIONS: Readonly<Record<string, (n: number, random: Random) => Float32Array<ArrayBuffer>>> = {
  normal: (n, random) => random.normals(n),
  zeros: (n) => new Float32Array(n),
  "-0": (n) => new Float32Array(n).fill(-0),
  denormal: (n, random) => random.normals(n, 1e-40),
  "around the smallest scale": (n, random) => random.normals(n, 1e-30),
  equal: (n) => new Float32Array(n).fill(-1.7),
  outlier: (n, random) => random.normals(n).fill(1e4, n >> 1, (n >> 1) + 1),
  "outlying blocks": (n, random) => random.normals(n).map((x, i) => (isOutlying(i) ? 8 * x : x)),
  // With amax 127 the factor is 1, so values of n + 0.5 must go to the even code. Outlying blocks have two digits.
  ties: (n, random) =>
    Float32Array.from({ length: n }, (_, i) => {
      const x = i % 32 ? random.integer(-127, 126) + 0.5 : 127;
      return isOutlying(i) ? x : x / 16;
    }),
  "alternating 1e30": (n) => Float32Array.from({ length: n }, (_, i) => (i % 2 ? -1e30 : 1e30)),
  "one NaN": (n, random) => random.normals(n).fill(Number.NaN, n >> 1, (n >> 1) + 1),
  "one Infinity": (n, random) => random.normals(n).fill(Infinity, n >> 1, (n >> 1) + 1),
  "one -Infinity": (n, random) => random.normals(n).fill(-Infinity, n - 1),
};

/** f16 bits. `sane`: 2^-9 to 4, either sign; `any`: every finite value, zeros and subnormals included. */
export type Scales = "sane" | "any" | "zero" | "subnormal" | "largest";
function f16Bits(scales: Scales, random: Random): number {
  const sign = random.uint32() & 0x8000;
  const fraction = random.uint32() & 0x3ff;
  if (scales === "zero") return sign;
  if (scales === "subnormal") return sign | fraction;
  if (scales === "largest") return sign | 0x7bff;
  return sign | (random.integer(scales === "sane" ? 6 : 0, scales === "sane" ? 16 : 30) << 10) | fraction;
}

/** Exponents of MXFP4. A weight is 2^(e - 128) times at most 12. */
function exponent(scales: Scales, random: Random): number {
  if (scales === "zero") return 0;
  if (scales === "subnormal") return random.integer(0, 1);
  if (scales === "largest") return 252;
  return scales === "sane" ? random.integer(118, 128) : random.integer(0, 252);
}

export interface WeightOptions {
  readonly scales?: Scales;
  /** Every byte of the codes; random where left out. */
  readonly codes?: number;
}

/**
 * A tiled matrix of whole groups. In a matrix of floats, `scales` is about the weights; sums of `sane` ones do not
 * overflow.
 */
export function weights(
  random: Random,
  type: TensorType,
  groups: number,
  columns: number,
  { scales = "any", codes }: WeightOptions = {},
): Uint8Array<ArrayBuffer> {
  const bytes = random.bytes(groups * groupBytes(type, columns));
  const view = new DataView(bytes.buffer);
  if (type === "F32" || type === "BF16") {
    const step = type === "F32" ? 4 : 2; // the upper 16 bits of an f32 are a bf16
    for (let i = step - 2; i < bytes.length; i += step) {
      const exponent = scales === "sane" ? random.integer(118, 128) : random.integer(0, 254);
      view.setUint16(i, (random.uint32() & 0x807f) | (exponent << 7), true);
    }
    return bytes;
  }
  const before = scaleBlock(type);
  if (before) {
    const group = groupBytes(type, columns);
    const scalesBytes = (columns / before.columns) * before.bytes;
    for (let at = 0; at < bytes.length; at += group) {
      if (codes !== undefined) bytes.fill(codes, at + scalesBytes, at + group);
      for (let block = at; block < at + scalesBytes; block += before.bytes) {
        for (let i = 0; i < before.f16Bytes; i += 2) view.setUint16(block + i, f16Bits(scales, random), true);
        if (before.f16Bytes === 0) for (let i = 0; i < 16; i++) bytes[block + i] = exponent(scales, random);
      }
    }
    return bytes;
  }
  const header = type === "F16" ? 32 : type === "Q4_1" ? 64 : 32;
  const tile = isQuantized(type) ? groupBytes(type, BLOCK) : 32;
  for (let at = 0; at < bytes.length; at += tile) {
    if (codes !== undefined) bytes.fill(codes, at + header, at + tile);
    for (let i = 0; i < header; i += 2) view.setUint16(at + i, f16Bits(scales, random), true);
  }
  return bytes;
}

/** Rows as they lie in a GGUF. */
export function fileRows(random: Random, type: TensorType, rows: number, columns: number): Uint8Array<ArrayBuffer> {
  const { blockValues, blockBytes } = tensorTypeFacts(type);
  const bytes = random.bytes(((rows * columns) / blockValues) * blockBytes);
  const view = new DataView(bytes.buffer);
  const f16s = fileF16s(type);
  for (let at = 0; at < bytes.length; at += blockBytes) {
    if (type === "F32") view.setUint32(at, random.uint32() & 0xbfffffff, true);
    else if (type === "BF16") view.setUint16(at, random.uint32() & 0xbfff, true);
    else if (type === "MXFP4") bytes[at] = exponent("any", random);
    else for (const within of f16s) view.setUint16(at + within, f16Bits("any", random), true);
  }
  return bytes;
}

/** Digits of an activation row, by name. The codes of a wide row are 258 times as large. */
export const DIGITS: Readonly<Record<string, (column: number, random: Random) => number>> = {
  random: (_, random) => random.integer(-127, 127),
  "+127": () => 127,
  "-127": () => -127,
  "+-127": (column) => (column % 2 ? -127 : 127),
  "127 in lanes 0 and 1": (column) => (column % 4 < 2 ? 127 : -127),
  zero: () => 0,
};

/** Sums over columns 0, 1 (mod 4) and over columns 2, 3 (mod 4), times -8. */
function starts(codes: ArrayLike<number>): [number, number] {
  const sums: [number, number] = [0, 0];
  for (let c = 0; c < codes.length; c++) sums[(c >> 1) & 1]! += codes[c]!;
  return [-8 * sums[0], -8 * sums[1]];
}

/** A row's place in a tile of quantised activations: row `tileRow` of `width` at `at`. */
export interface Place {
  readonly at: number;
  readonly columns: number;
  readonly width: number;
  readonly tileRow: number;
}

/** Address of a column's digit (0 first, 1 second); four columns lie together. */
export const digitAt = ({ at, columns, width, tileRow }: Place, column: number, digit: number): number =>
  at + digit * columns * width + 4 * ((column >> 2) * width + tileRow) + (column & 3);
/** Address of a column's 16-bit code; those of columns c and c + 2 lie together. */
export const codeAt = ({ at, columns, width, tileRow }: Place, column: number): number =>
  at + 2 * columns * width + 4 * ((2 * (column >> 2) + (column & 1)) * width + tileRow) + (column & 2);
/** Address of a block's scale, sums and number of digits. */
export const metaAt = ({ at, columns, width, tileRow }: Place, block: number): number =>
  at + 4 * columns * width + 48 * (block * width + tileRow);

/** What a row of digits consists of. */
export interface Digits {
  /** A digit of a column; called for the second digits too. */
  readonly digit: (column: number) => number;
  /** How many digits a block has. */
  readonly digits: (block: number) => number;
  readonly scale: () => number;
}

/**
 * Writes a row of digits (assembly/activations.ts). Unused bytes, and the second digits of blocks with one, stay
 * poison.
 */
export function writeDigits(arena: Arena, place: Place, { digit, digits, scale }: Digits): void {
  for (let b = 0; b < place.columns / BLOCK; b++) {
    const first = Int8Array.from({ length: BLOCK }, (_, c) => digit(c));
    const second = digits(b) === 2 ? Int8Array.from({ length: BLOCK }, (_, c) => digit(c)) : new Int8Array(BLOCK);
    const codes = Int16Array.from(first, (code, c) => (digits(b) === 2 ? 254 * code + second[c]! : code));
    for (let c = 0; c < BLOCK; c++) {
      const column = b * BLOCK + c;
      arena.write(digitAt(place, column, 0), first.subarray(c, c + 1));
      if (digits(b) === 2) arena.write(digitAt(place, column, 1), second.subarray(c, c + 1));
      arena.write(codeAt(place, column), codes.subarray(c, c + 1));
    }
    const d = Math.fround(scale());
    const meta = metaAt(place, b);
    const sum = (of: Int16Array): number => of.reduce((total, code) => total + code, 0);
    arena.write(meta, Float32Array.of(d, d * sum(codes)));
    arena.write(meta + 8, Int16Array.of(...starts(first), ...starts(second)));
    arena.write(meta + 16, Int32Array.of(...starts(codes), digits(b)));
    const halves = [starts(second.subarray(0, 16)), starts(first.subarray(0, 16)), starts(first.subarray(16))];
    arena.write(meta + 28, Int16Array.from(halves.flat()));
    arena.write(meta + 40, Float32Array.of(d * sum(codes.subarray(0, 16)), d * sum(codes.subarray(16))));
  }
}

/** Writes the codes of 16 bits and the scales of a wide row. All else stays poison. */
export function writeWide(arena: Arena, place: Place, code: (column: number) => number, scale: () => number): void {
  for (let c = 0; c < place.columns; c++) arena.write(codeAt(place, c), Int16Array.of(code(c)));
  for (let b = 0; b < place.columns / BLOCK; b++) arena.write(metaAt(place, b), Float32Array.of(scale()));
}

/** The forms in which a group of weights is unpacked (assembly/kernels/matmul/panel.ts). */
export type PanelForm = "i8" | "i16";
export const panelBytes = (form: PanelForm, columns: number): number => (form === "i8" ? 16 : 32) * columns;
export const scalesBytes = (columns: number, columnsPerScale = 32): number => 64 * (columns / columnsPerScale);

export const KV: readonly KvType[] = ["f32", "int8", "mixed"];

/** Bytes of the keys of one kv head in a page; the values follow them. */
export function keyBytes(kvType: KvType, headDim: number): number {
  return kvType === "f32" ? 128 * headDim : 128 + 32 * headDim * keyCodeBytes(kvType);
}

const keyCodeBytes = (kvType: KvType): number => ({ f32: 4, int8: 1, mixed: 2 })[kvType];

/** Byte offsets of a token's key or value in its half of a head's page, dimension by dimension. */
export function keyOffsets(kvType: KvType, headDim: number, token: number): number[] {
  return Array.from({ length: headDim }, (_, d) =>
    kvType === "f32"
      ? 4 * (PAGE_TOKENS * d + token)
      : 128 + keyCodeBytes(kvType) * (2 * PAGE_TOKENS * (d >> 1) + 2 * token + (d & 1)),
  );
}
export function valueOffsets(kvType: KvType, headDim: number, token: number): number[] {
  return Array.from({ length: headDim }, (_, d) =>
    kvType === "f32" ? 4 * headDim * token + 4 * d : 128 + 2 * headDim * (token >> 1) + 2 * d + (token & 1),
  );
}

/** One token's key or value as the cache keeps it: f32, or codes with a scale. */
export interface Cached {
  readonly values: Float32Array | Int8Array | Int16Array;
  readonly scale: number;
}

/**
 * Puts tokens 0..position into the pages of a kv head, of which the sequence uses all but the first, backwards; all
 * other bytes stay poison. Gives the address of the page numbers and that of the head's pages.
 */
export function kvPages(
  arena: Arena,
  { kvType, headDim, position }: { readonly kvType: KvType; readonly headDim: number; readonly position: number },
  cachedToken: (t: number) => { key: Cached; value: Cached },
): { pageTable: number; pages: number } {
  const count = Math.floor(position / PAGE_TOKENS) + 1;
  const pageBytes = kvHeadBytes(kvType, headDim);
  const pages = arena.reserve((count + 1) * pageBytes);
  const numbers = Uint32Array.from({ length: count }, (_, i) => count - i);
  for (let t = 0; t <= position; t++) {
    const token = t % PAGE_TOKENS;
    const keys = pages + numbers[Math.floor(t / PAGE_TOKENS)]! * pageBytes;
    const { key, value } = cachedToken(t);
    const values = keys + keyBytes(kvType, headDim);
    storeCodes(arena, keys, key, keyOffsets(kvType, headDim, token));
    storeCodes(arena, values, value, valueOffsets(kvType, headDim, token));
    if (kvType === "f32") continue;
    arena.write(keys + 4 * token, Float32Array.of(key.scale));
    arena.write(values + 4 * token, Float32Array.of(value.scale));
  }
  return { pageTable: arena.input(numbers), pages };
}

function storeCodes(arena: Arena, at: number, { values }: Cached, offsets: readonly number[]): void {
  for (const [d, offset] of offsets.entries()) arena.write(at + offset, values.subarray(d, d + 1));
}

export const kvId = (kvType: KvType): number => KV_TYPES[kvType];
export const groupsOf = (rows: number): number => Math.ceil(rows / GROUP_ROWS);
