// Every kernel of every build gives the bits of its scalar reference, and writes to its buffers alone.
import { describe, expect, it } from "vitest";
import { call, type Outcome, type Placement } from "../helpers/arena.ts";
import type { Case } from "../helpers/kernel-cases.ts";
import type { Kernel } from "../helpers/kernel-lists.ts";
import { KERNELS, OTHER_EXPORTS } from "../helpers/kernel-table.ts";
import { type BuildName, canRun, loadBuild } from "../helpers/wasm-builds.ts";

const debug = loadBuild("debug");
const builds: BuildName[] = ["debug", "simd", "relaxed", "threads"];

/**
 * Memory outside the buffers holds zeros, NaN or 12.08, and buffers begin on or off a multiple of 64: the output may
 * not depend on any of it. 12.08 is there because an addition past the end changes neither 0 + 0 nor NaN + NaN.
 */
const placements: readonly Placement[] = [
  { poison: 0x00, shift: 0 },
  { poison: 0xff, shift: 0 },
  { poison: 0x41, shift: 4 },
];

/**
 * One placement does for the debug build, which is slow, and for the threads build, which has the code of the relaxed
 * one.
 */
const placementsOf = (name: BuildName): readonly Placement[] =>
  name === "debug" || name === "threads" ? placements.slice(-1) : placements;

const references = new Map<Case, Outcome>();
function reference({ name, sameAs = name }: Kernel, test: Case): Outcome {
  let outcome = references.get(test);
  if (!outcome) references.set(test, (outcome = call(debug, `${sameAs}Ref`, test.prepare, placements[0]!)));
  return outcome;
}

/** A sentence about the first difference, or undefined. */
function difference(outcome: Outcome, expected: Outcome): string | undefined {
  if (outcome.stray !== undefined) return `wrote outside its buffers, at ${outcome.stray}`;
  if (!Object.is(outcome.result, expected.result)) return `returned ${outcome.result}, expected ${expected.result}`;
  const at = outcome.output.findIndex((byte, i) => byte !== expected.output[i]);
  if (at < 0 && outcome.output.length === expected.output.length) return undefined;
  return `byte ${at} of ${expected.output.length} is ${outcome.output[at]}, expected ${expected.output[at]}`;
}

it("the engine validates every build (Node >= 22: run the tests through npm)", () => {
  expect(builds.filter((name) => !canRun(name))).toEqual([]);
});

it.each(["simd", "relaxed", "threads"] as const)("the table names every export of %s", (name) => {
  const { kernels } = loadBuild(name);
  const functions = Object.keys(kernels).filter((key) => typeof kernels[key] === "function" && !key.startsWith("__"));
  expect(functions.sort()).toEqual([...KERNELS.map((kernel) => kernel.name), ...OTHER_EXPORTS].sort());
});

it.each(KERNELS)("$name has a reference that stays in its buffers", (kernel) => {
  expect(kernel.cases.length).toBeGreaterThan(5);
  expect(kernel.cases.filter((test) => reference(kernel, test).stray !== undefined)).toEqual([]);
});

describe.each(builds.filter(canRun))("%s build", (name) => {
  const build = loadBuild(name);

  it.each(KERNELS)("$name equals its reference", (kernel) => {
    const failures: string[] = [];
    for (const test of kernel.cases) {
      const expected = reference(kernel, test);
      for (const placement of placementsOf(name)) {
        const found = difference(call(build, kernel.name, test.prepare, placement), expected);
        if (found) failures.push(`${test.title} (poison ${placement.poison}, shift ${placement.shift}): ${found}`);
      }
    }
    expect(failures).toEqual([]);
  });
});
