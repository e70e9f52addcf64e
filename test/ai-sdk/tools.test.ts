/**
 * Tool calls and prompts: the requests that reach a model which answers in OpenAI's chunks, and the AI SDK's results.
 */
import { generateText, jsonSchema, streamText, tool } from "ai";
import { describe, expect, it } from "vitest";
import type { ProvidedModel } from "../../src/ai-sdk/language-model.ts";
import { createNibble } from "../../src/entries/ai-sdk.ts";

type Delta = Record<string, unknown>;

/** A model with scripted answers: one list of deltas per request. */
function scripted(...answers: { deltas: Delta[]; finish: string }[]) {
  const requests: Record<string, unknown>[] = [];
  const create = async (request: Record<string, unknown>) => {
    const { deltas, finish } = answers[requests.length]!;
    requests.push(request);
    return (async function* () {
      const base = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1e9, model: "scripted" };
      const chunk = (delta: Delta, finish_reason: string | null = null) => ({
        ...base,
        choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      });
      for (const delta of [{ role: "assistant", content: "" }, ...deltas]) yield chunk(delta);
      yield chunk({}, finish);
      const counts = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
      yield { ...base, choices: [], usage: { ...counts, prompt_tokens_details: { cached_tokens: 4 } } };
    })();
  };
  const model = { info: { name: "scripted" }, chat: { completions: { create } } } as unknown as ProvidedModel;
  return { requests, model: createNibble({ load: () => model })("scripted") };
}

const call = (index: number, piece: string, first?: { id: string; name: string }): Delta => ({
  tool_calls: [
    {
      index,
      ...(first && { id: first.id, type: "function" }),
      function: { ...(first && { name: first.name }), arguments: piece },
    },
  ],
});

const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] } as const;
const weather = tool({
  description: "The weather of a city",
  inputSchema: jsonSchema<{ city: string }>(parameters),
  execute: ({ city }) => ({ city, degrees: 21 }),
});
const CALLS = {
  deltas: [
    { reasoning_content: "Two cities." },
    { content: "I look." },
    call(0, '{"city":', { id: "a", name: "weather" }),
    call(0, '"Oslo"}'),
    call(1, '{"city":"Bari"}', { id: "b", name: "weather" }),
  ],
  finish: "tool_calls",
};

