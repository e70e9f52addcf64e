/** The document of the campaign: its goals have tests, and it is what its command writes. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { GOALS } from "./goals.ts";
import { keptResults, reportOf } from "./report.ts";

const root = join(import.meta.dirname, "../..");

it("every goal has tests that exist", () => {
  for (const { goal, tests } of GOALS) {
    expect(tests.length, goal).toBeGreaterThan(0);
    for (const path of tests) expect(existsSync(join(root, path)), path).toBe(true);
  }
});

it("docs/reliability.md is what `npm run campaign -- --report` writes", () => {
  expect(readFileSync(join(root, "docs/reliability.md"), "utf8")).toBe(reportOf(keptResults()));
});

it("a part's table has its targets, figures and findings", () => {
  const machine = {
    cpu: "C",
    cores: 2,
    memoryGiB: 1,
    engine: "E",
    commit: "abc",
    date: "2026-11-30T00:00:00Z",
    load: 0,
  };
  const target = { target: "mutation/gguf", inputs: 5, outcomes: { works: 2, truncated: 3 }, seconds: 1, slowest: 0.5 };
  const targets = [{ ...target, findings: 1 }];
  const text = reportOf({ mutation: { machine, seed: "7", seconds: 60, targets } });
  expect(text).toContain("| mutation/gguf | 5 | 1 | 1 | 0.5 | truncated 3, works 2 |");
  expect(text).toContain("seed 7");
  expect(text).toContain("No run of this part is recorded.");
});
