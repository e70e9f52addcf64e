/** OpenAI's own client against a listening server. */
import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { messages, QUESTION, startServer, type TestServer } from "../helpers.ts";

let server: TestServer;
let client: OpenAI;
beforeAll(async () => {
  server = await startServer({ apiKeys: ["secret"] });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "secret", maxRetries: 0 });
});
afterAll(() => server.close());

describe("chat.completions", () => {
  it("whole: the model's own answer", async () => {
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

it("embeddings: the model's own vectors", async () => {
  const input = [QUESTION, "Something else."];
  const direct = await server.model.embed(input);
  const { data, usage } = await client.embeddings.create({ model: "crumb", input });
  expect(data.map(({ embedding }) => embedding)).toEqual(direct.map((vector) => [...vector]));
  expect(usage.prompt_tokens).toBeGreaterThan(input.length);
  const floats = await client.embeddings.create({ model: "crumb", input, encoding_format: "float" });
  expect(floats.data).toEqual(data);
});

describe("responses", () => {
  const request = { model: "crumb", input: QUESTION, temperature: 0 };

  it("whole: the chat's answer as items, reasoning first", async () => {
    const chat = await client.chat.completions.create({ model: "crumb", messages: [...messages], temperature: 0 });
    const message = chat.choices[0]!.message as unknown as { content: string; reasoning_content: string };
    const response = await client.responses.create(request);
    expect(response.output_text).toBe(message.content);
    expect(response.output).toMatchObject([
      { type: "reasoning", content: [{ type: "reasoning_text", text: message.reasoning_content }] },
      { type: "message", role: "assistant", status: "completed", content: [{ type: "output_text" }] },
    ]);
    expect(response).toMatchObject({ status: "completed", temperature: 0, error: null, incomplete_details: null });
    expect(response.usage).toMatchObject({
      input_tokens: chat.usage!.prompt_tokens,
      output_tokens: chat.usage!.completion_tokens,
      output_tokens_details: chat.usage!.completion_tokens_details,
    });
  });

  it("streamed: the client puts the same response together", async () => {
    const whole = await client.responses.create(request);
    const stream = client.responses.stream(request);
    const types: string[] = [];
    const numbers: number[] = [];
    for await (const event of stream) {
      types.push(event.type);
      numbers.push(event.sequence_number);
    }
    const response = await stream.finalResponse();
    const contents = (of: readonly object[]) => of.map((item) => ("content" in item ? item.content : []));
    expect(response.output_text).toBe(whole.output_text);
    expect(contents(response.output)).toMatchObject(contents(whole.output));
    expect(numbers).toEqual(numbers.map((_, i) => i));
    expect(types.filter((type, i) => type !== types[i - 1])).toEqual([
      "response.created",
      "response.in_progress",
      ...["response.output_item.added", "response.content_part.added"],
      ...["response.reasoning_text.delta", "response.reasoning_text.done"],
      ...["response.content_part.done", "response.output_item.done"],
      ...["response.output_item.added", "response.content_part.added"],
      ...["response.output_text.delta", "response.output_text.done"],
      ...["response.content_part.done", "response.output_item.done"],
      "response.completed",
    ]);
  });

  it("log-probabilities are the chat's", async () => {
    const chat = await client.chat.completions.create({
      model: "crumb",
      messages: [...messages],
      temperature: 0,
      reasoning_effort: "none",
      logprobs: true,
      top_logprobs: 2,
    });
    const more = {
      reasoning: { effort: "none" },
      include: ["message.output_text.logprobs"],
      top_logprobs: 2,
    } as const;
    const { output } = await client.responses.create({ ...request, ...more, include: [...more.include] });
    const [part] = output.flatMap((item) => (item.type === "message" ? item.content : []));
    const { text, logprobs } = part as OpenAI.Responses.ResponseOutputText;
    expect(
      logprobs!
        .map(({ token }) => token)
        .join("")
        .trimStart(),
    ).toBe(text);
    const shown = chat.choices[0]!.logprobs!.content!.slice(0, -1); // The end token has no text.
    const same = shown.slice(-logprobs!.length);
    expect(logprobs!.map(({ logprob }) => logprob)).toEqual(same.map(({ logprob }) => logprob));
    expect(logprobs!.every(({ top_logprobs }) => top_logprobs.length === 2)).toBe(true);
    expect(output.map(({ type }) => type)).toEqual(["message"]);
  });

  it("items of earlier turns give the same chat; an answer cut off by its length is incomplete", async () => {
    const chat = await client.chat.completions.create({
      model: "crumb",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "How much is 2 * 3?" },
        { role: "assistant", content: "6" },
        { role: "user", content: QUESTION },
      ],
      max_tokens: 4,
    });
    const response = await client.responses.create({
      model: "crumb",
      instructions: "Be brief.",
      input: [
        { role: "user", content: [{ type: "input_text", text: "How much is 2 * 3?" }] },
        { type: "reasoning", id: "rs_1", summary: [] },
        { role: "assistant", content: "6" },
        { role: "user", content: QUESTION },
      ],
      max_output_tokens: 4,
    });
    expect(response.usage!.input_tokens).toBe(chat.usage!.prompt_tokens);
    expect(response).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
  });

  it("errors name the field as this API does", async () => {
    const wrong = (fields: object) => client.responses.create({ ...request, ...fields });
    await expect(wrong({ input: "word ".repeat(20_000) })).rejects.toMatchObject({ status: 400, param: "input" });
    const tool = { type: "function", name: "f", parameters: "nonsense" };
    await expect(wrong({ tools: [{ ...tool, name: "?" }] })).rejects.toMatchObject({ param: "tools[0].name" });
    await expect(wrong({ tools: [tool] })).rejects.toMatchObject({ param: "tools[0].parameters" });
    const format = { type: "json_schema", name: "a", schema: { type: "nonsense" } };
    await expect(wrong({ text: { format } })).rejects.toMatchObject({
      param: expect.stringMatching(/^text\.format\.schema/),
    });
    await expect(wrong({ max_output_tokens: -2 })).rejects.toMatchObject({ param: "max_output_tokens" });
    await expect(wrong({ previous_response_id: "resp_1" })).rejects.toMatchObject({ param: "previous_response_id" });
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
    const wrong = client.chat.completions.create({ model: "crumb", messages: [...messages], temperature: -1 });
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
    await expect.poll(() => server.model.stats()).toMatchObject({ requests: 0, usedPages: 0 });
  });
});
