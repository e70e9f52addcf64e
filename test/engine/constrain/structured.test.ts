/** Requests whose answers must satisfy a grammar, on a model with random logits. */
import { describe, expect, it } from "vitest";
import { NibbleError } from "../../../src/base/errors.ts";
import { createModel, type Model } from "../../../src/engine/model.ts";
import type { ChatCompletionRequest } from "../../../src/engine/openai/chat-types.ts";
import { FakeExecutor, type FakeOptions } from "../../helpers/fake-executor.ts";
import { FakeTokenizer, IM_END } from "../../helpers/fake-tokenizer.ts";

const TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}{% if thinking %}<think>{% endif %}";
const tokenizer = new FakeTokenizer();
const messages = [{ role: "user", content: "Hi" }];

/** Logits are noise, unless `next` says what the model wants. */
function create(options: FakeOptions = {}, template: string = TEMPLATE): Model {
  const executor = new FakeExecutor({ contextLength: 4096, pages: 400, ...options });
  return createModel({
    name: "fake",
    architecture: "test",
    tokenizer,
    executor,
    templates: new Map([["default", template]]),
  });
}

const answer = async (model: Model, fields: Partial<ChatCompletionRequest>) => {
  const { choices, usage } = await model.chat.completions.create({
    messages,
    temperature: 1,
    top_k: 0,
    ...fields,
    stream: false,
  });
  return { ...choices[0]!, text: choices[0]!.message.content ?? "", tokens: usage.completion_tokens };
};

const SCHEMA = {
  type: "object",
  properties: { name: { type: "string", maxLength: 12 }, age: { type: "integer", minimum: 0, maximum: 120 } },
  required: ["name", "age"],
};

describe("answers keep to", () => {
  const model = create();

  it("a JSON schema, streamed or not, however drafts and temperature are set", async () => {
    const response_format = { type: "json_schema" as const, json_schema: { name: "person", schema: SCHEMA } };
    for (let seed = 0; seed < 20; seed++) {
      const fields = { response_format, seed, temperature: seed % 3 };
      const { text, finish_reason } = await answer(model, fields);
      const person = JSON.parse(text) as { name: string; age: number };
      expect(finish_reason).toBe("stop");
      expect([...person.name].length).toBeLessThanOrEqual(12);
      expect(person.age).toBeGreaterThanOrEqual(0);
      expect(person.age).toBeLessThanOrEqual(120);
      const stream = await model.chat.completions.create({ messages, top_k: 0, ...fields, stream: true });
      let streamed = "";
      for await (const chunk of stream) streamed += chunk.choices[0]?.delta.content ?? "";
      expect(streamed).toBe(text);
    }
  });

  it("a regular expression, a choice, a GBNF grammar, by each of the fields for them", async () => {
    for (let seed = 0; seed < 10; seed++) {
      for (const fields of [{ guided_regex: "a+b{2}" }, { structured_outputs: { regex: "a+b{2}" } }]) {
        expect((await answer(model, { ...fields, seed })).text).toMatch(/^a+b{2}$/);
      }
      for (const fields of [{ guided_choice: ["yes", "no"] }, { structured_outputs: { choice: ["yes", "no"] } }]) {
        expect((await answer(model, { ...fields, seed })).text).toMatch(/^(yes|no)$/);
      }
      const grammar = 'root ::= "<" [0-9]{3} ">"';
      for (const fields of [{ grammar }, { guided_grammar: grammar }]) {
        expect((await answer(model, { ...fields, seed })).text).toMatch(/^<[0-9]{3}>$/);
      }
      const integer = { type: "integer", minimum: 3, maximum: 12 };
      for (const fields of [
        { json_schema: integer },
        { guided_json: integer },
        { guided_json: JSON.stringify(integer) },
        { structured_outputs: { json: JSON.stringify(integer) } },
        { structured_outputs: { json: integer } },
      ]) {
        expect(Number((await answer(model, { ...fields, seed })).text)).toSatisfy((n: number) => n >= 3 && n <= 12);
      }
    }
  });

  it("JSON mode: always an object", async () => {
    const close = (tokens: readonly number[]) => (tokens.length > 60 ? "}".charCodeAt(0) : '"'.charCodeAt(0));
    const { text } = await answer(create({ next: close }), {
      response_format: { type: "json_object" },
      temperature: 0,
    });
    expect(JSON.parse(text)).toEqual({ "": "" });
  });

  it("the same in completions and in generate", async () => {
    const completion = await model.completions.create({ prompt: "x", guided_choice: ["yes", "no"] });
    expect(completion.choices[0]!.text).toMatch(/^(yes|no)$/);
    let text = "";
    for await (const event of model.generate({ prompt: [1], grammar: { kind: "regex", pattern: "[0-9]{4}" } })) {
      if (event.type === "token") text += event.text;
      else expect(event).toMatchObject({ type: "finish", reason: "stop" });
    }
    expect(text).toMatch(/^[0-9]{4}$/);
  });
});

