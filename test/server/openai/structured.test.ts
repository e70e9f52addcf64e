/** Calls of tools and JSON by schema through the official clients: the engine's grammars under each API's names. */
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "../helpers.ts";

let server: TestServer;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  server = await startServer();
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: server.url, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
});

const text = "How warm is it in Oslo?";
const user = { role: "user" as const, content: text };
const schema = {
  type: "object" as const,
  properties: { city: { type: "string", enum: ["Oslo", "Rome"] }, days: { type: "integer", minimum: 1, maximum: 9 } },
  required: ["city", "days"],
  additionalProperties: false,
};
const expected = { city: expect.stringMatching(/^(Oslo|Rome)$/), days: expect.any(Number) };
const named = { name: "weather", description: "of a city" };
const model = "crumb";
const temperature = 0;

describe("calls of tools", () => {
  it("OpenAI's chat", async () => {
    const request = {
      ...{ model, temperature, messages: [user], tool_choice: "required" as const, parallel_tool_calls: false },
      tools: [{ type: "function" as const, function: { ...named, parameters: schema } }],
    };
    const whole = await openai.chat.completions.create(request);
    const [call] = whole.choices[0]!.message.tool_calls!;
    expect(whole.choices[0]!.finish_reason).toBe("tool_calls");
    expect(call).toMatchObject({ type: "function", function: { name: "weather" } });
    const given = call?.type === "function" ? call.function.arguments : "";
    expect(JSON.parse(given)).toEqual(expected);
    const streamed = await openai.chat.completions.stream(request).finalChatCompletion();
    expect(streamed.choices[0]!.message.tool_calls).toMatchObject([
      { function: { name: "weather", arguments: given } },
    ]);
  });

  it("OpenAI's responses", async () => {
    const request = {
      ...{ model, temperature, input: text, tool_choice: "required" as const, parallel_tool_calls: false },
      tools: [{ type: "function" as const, ...named, parameters: schema, strict: true }],
    };
    const call = (output: readonly { type: string }[]) => output.find(({ type }) => type === "function_call");
    const whole = call((await openai.responses.create(request)).output) as OpenAI.Responses.ResponseFunctionToolCall;
    expect(JSON.parse(whole.arguments)).toEqual(expected);
    const streamed = call((await openai.responses.stream(request).finalResponse()).output);
    expect(streamed).toMatchObject({ name: "weather", arguments: whole.arguments, status: "completed" });
  });

  it("Anthropic's messages, and the result goes back", async () => {
    const tools = [{ ...named, input_schema: schema }];
    const request = { ...{ model, temperature }, max_tokens: 400, tools, messages: [user] };
    const whole = await anthropic.messages.create({
      ...request,
      tool_choice: { type: "any", disable_parallel_tool_use: true },
    });
    const call = whole.content.find((block) => block.type === "tool_use")!;
    expect(whole.stop_reason).toBe("tool_use");
    expect(call).toMatchObject({ name: "weather", input: expected });
    const stream = anthropic.messages.stream({ ...request, tool_choice: { type: "tool", name: "weather" } });
    expect((await stream.finalMessage()).content.at(-1)).toMatchObject({ type: "tool_use", input: expected });
    const answer = await anthropic.messages.create({
      ...request,
      messages: [
        user,
        { role: "assistant", content: whole.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "21 degrees" }] },
      ],
      tool_choice: { type: "none" },
    });
    expect(["end_turn", "max_tokens"]).toContain(answer.stop_reason);
  });
});

describe("JSON by schema", () => {
  it("OpenAI's chat", async () => {
    const answer = await openai.chat.completions.create({
      ...{ model, temperature, messages: [user] },
      response_format: { type: "json_schema", json_schema: { name: "weather", schema, strict: true } },
    });
    expect(JSON.parse(answer.choices[0]!.message.content!)).toEqual(expected);
  });

  it("OpenAI's responses", async () => {
    const answer = await openai.responses.create({
      ...{ model, temperature, input: text },
      text: { format: { type: "json_schema", name: "weather", schema, strict: true } },
    });
    expect(JSON.parse(answer.output_text)).toEqual(expected);
  });

  it("Anthropic's messages", async () => {
    const answer = await anthropic.messages.create({
      ...{ model, temperature, messages: [user], max_tokens: 400 },
      output_config: { format: { type: "json_schema", schema } },
    });
    const block = answer.content.find(({ type }) => type === "text");
    expect(JSON.parse(block?.type === "text" ? block.text : "")).toEqual(expected);
  });
});
