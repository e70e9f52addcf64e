/** Ollama's /api/chat and /api/generate. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import { createHandler, type Handler } from "../../../src/server/handler.ts";
import { loadCrumb, messages, postHandler, QUESTION } from "../helpers.ts";

let model: Model;
let handler: Handler;
beforeAll(async () => {
  model = await loadCrumb();
  handler = createHandler(model);
});
afterAll(() => model.dispose());

const options = { temperature: 0, num_predict: 40, seed: 1 };
const post = (path: string, body: object) => postHandler(handler, path, { model: "crumb", ...body });
const lines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("/api/chat", () => {
  it("whole: the answer of OpenAI's endpoint, reasoning apart, with Ollama's figures", async () => {
    const { json } = await post("/api/chat", { messages, stream: false, options });
    const answer = json();
    const openai = await postHandler(handler, "/v1/chat/completions", {
      messages,
      temperature: 0,
      max_tokens: 40,
    });
    const { message, finish_reason } = openai.json().choices[0];
    expect(answer).toMatchObject({
      model: "crumb",
      message: { role: "assistant", content: message.content, thinking: message.reasoning_content },
      done: true,
      done_reason: finish_reason,
      prompt_eval_count: openai.json().usage.prompt_tokens,
      eval_count: openai.json().usage.completion_tokens,
    });
    for (const key of ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"])
      expect(Number.isInteger(answer[key]), key).toBe(true);
    expect(Date.parse(answer.created_at)).toBeGreaterThan(Date.now() - 60_000);
  });

  it("streamed by default: one JSON object on each line, the same text, the figures last", async () => {
    const { text, headers } = await post("/api/chat", { messages, options });
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    const parts = lines(text);
    const whole = (await post("/api/chat", { messages, options, stream: false })).json();
    const join = (key: string) => parts.map(({ message }) => message[key] ?? "").join("");
    expect(join("content")).toBe(whole.message.content);
    expect(join("thinking")).toBe(whole.message.thinking);
    expect(parts.slice(0, -1).every(({ done }) => done === false)).toBe(true);
    expect(parts.at(-1)).toMatchObject({ done: true, eval_count: whole.eval_count, message: { content: "" } });
  });

  it("format is any JSON object or a schema; think: false forbids reasoning", async () => {
    const schema = {
      type: "object",
      properties: { n: { enum: [1, 2] } },
      required: ["n"],
      additionalProperties: false,
    };
    const ask = async (more: object) =>
      (await post("/api/chat", { messages, stream: false, think: false, ...more })).json().message;
    const { content, thinking } = await ask({ format: schema, options: { ...options, num_predict: 60 } });
    expect([1, 2]).toContain(JSON.parse(content).n);
    expect(thinking).toBeUndefined();
    expect((await ask({ format: "json", options: { ...options, num_predict: 3 } })).content).toMatch(/^\s*\{/);
  });

  it("tool calls come whole, with their arguments as an object; results find their call without an id", async () => {
    const parameters = { type: "object", properties: { city: { enum: ["Oslo"] } }, required: ["city"] };
    const tools = [{ type: "function", function: { name: "weather", description: "d", parameters } }];
    const call = { function: { name: "weather", arguments: { city: "Oslo" } } };
    const conversation = [
      ...messages,
      { role: "assistant", content: "", tool_calls: [call] },
      { role: "tool", tool_name: "weather", content: "11 degrees" },
    ];
    const { status, json } = await post("/api/chat", { messages: conversation, tools, stream: false, options });
    expect([status, json().message?.role]).toEqual([200, "assistant"]);
  });

  it("no messages load the model; keep_alive is taken in all its forms", async () => {
    for (const keep_alive of [0, -1, 30, "5m", "1h30m", "-1", "300", "1.5h"]) {
      const { status, json } = await post("/api/chat", { messages: [], keep_alive });
      expect([status, json().done_reason, keep_alive]).toEqual([200, keep_alive === 0 ? "unload" : "load", keep_alive]);
    }
  });

  it("errors name the field, in Ollama's shape", async () => {
    const image = [{ role: "user", content: "a", images: ["AAAA"] }];
    const wrong: [object, number, RegExp][] = [
      [{ model: undefined, messages }, 400, /^model: /],
      [{ model: "llama3.2", messages }, 404, /^model: there is no model "llama3.2" here/],
      [{ messages: image }, 400, /^messages\[0\]\.images: this field is not supported/],
      [{ messages, options: { temperature: "hot" } }, 400, /^options\.temperature: /],
      [{ messages, options: { num_predict: 0.5 } }, 400, /^options\.num_predict: /],
      [{ messages, format: "xml" }, 400, /^format: /],
      [{ messages, format: { type: "nonsense" } }, 400, /^format/],
      [{ messages, think: 5 }, 400, /^think: /],
      [{ messages, keep_alive: "soon" }, 400, /^keep_alive: /],
      [{ messages: [{ role: "wizard", content: "a" }] }, 400, /^messages\[0\]\.role: /],
      [{ messages: [{ role: "assistant", tool_calls: [{ function: {} }] }] }, 400, /tool_calls\[0\]\.function\.name/],
    ];
    for (const [body, status, message] of wrong) {
      const answer = await post("/api/chat", body);
      expect(answer.json(), JSON.stringify(body)).toEqual({ error: expect.stringMatching(message) });
      expect(answer.status).toBe(status);
    }
  });

  it("fields that nobody knows, and settings of loading, change nothing; a header names the unknown ones", async () => {
    const body = {
      messages,
      stream: false,
      options: { ...options, num_ctx: 2048, num_gpu: 99, tempertaure: 1 },
      extra: 1,
    };
    const { status, headers } = await post("/api/chat", body);
    expect([status, headers.get("x-nibble-ignored")]).toEqual([200, "extra, options.tempertaure"]);
    const strict = createHandler(model, { strict: true });
    const refused = await postHandler(strict, "/api/chat", { model: "crumb", ...body, extra: undefined });
    expect(refused.json().error).toBe("options.tempertaure: unknown field; did you mean temperature?");
  });
});

describe("/api/generate", () => {
  it("a prompt is the message of a chat; raw: true takes it as it is", async () => {
    const chat = (await post("/api/chat", { messages, stream: false, options })).json();
    const generated = (await post("/api/generate", { prompt: QUESTION, stream: false, options })).json();
    expect(generated).toMatchObject({ response: chat.message.content, thinking: chat.message.thinking, done: true });
    const raw = (await post("/api/generate", { prompt: QUESTION, raw: true, stream: false, options })).json();
    const text = await model.completions.create({ prompt: QUESTION, temperature: 0, max_tokens: 40, stream: false });
    expect(raw.response).toBe(text.choices[0]!.text);
    const streamed = lines((await post("/api/generate", { prompt: QUESTION, raw: true, options })).text);
    expect(streamed.map(({ response }) => response).join("")).toBe(raw.response);
  });

  it("log-probabilities come with the text", async () => {
    for (const raw of [false, true]) {
      const body = { prompt: QUESTION, raw, think: false, stream: false, logprobs: true, top_logprobs: 2 };
      const { logprobs } = (await post("/api/generate", { ...body, options })).json();
      expect(logprobs[0].logprob).toBeLessThanOrEqual(0);
      expect(logprobs[0].top_logprobs).toHaveLength(2);
    }
  });

  it("an empty prompt loads the model; unsupported fields are refused by name", async () => {
    expect((await post("/api/generate", {})).json()).toMatchObject({ response: "", done: true, done_reason: "load" });
    const neutral = { suffix: "", context: [], images: [], template: "", options: { num_predict: 1 } };
    expect((await post("/api/generate", { prompt: "a", stream: false, ...neutral })).status).toBe(200);
    for (const [name, value] of Object.entries({
      context: [1],
      images: ["A"],
      template: "{{ .Prompt }}",
    })) {
      const { status, json } = await post("/api/generate", { prompt: "a", [name]: value });
      expect([status, json().error]).toEqual([400, expect.stringMatching(`^${name}: this field is not supported; `)]);
    }
  });
});