describe("the end", () => {
  it("comes just where the grammar accepts, whatever the model wants", async () => {
    const eager = create({ next: () => IM_END });
    for (let seed = 0; seed < 5; seed++) {
      const { text, finish_reason } = await answer(eager, { guided_regex: "[ab]{5,9}", seed });
      expect(finish_reason).toBe("stop");
      expect(text).toMatch(/^[ab]{5}$/);
    }
    const endless = create({ next: () => 97 });
    const { text, tokens } = await answer(endless, { guided_regex: "[ab]{5,9}" });
    expect([text, tokens]).toEqual(["a".repeat(9), 9]); // complete: no end token is asked for
  });

  it("by length is said to be one", async () => {
    const endless = create({ next: () => 97 });
    const { text, finish_reason } = await answer(endless, { guided_regex: "[ab]+c", max_tokens: 7 });
    expect([text, finish_reason]).toEqual(["a".repeat(7), "length"]);
  });

  it("by ignore_eos is that of the grammar", async () => {
    const { text, finish_reason } = await answer(create(), { guided_choice: ["abc"], ignore_eos: true });
    expect([text, finish_reason]).toEqual(["abc", "stop"]);
  });
});

describe("reasoning", () => {
  const script = (text: string) => {
    const ids = tokenizer.encode(text, { addBos: false });
    let prompt: number | undefined;
    return (tokens: readonly number[]) => ids[tokens.length - (prompt ??= tokens.length)];
  };
  const fields = { chat_template_kwargs: { thinking: true }, guided_choice: ["yes", "no"], temperature: 0 };

  it("is free; the answer behind it keeps to the grammar", async () => {
    const { message } = await answer(create({ next: script("Let me < see</think>\n\nyes") }), fields);
    expect(message).toEqual({ role: "assistant", reasoning_content: "Let me < see", content: "yes" });
    const wrong = await answer(create({ next: script("hm</think>maybe") }), fields);
    expect(wrong.message.content).toMatch(/^(yes|no)$/);
  });

  it("may come by the model's own choice, if its template mentions it", async () => {
    const template = `{% if false %}</think>{% endif %}${TEMPLATE}`;
    const wish = create({ next: script("<think>hm</think>\nno") }, template);
    const { message } = await answer(wish, { guided_choice: ["yes", "no"], temperature: 0 });
    expect(message).toEqual({ role: "assistant", reasoning_content: "hm", content: "no" });
    const other = await answer(create({ next: script("<think>hm</think>\nno") }), {
      guided_choice: ["yes", "no"],
      temperature: 0,
    });
    expect(other.message.content).toMatch(/^(yes|no)$/);
    expect(other.message.reasoning_content).toBeUndefined();
  });

  it("may also come if the caller says that the model reasons", async () => {
    const wish = { guided_choice: ["yes", "no"], temperature: 0, reasoning_format: "deepseek" } as const;
    const { message } = await answer(create({ next: script("<think>hm</think>\nno") }), wish);
    expect(message).toEqual({ role: "assistant", reasoning_content: "hm", content: "no" });
  });

  it("does not end the answer", async () => {
    const next = script("hm");
    const { finish_reason, message } = await answer(create({ next: (tokens) => next(tokens) ?? IM_END }), {
      ...fields,
      max_tokens: 30,
    });
    expect([finish_reason, message.content]).toEqual(["length", ""]);
  });
});

describe("wrong constraints are refused by the name of their field", () => {
  const model = create();
  const schema = (value: unknown) => ({
    response_format: { type: "json_schema", json_schema: { name: "a", schema: value } },
  });
  const cycle: { items?: object } = {};
  cycle.items = cycle;
  const deep = (depth: number): object => (depth === 0 ? {} : { items: deep(depth - 1) });
  it.each([
    [schema({ not: { format: "date" } }), "response_format.json_schema.schema", /not at #: format/],
    [schema({ properties: { a: { type: "strin" } } }), "response_format.json_schema.schema", /type at #.properties.a/],
    [schema({ type: "strin" }), "response_format.json_schema.schema", /type at #/],
    [schema({ type: "object", required: 1 }), "response_format.json_schema.schema", /required/],
    [schema(5), "response_format.json_schema.schema", /schema/],
    [schema(false), "response_format.json_schema.schema", /at least one text/],
    [schema(cycle), "response_format.json_schema.schema", /cycles/],
    [schema({ const: deep(100) }), "response_format.json_schema.schema", /depth/],
    [{ response_format: { type: "json_schema" } }, "response_format.json_schema", /object/],
    [
      { response_format: { type: "json_schema", json_schema: { name: 5 } } },
      "response_format.json_schema.name",
      /string/,
    ],
    [{ guided_regex: "a(" }, "guided_regex", /\) of a group/],
    [{ guided_regex: "a(?<=b)" }, "guided_regex", /lookbehind/],
    [{ guided_regex: "(a{1000}){1000}" }, "guided_regex", /size/],
    [{ guided_choice: [] }, "guided_choice", /at least one/],
    [{ guided_choice: [5] }, "guided_choice", /string/],
    [{ grammar: "root ::= x" }, "grammar", /rule x/],
    [{ grammar: 'root ::= root "a" | "b"' }, "grammar", /left recursion/],
    [{ grammar: 5 }, "grammar", /string/],
    [{ grammar: 'root ::= "a"', guided_regex: "a" }, "guided_regex", /together with/],
    [{ structured_outputs: { regexp: "a" } }, "structured_outputs.regexp", /unknown/],
  ])("%o", async (fields, param, message) => {
    const error = await answer(model, fields as object).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NibbleError);
    expect(error).toMatchObject({ code: "invalid_request", param, message: expect.stringMatching(message) });
  });
});
