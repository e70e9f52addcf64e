import { expect, it } from "vitest";
import { timingsOf } from "../../../src/engine/generate/timings.ts";

const measured = { cached: 3, prompt: 20, promptMs: 10, predicted: 16, predictedMs: 30 };

it("rates leave out the first token, whose time is the prompt's", () => {
  expect(timingsOf(measured)).toEqual({
    cache_n: 3,
    prompt_n: 20,
    prompt_ms: 10,
    prompt_per_token_ms: 0.5,
    prompt_per_second: 2000,
    predicted_n: 16,
    predicted_ms: 30,
    predicted_per_token_ms: 2,
    predicted_per_second: 500,
  });
  const { predicted_per_token_ms, predicted_per_second } = timingsOf({ ...measured, answers: 6 });
  expect([predicted_per_token_ms, predicted_per_second]).toEqual([3, 1000 / 3]);
});

it("one token, no token, and a clock that stands still give 0", () => {
  for (const predicted of [0, 1])
    expect(timingsOf({ ...measured, predicted })).toMatchObject({ predicted_per_token_ms: 0, predicted_per_second: 0 });
  const still = timingsOf({ ...measured, prompt: 0, promptMs: 0, predictedMs: 0 });
  for (const value of Object.values(still)) expect(Number.isFinite(value)).toBe(true);
});

it("drafts are named where there were any", () => {
  expect(timingsOf(measured)).not.toHaveProperty("draft_n");
  expect(timingsOf({ ...measured, drafted: 4, accepted: 0 })).toMatchObject({ draft_n: 4, draft_n_accepted: 0 });
});
