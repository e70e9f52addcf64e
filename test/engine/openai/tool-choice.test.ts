/** Which tools may be called: one by name, some, any beside a format, or none. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { ask, create, HERMES, LLAMA3, OTHER, PLAIN, parameters } from "./tool-models.ts";

describe("a call that is asked for", () => {
  const ajv = new Ajv2020();
  it.each([
    ["hermes", HERMES],
    ["llama3", LLAMA3],
    ["a template without tools", PLAIN],
  ])("comes: %s", async (_, template) => {
    const { model } = create(template);
    for (let seed = 0; seed < 12; seed++) {
      const { calls, finish_reason, message } = await ask(model, {
        tool_choice: "required",
        seed,
        max_tokens: 1500,
        parallel_tool_calls: false,
      });
      expect([finish_reason, message.content, calls.length]).toEqual(["tool_calls", null, 1]);
      const { name, arguments: given } = calls[0]!.function;
      expect(["weather", "now"]).toContain(name);
      expect(ajv.validate(name === "weather" ? parameters : { type: "object" }, JSON.parse(given))).toBe(true);
    }
  });

  it("by its name", async () => {
    const { model } = create(HERMES);
    for (let seed = 0; seed < 8; seed++) {
      const choice = { type: "function" as const, function: { name: "weather" } };
      const { calls } = await ask(model, { tool_choice: choice, seed });
      expect(calls.map((call) => call.function.name)).toEqual(["weather"]);
      expect(ajv.validate(parameters, JSON.parse(calls[0]!.function.arguments))).toBe(true);
    }
  });
});

describe("tools beside a format", () => {
  const response_format = {
    type: "json_schema",
    json_schema: { name: "n", schema: { type: "object", properties: { ok: { const: true } }, required: ["ok"] } },
  } as const;
  const isAnswer = (content: string | null) => new Ajv2020().validate({ required: ["ok"] }, JSON.parse(content!));

  /** The characters that begin, or tell, a call and an answer. */
  const [TAG, BRACE, NAME, OK] = ["<", "{", "n", "o"].map((text) => ({ '"': 90, [text]: 100 }));
  it.each([
    [HERMES, TAG!, BRACE!],
    [LLAMA3, NAME!, OK!],
    [PLAIN, TAG!, BRACE!],
    [OTHER, TAG!, BRACE!],
  ])("the answer is a call or keeps to the format: %s", async (template, toCall, toAnswer) => {
    for (let seed = 0; seed < 4; seed++) {
      const fields = { response_format, seed, temperature: 2, max_tokens: 3000 };
      const call = await ask(create(template).model, { ...fields, logit_bias: toCall });
      expect(call.calls.every(({ function: { name } }) => /^(weather|now)$/.test(name))).toBe(true);
      expect([call.calls.length > 0, call.message.content]).toEqual([true, null]);
      const answer = await ask(create(template).model, { ...fields, logit_bias: toAnswer });
      expect([answer.calls.length, isAnswer(answer.message.content)]).toEqual([0, true]);
    }
  });

  it("tool_choice none: the format alone; required: the call alone", async () => {
    const { model } = create(HERMES);
    for (let seed = 0; seed < 6; seed++) {
      const fields = { response_format, seed, temperature: 2, max_tokens: 2000 };
      const none = await ask(model, { ...fields, tool_choice: "none" });
      expect([none.calls.length, isAnswer(none.message.content)]).toEqual([0, true]);
      const call = await ask(model, { ...fields, tool_choice: "required" });
      expect([call.calls.length > 0, call.message.content]).toEqual([true, null]);
    }
  });

  it("a tool whose schema is not supported may be called with any object", async () => {
    const open = { type: "function" as const, function: { name: "open", parameters: { $ref: "#/nowhere" } } };
    const fields = { tools: [open], response_format, seed: 1, temperature: 2, max_tokens: 3000 };
    const { calls } = await ask(create(HERMES).model, { ...fields, logit_bias: TAG! });
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) expect(JSON.parse(call.function.arguments)).toBeTypeOf("object");
    const { message } = await ask(create(HERMES).model, { ...fields, logit_bias: BRACE! });
    expect(isAnswer(message.content)).toBe(true);
  });
});

describe("allowed_tools", () => {
  const allow = (mode: "auto" | "required", name = "now") =>
    ({ type: "allowed_tools", allowed_tools: { mode, tools: [{ type: "function", function: { name } }] } }) as const;

  it("required: one of them; auto: others are not shown", async () => {
    for (let seed = 0; seed < 5; seed++) {
      const { calls } = await ask(create(HERMES).model, { tool_choice: allow("required"), seed, temperature: 2 });
      expect(new Set(calls.map(({ function: { name } }) => name))).toEqual(new Set(["now"]));
    }
    const { model, prompts } = create(HERMES, "No.");
    await ask(model, { tool_choice: allow("auto"), temperature: 0 });
    expect([prompts[0]!.includes('"now"'), prompts[0]!.includes('"weather"')]).toEqual([true, false]);
  });

  it("a name that is no tool is refused", async () => {
    const refusal = { param: "tool_choice.allowed_tools.tools[0].function.name" };
    await expect(ask(create(HERMES).model, { tool_choice: allow("auto", "other") })).rejects.toMatchObject(refusal);
  });
});
