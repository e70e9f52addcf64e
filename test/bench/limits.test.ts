// The loops that measure the machine's limits compute their results: a loop that was optimised away would seem fast.
import { describe, expect, test } from "vitest";
import { createLimits, loadLimitLoops } from "../../bench/limits.ts";
import { canRun } from "../helpers/wasm-builds.ts";

describe.runIf(canRun("relaxed"))("limit loops", () => {
  const { memory, exports } = loadLimitLoops(65536);
  const bytes = exports.operandBytes();
  const at = exports.operandsAt();
  const out = exports.resultsAt();
  const codes = new Int8Array(memory.buffer, at, bytes + 64);
  for (let i = 0; i < codes.length; i++) codes[i] = (i * 37 + 11) % 128;

  /** A lane of the sum of one weight vector times one broadcast, from the definition. `width`: bytes of an operand. */
  function lane(
    index: number,
    [weights, broadcast]: readonly [number, number],
    vectors: number,
    width: number,
  ): number {
    const values = width === 1 ? codes : new Int16Array(codes.buffer, at, codes.length / 2);
    const per = 4 / width;
    let sum = 0;
    for (let step = 0; step < bytes; step += 16 * vectors)
      for (let k = 0; k < per; k++) {
        const weight = values[(step + 16 * weights) / width + index * per + k]!;
        sum += weight * values[(step + 16 * vectors + 4 * broadcast) / width + k]!;
      }
    return sum;
  }

  describe.each([
    [8, 4],
    [8, 6],
    [16, 4],
    [16, 6],
  ] as const)("%i x %i", (rows, tokens) => {
    const vectors = rows / 4;
    const pairs = Array.from({ length: vectors * tokens }, (_, i) => [i % vectors, Math.floor(i / vectors)] as const);
    const expected = (rounds: number, width: number): number[] =>
      pairs.flatMap((pair) => [0, 1, 2, 3].map((i) => (rounds * lane(i, pair, vectors, width)) | 0));

    test("relaxedDotAdd", () => {
      exports[`relaxedDotAdd${rows}x${tokens}`](3, out);
      expect([...new Int32Array(memory.buffer, out, 4 * pairs.length)]).toEqual(expected(3, 1));
    });

    test("relaxedDot: its pairs of i16 sums are those of relaxedDotAdd", () => {
      exports[`relaxedDot${rows}x${tokens}`](1, out);
      const halves = new Int16Array(memory.buffer, out, 8 * pairs.length);
      const sums = Array.from({ length: 4 * pairs.length }, (_, i) => (halves[2 * i]! + halves[2 * i + 1]!) & 0xffff);
      expect(sums).toEqual(expected(1, 1).map((sum) => sum & 0xffff));
    });

    test("dotI16", () => {
      exports[`dotI16${rows}x${tokens}`](1, out);
      const wrapped = pairs.flatMap((pair) =>
        [0, 1, 2, 3].map((i) => Number(BigInt.asIntN(32, BigInt(lane(i, pair, vectors, 2))))),
      );
      expect([...new Int32Array(memory.buffer, out, 4 * pairs.length)]).toEqual(wrapped);
    });
  });

  test.each([1, 2, 4] as const)("%i streams read everything: the xor of all vectors", (streams) => {
    const words = new Int32Array(memory.buffer, 65536, 1024);
    for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 0x9e3779b1);
    exports[`read${streams}`](65536, 4096 / streams, out, 4096 / streams);
    const expected = [0, 0, 0, 0];
    for (let i = 0; i < words.length; i++) expected[i % 4]! ^= words[i]!;
    const got = [0, 0, 0, 0];
    for (const [i, word] of new Int32Array(memory.buffer, out, 8 * streams).entries()) got[i % 4]! ^= word;
    expect(got).toEqual(expected);
  });

  test("a measurement gives positive rates, and names the fastest loops", () => {
    const { loops, ...rates } = createLimits(2 ** 20)();
    for (const rate of Object.values(rates)) expect(rate).toBeGreaterThan(0);
    expect(loops.read).toMatch(/^(1 stream|[24] streams)$/);
    expect(loops.dotI16).toMatch(/^(8|16)x[46]$/);
  });
});
