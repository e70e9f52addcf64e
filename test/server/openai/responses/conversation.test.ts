/**
 * Conversations of /v1/responses: stored ones, custom tools, reasoning that the client sends back, and full contexts.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../../src/engine/model.ts";
import type { ChatCompletionChunk } from "../../../../src/engine/openai/chat-types.ts";
import { createHandler } from "../../../../src/server/handler.ts";
import { askHandler, loadCrumb, postHandler } from "../../helpers.ts";

let model: Model;
beforeAll(async () => {
  model = await loadCrumb();
});
afterAll(() => model.dispose());

const path = "/v1/responses";

/** A model that always gives the same answer, and the messages of its requests. */
function fake(deltas: readonly object[]): { model: Model; asked: { messages: object[] }[] } {
  const asked: { messages: object[] }[] = [];
  async function* chunks(): AsyncGenerator<ChatCompletionChunk, undefined> {
    for (const delta of deltas) yield { choices: [{ index: 0, delta, finish_reason: null }] } as never;
    yield { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] } as never;
    const details = { prompt_tokens_details: { cached_tokens: 0 } };
    yield { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, ...details } } as never;
  }
  const create = async (request: never) => {
    asked.push(request);
    return chunks();
  };
  return { model: { info: { name: "fake" }, chat: { completions: { create } } } as never, asked };
}

describe("previous_response_id", () => {
  const { model: echo, asked } = fake([{ reasoning_content: "Hm." }, { content: "Yes." }]);
  const handler = createHandler(echo, { responseStore: 2 });
  const ask = async (body: object) => (await postHandler(handler, path, body)).json();

  it("continues the conversation, without its instructions", async () => {
    const first = await ask({ input: "One?", instructions: "Be brief." });
    expect(first.store).toBe(true);
    const second = await ask({ input: "Two?", previous_response_id: first.id, instructions: "Be long." });
    expect(asked.at(-1)!.messages).toEqual([
      { role: "system", content: "Be long." },
      { role: "user", content: "One?" },
      { role: "assistant", content: "Yes.", reasoning_content: "Hm." },
      { role: "user", content: "Two?" },
    ]);
    expect(second.previous_response_id).toBe(first.id);
    await ask({ input: [{ role: "user", content: "Three?" }], previous_response_id: second.id });
    expect(asked.at(-1)!.messages).toHaveLength(5);
  });

  it("keeps the last ones, and none that say store: false; they can be read and deleted", async () => {
    const [a, b, c] = [
      await ask({ input: "a" }),
      await ask({ input: "b", stream: false }),
      await ask({ input: "c", store: false }),
    ];
    expect(c.store).toBe(false);
    const get = async (id: string, method = "GET") => askHandler(handler, `${path}/${id}`, { method });
    expect((await get(a.id)).json()).toEqual(a);
    expect((await get(c.id)).status).toBe(404);
    await ask({ input: "d" });
    expect([(await get(a.id)).status, (await get(b.id)).status]).toEqual([404, 200]);
    expect((await get(b.id, "DELETE")).json()).toEqual({ id: b.id, object: "response", deleted: true });
    expect((await get(b.id, "DELETE")).status).toBe(404);
    const gone = await ask({ input: "e", previous_response_id: b.id });
    expect(gone.error).toMatchObject({ param: "previous_response_id", message: expect.stringContaining("not kept") });
  });

  it("a streamed response is kept too", async () => {
    const { text } = await postHandler(handler, path, { input: "a", stream: true });
    const [, id] = /"id":"(resp_\w+)"/.exec(text)!;
    expect((await ask({ input: "b", previous_response_id: id })).error).toBeFalsy();
  });

  it("is refused by name where nothing is stored", async () => {
    const { status, json } = await postHandler(createHandler(echo), path, {
      input: "a",
      previous_response_id: "resp_1",
    });
    expect([status, json().error.message]).toEqual([
      400,
      expect.stringMatching(/^previous_response_id: .*not supported/),
    ]);
  });
});

describe("custom tools", () => {
  const call = {
    index: 0,
    id: "call_1",
    type: "function",
    function: { name: "patch", arguments: '{"input":"a\\nb"}' },
  };
  const body = { input: "Patch.", tools: [{ type: "custom", name: "patch", description: "d" }] };

  it("a call is an item with its input as text, whole and streamed", async () => {
    const handler = createHandler(fake([{ tool_calls: [call] }]).model);
    const { output } = (await postHandler(handler, path, body)).json();
    expect(output).toMatchObject([{ type: "custom_tool_call", call_id: "call_1", name: "patch", input: "a\nb" }]);
    const { text } = await postHandler(handler, path, { ...body, stream: true });
    expect(text).toContain(
      'event: response.custom_tool_call_input.done\ndata: {"type":"response.custom_tool_call_input.done"',
    );
    expect(text).toContain('"delta":"a\\nb"');
    expect(text).not.toContain("function_call_arguments");
  });

  it("a forced call of a model is such an item", async () => {
    const choice = { type: "custom", name: "patch" };
    const { output } = (
      await postHandler(createHandler(model), path, {
        ...body,
        tool_choice: choice,
        temperature: 0,
        max_output_tokens: 100,
      })
    ).json();
    expect(output.map(({ type }: { type: string }) => type)).toContain("custom_tool_call");
  });
});