describe("tools", () => {
  it("are offered in OpenAI's shape, called, and their results come back as messages", async () => {
    const { model, requests } = scripted(CALLS, { deltas: [{ content: "Warm." }], finish: "stop" });
    const { text, steps } = await generateText({
      model,
      prompt: "Weather?",
      tools: { weather },
      toolChoice: "auto",
      stopWhen: ({ steps }) => steps.length === 2,
    });
    expect(text).toBe("Warm.");
    expect(steps[0]!.finishReason).toBe("tool-calls");
    expect(steps[0]!.toolCalls.map(({ toolCallId, input }) => [toolCallId, input])).toEqual([
      ["a", { city: "Oslo" }],
      ["b", { city: "Bari" }],
    ]);
    const described = { name: "weather", description: "The weather of a city", parameters: expect.any(Object) };
    expect(requests[0]).toMatchObject({
      tools: [{ type: "function", function: described }],
      tool_choice: "auto",
    });
    const called = (id: string, city: string) => ({
      id,
      type: "function",
      function: { name: "weather", arguments: JSON.stringify({ city }) },
    });
    const answered = (id: string, city: string) => ({
      role: "tool",
      tool_call_id: id,
      name: "weather",
      content: JSON.stringify({ city, degrees: 21 }),
    });
    expect(requests[1]!.messages).toEqual([
      { role: "user", content: "Weather?" },
      {
        role: "assistant",
        content: "I look.",
        reasoning_content: "Two cities.",
        tool_calls: [called("a", "Oslo"), called("b", "Bari")],
      },
      answered("a", "Oslo"),
      answered("b", "Bari"),
    ]);
  });

  it("a call's input streams as it comes; one block is open at a time", async () => {
    const { model } = scripted(CALLS);
    const { stream } = await model.doStream({
      prompt: [{ role: "user", content: [{ type: "text", text: "x" }] }],
    });
    const parts: Record<string, unknown>[] = [];
    for await (const part of stream) parts.push({ ...part });
    expect(parts.map(({ type, id, delta, input }) => [type, id, delta ?? input].filter(Boolean).join(" "))).toEqual([
      "stream-start",
      "response-metadata chatcmpl-1",
      ...["reasoning-start reasoning-0", "reasoning-delta reasoning-0 Two cities.", "reasoning-end reasoning-0"],
      ...["text-start text-1", "text-delta text-1 I look.", "text-end text-1"],
      ...["tool-input-start a", 'tool-input-delta a {"city":', 'tool-input-delta a "Oslo"}', "tool-input-end a"],
      'tool-call {"city":"Oslo"}',
      ...["tool-input-start b", 'tool-input-delta b {"city":"Bari"}', "tool-input-end b"],
      'tool-call {"city":"Bari"}',
      "finish",
    ]);
    expect(parts.at(-1)).toMatchObject({
      finishReason: { unified: "tool-calls", raw: "tool_calls" },
      usage: {
        inputTokens: { total: 10, noCache: 6, cacheRead: 4 },
        outputTokens: { total: 5, text: 5, reasoning: 0 },
      },
    });
  });

  it("a tool that a provider would run is a warning; a named one is chosen in OpenAI's shape", async () => {
    const { model, requests } = scripted({ deltas: [call(0, "", { id: "a", name: "weather" })], finish: "tool_calls" });
    const { content, warnings } = await model.doGenerate({
      prompt: [{ role: "user", content: [{ type: "text", text: "x" }] }],
      tools: [
        { type: "provider", id: "openai.web_search", name: "search" },
        { type: "function", name: "weather", inputSchema: parameters },
      ],
      toolChoice: { type: "tool", toolName: "weather" },
    });
    expect(warnings).toEqual([expect.objectContaining({ type: "unsupported", feature: "tool openai.web_search" })]);
    expect(requests[0]!.tool_choice).toEqual({ type: "function", function: { name: "weather" } });
    expect(content).toEqual([{ type: "tool-call", toolCallId: "a", toolName: "weather", input: "{}" }]);
  });
});

describe("prompts", () => {
  it("system text, text files of both versions, denied tools", async () => {
    const { model, requests } = scripted({ deltas: [{ content: "ok" }], finish: "stop" });
    const bytes = new TextEncoder().encode("Grüße");
    const file = (data: unknown) => ({ type: "file", mediaType: "text/plain", data });
    const denied = { type: "execution-denied", reason: "no" };
    await model.doGenerate({
      prompt: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [file({ type: "text", text: "a" }), file({ type: "data", data: bytes }), file(bytes)],
        },
        { role: "assistant", content: [{ type: "tool-call", toolCallId: "c", toolName: "t", input: {} }] },
        { role: "tool", content: [{ type: "tool-result", toolCallId: "c", toolName: "t", output: denied }] },
      ],
    });
    expect(requests[0]!.messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "aGrüßeGrüße" },
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "c", type: "function", function: { name: "t", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "c", name: "t", content: "no" },
    ]);
  });
});

describe("failures", () => {
  it("in mid-stream come as an error part and a finish", async () => {
    const create = async () =>
      (async function* () {
        yield {
          id: "1",
          created: 1,
          model: "m",
          choices: [{ index: 0, delta: { content: "a" }, logprobs: null, finish_reason: null }],
        };
        throw new Error("broken");
      })();
    const model = { info: { name: "m" }, chat: { completions: { create } } } as unknown as ProvidedModel;
    const nibble = createNibble({ load: () => model })("m");
    const errors: unknown[] = [];
    const result = streamText({ model: nibble, prompt: "x", onError: ({ error }) => void errors.push(error) });
    expect(await result.finishReason).toBe("error");
    expect(errors).toEqual([new Error("broken")]);
    await expect(generateText({ model: nibble, prompt: "x" })).rejects.toThrow("broken");
  });
});
