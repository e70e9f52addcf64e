/** A budget of reasoning tokens closes the block, and the model answers. */
import { describe, expect, it } from "vitest";
import { createModel } from "../../../src/engine/model.ts";
import type { ChatCompletionRequest } from "../../../src/engine/openai/chat-types.ts";
import { FakeExecutor, isIdle } from "../../helpers/fake-executor.ts";
import { FakeTokenizer, IM_END } from "../../helpers/fake-tokenizer.ts";

/** Without the special tokens: `</think>` is eight tokens, one for each character. */
class PlainTokenizer extends FakeTokenizer {
  override encode(text: string, options?: Parameters<FakeTokenizer["encode"]>[1]): number[] {
    const parts = text.split(/(<\/?think>)/);
    return parts.flatMap((part, i) =>
      super.encode(part, { ...options, special: i % 2 === 0 && (options?.special ?? true), addBos: false }),
    );
  }
}

const THOUGHT = "one two three four five six";
const messages = [{ role: "user", content: "Hi" }];

/**
 * A model that reasons until its block is closed, and then answers. It looks at its text, so a forced end counts like
 * its own.
 */
function thinker(tokenizer: FakeTokenizer, opened: boolean) {
  const template = `{{ messages[0].content }}<|im_start|>${opened ? "<think>" : ""}`;
  const start = tokenizer.encode(`Hi<|im_start|>${opened ? "<think>" : ""}`, { addBos: false }).length;
  const executor = new FakeExecutor({
    next(tokens) {
      const text = tokenizer.decode(tokens.slice(start));
      const open = opened ? "" : "<think>";
      const plan = text.includes("</think>") ? `${text.split("</think>")[0]}</think>Yes.` : `${open}${THOUGHT}</think>`;
      const rest = tokenizer.encode(plan, { addBos: false }).slice(tokens.length - start);
      return rest[0] ?? IM_END;
    },
  });
  const pages = executor.freePages;
  const model = createModel({
    name: "fake",
    architecture: "test",
    tokenizer,
    executor,
    templates: new Map([["default", template]]),
  });
  const ask = (fields: Partial<ChatCompletionRequest>) =>
    model.chat.completions.create({ messages, temperature: 0, reasoning_format: "auto", ...fields, stream: false });
  return { model, ask, idle: () => isIdle(model, executor, pages) };
}

describe.each([
  ["a token of its own", new FakeTokenizer()],
  ["eight tokens", new PlainTokenizer()],
])("</think> is %s", (_, tokenizer) => {
  for (const opened of [true, false]) {
    it(`the block is closed after that number of tokens; the prompt opens it: ${opened}`, async () => {
      const { ask, idle } = thinker(tokenizer, opened);
      for (const budget of [0, 1, 7, 8, THOUGHT.length - 1]) {
        const { choices, usage } = await ask({ reasoning_budget: budget });
        expect(choices[0]!.message.reasoning_content ?? "").toBe(THOUGHT.slice(0, budget).trimEnd());
        expect(choices[0]).toMatchObject({ message: { content: "Yes." }, finish_reason: "stop" });
        expect(usage.completion_tokens_details!.reasoning_tokens).toBeGreaterThanOrEqual(budget);
        expect((await ask({ reasoning: { max_tokens: budget } })).choices).toEqual(choices);
      }
      const none = (await ask({ reasoning_budget: 0 })).choices;
      expect((await ask({ reasoning_effort: "none" })).choices).toEqual(none);
      expect((await ask({ reasoning: { effort: "none" } })).choices).toEqual(none);
      const wide = [{}, { reasoning_budget: -1 }, { reasoning_budget: 500 }, { reasoning: {} }];
      for (const fields of [...wide, { reasoning_effort: "xhigh" }, { reasoning: { effort: "high" } }] as const)
        expect((await ask(fields)).choices[0]!.message).toMatchObject({ reasoning_content: THOUGHT, content: "Yes." });
      expect(idle()).toBe(true);
    });
  }

  it("streamed: reasoning apart from the answer, the same as not streamed", async () => {
    const { model, ask } = thinker(tokenizer, true);
    const fields = { messages, temperature: 0, reasoning_format: "auto", reasoning_budget: 9 } as const;
    const { choices, usage } = await ask(fields);
    let [content, reasoning, total] = ["", "", {}];
    const stream_options = { include_usage: true };
    model.clearPrefixCache();
    for await (const chunk of await model.chat.completions.create({ ...fields, stream: true, stream_options })) {
      content += chunk.choices[0]?.delta.content ?? "";
      reasoning += chunk.choices[0]?.delta.reasoning_content ?? "";
      total = chunk.usage ?? total;
    }
    expect({ content, reasoning }).toEqual({
      content: choices[0]!.message.content,
      reasoning: THOUGHT.slice(0, 9).trimEnd(),
    });
    expect(total).toMatchObject({ completion_tokens: usage.completion_tokens });
  });

  it("then a grammar holds for the answer", async () => {
    const { ask } = thinker(tokenizer, true);
    const { choices } = await ask({ reasoning_budget: 5, guided_choice: ["No."] });
    expect(choices[0]!.message).toMatchObject({ reasoning_content: THOUGHT.slice(0, 5), content: "No." });
  });
});

it("an answer that does not reason is left alone", async () => {
  const tokenizer = new FakeTokenizer();
  const answer = "It is <think>not</think>.";
  const executor = new FakeExecutor({
    next: (tokens) => tokenizer.encode(`Hi${answer}`, { addBos: false })[tokens.length] ?? IM_END,
  });
  const model = createModel({
    name: "fake",
    architecture: "test",
    tokenizer,
    executor,
    templates: new Map([["default", "{{ messages[0].content }}"]]),
  });
  const { choices } = await model.chat.completions.create({
    messages,
    temperature: 0,
    reasoning_budget: 0,
    stream: false,
  });
  expect(choices[0]!.message.content).toBe(answer);
});
