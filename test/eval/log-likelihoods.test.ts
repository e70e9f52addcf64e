/** Log-likelihoods, scores and results of crumb with float weights, as lm-eval computes them in float64. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { LocalBackend } from "../../src/eval/local-backend.ts";
import { scoreChoices } from "../../src/eval/multiple-choice.ts";
import { taskResults } from "../../src/eval/results.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { root, testHost } from "../helpers/models.ts";
import { CHOICE_TASKS, read, setUp, type Variant } from "./fixtures.ts";

let model: Model;
beforeAll(async () => {
  model = await createLoad(testHost)(join(root, "models/crumb"), { kvType: "f32", threads: 1 });
});
afterAll(() => model.dispose());

type Run = Variant & {
  results: Record<string, number>;
  docs: { doc: number; scores: [logprob: number, greedy: boolean][] }[];
};

it.each(CHOICE_TASKS)("%s", async (name) => {
  const backend = new LocalBackend(model);
  for (const run of read(`log-likelihoods/${name}.json`) as Run[]) {
    const { task, rows, prompts } = setUp(run);
    const samples = run.docs.map(async ({ doc, scores }) => {
      const { likelihoods, ...metrics } = await scoreChoices(backend, prompts.choices(rows[doc]!));
      for (const [i, [logprob, greedy]] of scores.entries()) {
        expect(Math.abs(likelihoods[i]!.logprob - logprob)).toBeLessThan(1e-4);
        expect(likelihoods[i]!.greedy).toBe(greedy);
      }
      return {
        id: doc,
        filter: "none",
        metrics: Object.fromEntries(task.metrics.map((key) => [key, metrics[key as "acc"]])),
      };
    });
    const results = taskResults(run.task, await Promise.all(samples));
    for (const [key, value] of Object.entries(run.results)) expect(results[key], key).toBeCloseTo(value, 12);
  }
});
