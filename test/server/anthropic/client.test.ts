/** Anthropic's own client against a listening server. */
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { messages, postJson, QUESTION, startServer, type TestServer } from "../helpers.ts";

let server: TestServer;
let client: Anthropic;
beforeAll(async () => {
  server = await startServer({ apiKeys: ["secret"] });
  client = new Anthropic({ baseURL: server.url, apiKey: "secret", maxRetries: 0 });
});
afterAll(() => server.close());

/** The SDK's types leave sampling out; the API has it. */
const request = { model: "crumb", max_tokens: 200, messages: [...messages], temperature: 0 };

describe("messages", () => {
  it("whole: the model's own answer, reasoning as a block before the text", async () => {
    const direct = await server.model.chat.completions.create({ messages, temperature: 0, reasoning_format: "auto" });
    const { content, reasoning_content } = direct.choices[0]!.message;
    const answer = await client.messages.create(request);
    expect(answer.content).toEqual([
      { type: "thinking", thinking: reasoning_content, signature: "" },
      { type: "text", text: content, citations: null },
    ]);
    expect(answer).toMatchObject({ type: "message", role: "assistant", stop_reason: "end_turn", stop_sequence: null });
    const { input_tokens, cache_read_input_tokens, output_tokens } = answer.usage;
    expect(input_tokens + cache_read_input_tokens!).toBe(direct.usage.prompt_tokens);
    expect(output_tokens).toBe(direct.usage.completion_tokens);
  });

  it("streamed: the client puts the same message together", async () => {
    const whole = await client.messages.create(request);
    const stream = client.messages.stream(request);
    const texts: string[] = [];
    stream.on("text", (text) => texts.push(text));
    const message = await stream.finalMessage();
    expect(message.content).toEqual(whole.content);
    expect(message.stop_reason).toBe("end_turn");
    expect(message.usage.output_tokens).toBe(whole.usage.output_tokens);
    expect(message.usage.input_tokens + message.usage.cache_read_input_tokens!).toBe(
      whole.usage.input_tokens + whole.usage.cache_read_input_tokens!,
    );
    expect(texts.length).toBeGreaterThan(1);
  });

  it("system text, blocks and earlier turns give the same chat", async () => {
    const direct = await server.model.chat.completions.create({
      messages: [
        { role: "system", content: "Be brief. Be right." },
        { role: "user", content: "How much is 2 * 3?" },
        { role: "assistant", content: "6", reasoning_content: "2 times 3" },
        { role: "user", content: QUESTION },
      ],
      temperature: 0,
      reasoning_budget: 0,
    });
    const answer = await client.messages.create({
      ...request,
      thinking: { type: "disabled" },
      system: [
        { type: "text", text: "Be brief. ", cache_control: { type: "ephemeral" } },
        { type: "text", text: "Be right." },
      ],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "How much is " },
            { type: "text", text: "2 * 3?" },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "2 times 3", signature: "" },
            { type: "text", text: "6" },
          ],
        },
        { role: "user", content: QUESTION },
      ],
    });
    expect(answer.usage.input_tokens + answer.usage.cache_read_input_tokens!).toBe(direct.usage.prompt_tokens);
    expect(answer.usage.output_tokens).toBe(direct.usage.completion_tokens);
    expect(answer.content.map(({ type }) => type)).toEqual(["text"]);
  });

  it("a budget ends thinking; an effort is a budget", async () => {
    const thought = async (fields: object) => {
      const { content, usage } = await client.messages.create({ ...request, ...fields });
      const [first] = content;
      return { text: first!.type === "thinking" ? first!.thinking : "", tokens: usage.output_tokens };
    };
    const free = await thought({});
    const short = await thought({ thinking: { type: "enabled", budget_tokens: 5 } });
    expect(short.text.length).toBeGreaterThan(0);
    expect(short.text.length).toBeLessThan(free.text.length);
    expect(free.text.startsWith(short.text)).toBe(true);
    expect(await thought({ output_config: { effort: "low" } })).toEqual(free); // 512 tokens are more than it wants
    const stream = client.messages.stream({ ...request, thinking: { type: "enabled", budget_tokens: 5 } });
    let deltas = "";
    let inputTokens = 0;
    for await (const event of stream) {
      if (event.type === "message_start") inputTokens = event.message.usage.input_tokens;
      if (event.type === "content_block_delta" && event.delta.type === "thinking_delta") deltas += event.delta.thinking;
    }
    expect(deltas).toBe(short.text);
    expect(inputTokens).toBe(
      (await client.messages.countTokens({ model: "crumb", messages: [...messages] })).input_tokens,
    );
  });

  it("stop_reason tells a stop sequence from the length", async () => {
    const stopped = await client.messages.create({ ...request, stop_sequences: ["264"] });
    expect([stopped.stop_reason, stopped.stop_sequence]).toEqual(["stop_sequence", "264"]);
    const cut = await client.messages.create({ ...request, max_tokens: 3 });
    expect([cut.stop_reason, cut.usage.output_tokens]).toEqual(["max_tokens", 3]);
  });

  it("count_tokens", async () => {
    const { input_tokens } = await client.messages.countTokens({ model: "crumb", messages: [...messages] });
    expect(input_tokens).toBe(server.model.tokenize(server.model.applyTemplate(messages), { addBos: false }).length);
    const tools = [{ name: "weather", description: "of a city", input_schema: { type: "object" as const } }];
    const turns = [
      { role: "user" as const, content: QUESTION },
      { role: "assistant" as const, content: [{ type: "tool_use" as const, id: "1", name: "weather", input: {} }] },
      { role: "user" as const, content: [{ type: "tool_result" as const, tool_use_id: "1", content: "rain" }] },
    ];
    const counted = await client.messages.countTokens({ model: "crumb", messages: turns, tools });
    const { usage } = await client.messages.create({ model: "crumb", max_tokens: 1, messages: turns, tools });
    expect(counted.input_tokens).toBe(usage.input_tokens + usage.cache_read_input_tokens!);
    expect(counted.input_tokens).toBeGreaterThan(input_tokens + 10);
  });

  it("errors in Anthropic's shape, as the client's classes", async () => {
    const wrong = client.messages.create({ ...request, ...{ temperature: -1 } });
    await expect(wrong).rejects.toThrow(Anthropic.BadRequestError);
    await expect(wrong).rejects.toMatchObject({
      error: {
        type: "error",
        error: { type: "invalid_request_error", message: expect.stringContaining("temperature") },
      },
    });
    const tool = { name: "f", input_schema: "nonsense" };
    const named = async (fields: object) => {
      const failed = await client.messages.create({ ...request, ...fields }).catch((error) => error);
      return failed.error.error.message.split(":")[0];
    };
    expect(await named({ tools: [{ ...tool, name: "?" }] })).toBe("tools[0].name");
    expect(await named({ tools: [tool] })).toBe("tools[0].input_schema");
    const stranger = new Anthropic({ baseURL: server.url, apiKey: "guess", maxRetries: 0 });
    await expect(stranger.messages.create(request)).rejects.toThrow(Anthropic.AuthenticationError);
    const text = await (
      await postJson(
        `${server.url}/v1/messages`,
        { ...request, max_tokens: null },
        { headers: { "x-api-key": "secret" } },
      )
    ).json();
    expect(text).toEqual({
      type: "error",
      error: {
        type: "invalid_request_error",
        message: "max_tokens: a value is required; it must be an integer from 0",
      },
    });
    expect(server.errors).toEqual([]);
  });
});

