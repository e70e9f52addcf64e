import { describe, expect, it } from "vitest";
import { bytesSource } from "../../../src/io/memory-source.ts";
import { writeGguf } from "../../../weights-tools/gguf/writer.ts";
import { DivergenceMeter, negativeLogLikelihood } from "../../../weights-tools/measure/divergence.ts";
import { openLogits, writeLogits } from "../../../weights-tools/measure/logits-file.ts";
import { MemorySink } from "../helpers.ts";

/** The Kullback-Leibler divergence by its definition, with probabilities. */
function divergence(a: readonly number[], b: readonly number[]): number {
  const softmax = (logits: readonly number[]) => {
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    return logits.map((logit) => Math.exp(logit) / sum);
  };
  const q = softmax(b);
  return softmax(a).reduce((total, p, i) => total + p * Math.log(p / q[i]!), 0);
}

describe("DivergenceMeter", () => {
  const pairs: [number[], number[]][] = [
    [
      [1, 2, 3],
      [1.5, 2, 2.5],
    ],
    [
      [0, 0, 1],
      [1, 0, 0],
    ],
    [
      [2, 1, 0],
      [2, 1, 0],
    ],
    [
      [5, -5, 0],
      [4, -4, 0],
    ],
  ];
  it("is the definition's, with its quantiles", () => {
    const meter = new DivergenceMeter();
    for (const [a, b] of pairs) meter.add(Float32Array.from(a), Float32Array.from(b));
    const expected = pairs.map(([a, b]) => divergence(a, b)).sort((a, b) => a - b);
    const result = meter.result();
    const mean = expected.reduce((sum, value) => sum + value, 0) / 4;
    expect(result.mean).toBeCloseTo(mean, 12);
    expect(result.median).toBeCloseTo(expected[1]!, 12);
    expect(result.quantile99).toBeCloseTo(expected[3]!, 12);
    expect(result.max).toBeCloseTo(expected[3]!, 12);
    const deviation = Math.sqrt(expected.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3);
    expect(result.standardError).toBeCloseTo(deviation / 2, 12);
    expect(result).toMatchObject({ predictions: 4, top1: 0.75 });
  });
  it("does not mind a constant, nor large logits", () => {
    const meter = new DivergenceMeter();
    meter.add(Float32Array.of(1000, 998), Float32Array.of(-3, -5));
    expect(meter.result().mean).toBe(0);
  });
  it("accepts a token of probability zero", () => {
    const meter = new DivergenceMeter();
    meter.add(Float32Array.of(0, 0), Float32Array.of(0, -2000));
    expect(meter.result().mean).toBeCloseTo(1000 - Math.log(2), 6);
  });
  it.each([
    [[1, 2], [1, 2, 3], "bad_shape"],
    [[1, Number.NaN], [1, 2], "non_finite_logits"],
    [[1, 2], [Number.POSITIVE_INFINITY, 2], "non_finite_logits"],
  ])("refuses %j and %j", (a, b, code) => {
    expect(() => new DivergenceMeter().add(Float32Array.from(a), Float32Array.from(b))).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

it("negativeLogLikelihood", () => {
  expect(negativeLogLikelihood(Float32Array.of(0, 0, 0, 0), 2)).toBeCloseTo(Math.log(4), 14);
  expect(() => negativeLogLikelihood(Float32Array.of(0), 1)).toThrow(
    expect.objectContaining({ code: "invalid_argument" }),
  );
});

describe("a recorded run", () => {
  const run = { tokens: [5, 7, 2], contextLength: 9, vocabSize: 4 };
  const rows = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)];
  it("comes back", async () => {
    const sink = new MemorySink();
    expect(await writeLogits(sink, run, rows)).toBe(sink.bytes().length);
    const read = await openLogits(bytesSource(sink.bytes()));
    expect(read).toMatchObject(run);
    expect([await read.row(0), await read.row(1)]).toEqual(rows);
  });
  it("must have as many rows as it says", async () => {
    await expect(writeLogits(new MemorySink(), run, rows.slice(1))).rejects.toMatchObject({ code: "invalid_argument" });
  });
  const other = (type: string, tokens: number) => async () => {
    const sink = new MemorySink();
    const metadata = new Map<string, string | number>([
      ["general.type", type],
      ["logits.context_length", 9],
    ]);
    const tensors = [
      { name: "tokens", type: "I32", shape: [tokens] },
      { name: "logits", type: "F32", shape: [2, 4] },
    ] as const;
    await writeGguf(sink, metadata, tensors, async function* ({ shape }) {
      yield new Uint8Array(4 * shape.reduce((product: number, length) => product * length, 1));
    });
    return openLogits(bytesSource(sink.bytes()));
  };
  it.each([
    ["a model", other("model", 3), "bad_value"],
    ["other numbers of tokens and rows", other("logits", 5), "bad_shape"],
  ])("refuses %s", async (_, open, code) => {
    await expect(open()).rejects.toMatchObject({ code });
  });
});
