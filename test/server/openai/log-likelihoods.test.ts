/**
 * Log-likelihoods as lm-evaluation-harness asks for them (`local-completions`, prompts as ids in batches, echo with
 * logprobs): equal to those of a session's logits, also where an answer ends in its end token.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import type { Completion } from "../../../src/engine/openai/completion-types.ts";
import { createHandler } from "../../../src/server/handler.ts";
import { loadCrumb } from "../helpers.ts";

let model: Model;
beforeAll(async () => {
  model = await loadCrumb();
});
afterAll(() => model.dispose());

const QUESTIONS = [
  ["How much is 8 * 33?", " 264"],
  ["How much is 12 + 5?", " 17"],
  ["What is 9 - 4?", "5"],
  ["A train travels at 65 km per hour.", " It goes far."],
] as const;

/** Context and continuation as ids, as the harness cuts them; the continuation ends with the model's end token. */
function requests(): { context: number[]; continuation: number[] }[] {
  return QUESTIONS.map(([question, answer]) => {
    const context = model.chatPrompt({ messages: [{ role: "user", content: question }] }).ids;
    return { context, continuation: [...model.tokenize(answer, { addBos: false }), model.info.endIds.at(-1)!] };
  });
}

/** The sum of the continuation's log-probabilities, and whether each of its tokens is the likeliest. */
function likelihood(context: readonly number[], continuation: readonly number[]): [number, boolean] {
  const { vocabSize } = model.info;
  const session = model.session();
  const ids = [...context, ...continuation];
  const rows = session.forward(ids, { logits: "all" });
  session.dispose();
  let [sum, greedy] = [0, true];
  for (let i = context.length; i < ids.length; i++) {
    const row = Float64Array.from(rows.subarray((i - 1) * vocabSize, i * vocabSize));
    const max = Math.max(...row);
    const total = row.reduce((all, logit) => all + Math.exp(logit - max), 0);
    sum += row[ids[i]!]! - max - Math.log(total);
    greedy &&= row[ids[i]!] === max;
  }
  return [sum, greedy];
}

it.each([0, 1])("max_tokens %i", async (max_tokens) => {
  const handler = createHandler(model);
  const asked = requests();
  const prompt = asked.map(({ context, continuation }) => [...context, ...continuation]);
  const body = { model: "crumb", prompt, temperature: 0, max_tokens, logprobs: 1, seed: 1234, echo: true };
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  const response = await handler(new Request("http://localhost/v1/completions", init));
  const { choices } = (await response.json()) as Completion;
  const sorted = choices.toSorted((a, b) => a.index - b.index);
  for (const [i, { context, continuation }] of asked.entries()) {
    const { token_logprobs, top_logprobs } = sorted[i]!.logprobs!;
    const end = max_tokens === 0 ? token_logprobs.length : -1; // The harness cuts the one token that it had to ask for.
    const own = token_logprobs.slice(context.length, end);
    expect(own).toHaveLength(continuation.length);
    const greedy = top_logprobs
      .slice(context.length, end)
      .every((top, j) => Math.max(...Object.values(top!)) === own[j]);
    const [sum, isGreedy] = likelihood(context, continuation);
    expect(Math.abs(own.reduce<number>((all, one) => all + one!, 0) - sum)).toBeLessThan(
      1e-12 * Math.max(1, Math.abs(sum)),
    );
    expect(greedy).toBe(isGreedy);
  }
});
