/** OpenAI's /v1/completions as this server answers it. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import { createLoad } from "../../../src/load/create-load.ts";
import { createHandler } from "../../../src/server/handler.ts";
import { root, testHost } from "../../helpers/models.ts";
import { loadCrumb, messages, postHandler } from "../helpers.ts";

let model: Model;
beforeAll(async () => {
  model = await loadCrumb();
});
afterAll(() => model.dispose());

const post = (path: string, body: unknown) => postHandler(createHandler(model), path, body);

it("each answer of n has the prompt's log-probabilities", async () => {
  const body = {
    prompt: ["How much", "What is"],
    n: 2,
    max_tokens: 2,
    temperature: 1,
    seed: 5,
    logprobs: 1,
    echo: true,
  };
  const { choices } = (await post("/v1/completions", body)).json();
  expect(choices.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2, 3]);
  const ofPrompts = choices.map(({ logprobs }: { logprobs: { token_logprobs: unknown[] } }) =>
    logprobs.token_logprobs.slice(0, 2),
  );
  expect(ofPrompts[0]).toEqual(ofPrompts[1]);
  expect(ofPrompts[2]).toEqual(ofPrompts[3]);
  const alone = await post("/v1/completions", { ...body, n: 1 });
  expect(alone.json().choices.map((choice: { text: string }) => choice.text)).toEqual([
    choices[0].text,
    choices[2].text,
  ]);
});

it("vLLM's prompt_logprobs come in a whole answer and in a stream", async () => {
  const body = { prompt: "How much is", max_tokens: 2, temperature: 0, prompt_logprobs: 1 };
  const { choices } = (await post("/v1/completions", body)).json();
  const entries = choices[0].prompt_logprobs;
  expect(entries).toEqual((await model.completions.create({ ...body, stream: false })).choices[0]!.prompt_logprobs);
  const { text } = await post("/v1/completions", { ...body, stream: true });
  expect(text).toContain(`"prompt_logprobs":${JSON.stringify(entries)}`);
  const chat = (await post("/v1/chat/completions", { messages, max_tokens: 1, prompt_logprobs: 0 })).json();
  expect(chat.prompt_logprobs.length).toBe(chat.usage.prompt_tokens);
});

it("system_fingerprint is the same for the same model, whole and streamed, and another for another", async () => {
  const body = { prompt: "a", max_tokens: 1 };
  const { system_fingerprint: whole } = (await post("/v1/completions", body)).json();
  expect(whole).toMatch(/^fp_[0-9a-f]{32}$/);
  expect((await post("/v1/completions", { ...body, stream: true })).text).toContain(whole);
  expect((await post("/v1/chat/completions", { messages, max_tokens: 1 })).json().system_fingerprint).toBe(whole);
  const again = await loadCrumb();
  expect(`fp_${again.fingerprint()}`).toBe(whole);
  again.dispose();
  const other = await createLoad(testHost)(join(root, "dist/crumb.gguf"), { threads: 1, kvType: "f32" });
  expect(`fp_${other.fingerprint()}`).not.toBe(whole);
  other.dispose();
});

it("timings_per_token and return_progress: figures in each chunk, and how much of the prompt is read", async () => {
  const prompt = "word ".repeat(150);
  for (const [path, body] of [
    ["/v1/completions", { prompt }],
    ["/v1/chat/completions", { messages: [{ role: "user", content: prompt }] }],
    ["/completion", { prompt }],
  ] as const) {
    const asked = { max_tokens: 3, stream: true, timings_per_token: true, return_progress: true, cache_prompt: true };
    const { text } = await post(path, { ...body, ...asked });
    const chunks = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json]) => JSON.parse(json!));
    const progress = chunks.flatMap((chunk) => chunk.prompt_progress ?? []);
    expect(progress.length).toBeGreaterThan(1);
    expect(progress.at(-1).processed).toBe(progress.at(-1).total);
    expect(progress.every(({ processed }, i) => processed >= (progress[i - 1]?.processed ?? 0))).toBe(true);
    const counts = chunks.flatMap((chunk) => chunk.timings?.predicted_n ?? []);
    expect(counts.slice(0, 3)).toEqual([1, 2, 3]);
    model.clearPrefixCache();
  }
  const plain = await post("/v1/completions", { prompt: "a", max_tokens: 2, stream: true });
  expect(plain.text.match(/timings/g)).toHaveLength(1);
});
