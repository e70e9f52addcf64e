import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { chart } from "../../bench/chart.ts";
import { againstOurselves, againstPeers } from "../../bench/compare.ts";
import { goalsOf } from "../../bench/goals.ts";
import { machineSlug } from "../../bench/machine.ts";
import { report } from "../../bench/report.ts";
import type { Results } from "../../bench/results.ts";
import { resultsJson, resultsName, writeResults } from "../../bench/results-files.ts";
import { results, row, rows } from "./example-results.ts";

/** The cells of the table row that starts with a text. */
function cells(markdown: string, ...start: string[]): string[] {
  const lines = markdown.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  return lines.find((line) => start.every((text, i) => line[i + 1] === text))?.slice(1, -1) ?? [];
}

describe("comparisons", () => {
  test("with peers of the same number of threads or fewer, round by round", () => {
    const pairs = againstPeers(rows).map(({ ours, against, test, times }) => [ours, against, test, times.median]);
    expect(pairs).toEqual([
      ["nibble relaxed, 1 thread", "llama.cpp avx2, 1 thread", "pp3", 2],
      ["nibble relaxed, 1 thread", "wllama, 1 thread", "pp3", 30],
      ["nibble threads, 2 threads", "llama.cpp avx2, 1 thread", "pp3", 4],
      ["nibble threads, 2 threads", "llama.cpp avx2, 2 threads", "pp3", 2],
      ["nibble threads, 2 threads", "wllama, 1 thread", "pp3", 60],
      ["nibble relaxed, 1 thread", "llama.cpp avx2, 1 thread", "tg1", 2],
    ]);
  });

  test("with ourselves: threads, depth", () => {
    expect(againstOurselves(rows).map(({ ours, against, test, times }) => [ours, test, against, times.median])).toEqual(
      [
        ["nibble threads, 2 threads", "pp3", "nibble relaxed, 1 thread", 2],
        ["nibble relaxed, 1 thread", "tg1 @ d64", "tg1", 0.5],
      ],
    );
  });
});

