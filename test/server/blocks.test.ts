/** Chunks of a chat as blocks, with tool calls, and their forms in both APIs. */
import { describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import type { ChatCompletionChunk } from "../../src/engine/openai/chat-types.ts";
import { type BlockEvent, blocksOf } from "../../src/server/blocks.ts";
import { createHandler } from "../../src/server/handler.ts";

const call = (index: number, name?: string, text?: string) => ({
  tool_calls: [
    {
      index,
      ...(name && { id: `call_${index}`, type: "function" }),
      function: { ...(name && { name }), arguments: text },
    },
  ],
});
const DELTAS = [
  { role: "assistant", content: "" },
  { reasoning_content: "It " },
  { reasoning_content: "rains." },
  { content: "Let me see" },
  call(0, "weather", ""),
  call(0, undefined, '{"city":'),
  call(0, undefined, '"Oslo"}'),
  call(1, "time", "{}"),
];
const usage = {
  prompt_tokens: 10,
  completion_tokens: 7,
  total_tokens: 17,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 3 },
};

async function* chunks(deltas: readonly object[], reason: string): AsyncGenerator<ChatCompletionChunk, undefined> {
  for (const delta of deltas) yield { choices: [{ index: 0, delta, finish_reason: null }] } as never;
  yield { choices: [{ index: 0, delta: {}, finish_reason: reason }], usage: null } as never;
  yield { choices: [], usage } as never;
}

/** A model that answers with these deltas. */
function fake(deltas: readonly object[], reason: string): Model {
  const create = async () => chunks(deltas, reason);
  const chatPrompt = () => ({ text: "", ids: Array(usage.prompt_tokens).fill(0) });
  return { info: { name: "fake" }, chat: { completions: { create } }, chatPrompt } as never;
}

