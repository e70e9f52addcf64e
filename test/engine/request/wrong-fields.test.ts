/** Wrong values are refused, and the error names the field. */
import { describe, expect, it } from "vitest";
import { checkChatRequest } from "../../../src/engine/request/chat.ts";
import { checkCompletionRequest } from "../../../src/engine/request/completion.ts";
import { chat, completion, context, messages } from "./checks.ts";
import { BAD, BAD_CHAT, BAD_COMPLETION } from "./wrong-values.ts";

describe("every field refuses bad values by name", () => {
  const expectParam = (run: () => unknown, param: string) =>
    expect(run).toThrow(expect.objectContaining({ name: "NibbleError", code: "invalid_request", param }));
  for (const [field, values] of Object.entries({ ...BAD, ...BAD_CHAT })) {
    it(`chat ${field}`, () => {
      for (const value of values) expectParam(() => chat({ [field]: value }), field);
    });
  }
  for (const [field, values] of Object.entries({ ...BAD, ...BAD_COMPLETION })) {
    it(`completion ${field}`, () => {
      for (const value of values) expectParam(() => completion({ [field]: value }), field);
    });
  }

  it("nested fields are named with their place", () => {
    const cases: [object, string][] = [
      [{ messages: [1] }, "messages[0]"],
      [{ messages: [messages[0], {}] }, "messages[1].role"],
      [{ messages: [{ role: 1, content: "a" }] }, "messages[0].role"],
      ...["ipython", "User", "", "__proto__"].map((role): [object, string] => [
        { messages: [{ role, content: "a" }] },
        "messages[0].role",
      ]),
      [{ response_format: 5 }, "response_format"],
      [{ response_format: {} }, "response_format.type"],
      [{ response_format: { type: "xml" } }, "response_format.type"],
      [{ response_format: { type: "text", scheme: {} } }, "response_format.scheme"],
      [{ messages: [{ role: "user" }] }, "messages[0].content"],
      [{ messages: [{ role: "user", content: 1 }] }, "messages[0].content"],
      [{ messages: [{ role: "user", content: [1] }] }, "messages[0].content[0]"],
      [{ messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "messages[0].content[0].type"],
      [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages[0].content[0].text"],
      [{ messages: [{ role: "user", content: [{ text: "a" }] }] }, "messages[0].content[0].type"],
      [{ messages: [{ role: "user", content: "a", name: 1 }] }, "messages[0].name"],
      [{ messages: [{ role: "user", content: "a", tool_calls: {} }] }, "messages[0].tool_calls"],
      [{ messages: [{ role: "user", content: "a", wieght: 1 }] }, "messages[0].wieght"],
      [{ reasoning: { max_tokens: -1 } }, "reasoning.max_tokens"],
      [{ reasoning: { max_tokens: "1" } }, "reasoning.max_tokens"],
      [{ reasoning: { max_tokens: 1 }, reasoning_budget: 2 }, "reasoning.max_tokens"],
      [{ reasoning: 1 }, "reasoning"],
      [{ reasoning_effort: "much" }, "reasoning_effort"],
      [{ reasoning: { effort: "" } }, "reasoning.effort"],
      [{ reasoning_effort: "low", reasoning: { effort: "high" } }, "reasoning.effort"],
      [{ reasoning_effort: "low", reasoning_budget: 1 }, "reasoning_effort"],
      [{ context_shift: true }, "context_shift"],
      [{ chat_template_kwargs: { a: () => 1 } }, "chat_template_kwargs.a"],
      [{ logprobs: true, top_logprobs: 21 }, "top_logprobs"],
      [{ logprobs: true, top_logprobs: -1 }, "top_logprobs"],
      [{ logprobs: true, top_logprobs: "2" }, "top_logprobs"],
      [{ top_logprobs: 2 }, "top_logprobs"],
      [{ stream_options: {} }, "stream_options"],
      [{ stream: true, stream_options: 1 }, "stream_options"],
      [{ stream: true, stream_options: { include_usage: 1 } }, "stream_options.include_usage"],
      [{ stream: true, stream_options: { other: true } }, "stream_options.other"],
    ];
    for (const [fields, param] of cases) expectParam(() => chat(fields), param);
  });

  it("bodies that are no objects", () => {
    for (const body of [undefined, null, 1, "x", [], true]) {
      expectParam(() => checkChatRequest(body, context), "body");
      expectParam(() => checkCompletionRequest(body, context), "body");
    }
  });

  it("stop that is no text says what it may be", () => {
    const message = "stop: expected a string or an array of at most 16 strings, got 5";
    expect(() => chat({ stop: 5 })).toThrow(message);
  });

  it("unknown fields are errors that name them", () => {
    for (const field of ["temprature", "flavour", "__proto__", "constructor"]) {
      const body = JSON.parse(`{"messages": [{"role": "user", "content": "a"}], "${field}": 1}`);
      expect(() => checkChatRequest(body, context)).toThrow(
        expect.objectContaining({ param: field, message: expect.stringContaining("unknown field") }),
      );
    }
  });
});
