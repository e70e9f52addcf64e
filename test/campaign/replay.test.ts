/** The campaign's machinery, its stored cases, and a few fresh inputs of each quick target. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Random } from "../helpers/random.ts";
import { storeCase, storedCases } from "./cases.ts";
import { minimise, signatureOf } from "./minimise.ts";
import { withGuards } from "./mutation/differential.ts";
import { apply, difference, type Edit, smallerEdits } from "./mutation/edits.ts";
import { MUTATION_TARGETS } from "./mutation/targets.ts";
import { SERVER_TARGETS } from "./server/targets.ts";
import type { Input, Target } from "./target.ts";
import { targetNamed } from "./targets.ts";

const stored = storedCases();

describe("stored cases", () => {
  it.each(stored.map(({ name, found }) => [name, found] as const))("%s keeps its promise", async (_, found) => {
    await targetNamed(found.target).run(found.input, 10);
  });

  it("are written and read back", () => {
    const folder = mkdtempSync(join(tmpdir(), "nibble-cases-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const found = { target: "a/b", input: { base: "x", steps: [1] }, seen: "s", seed: "1 2", commit: "c" };
    storeCase(found, folder);
    expect(storedCases(folder).map((one) => one.found)).toEqual([found]);
  });
});

describe("targets", () => {
  it.each(MUTATION_TARGETS.map((target) => [target.name, target] as const))(
    "%s: good files work",
    async (_, target) => {
      const { base } = await target.generate(new Random("good"));
      expect(await target.run({ base, steps: [] }, 10)).toBe("works");
    },
  );

  it.each([...MUTATION_TARGETS, ...SERVER_TARGETS].map((target) => [target.name, target] as const))(
    "%s: the same numbers give the same input, and fresh inputs keep the promise",
    async (_, target) => {
      const draw = (i: number) => target.generate(new Random(`replay ${i}`));
      expect(await draw(0)).toEqual(await draw(0));
      for (let i = 0; i < 3; i++) await target.run(await draw(i), 10);
    },
  );
});

/** Fails where the text has an "x" before a "y". */
const broken: Target = {
  part: "mutation",
  name: "mutation/broken",
  promise: "",
  inputs: 1,
  generate: async () => ({ base: "", steps: [] }),
  async run({ steps }: Input) {
    const text = new TextDecoder().decode(apply(Buffer.from("0123456789"), steps as readonly Edit[]));
    if (/x.*y/.test(text)) throw new Error(`broken by "${text}"`);
    return "works";
  },
  smaller: smallerEdits,
};

describe("minimising", () => {
  it("leaves the edits and the bytes that a failure needs", async () => {
    const put = (at: number, text: string): Edit => [at, 0, Buffer.from(text).toString("base64")];
    const steps = [put(3, "aaa"), put(1, "bbxbb"), put(0, "c"), put(9, "ddydd"), put(2, "e")];
    const error = await broken.run({ base: "", steps }, 1).catch((caught: Error) => caught);
    const signature = signatureOf(error as Error);
    const least = await minimise(broken, { base: "", steps }, { seconds: 10, signature });
    expect(least.steps.map((step) => Buffer.from((step as Edit)[2], "base64").toString()).sort()).toEqual(["x", "y"]);
  });

  it("tells failures apart by message and place, not by numbers", () => {
    const error = (message: string) => Object.assign(new Error(message), { stack: "" });
    expect(signatureOf(error("byte 5"))).toBe(signatureOf(error("byte 17")));
    expect(signatureOf(error("byte 5"))).not.toBe(signatureOf(error("bit 5")));
  });
});

it("edits: the difference of two byte strings makes one of the other", () => {
  const random = new Random("edits");
  for (let i = 0; i < 200; i++) {
    const before = random.bytes(random.integer(0, 20)).map((byte) => byte % 3);
    const after = random.bytes(random.integer(0, 20)).map((byte) => byte % 3);
    expect(apply(before, [difference(before, after)])).toEqual(after);
  }
});

it("guards lie around all regions, in their order", () => {
  const base = {
    program: 64,
    batch: 128,
    pageTables: 192,
    frequencies: 192,
    activations: 256,
    pages: 320,
    states: 384,
    weights: 448,
  };
  const { plan, guards } = withGuards({ base, total: 512 } as never);
  const starts = Object.values(plan.base);
  expect(guards).toHaveLength(9);
  expect(guards.slice(0, 8).map((at, i) => starts[i]! - at)).toEqual(Array(8).fill(65536));
  expect(plan.total).toBe(512 + 9 * 65536);
});
