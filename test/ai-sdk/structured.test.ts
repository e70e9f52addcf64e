/** Structured output and tools of the real AI SDK, on crumb: every result is valid, whatever the model would say. */
import { join } from "node:path";
import { generateText, jsonSchema, Output, streamText, tool } from "ai";
import { generateObject as generateObject6, jsonSchema as jsonSchema6 } from "ai-6";
import { Ajv } from "ajv";
import { beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { createNibble } from "../../src/entries/ai-sdk.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { root, testHost } from "../helpers/models.ts";

const schema = {
  type: "object",
  properties: { answer: { type: "integer" }, unit: { enum: ["km", "miles"] } },
  required: ["answer", "unit"],
  additionalProperties: false,
} as const;
interface Result {
  answer: number;
  unit: "km" | "miles";
}
const valid = new Ajv({ strict: false }).compile(schema);

let model: Model;
beforeAll(async () => {
  model = await createLoad(testHost)(join(root, "dist/crumb.gguf"), { name: "crumb" });
});
const nibble = createNibble({ load: () => model });
const nibble3 = createNibble({ load: () => model, specificationVersion: "v3" });
const settings = { prompt: "A train travels at 65 km per hour for 4 hours. How far does it go?", temperature: 0 };

describe("structured output", () => {
  it("generateText with an object, AI SDK 7", async () => {
    const output = Output.object({ schema: jsonSchema<Result>(schema) });
    const result = await generateText({ model: nibble("crumb"), ...settings, output });
    expect(valid(result.output), JSON.stringify(result.output)).toBe(true);
    expect(result.finishReason).toBe("stop");
  });

  it("streamText: the partial objects end in a valid one", async () => {
    const output = Output.object({ schema: jsonSchema<Result>(schema) });
    const result = streamText({ model: nibble("crumb"), ...settings, output });
    let last: unknown;
    for await (const partial of result.partialOutputStream) last = partial;
    expect(valid(last), JSON.stringify(last)).toBe(true);
    expect(await result.output).toEqual(last);
  });

  it("generateObject, AI SDK 6", async () => {
    const { object } = await generateObject6({
      model: nibble3("crumb"),
      ...settings,
      schema: jsonSchema6<Result>(schema),
    });
    expect(valid(object), JSON.stringify(object)).toBe(true);
  });

  it("JSON without a schema; an object that is cut off is reported", async () => {
    const json = await generateText({
      model: nibble("crumb"),
      ...settings,
      output: Output.json(),
      maxOutputTokens: 400,
    });
    expect(["stop", "length"]).toContain(json.finishReason);
    const cut = await generateText({ model: nibble("crumb"), ...settings, maxOutputTokens: 2 });
    expect(cut.finishReason).toBe("length");
  });
});

describe("tools", () => {
  const distance = tool({
    description: "Distance at a speed",
    inputSchema: jsonSchema<Result>(schema),
    execute: ({ answer }) => ({ distance: answer }),
  });

  it("a call that is required comes, with valid arguments", async () => {
    const result = await generateText({
      model: nibble("crumb"),
      ...settings,
      tools: { distance },
      toolChoice: "required",
      providerOptions: { nibble: { parallel_tool_calls: false } },
      maxOutputTokens: 300,
    });
    expect(result.finishReason).toBe("tool-calls");
    const [call] = result.toolCalls;
    expect(call!.toolName).toBe("distance");
    expect(valid(call!.input), JSON.stringify(call!.input)).toBe(true);
    expect(result.toolResults[0]!.output).toEqual({ distance: (call!.input as Result).answer });
  });

  it("streams: its input joins to the call's; a tool is chosen by name; its result is read in the next step", async () => {
    const result = streamText({
      model: nibble("crumb"),
      ...settings,
      tools: { distance, other: tool({ inputSchema: jsonSchema<object>({ type: "object" }) }) },
      prepareStep: ({ stepNumber }) => ({
        toolChoice: stepNumber === 0 ? { type: "tool", toolName: "distance" } : "none",
      }),
      stopWhen: ({ steps }) => steps.length === 2,
      maxOutputTokens: 300,
    });
    let input = "";
    const types: string[] = [];
    for await (const part of result.fullStream) {
      types.push(part.type);
      if (part.type === "tool-input-delta") input += part.delta;
    }
    const [first, second] = await result.steps;
    expect(first!.toolCalls.map(({ toolName }) => toolName)).toEqual(["distance"]);
    expect(JSON.parse(input)).toEqual(first!.toolCalls[0]!.input);
    expect(types.indexOf("tool-input-start")).toBeLessThan(types.indexOf("tool-call"));
    expect(second!.toolCalls).toEqual([]);
    expect(["stop", "length"]).toContain(second!.finishReason);
  });
});
