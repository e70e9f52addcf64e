/** `--lora` and `--lora-scaled`. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import { ggufAdapter, randomAdapter } from "../helpers/adapters.ts";
import { root, testHost } from "../helpers/models.ts";
import { nibble, QUESTION } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-lora-"));
const [one, two] = [join(folder, "one.gguf"), join(folder, "two.gguf")];
beforeAll(async () => {
  const base = await openCheckpoint(join(root, "dist/crumb.gguf"), testHost);
  const names = [...base.tensors.keys()].filter((name) =>
    /(attn_(q|k|v|output)|ffn_(gate|up|down))\.weight/.test(name),
  );
  for (const [i, path] of [one, two].entries())
    writeFileSync(path, await ggufAdapter(randomAdapter(base, names, 32, i), base.architecture));
  await base.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function tokens(...flags: string[]): Promise<number[]> {
  const { code, stdout, stderr } = await nibble(["run", QUESTION, "--temp", "0", "-n", "20", "--json", ...flags]);
  expect(stderr, stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout).tokens;
}

describe("nibble run", () => {
  it("applies adapters with their scales", async () => {
    const [plain, tuned, off, both, same] = await Promise.all([
      tokens(),
      tokens("--lora", one, "--lora-scaled", two, "0"),
      tokens("--lora-scaled", one, "0"),
      tokens("--lora-scaled", one, "1", "--lora-scaled", two, "-2"),
      tokens(`--lora-scaled=${one}`, "1"),
    ]);
    expect(off).toEqual(plain);
    expect(tuned).not.toEqual(plain);
    expect(both).not.toEqual(tuned);
    expect(same).toEqual(tuned);
  });

  it.each<[string[], number, RegExp]>([
    [["--lora"], 2, /^nibble: --lora: a value is required; it must be a file or folder$/m],
    [
      ["--lora-scaled", one],
      2,
      /^nibble: --lora-scaled: a value is required; it must be a file or folder, and a number/,
    ],
    [["--lora-scaled", one, "much"], 2, /^nibble: --lora-scaled: .*, got "\S+ much"/],
    [["--lora", join(folder, "none.gguf")], 1, /^nibble: \S+none\.gguf: there is no such file or folder$/m],
    [["--lora", join(root, "dist/crumb.gguf")], 1, /^nibble: adapter, general\.type: expected "adapter", got "model"/],
    [["--lora", one, "--lora", one], 1, /^nibble: lora\[1\]\.name: another adapter has the name one already/],
  ])("%j: exit code %i", async (flags, code, line) => {
    const result = await nibble(["run", QUESTION, ...flags]);
    expect(result.stderr).toMatch(line);
    expect(result.code).toBe(code);
  });
});