async function post(model: Model, path: string, body: object): Promise<Response> {
  const init = { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  return createHandler(model)(new Request(`http://localhost${path}`, init));
}

/** The data of server-sent events. */
async function eventsOf(response: Response): Promise<{ type: string; [field: string]: unknown }[]> {
  const events = (await response.text()).trimEnd().split("\n\n");
  return events.map((event) => {
    const [, name, data] = /^event: (\S+)\ndata: (.*)$/.exec(event)!;
    const parsed = JSON.parse(data!);
    expect(parsed.type).toBe(name);
    return parsed;
  });
}

describe("blocks", () => {
  it("start, deltas and stop of each, in order", async () => {
    const events: BlockEvent[] = [];
    for await (const event of blocksOf(chunks(DELTAS, "tool_calls"))) events.push(structuredClone(event));
    const short = events.map((event) =>
      event.type === "finish" || event.type === "progress"
        ? event.type
        : [event.type, event.block.index, "text" in event ? event.text : event.block.text],
    );
    expect(short).toEqual([
      ["start", 0, ""],
      ["delta", 0, "It "],
      ["delta", 0, "rains."],
      ["stop", 0, "It rains."],
      ["start", 1, ""],
      ["delta", 1, "Let me see"],
      ["stop", 1, "Let me see"],
      ["start", 2, ""],
      ["delta", 2, '{"city":'],
      ["delta", 2, '"Oslo"}'],
      ["stop", 2, '{"city":"Oslo"}'],
      ["start", 3, ""],
      ["delta", 3, "{}"],
      ["stop", 3, "{}"],
      "finish",
    ]);
    expect(events.at(-1)).toEqual({ type: "finish", reason: "tool_calls", stop: undefined, usage });
  });

  it("an answer without text has no blocks", async () => {
    const events: BlockEvent[] = [];
    for await (const event of blocksOf(chunks([{ content: "" }], "length"))) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(["finish"]);
  });
});

it("log-probabilities come with their text; those of reasoning are left out", async () => {
  const token = (text: string) => ({ id: 1, token: text, logprob: -1, bytes: Array(text.length), top_logprobs: [] });
  const steps: [delta: object, token: string][] = [
    [{ reasoning_content: "It " }, "It "],
    [{}, "</think>"],
    [{ content: "a" }, "a"],
    [{}, "1"],
    [{ content: "é" }, "2"],
  ];
  async function* withLogprobs(): AsyncGenerator<ChatCompletionChunk, undefined> {
    for (const [delta, text] of steps)
      yield { choices: [{ delta, logprobs: { content: [token(text)] }, finish_reason: null }] } as never;
    yield* chunks([], "stop");
  }
  const deltas: [string, string[]][] = [];
  for await (const event of blocksOf(withLogprobs()))
    if (event.type === "delta") deltas.push([event.text, event.logprobs.map((one) => one.token)]);
  expect(deltas).toEqual([
    ["It ", []],
    ["a", ["a"]],
    ["é", ["1", "2"]],
  ]);
});

describe("Anthropic's messages", () => {
  const request = { max_tokens: 9, messages: [{ role: "user", content: "Weather?" }] };

  it("tool calls are blocks", async () => {
    const answer = await (await post(fake(DELTAS, "tool_calls"), "/v1/messages", request)).json();
    expect(answer).toMatchObject({
      stop_reason: "tool_use",
      usage: { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 7 },
      content: [
        { type: "thinking", thinking: "It rains." },
        { type: "text", text: "Let me see" },
        { type: "tool_use", id: "call_0", name: "weather", input: { city: "Oslo" } },
        { type: "tool_use", id: "call_1", name: "time", input: {} },
      ],
    });
  });

  it("streamed: input as JSON in pieces", async () => {
    const events = await eventsOf(await post(fake(DELTAS, "tool_calls"), "/v1/messages", { ...request, stream: true }));
    expect(events[0]).toMatchObject({
      type: "message_start",
      message: { usage: { input_tokens: 10, output_tokens: 0 } },
    });
    expect(events.at(-2)).toMatchObject({ type: "message_delta", usage: { input_tokens: 6, output_tokens: 7 } });
    expect(events.filter(({ index }) => index === 2)).toEqual([
      {
        type: "content_block_start",
        index: 2,
        content_block: { type: "tool_use", id: "call_0", name: "weather", input: {} },
      },
      { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"city":' } },
      { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '"Oslo"}' } },
      { type: "content_block_stop", index: 2 },
    ]);
    expect(events.at(-1)).toEqual({ type: "message_stop" });
  });

  it("without thinking the first block is the text", async () => {
    const body = { ...request, thinking: { type: "disabled" } };
    const { content } = await (await post(fake(DELTAS, "tool_calls"), "/v1/messages", body)).json();
    expect(content[0]).toMatchObject({ type: "text", text: "Let me see" });
  });

  it("a truncated call has no input", async () => {
    const cut = [call(0, "weather", '{"ci')];
    const answer = await (await post(fake(cut, "length"), "/v1/messages", request)).json();
    expect(answer).toMatchObject({ stop_reason: "max_tokens", content: [{ type: "tool_use", input: {} }] });
  });
});

describe("OpenAI's responses", () => {
  it("tool calls are items", async () => {
    const answer = await (await post(fake(DELTAS, "tool_calls"), "/v1/responses", { input: "Weather?" })).json();
    expect(answer.output).toMatchObject([
      { type: "reasoning" },
      { type: "message" },
      { type: "function_call", call_id: "call_0", name: "weather", arguments: '{"city":"Oslo"}', status: "completed" },
      { type: "function_call", call_id: "call_1", name: "time", arguments: "{}" },
    ]);
    expect(answer.usage.output_tokens_details.reasoning_tokens).toBe(3);
  });

  it("streamed: arguments in pieces", async () => {
    const body = { input: "Weather?", stream: true };
    const events = await eventsOf(await post(fake(DELTAS, "tool_calls"), "/v1/responses", body));
    const item = events.filter(({ output_index }) => output_index === 2);
    expect(item.map(({ type }) => type)).toEqual([
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
    ]);
    expect(item[3]).toMatchObject({ arguments: '{"city":"Oslo"}' });
    expect(events.at(-1)).toMatchObject({ type: "response.completed", response: { status: "completed" } });
  });
});