describe("the report", () => {
  const text = report(results);

  test("names the machine, the command, and the missing parts", () => {
    expect(text).toContain("# 140m shape, Q4_0, 2026-11-25");
    expect(text).toContain("`npm run bench --` on A <fast> & small CPU, 2 cores, load 0.50 before");
    expect(text).toContain("load 1.50 after");
    expect(text).toContain("- wllama, 2 threads: no Chromium");
    expect(text).toContain("- wllama: llama.cpp in WebAssembly");
  });

  test("gives each figure with its spread, ours as shares of the limits", () => {
    const start = ["llama 2B Q4_0", "1024.00 MiB", "2.00B"];
    const relaxed = [...start, "nibble wasm-relaxed", "1"];
    expect(cells(text, ...relaxed, "pp3").slice(6)).toEqual(["30.0 (22.5-30.0)", "40.0", "50 %", "", ""]);
    expect(cells(text, ...relaxed, "tg1").slice(6)).toEqual(["5.00 (5.00-5.00)", "10.0", "13 %", "5.0", "50 %"]);
    expect(cells(text, ...start, "wllama", "1", "pp3").slice(6)).toEqual(["1.00 (1.00-1.00)", "1.3", "", "", ""]);
    expect(cells(text, "1 thread")).toEqual([
      "1 thread",
      "40.0 (40.0-40.0), 8x4",
      "80.0 (80.0-80.0), 8x6",
      "20.0 (20.0-20.0), 16x4",
      "10.0 (10.0-10.0), 2 streams",
    ]);
  });

  test("has a row per pair and a column per test; tests that did not run are marked", () => {
    const pair = cells(text, "nibble relaxed, 1 thread", "llama.cpp avx2, 1 thread");
    expect(pair.slice(2)).toEqual(["2.00 (1.50-2.00)", "2.00 (1.25-2.00)", "not measured"]);
  });

  test("load, start and sizes", () => {
    expect(cells(text, "nibble relaxed", "1", "20.0 (20.0-20.0)")).toEqual([
      "nibble relaxed",
      "1",
      "20.0 (20.0-20.0)",
      "30.0 (30.0-30.0)",
      "1.50 (1.50-1.50)",
    ]);
    expect(cells(text, "30.0 (30.0-30.0)")[2]).toBe("62.0 (61.0-63.0)");
    expect(cells(text, "simd", "23752")[2]).toBe("8509");
  });

  test("says of each goal whether it is met", () => {
    const of = (goal: string) => cells(text, goal).slice(1);
    expect(of("128 bits: decode, two threads against one")).toEqual(["1.7", "not measured", ""]);
    expect(of("128 bits: decode, or this share of the reading limit")).toEqual(["0.95", "0.50", "missed"]);
    const [relaxed, best] = [
      row("nibble relaxed 256", 1, { prompt: 512, gen: 0, depth: 0 }, 1, 1, 4),
      row("llama.cpp best", 1, { prompt: 512, gen: 0, depth: 0 }, 2, 3, 4),
    ];
    const goals = goalsOf([relaxed!, best!]).filter(({ figure }) => figure !== undefined);
    expect(goals).toEqual([
      { goal: "256 bits: prefill 512 against llama.cpp with AVX-512", wanted: 1.8, figure: 2 },
      { goal: "256 bits: prefill 512 against llama.cpp, best", wanted: 1.1, figure: 2 },
    ]);
  });

  test("gives barriers per step and the time in them", () => {
    expect(cells(text, "nibble threads", "2", "pp3")).toEqual(["nibble threads", "2", "pp3", "76", "10 %"]);
  });

  test("leaves out sections of parts that did not run", () => {
    const { start: _, ...rest } = results;
    const bare: Results = { ...rest, rows: [], load: [], sizes: [], about: new Map(), gaps: [] };
    expect(report(bare).match(/^## .*/gm)).toEqual(["## Limits of this machine"]);
  });
});

describe("the chart", () => {
  const svg = chart(results);

  test("is well-formed: every tag closed, no raw text of the machine's name", () => {
    const open: string[] = [];
    for (const [, close, name, self] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
      if (close) expect(open.pop()).toBe(name);
      else if (!self) open.push(name!);
    }
    expect(open).toEqual([]);
    expect(svg).toContain("A &#60;fast&#62; &#38; small CPU");
  });

  test("has a panel per test and a bar per row, as long as its rate", () => {
    expect(svg.match(/class="title" x="12"/g)).toHaveLength(1 + 3);
    const widths = [...svg.matchAll(/<rect class="(\w+)" x="210" y="\d+" width="([\d.]+)"/g)].map(([, name, width]) => [
      name,
      Number(width),
    ]);
    expect(widths).toHaveLength(rows.length);
    const [relaxed, threads, llama] = widths;
    expect([relaxed![0], llama![0]]).toEqual(["nibble", "llama"]);
    expect(Number(threads![1]) / Number(relaxed![1])).toBeCloseTo(2, 2);
    expect(Number(relaxed![1]) / Number(llama![1])).toBeCloseTo(2, 2);
  });

  test("names the ratio beside a peer, with its spread, and follows a dark page", () => {
    expect(svg).toContain("15.0 (15.0-15.0); nibble relaxed 2.00 (1.50-2.00) times");
    expect(svg).toContain("30.0 (30.0-30.0); nibble threads 2.00 (1.50-2.00) times");
    expect(svg).toContain("prefers-color-scheme: dark");
  });
});

describe("files", () => {
  test("are named by date, machine, model and type", () => {
    const machine = { date: "2026-11-25T07:00:00Z", cpu: "Intel(R) Xeon(R) Processor" };
    expect(resultsName(machine, "140m-Q4_0", false)).toBe("2026-11-25-xeon-140m-q4_0");
    expect(resultsName(machine, "../Smol LM.Q4_1", true)).toBe("2026-11-25-xeon-..-smol-lm.q4_1-quick");
  });

  test.each([
    ["AMD EPYC 7763 64-Core Processor", "epyc-7763-64-core"],
    ["Intel(R) Core(TM) i7-8700K CPU @ 3.70GHz", "core-i7-8700k"],
    ["Apple M2", "apple-m2"],
    ["", "unknown"],
  ])("machine %j is %j", (cpu, slug) => {
    expect(machineSlug(cpu)).toBe(slug);
  });

  test("one JSON with every sample, one table, one chart", () => {
    const folder = mkdtempSync(join(tmpdir(), "nibble-results-"));
    writeResults(folder, "a", results);
    expect(readdirSync(folder).sort()).toEqual(["a.json", "a.md", "a.svg"]);
    const json = JSON.parse(readFileSync(join(folder, "a.json"), "utf8"));
    rmSync(folder, { recursive: true });
    expect(json).toEqual(JSON.parse(resultsJson(results)));
    expect(json.models[0]).toMatchObject({
      n_prompt: 3,
      samples_ns: [1e8, 2e8, 1e8],
      avg_ts: 25,
      engine: "nibble relaxed",
    });
    expect(json.limits["1 thread"]).toHaveLength(2);
    expect(json.comparisons.peers).toHaveLength(6);
  });
});
