/**
 * The kernels of recurrent layers and of gates: their cases, and the shapes that the benchmark times.
 * @module
 */
import { activations, type Case, gatedMul, seeded } from "./kernel-cases.ts";
import { combine, type Kernel, PATTERNS, times } from "./kernel-lists.ts";
import { operation } from "./kernel-records.ts";

/** x f32[n] in place. */
const inPlace = (n: number, pattern: string): Case =>
  seeded(`n ${n} ${pattern}`, (arena, random) => ({ x: arena.inPlace(activations(pattern, n, random)), n }));

const decay = (n: number, pattern: string): Case =>
  seeded(`n ${n} ${pattern}`, (arena, random) => ({
    x: arena.inPlace(activations(pattern, n, random)),
    bias: arena.input(random.normals(n, 3)),
    rate: arena.input(random.normals(n, 4).map((value) => -Math.abs(value))),
    n,
  }));

interface Conv {
  readonly channels: number;
  readonly taps: number;
  readonly rows: number;
  readonly pattern?: string;
  /** The channels that the call is for. */
  readonly part?: readonly [from: number, to: number];
  readonly silu?: number;
}

/** One row comes before the first one, and rows are longer than their values. */
function shortConv({ channels, taps, rows, pattern = "normal", part = [0, channels], silu = 0 }: Conv): Case {
  const [from, to] = part;
  return seeded(`${JSON.stringify({ channels, taps, rows, pattern, part, silu })}`, (arena, random) => {
    const first = 1;
    const [srcStride, dstStride] = [4 * channels + 64, 4 * channels + 128];
    const src = arena.reserve((first + rows) * srcStride);
    const dst = arena.reserve((first + rows) * dstStride);
    for (let r = 0; r < rows; r++) {
      arena.write(src + (first + r) * srcStride, activations(pattern, channels, random));
      arena.owned(dst + (first + r) * dstStride + 4 * from, 4 * (to - from), "f32");
    }
    const weights = arena.input(random.normals(taps * channels));
    const state = arena.input(random.normals((taps - 1) * channels));
    const op = { dst, dstStride, src, srcStride, weights, taps, channels, silu, state: 0 };
    return { op: arena.input(operation("shortConv", op)), first, rows, state, from, to };
  });
}

/** The new state lies over the old one, or elsewhere. */
function shortConvState(taps: number, rows: number, moved: boolean): Case {
  const channels = 24;
  const [from, to] = [4, 20];
  return seeded(`${taps} taps, ${rows} rows, ${moved ? "copied" : "in place"}`, (arena, random) => {
    const first = 2;
    const srcStride = 4 * channels + 64;
    const src = arena.input(random.normals(((first + rows) * srcStride) / 4));
    const state = arena.input(random.normals((taps - 1) * channels));
    const target = moved ? arena.reserve(4 * (taps - 1) * channels) : state;
    for (let kept = 0; kept < taps - 1; kept++)
      arena.owned(target + 4 * (kept * channels + from), 4 * (to - from), "f32");
    const op = arena.input(operation("shortConv", { src, srcStride, taps, channels, state: 0 }));
    return { op, first, rows, state, target, from, to };
  });
}

interface Delta {
  readonly keyHeads: number;
  readonly valueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  readonly head: number;
  readonly column: number;
  readonly tiled?: number;
  readonly pattern?: string;
}

