/** `nibble compare`: its figures are those of `nibble perplexity` and `nibble eval`, and a run that was ended goes on. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { nibble, nibbleJson, pathOf, QUESTION } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-compare-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const text = join(folder, "text.txt");
writeFileSync(text, `${QUESTION} It goes 65 * 4 = 260 km. `.repeat(4));
const F32 = pathOf("models/crumb");
const out = join(folder, "out");
const run = (...args: string[]) =>
  nibbleJson(["compare", "crumb-problems", "-m", F32, "-f", text, "--limit", "6", "-t", "1", ...args]);

it("a model and its types, whose figures other commands show too", async () => {
  const rows = await run("--types", "q8_0,Q4_0", "-o", out);
  expect(rows.map(({ model, type }: Record<string, string>) => [model, type])).toEqual([
    [F32, "as it is"],
    [F32, "q8_0"],
    [F32, "q4_0"],
  ]);
  const [plain, q8, q4] = rows;
  expect(plain.divergence).toBeUndefined();
  expect(q8.divergence.mean).toBeGreaterThan(0);
  expect(q4.divergence.mean).toBeGreaterThan(10 * q8.divergence.mean);
  expect([plain.bytes > q8.bytes, q8.bytes > q4.bytes]).toEqual([true, true]);
  const file = readdirSync(out).find((name) => name.endsWith("-q4_0.gguf"))!;
  const alone = await nibbleJson(["perplexity", "-m", join(out, file), "-f", text, "--reference", F32, "-t", "1"]);
  expect([q4.ppl, q4.divergence.mean]).toEqual([alone.ppl, alone.divergence.mean]);
  const { results } = await nibbleJson(["eval", "crumb-problems", "--limit", "6", "-m", join(out, file), "-t", "1"]);
  const { "exact_match,boxed": value, "exact_match_stderr,boxed": error } = results["crumb-problems"];
  expect(q4.scores).toEqual({ "crumb-problems exact_match": [value, error] });

  // A second run converts nothing and answers nothing again.
  const before = statSync(join(out, file)).mtimeMs;
  expect(await run("--types", "q8_0,q4_0", "-o", out)).toEqual(rows);
  expect(statSync(join(out, file)).mtimeMs).toBe(before);
});

it("models against the first, as a table", async () => {
  const { stdout } = await nibble(["compare", "-m", F32, "-m", "crumb", "-f", text, "-t", "1"]);
  const [head, line, first, second, end] = stdout.split("\n");
  expect(head).toBe("| model | type | MB | bits per weight | perplexity | divergence | same first token |");
  expect(line).toBe("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
  expect(first).toMatch(/^\| crumb \| as it is \| 13\.4 \| 32\.00 \| \d+\.\d{3} \| {2}\| {2}\|$/);
  expect(second).toMatch(
    /^\| crumb \| as it is \| 3\.6 \| 8\.52 \| \d+\.\d{3} \| 0\.\d{4} ± 0\.\d{4} \| \d+\.\d % \|$/,
  );
  expect(end).toBe("");
});

describe("wrong input", () => {
  it.each<[string[], number, RegExp]>([
    [[], 2, /a model is required/],
    [["-m", "crumb", "-f", text, "--types", "q4_0", "--task", "/nowhere.json"], 1, /\/nowhere\.json/],
    [["-m", "crumb"], 2, /a text is required/],
    [["-m", "crumb", "-f", text], 2, /something to compare with is required/],
    [["-m", "crumb", "-f", text, "--types", "q8_0,q9"], 2, /--types: expected one or more of f32, .*, got "q8_0,q9"/],
    [["-m", "crumb", "-f", "/nowhere", "--types", "q4_0"], 1, /\/nowhere/],
    [["arc_eas", "-m", "crumb", "-f", text, "--types", "q4_0"], 1, /there is no such task/],
  ])("compare %j", async (args, code, message) => {
    const result = await nibble(["compare", ...args]);
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(message)]);
  });
});
