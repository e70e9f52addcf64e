/**
 * Makes the cases of the kernel table: which buffers a call has, what is in them, and what it may write. Those of
 * matmuls are in kernel-matmul-cases.ts and kernel-panel-cases.ts, those of attention and kvStore in kernel-attention-cases.ts.
 * @module
 */
import type { TensorType } from "../../src/formats/tensor-types.ts";
import { BLOCK, quantizedRowBytes } from "../../src/runtime/layout.ts";
import type { Arena, Prepare } from "./arena.ts";
import type { Arguments } from "./kernel-arguments.ts";
import { ACTIVATIONS, codeAt, digitAt, fileRows, groupsOf, metaAt, typeId, weights } from "./kernel-data.ts";
import { Random } from "./random.ts";

export interface Case {
  readonly title: string;
  readonly prepare: Prepare;
}

export const activations = (pattern: string, n: number, random: Random): Float32Array<ArrayBuffer> =>
  ACTIVATIONS[pattern]!(n, random);
/** A case whose inputs come from a generator seeded with its title. */
export const seeded = (title: string, prepare: (arena: Arena, random: Random) => Arguments): Case => ({
  title,
  prepare: (arena) => prepare(arena, new Random(title)),
});

/**
 * A wide row consists of i16 codes and a scale per block. In other rows, everything is written except the second digits
 * of blocks with one digit.
 */
export function quantizeRow(
  columns: number,
  pattern: string,
  wide: boolean,
  { width, tileRow }: { readonly width: number; readonly tileRow: number } = { width: 1, tileRow: 0 },
): Case {
  return seeded(`K ${columns} ${pattern} ${wide ? "wide" : ""} tileRow ${tileRow} of ${width}`, (arena, random) => {
    const at = arena.reserve(quantizedRowBytes(columns) * width, 16);
    const place = { at, columns, width, tileRow };
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
    return { dst: at, src: arena.input(x), columns, wide: wide ? 1 : 0, width, tileRow };
  });
}

/**
 * Whether block `b` stands out: its amax^2 is more than four times the mean over the row, in f32 as the kernel computes
 * it.
 */
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
      return { dst, src: dst, weight, n, eps: 1e-5 };
    }
    const src = arena.input(x);
    return { dst: arena.output(4 * n, "f32"), src, weight, n, eps: 1e-5 };
  });
}

export function layerNorm(n: number, pattern: string, inPlace: boolean): Case {
  return seeded(`n ${n} ${pattern} ${inPlace ? "in place" : ""}`, (arena, random) => {
    const x = activations(pattern, n, random);
    const [weight, bias] = [arena.input(random.normals(n)), arena.input(random.normals(n))];
    const dst = inPlace ? arena.inPlace(x) : arena.output(4 * n, "f32");
    return { dst, src: inPlace ? dst : arena.input(x), weight, bias, n, eps: 1e-12 };
  });
}

export const geluErf = (n: number, pattern: string, size = 1): Case =>
  seeded(`n ${n} ${pattern} ${size}`, (arena, random) => ({
    x: arena.inPlace(activations(pattern, n, random).map((value) => size * value)),
    n,
  }));

/** siluMul and geluMul. */
export function gatedMul(n: number, pattern: string, inPlace: boolean): Case {
  return seeded(`n ${n} ${pattern} ${inPlace ? "in place" : ""}`, (arena, random) => {
    const up = arena.input(random.normals(n));
    const gate = activations(pattern, n, random);
    if (inPlace) {
      const dst = arena.inPlace(gate);
      return { dst, gate: dst, up, n };
    }
    const src = arena.input(gate);
    return { dst: arena.output(4 * n, "f32"), gate: src, up, n };
  });
}

/** scale and softcap: x f32[n] in place, and a number that all values share. */
export const unary = (parameter: "factor" | "cap", n: number, pattern: string, value: number): Case =>
  seeded(`n ${n} ${pattern} ${value}`, (arena, random) => ({
    x: arena.inPlace(activations(pattern, n, random)),
    n,
    [parameter]: value,
  }));

export const add = (n: number, pattern: string): Case =>
  seeded(`n ${n} ${pattern}`, (arena, random) => ({
    dst: arena.inPlace(random.normals(n)),
    x: arena.input(activations(pattern, n, random)),
    n,
  }));

export const scaleByPosition = (n: number, pattern: string, position: number, length: number): Case =>
  seeded(`n ${n} ${pattern} position ${position} of ${length}`, (arena, random) => ({
    x: arena.inPlace(activations(pattern, n, random)),
    n,
    position,
    length,
    beta: 0.1,
  }));

export const ropeTable = (pairs: number, position: number): Case =>
  seeded(`${pairs} pairs, position ${position}`, (arena) => {
    const frequencies = Float32Array.from({ length: pairs }, (_, j) => 500000 ** (-j / pairs));
    return { dst: arena.output(8 * pairs, "f32"), frequencies: arena.input(frequencies), pairs, position };
  });

/** Eight values follow the rotated ones, as in a head that is rotated in part. They must not change. */
export const ropeHead = (pairs: number, interleaved: number, pattern: string): Case =>
  seeded(`${pairs} pairs, ${interleaved ? "interleaved" : "halves"} ${pattern}`, (arena, random) => {
    const x = arena.input(activations(pattern, 2 * pairs + 8, random));
    const angles = random.normals(pairs, 3);
    const table = arena.input(Float32Array.of(...angles.map(Math.cos), ...angles.map(Math.sin)));
    return { x: arena.owned(x, 8 * pairs, "f32"), table, pairs, interleaved };
  });

export const embedRow = (type: TensorType, columns: number, row: number): Case =>
  seeded(`${type} K ${columns} row ${row}`, (arena, random) => {
    const w = arena.input(weights(random, type, groupsOf(row + 1), columns));
    return { dst: arena.output(4 * columns, "f32"), w, typeId: typeId(type), columns, row };
  });

/** `bad` puts infinity or NaN (f16 or the upper half of an f32) at that byte of the file. */
export const repack = (type: TensorType, columns: number, rows: number, bad?: number): Case =>
  seeded(`${type} K ${columns}, ${rows} rows${bad === undefined ? "" : `, not finite at ${bad}`}`, (arena, random) => {
    const file = fileRows(random, type, rows, columns);
    if (bad !== undefined)
      new DataView(file.buffer).setUint16(bad, type.includes("F32") || type === "BF16" ? 0x7f80 : 0xfcfd, true);
    const dst = arena.output(weights(random, type, groupsOf(rows), columns).length, "bytes");
    return { dst, src: arena.input(file), rows, columns, typeId: typeId(type) };
  });

export const widen = (type: TensorType, count: number, bad: boolean): Case =>
  seeded(`${type} ${count} ${bad ? "with infinity" : ""}`, (arena, random) => {
    const file = fileRows(random, type, 1, count);
    const view = new DataView(file.buffer);
    if (bad) view.setUint16(file.length - 2, type === "F16" ? 0x7c00 : 0xff80, true);
    return { dst: arena.output(4 * count, "f32"), src: arena.input(file), count, type: typeId(type) };
  });
