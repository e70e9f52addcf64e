/** `nibble eval` on mathematical problems: groups, the final models' protocol, several answers per question. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { dataFolder } from "../eval/fixtures.ts";
import { nibble, nibbleJson } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-eval-math-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("math500: each protocol's result by itself, without a mean of them", async () => {
  const args = ["eval", "math500", "--data", dataFolder, "--num-fewshot", "0", "--limit", "3", "-n", "40"];
  const { results, ...facts } = await nibbleJson(args);
  expect(Object.keys(results)).toEqual(["minerva_math500", "hendrycks_math500", "math500_r1"]);
  expect(results.minerva_math500).toMatchObject({ "exact_match,none": expect.any(Number) });
  expect(facts["n-shot"]).toEqual({ minerva_math500: 0, hendrycks_math500: 0, math500_r1: 0 });
});

it("the final models' protocol: the question alone in a chat, and several answers with the interval of their mean", async () => {
  const args = ["eval", "gsm8k_r1", "aime24_r1", "aime25_r1", "--data", dataFolder, "--limit", "2", "-n", "40"];
  const { results } = await nibbleJson([...args, "--samples", "3", "-o", folder]);
  for (const task of ["gsm8k_r1", "aime24_r1", "aime25_r1"]) {
    const [mean, low, high] = ["", "_ci95_low", "_ci95_high"].map((end) => results[task][`exact_match${end},none`]);
    expect(low).toBeLessThanOrEqual(mean);
    expect(high).toBeGreaterThanOrEqual(mean);
  }
  const [line] = readFileSync(join(folder, "samples_gsm8k_r1.jsonl"), "utf8").split("\n");
  const { arguments: args0, target, filtered_resps } = JSON.parse(line!);
  expect(args0.gen_args_0.arg_0).toMatch(
    /user<\|end_header_id\|>\n\nInes packs 6 boxes with 12 candles each\. [^\n]*<\|eot_id\|>/,
  );
  expect(args0.gen_args_0.arg_1).toMatchObject({ max_gen_toks: 40, temperature: 0.6, top_p: 0.95 });
  expect([target, filtered_resps.length]).toEqual(["72", 3]);
});

it("says where fixed examples come from", async () => {
  const { code, stderr } = await nibble(["eval", "minerva_math500", "--data", dataFolder, "--limit", "1"]);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/math500\.train\.jsonl.*--fewshot-from/s)]);
});
