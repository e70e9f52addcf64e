/**
 * Requests as Open WebUI 0.12.4 sends them, by its code (open_webui/routers/openai.py, ollama.py and utils/payload.py):
 * the bodies that it passes on to the server, once for an OpenAI connection and once for an Ollama one.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { messages, postJson, startServer, type TestServer } from "./helpers.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const TOOL = {
  type: "function",
  function: {
    name: "get_current_timestamp",
    description: "Get the current Unix timestamp.",
    parameters: { type: "object", properties: {}, required: [] },
  },
};
const USER_HEADERS = { authorization: "Bearer none", "x-openwebui-user-name": "A", "x-openwebui-chat-id": "c1" };

async function post(path: string, body: object): Promise<{ status: number; text: string }> {
  const response = await postJson(server.url + path, { model: "crumb", ...body }, { headers: USER_HEADERS });
  return { status: response.status, text: await response.text() };
}

it.each<[string, object]>([
  ["a chat", { stream: true, messages, stream_options: { include_usage: true } }],
  [
    "a chat with the settings of its panel",
    {
      stream: true,
      messages: [{ role: "system", content: "Be brief." }, ...messages],
      temperature: 0.7,
      top_p: 0.9,
      min_p: 0,
      max_tokens: 8,
      frequency_penalty: 0,
      presence_penalty: 0,
      reasoning_effort: "medium",
      seed: 5,
      stop: ["###"],
      logit_bias: { "5": -100 },
      response_format: { type: "text" },
    },
  ],
  ["a chat with native tools", { stream: true, messages, max_tokens: 8, tools: [TOOL] }],
  [
    "a chat whose user has files",
    {
      stream: true,
      max_tokens: 8,
      messages: [{ role: "user", content: [{ type: "text", text: "How much is 8 * 33?" }] }],
    },
  ],
  [
    "an answer that goes on",
    {
      stream: true,
      max_tokens: 8,
      messages: [...messages, { role: "assistant", content: "It is" }],
      continue_final_message: true,
      add_generation_prompt: false,
    },
  ],
  ["a title", { stream: false, max_tokens: 8, messages: [{ role: "user", content: "### Task:\nGenerate a title." }] }],
  ["a title of a newer model", { stream: false, max_completion_tokens: 8, messages: [...messages] }],
])("OpenAI connection: %s", async (_, body) => {
  const { status, text } = await post("/v1/chat/completions", body);
  expect(status, text).toBe(200);
  if ("stream" in body && body.stream) expect(text.trim().endsWith("data: [DONE]")).toBe(true);
});

it("OpenAI connection: models, embeddings", async () => {
  const models = await (await fetch(`${server.url}/v1/models`, { headers: USER_HEADERS })).json();
  expect(models).toMatchObject({ data: [{ id: "crumb" }] });
  const { status, text } = await post("/v1/embeddings", { input: ["a", "b"] });
  expect(status, text).toBe(200);
});

it.each<[string, string, object]>([
  ["a chat", "/api/chat", { stream: true, messages, options: { temperature: 0 } }],
  [
    "a chat with the settings of its panel",
    "/api/chat",
    {
      stream: true,
      messages,
      keep_alive: "5m",
      think: false,
      tools: [TOOL],
      options: {
        num_predict: 8,
        temperature: 0.7,
        top_k: 40,
        top_p: 0.9,
        min_p: 0,
        repeat_penalty: 1.1,
        repeat_last_n: 64,
        mirostat: 0,
        seed: 5,
        num_ctx: 512,
        num_thread: 1,
        stop: ["###"],
      },
    },
  ],
  ["unloading", "/api/generate", { prompt: "", keep_alive: 0, stream: false }],
  ["showing", "/api/show", {}],
  ["embedding", "/api/embed", { input: ["a", "b"], truncate: true }],
])("Ollama connection: %s", async (_, path, body) => {
  const { status, text } = await post(path, body);
  expect(status, text).toBe(200);
});

it("Ollama connection: its lists and its version", async () => {
  for (const path of ["/api/tags", "/api/ps", "/api/version"]) {
    const response = await fetch(server.url + path, { headers: USER_HEADERS });
    expect(response.status, path).toBe(200);
    await response.text();
  }
});