describe("threads", () => {
  it("a request continues the conversation of an answer, with its system prompt and tools, streamed or whole", async () => {
    const keeping = await startServer({ responseStore: 2 });
    try {
      const post = async (body: object) =>
        (await postJson(`${keeping.url}/v1/messages`, { ...request, ...body })).json() as Promise<AnthropicAnswer>;
      const tool = { name: "add", input_schema: { type: "object" } };
      const opened = { system: "Be brief.", tools: [tool], thread: { type: "create" } };
      const first = await post(opened);
      const next = [{ role: "user", content: "How much is 7 * 5?" }];
      const thread = { type: "continue", previous_message_id: first.id };
      const continued = await post({ messages: next, thread });
      const history = [...messages, { role: "assistant", content: first.content }, ...next];
      const whole = await post({ system: opened.system, tools: opened.tools, messages: history });
      expect(continued.content).toEqual(whole.content);
      const total = ({ usage }: AnthropicAnswer) => usage.input_tokens + usage.cache_read_input_tokens;
      expect(total(continued)).toBe(total(whole));
      expect(await post({ messages: next, tools: [tool], thread })).toMatchObject({
        error: { type: "invalid_request_error", message: expect.stringMatching(/^tools: it cannot be used together/) },
      });
      expect(await post({ messages: next, thread: { ...thread, previous_message_id: "msg_x" } })).toMatchObject({
        error: { type: "not_found_error", details: { error_code: "thread_not_found" } },
      });
    } finally {
      await keeping.close();
    }
  });
});

interface AnthropicAnswer {
  readonly id: string;
  readonly content: readonly object[];
  readonly usage: { readonly input_tokens: number; readonly cache_read_input_tokens: number };
}
