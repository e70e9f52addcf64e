/** OpenAI's /v1/completions as this server answers it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import { createHandler } from "../../../src/server/handler.ts";
import { loadCrumb, messages, postHandler } from "../helpers.ts";

let model: Model;
beforeAll(async () => {
  model = await loadCrumb();
});
afterAll(() => model.dispose());

const post = (path: string, body: unknown) => postHandler(createHandler(model), path, body);

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
