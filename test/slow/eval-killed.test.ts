/** `nibble eval` is killed at 20 random moments, and ends with the same files, byte for byte. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { cli, nibble, Running } from "../cli/helpers.ts";
import { dataFolder } from "../eval/fixtures.ts";

const MOMENTS = 20;
const folder = mkdtempSync(join(tmpdir(), "nibble-eval-killed-"));
afterAll(() => rmSync(folder, { recursive: true }));

// Choices and answers that are drawn at random, with more than one filter and several samples of each row, of which a killed row keeps those that came.
const args = ["eval", "hellaswag", "gsm8k", "--num-fewshot", "0", "--data", dataFolder];
const settings = ["-n", "48", "--samples", "8", "--temp", "0.9", "--limit", "12"];
const FILES = ["results.json", "report.html", ...["hellaswag", "gsm8k"].map((task) => `samples_${task}.jsonl`)];

it(`kill -9 at ${MOMENTS} random moments: the run goes on, and its files are those of a run that was never ended`, async () => {
  const run = (out: string) => [...args, ...settings, "-o", join(folder, out)];
  const start = performance.now();
  expect((await nibble(run("whole"))).code).toBe(0);
  const time = performance.now() - start;
  const check = () => {
    for (const name of FILES) {
      const [cut, whole] = ["cut", "whole"].map((out) => readFileSync(join(folder, out, name), "utf8"));
      expect(cut, name).toBe(whole);
    }
    rmSync(join(folder, "cut"), { recursive: true });
  };
  for (let killed = 0; killed < MOMENTS; ) {
    const running = new Running(process.execPath, [cli, ...run("cut")]);
    const timer = setTimeout(() => running.child.kill("SIGKILL"), Math.random() * Math.max(700, time / 4));
    const code = await running.exit;
    clearTimeout(timer);
    if (code === null) killed++;
    else check(); // It came to its end, and begins anew.
  }
  expect((await nibble(run("cut"))).code).toBe(0);
  check();
});
