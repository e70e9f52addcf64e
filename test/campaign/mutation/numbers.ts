/** Values that tend to break readers. */
import type { Random } from "../../helpers/random.ts";

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(0, list.length - 1)]!;
}

const INTEGERS: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 4n, 5n, 7n, 8n, 13n, 31n, 32n, 63n, 64n, 127n, 128n, 255n, 256n, 1000n, 65535n, 65536n],
  ...[2n ** 24n, 2n ** 30n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n],
  ...[2n ** 63n, 2n ** 64n - 64n, 2n ** 64n - 1n],
];
const FLOATS: readonly number[] = [
  ...[0, -0, 1, -1, 0.5, 1e-45, 1e-38, 65504, 65520, 1e30, 3.4e38, -3.4e38],
  ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
];

/** Little-endian bytes of an integer: one that tends to break readers, or one near the old value. */
export function integerBytes(random: Random, old: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  bytes.set(old.subarray(0, 8));
  const before = view.getBigUint64(0, true);
  const near = [before + 1n, before - 1n, before * 2n, before / 2n, ~before];
  view.setBigUint64(
    0,
    BigInt.asUintN(64, random.integer(0, 2) === 0 ? pick(random, near) : pick(random, INTEGERS)),
    true,
  );
  return bytes.subarray(0, old.length);
}

/** Bytes of a float of the same width. */
export function floatBytes(random: Random, width: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  if (width === 8) view.setFloat64(0, pick(random, FLOATS), true);
  else view.setFloat32(0, pick(random, FLOATS), true);
  return bytes.subarray(0, width);
}

const TEXTS: readonly string[] = [
  ...[
    "",
    " ",
    "a",
    "0",
    "-1",
    "__proto__",
    "constructor",
    "toString",
    "\u0000",
    "\u001b]0;x\u0007",
    "\ud800",
    "\ufeff",
  ],
  ...[
    "../../etc/passwd",
    "<s>",
    "<0x00>",
    "%s",
    "{{ 7 * 7 }}",
    "(a+)+$",
    "🙂🙂",
    "\u00e9",
    "e\u0301",
    "general.architecture",
  ],
];

/** A text: one that tends to break readers, one made of the old, or a long one. */
export function someText(random: Random, old: string): string {
  switch (random.integer(0, 4)) {
    case 0:
      return old.slice(0, random.integer(0, old.length));
    case 1:
      return old + old;
    case 2:
      return pick(random, TEXTS).repeat(pick(random, [1, 2, 100, 5000]));
    default:
      return pick(random, TEXTS);
  }
}

/** A JSON value of any type, near the old one where it has one. */
export function someJson(random: Random, old: unknown): unknown {
  if (typeof old === "number" && random.integer(0, 2) > 0)
    return pick(random, [
      0,
      -1,
      1,
      2,
      old + 1,
      old - 1,
      old * 2,
      old / 2,
      0.5,
      1e9,
      2 ** 31,
      2 ** 32,
      2 ** 53,
      1e308,
      -1e308,
    ]);
  if (typeof old === "string" && random.integer(0, 2) > 0) return someText(random, old);
  if (Array.isArray(old) && random.integer(0, 2) > 0)
    return pick<unknown>(random, [
      [],
      [...old, ...old],
      old.slice(1),
      old.toReversed(),
      [old],
      [null],
      Object.fromEntries(old.entries()),
    ]);
  return pick<unknown>(random, [null, true, false, 0, -1, "", "a", [], {}, [[]], { a: 1 }, [null], "\ud800"]);
}
