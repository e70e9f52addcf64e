/** crumb's 500 problems: the answers of every weight type against PyTorch's (models/crumb/problems.jsonl), 489 right. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertCrumb } from "../../scripts/convert-crumb.ts";
import { createLoad } from "../../src/load/create-load.ts";
import type { KvType } from "../../src/runtime/layout.ts";
import { root, testHost } from "../helpers/models.ts";

interface Problem {
  question: string;
  gold: number | string;
  answer: string;
  torch_right: boolean;
}
const problems: Problem[] = readFileSync(join(root, "models/crumb/problems.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const torch = problems.filter((problem) => problem.torch_right).length;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "nibble-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Greedy answers, 16 at a time in one batch. */
async function answers(source: string, kvType: KvType): Promise<string[]> {
  const model = await createLoad(testHost)(source, { cacheTokens: 16 * 1024, kvType });
  const results: string[] = [];
  for (let i = 0; i < problems.length; i += 16) {
    const batch = problems.slice(i, i + 16).map(({ question }) =>
      model.chat.completions.create({
        messages: [{ role: "user", content: question }],
        temperature: 0,
        reasoning_format: "none",
      }),
    );
    for (const answer of await Promise.all(batch)) results.push(answer.choices[0]!.message.content ?? "");
  }
  model.dispose();
  return results;
}

const right = (texts: string[]): number =>
  texts.filter((text, i) => text.includes(`\\boxed{${problems[i]!.gold}}`)).length;

describe(`PyTorch solves ${torch} of ${problems.length}`, () => {
  it("F32 folder: the same answers, to the letter", async () => {
    const texts = await answers(join(root, "models/crumb"), "f32");
    expect(texts).toEqual(problems.map((problem) => problem.answer));
    expect(right(texts)).toBe(torch);
  });

  it.each([
    ["q8_0", 3],
    ["q4_1", 10],
    ["q4_0", 10],
  ] as const)("%s loses at most %i", async (type, loss) => {
    const path = join(folder, `${type}.gguf`);
    await convertCrumb(join(root, "models/crumb"), path, type);
    const count = right(await answers(path, "mixed"));
    console.log(`crumb ${type}: ${count} of ${problems.length} right`);
    expect(count).toBeGreaterThanOrEqual(torch - loss);
  });
});
