// The loops that measure the machine's limits compute their results: a loop that was optimised away would seem fast.
import { describe, expect, test } from "vitest";
import { createLimits, loadLimitLoops } from "../../bench/limits.ts";
import { canRun } from "../helpers/wasm-builds.ts";

describe.runIf(canRun("relaxed"))("limit loops", () => {
  const { memory, exports } = loadLimitLoops(65536);
  const bytes = exports.operandBytes();
  const at = exports.operandsAt();
  const out = at + bytes;
  const codes = new Int8Array(memory.buffer, at, bytes + 64);
  for (let i = 0; i < codes.length; i++) codes[i] = (i * 37 + 11) % 128;

  /** The sum over all accumulators of one lane, from the definition: lane of w0 and w1 times four broadcasts. */
  function lane(index: number, width: number): number {
    const values = width === 1 ? codes : new Int16Array(codes.buffer, at, codes.length / 2);
    const per = 4 / width;
    let sum = 0;
    for (let step = 0; step < bytes; step += 32)
      for (const vector of [0, 16])
        for (const broadcast of [32, 36, 40, 44])
          for (let k = 0; k < per; k++) {
            const weight = values[(step + vector) / width + index * per + k]!;
            sum += weight * values[(step + broadcast) / width + k]!;
          }
    return sum;
  }

  test("relaxedDotAdd", () => {
    exports.relaxedDotAdd(3, out + 64);
    expect([...new Int32Array(memory.buffer, out + 64, 4)]).toEqual([0, 1, 2, 3].map((i) => (3 * lane(i, 1)) | 0));
  });

  test("relaxedDot: its pairs of i16 sums are those of relaxedDotAdd", () => {
    exports.relaxedDot(1, out + 64);
    const pairs = new Int16Array(memory.buffer, out + 64, 8);
    for (let i = 0; i < 4; i++) expect((pairs[2 * i]! + pairs[2 * i + 1]!) & 0xffff).toBe(lane(i, 1) & 0xffff);
  });

  test("dotI16", () => {
    exports.dotI16(2, out + 64);
    expect([...new Int32Array(memory.buffer, out + 64, 4)]).toEqual(
      [0, 1, 2, 3].map((i) => Number(BigInt.asIntN(32, 2n * BigInt(lane(i, 2))))),
    );
  });

  test("read: the xor of everything", () => {
    const words = new Int32Array(memory.buffer, 65536, 1024);
    for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 0x9e3779b1);
    exports.read(65536, 4096, out + 64);
    const expected = [0, 0, 0, 0];
    for (let i = 0; i < words.length; i++) expected[i % 4]! ^= words[i]!;
    expect([...new Int32Array(memory.buffer, out + 64, 4)]).toEqual(expected);
  });

  test("measuring gives positive rates", () => {
    const limits = createLimits(2 ** 20)();
    for (const rate of Object.values(limits)) expect(rate).toBeGreaterThan(0);
  });
});