function deltaRule(options: Delta): Case {
  const { keyHeads, valueHeads, keyDim, valueDim, head, column, tiled = 0, pattern = "normal" } = options;
  return seeded(JSON.stringify(options), (arena, random) => {
    const row = 1;
    const columns = column + 16 <= valueDim ? 16 : 4;
    const [keys, width] = [2 * keyHeads * keyDim, valueHeads * valueDim];
    const [srcStride, valueStride, dstStride] = [4 * keys + 64, 4 * width + 64, 4 * width + 128];
    const src = arena.reserve(2 * srcStride);
    arena.write(src + row * srcStride, activations(pattern, keys, random));
    const values = arena.reserve(2 * valueStride);
    arena.write(values + row * valueStride, activations(pattern, width, random).reverse());
    const dst = arena.reserve(2 * dstStride);
    arena.owned(dst + row * dstStride + 4 * (head * valueDim + column), 4 * columns, "f32");
    const gate = (stride: number): number => {
      const at = arena.reserve(2 * stride);
      arena.write(
        at + row * stride,
        random.normals(valueHeads).map((value) => 1 / (1 + Math.exp(-value))),
      );
      return at;
    };
    const [decayStride, betaStride] = [4 * valueHeads + 64, 4 * valueHeads + 128];
    const gates = { decays: gate(decayStride), decayStride, betas: gate(betaStride), betaStride };
    const state = arena.inPlace(random.normals(keyDim * columns));
    const shape = { keyHeads, valueHeads, keyDim, valueDim, tiled, scale: keyDim ** -0.5, state: 0 };
    const op = operation("deltaRule", { dst, dstStride, src, srcStride, values, valueStride, ...gates, ...shape });
    return { op: arena.input(op), row, head, column, state };
  });
}

const shapes = [
  { keyHeads: 2, valueHeads: 4, keyDim: 32, valueDim: 32 },
  { keyHeads: 1, valueHeads: 3, keyDim: 12, valueDim: 20 },
] as const;
const real = { keyHeads: 16, valueHeads: 16, keyDim: 128, valueDim: 128, head: 3, column: 32 };

export const RECURRENT_KERNELS: readonly Kernel[] = [
  ...["sigmoidMul", "mul"].map((name) => ({
    name,
    cases: [
      ...[4, 8, 100, 2048].map((n) => gatedMul(n, "normal", false)),
      ...times(combine(PATTERNS, [true, false]), ([pattern, place]) => gatedMul(64, pattern, place)),
    ],
    bench: [{ ...gatedMul(2048, "normal", false), bytes: 4 * 2048 * 2, macs: 0 }],
  })),
  {
    name: "sigmoid",
    cases: [...[4, 8, 100].map((n) => inPlace(n, "normal")), ...PATTERNS.map((pattern) => inPlace(64, pattern))],
    bench: [{ ...inPlace(32, "normal"), bytes: 128, macs: 0 }],
  },
  {
    name: "decay",
    cases: [...[4, 8, 100].map((n) => decay(n, "normal")), ...PATTERNS.map((pattern) => decay(64, pattern))],
    bench: [{ ...decay(32, "normal"), bytes: 128, macs: 0 }],
  },
  {
    name: "softplusF32",
    cases: [0, -0, 1e-20, 1, -1, 20, -20, 87, -87.3, -88, 1e30, -1e30, Number.NaN, Infinity, -Infinity].map((x) => ({
      title: `${x}`,
      prepare: () => ({ x }),
    })),
    bench: [],
  },
  {
    name: "shortConv",
    cases: [
      ...times(combine([4, 36], [1, 2, 3, 4, 7], [1, 2, 5], [0, 1]), ([channels, taps, rows, silu]) =>
        shortConv({ channels, taps, rows, silu }),
      ),
      ...PATTERNS.map((pattern) => shortConv({ channels: 32, taps: 3, rows: 4, pattern, silu: 1 })),
      shortConv({ channels: 48, taps: 4, rows: 3, part: [16, 36] }),
    ],
    bench: [
      { ...shortConv({ channels: 6144, taps: 4, rows: 16, silu: 1 }), bytes: 16 * 4 * 6144, macs: 16 * 4 * 6144 },
    ],
  },
  {
    name: "shortConvState",
    cases: times(combine([1, 2, 3, 4, 7], [1, 2, 3, 8], [true, false]), ([taps, rows, moved]) =>
      shortConvState(taps, rows, moved),
    ),
    bench: [],
  },
  {
    name: "deltaRule",
    cases: [
      ...times(combine(shapes, [0, 2], [0, 16], [0, 1]), ([shape, head, column, tiled]) =>
        deltaRule({ ...shape, head, column, tiled }),
      ),
      ...PATTERNS.map((pattern) => deltaRule({ ...shapes[0], head: 3, column: 16, pattern })),
      deltaRule(real),
    ],
    bench: [{ ...deltaRule(real), bytes: 4 * 128 * 16, macs: 3 * 128 * 16 }],
  },
];