describe("the grammar of a custom tool's input", () => {
  const tool = (format: unknown) => ({ type: "custom", name: "patch", format });
  const ask = (format: unknown, fields: object = {}) =>
    postHandler(createHandler(model), path, { input: "Patch.", tools: [tool(format)], ...fields });
  const forced = { tool_choice: { type: "custom", name: "patch" }, temperature: 0, max_output_tokens: 200 };

  it("in regex holds the input", async () => {
    const { status, json } = await ask({ type: "grammar", syntax: "regex", definition: "a|[0-9]{3}" }, forced);
    expect(status).toBe(200);
    const call = json().output.find(({ type }: { type: string }) => type === "custom_tool_call");
    expect(call.input).toMatch(/^(?:a|[0-9]{3})$/);
  });

  it("in Lark is named as one that the model is only told", async () => {
    const answer = await ask({ type: "grammar", syntax: "lark", definition: 'start: "a"' }, { max_output_tokens: 1 });
    expect([answer.status, answer.headers.get("x-nibble-ignored")]).toEqual([200, "tools[0].format"]);
  });

  it.each<[unknown, string]>([
    [{ type: "other" }, "tools[0].format.type"],
    [{ type: "grammar" }, "tools[0].format.syntax"],
    [{ type: "grammar", syntax: "ebnf", definition: "a" }, "tools[0].format.syntax"],
    [{ type: "grammar", syntax: "lark" }, "tools[0].format.definition"],
    ...["(", "a)|(b", "\\1"].map((definition): [unknown, string] => [
      { type: "grammar", syntax: "regex", definition },
      "tools[0].format.definition",
    ]),
  ])("%j is refused by name", async (format, param) => {
    const { status, json } = await ask(format);
    expect([status, json().error.param]).toEqual([400, param]);
  });
  it("of plain text holds nothing", async () => {
    for (const format of [{ type: "text" }, {}, null])
      expect((await ask(format, { max_output_tokens: 1 })).status).toBe(200);
  });
});

it("reasoning goes to the client in encrypted_content and comes back as text", async () => {
  const { model: thinker, asked } = fake([{ reasoning_content: "Hä? 🙂" }, { content: "Yes." }]);
  const handler = createHandler(thinker);
  const body = { input: "One?", include: ["reasoning.encrypted_content"] };
  const { output } = (await postHandler(handler, path, body)).json();
  const items = output.map(({ content, ...rest }: { content: unknown; type: string }) => ({
    ...rest,
    content: rest.type === "reasoning" ? null : content,
  }));
  await postHandler(handler, path, {
    input: [{ role: "user", content: "One?" }, ...items, { role: "user", content: "Two?" }],
  });
  expect(asked.at(-1)!.messages[1]).toEqual({ role: "assistant", content: "Yes.", reasoning_content: "Hä? 🙂" });
});

describe("truncation", () => {
  const long = Array.from({ length: 30 }, (_, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: `Turn ${i}: ${"word ".repeat(40)}`,
  }));
  const input = [...long, { role: "user", content: "How much is 1 + 1?" }];

  it('"auto" leaves out as few of the oldest messages as possible, and never the instructions', async () => {
    const handler = createHandler(model);
    const settings = { temperature: 0, max_output_tokens: 5, instructions: "Be brief." };
    const full = await postHandler(handler, path, { input, ...settings });
    expect([full.status, full.json().error.code]).toEqual([400, "context_length_exceeded"]);
    const { status, json } = await postHandler(handler, path, { input, truncation: "auto", ...settings });
    expect(status).toBe(200);
    const { input_tokens } = json().usage;
    expect(input_tokens).toBeLessThan(model.info.contextLength);
    expect(input_tokens).toBeGreaterThan(model.info.contextLength - 120);
    // The same as a client that sends only the newest messages.
    const counts = await Promise.all(
      input.map(async (_, i) => {
        const count = await postHandler(handler, `${path}/input_tokens`, {
          input: input.slice(i),
          instructions: "Be brief.",
        });
        return count.json().input_tokens;
      }),
    );
    expect(counts).toContain(input_tokens);
  });

  it("a conversation that fits stays as it is", async () => {
    const { model: other, asked } = fake([{ content: "a" }]);
    const counted = {
      ...other,
      info: { ...other.info, contextLength: 100 },
      chatPrompt: () => ({ ids: [1] }),
    } as never;
    await postHandler(createHandler(counted), path, { input: input.slice(-3), truncation: "auto" });
    expect(asked.at(-1)!.messages).toHaveLength(3);
  });
});
