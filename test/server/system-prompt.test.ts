/** The option `systemPrompt`: it is the system message of chats that have none, for every API and every count of tokens. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { createHandler, type Handler } from "../../src/server/handler.ts";
import { askHandler, loadCrumb } from "./helpers.ts";

const PROMPT = "You answer in one line.";
const question = { role: "user", content: "How much is 8 * 33?" };
let model: Model;
let handler: Handler;
let plain: Handler;
beforeAll(async () => {
  model = await loadCrumb();
  handler = createHandler(model, { systemPrompt: PROMPT });
  plain = createHandler(model);
});
afterAll(() => model.dispose());

const post = (server: Handler, path: string, body: object) =>
  askHandler(server, path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
const promptTokens = async (server: Handler, messages: readonly object[]): Promise<number> =>
  (await post(server, "/v1/chat/completions", { messages, max_tokens: 1 })).json().usage.prompt_tokens;

it("a chat without a system message gets it; one with its own keeps that", async () => {
  const own = [{ role: "system", content: PROMPT }, question];
  expect(await promptTokens(handler, [question])).toBe(await promptTokens(plain, own));
  expect(await promptTokens(handler, [question])).toBeGreaterThan(await promptTokens(plain, [question]));
  const other = [{ role: "system", content: "Short." }, question];
  expect(await promptTokens(handler, other)).toBe(await promptTokens(plain, other));
});

it("tokens are counted with it, and the template shows it", async () => {
  const body = { messages: [question] };
  expect((await post(handler, "/apply-template", body)).json().prompt).toContain(PROMPT);
  const { count } = (await post(handler, "/tokenize", body)).json();
  expect(count ?? (await promptTokens(handler, [question]))).toBe(await promptTokens(handler, [question]));
});

it("errors count the client's messages", async () => {
  const wrong = await post(handler, "/v1/chat/completions", { messages: [{ role: "user", content: 7 }] });
  const expected = await post(plain, "/v1/chat/completions", { messages: [{ role: "user", content: 7 }] });
  expect(wrong.status).toBe(400);
  expect(wrong.json()).toEqual(expected.json());
});

it("is a string", () => {
  expect(() => createHandler(model, { systemPrompt: 7 as never })).toThrow(/systemPrompt/);
});
