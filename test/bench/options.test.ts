import { describe, expect, test } from "vitest";
import { PARTS, parseOptions } from "../../bench/options.ts";

describe("the options of npm run bench", () => {
  test("default: all parts, the 140M shape in Q4_0, six tests", () => {
    const options = parseOptions([]);
    expect(options).toMatchObject({
      parts: PARTS,
      model: { shape: "140m", type: "Q4_0" },
      threads: [1, 2],
      rounds: 4,
      slowRounds: 2,
      out: "bench/results",
      quick: false,
    });
    expect(options.tests).toEqual([
      { prompt: 512, gen: 0, depth: 0 },
      { prompt: 0, gen: 32, depth: 0 },
      { prompt: 0, gen: 32, depth: 4096 },
      { prompt: 0, gen: 32, depth: 16384 },
      { prompt: 0, gen: 16, depth: 0, sequences: 8 },
      { prompt: 0, gen: 16, depth: 0, sequences: 64 },
    ]);
    expect(options.engines.test("wllama, 2 threads")).toBe(true);
  });

  test("options that are given take precedence over --quick, and --quick over the defaults", () => {
    const options = parseOptions(["--quick", "--rounds", "7", "--depth", "0"]);
    expect(options).toMatchObject({ rounds: 7, slowRounds: 1, kernels: { filter: /^matmul Q4_0/, seconds: 0.05 } });
    expect(options.tests.map(({ depth }) => depth)).toEqual([0, 0, 0]);
    expect(options.engines.test("llama.cpp avx2, 1 thread")).toBe(false);
    expect(parseOptions(["--quick", "--filter", "", "--engines", "avx2"])).toMatchObject({
      kernels: { filter: /(?:)/ },
      engines: /avx2/,
    });
  });

  test("a shape and a type in either case, a file, parts, threads, no files", () => {
    expect(parseOptions(["--shape", "950M", "--type", "q8_0"]).model).toEqual({ shape: "950m", type: "Q8_0" });
    expect(parseOptions(["--model", "a.gguf", "--only", "load,sizes", "--threads", "1,4"])).toMatchObject({
      model: "a.gguf",
      parts: ["load", "sizes"],
      threads: [1, 4],
    });
    expect(parseOptions(["--print"]).out).toBeUndefined();
  });

  test.each([
    [["--shape", "70b"], '--shape: expected one of 140m, 360m, 950m, got "70b"'],
    [["--type", "q2_k"], '--type: expected one of Q4_0, Q4_1, Q8_0, got "Q2_K"'],
    [["--only", "kernels,all"], 'got "all"'],
    [["--only", "constructor"], 'got "constructor"'],
    [["--rounds", "0"], "--rounds: expected a whole number of at least 1"],
    [["--rounds", "1.5"], "--rounds"],
    [["--threads", "1,"], "--threads"],
    [["--depth", "-1"], "--depth"],
    [["--depth", "4096,"], "--depth"],
    [["--sequences", "8,0"], "--sequences"],
    [["--seconds", "0"], "--seconds"],
    [["--speed", "9"], "--speed"],
  ])("%j is refused", (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
