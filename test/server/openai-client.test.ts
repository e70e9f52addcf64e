/** OpenAI's own client against a listening server. */
import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { messages, QUESTION, startServer, type TestServer } from "./helpers.ts";

let server: TestServer;
let client: OpenAI;
beforeAll(async () => {
  server = await startServer({ apiKeys: ["secret"] });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "secret", maxRetries: 0 });
});
afterAll(() => server.close());

describe("chat.completions", () => {
  it("whole: what the model answers itself", async () => {
    const direct = await server.model.chat.completions.create({ messages, temperature: 0, reasoning_format: "auto" });
    const answer = await client.chat.completions.create({ model: "crumb", messages: [...messages], temperature: 0 });
    expect(answer.object).toBe("chat.completion");
    expect(answer.choices[0]!.message).toEqual(direct.choices[0]!.message);
    expect(answer.choices[0]!.message.content).toMatch(/264/);
    expect(answer.choices[0]!.finish_reason).toBe("stop");
    expect(answer.usage).toMatchObject({
      prompt_tokens: direct.usage.prompt_tokens,
      completion_tokens: direct.usage.completion_tokens,
    });
  });

  it("streamed: the same text, reasoning apart, usage in the last chunk", async () => {
    const request = { model: "crumb", messages: [...messages], temperature: 0 };
    const whole = await client.chat.completions.create(request);
    const stream = await client.chat.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    let content = "";
    let reasoning = "";
    let last: OpenAI.ChatCompletionChunk | undefined;
    for await (const chunk of stream) {
      const delta = chunk.choices[0]?.delta as { content?: string; reasoning_content?: string } | undefined;
      content += delta?.content ?? "";
      reasoning += delta?.reasoning_content ?? "";
      last = chunk;
    }
    const { message } = whole.choices[0]!;
    expect(content).toBe(message.content);
    expect(reasoning).toBe((message as { reasoning_content?: string }).reasoning_content);
    expect(reasoning.length).toBeGreaterThan(0);
    expect(last!.choices).toEqual([]);
    expect(last!.usage!.total_tokens).toBe(whole.usage!.total_tokens);
  });

  it("logprobs, stop strings, seeds", async () => {
    const request = { model: "x", messages: [...messages], seed: 3, logprobs: true, top_logprobs: 2, max_tokens: 5 };
    const [a, b] = await Promise.all([1, 2].map(() => client.chat.completions.create(request)));
    expect(a!.choices).toEqual(b!.choices);
    expect(a!.choices[0]!.finish_reason).toBe("length");
    expect(a!.choices[0]!.logprobs!.content!.every(({ top_logprobs }) => top_logprobs.length === 2)).toBe(true);
  });
});

describe("completions", () => {
  it("whole and streamed", async () => {
    const request = { model: "crumb", prompt: QUESTION, temperature: 0, max_tokens: 12 };
    const whole = await client.completions.create(request);
    expect(whole.usage!.completion_tokens).toBe(12);
    let text = "";
    for await (const chunk of await client.completions.create({ ...request, stream: true })) {
      text += chunk.choices[0]?.text ?? "";
    }
    expect(text).toBe(whole.choices[0]!.text);
    expect(text.length).toBeGreaterThan(0);
  });
});

describe("the rest", () => {
  it("models", async () => {
    const models = [];
    for await (const model of client.models.list()) models.push(model);
    expect(models.map(({ id }) => id)).toEqual(["crumb"]);
    expect(await client.models.retrieve("crumb")).toEqual(models[0]);
  });

  it("errors are the client's classes, with the field", async () => {
    const wrong = client.chat.completions.create({ model: "crumb", messages: [...messages], temperature: 9 });
    await expect(wrong).rejects.toThrow(OpenAI.BadRequestError);
    await expect(wrong).rejects.toMatchObject({ status: 400, param: "temperature", code: "invalid_request" });
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "guess", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toThrow(OpenAI.AuthenticationError);
    await expect(client.models.retrieve("other")).rejects.toThrow(OpenAI.NotFoundError);
    const long = client.completions.create({ model: "crumb", prompt: "word ".repeat(20_000) });
    await expect(long).rejects.toMatchObject({ status: 400, code: "context_length_exceeded" });
    expect(await long.catch((error) => error)).toBeInstanceOf(APIError);
    expect(server.errors).toEqual([]);
  });

  it("leaving a stream gives the pages back", async () => {
    const stream = await client.chat.completions.create({ model: "crumb", messages: [...messages], stream: true });
    for await (const _ of stream) break;
    await expect.poll(() => server.model.load()).toMatchObject({ requests: 0, usedPages: 0 });
  });
});
