/**
 * Regular expressions of the sources take time in proportion to the text. scslre, the analysis behind eslint-plugin-regexp,
 * finds those whose backtracking is polynomial or exponential.
 */
import { join } from "node:path";
import { analyse } from "scslre";
import { describe, expect, it } from "vitest";
import { patternsBelow } from "./regular-expressions.ts";

const found = patternsBelow(join(import.meta.dirname, "../.."), "src");

/** What is wrong with a pattern, in words; empty where nothing is. */
function faultsOf(pattern: string, flags: string): string[] {
  const { reports } = analyse(
    { source: pattern, flags: flags.replace(/[dgy]/g, "") },
    { reportTypes: { Move: false } },
  );
  return reports.map(({ type, exponential }) => `${exponential ? "exponential" : "polynomial"} (${type})`);
}

describe("regular expressions of src/", () => {
  it("the analysis finds what it must", () => {
    expect(faultsOf("^(a+)+$", "")).not.toEqual([]);
    expect(faultsOf("a*a*b", "")).not.toEqual([]);
    expect(faultsOf("^[a-z]+$", "")).toEqual([]);
  });

  it("all literals are found", () => {
    expect(found.length).toBeGreaterThan(300);
  });

  it("none backtracks in more than linear time", () => {
    const faults = found.flatMap(({ file, pattern, flags }) =>
      pattern === undefined ? [] : faultsOf(pattern, flags).map((fault) => `${file}: /${pattern}/${flags}: ${fault}`),
    );
    expect([...new Set(faults)]).toEqual([]);
  });
});
