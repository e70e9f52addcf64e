/**
 * Clients for Node, with their own defaults. `node node-clients.mjs URL MODEL` prints a line of JSON per test:
 * `{ name, error }`, where an `error` of null means passed.
 */
import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import {
  Agent,
  tool as agentTool,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  run,
  setTracingDisabled,
} from "@openai/agents";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { z } from "zod";

const [url, model] = process.argv.slice(2);
const QUESTION = "How much is 8 * 33?";
const messages = [{ role: "user", content: QUESTION }];
const answer = z.object({ value: z.number().int() });
const numbers = z.object({ a: z.number().int(), b: z.number().int() });
const addTool = { description: "Adds two numbers.", inputSchema: numbers, execute: async ({ a, b }) => a + b };

setTracingDisabled(true);

const aiSdkModels = {
  "openai-compatible": () =>
    createOpenAICompatible({ name: "nibble", baseURL: `${url}/v1`, supportsStructuredOutputs: true })(model),
  "openai chat": () => createOpenAI({ baseURL: `${url}/v1`, apiKey: "none" }).chat(model),
  "openai responses": () => createOpenAI({ baseURL: `${url}/v1`, apiKey: "none" })(model),
};

const tests = {};
for (const [name, make] of Object.entries(aiSdkModels)) {
  tests[`AI SDK, ${name}: text`] = async () => {
    const { text } = await generateText({ model: make(), prompt: QUESTION, temperature: 0, maxRetries: 0 });
    assert.match(text, /264/);
  };
  tests[`AI SDK, ${name}: stream`] = async () => {
    let text = "";
    for await (const part of streamText({ model: make(), prompt: QUESTION, temperature: 0, maxRetries: 0 }).textStream)
      text += part;
    assert.match(text, /264/);
  };
  tests[`AI SDK, ${name}: a forced tool, then an object, in two steps`] = async () => {
    const { output, steps } = await generateText({
      model: make(),
      prompt: "Add 2 and 3.",
      tools: { add: tool(addTool) },
      output: Output.object({ schema: answer }),
      stopWhen: stepCountIs(2),
      prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? "required" : "none" }),
      // crumb is not trained to end after a call.
      providerOptions: { nibble: { parallel_tool_calls: false }, openai: { parallelToolCalls: false } },
      maxOutputTokens: 400,
      maxRetries: 0,
    });
    assert.equal(steps.length, 2);
    assert.equal(steps[0].toolCalls[0].toolName, "add");
    answer.parse(output);
  };
  tests[`AI SDK, ${name}: tools and an object, the model chooses`] = async () => {
    const { steps } = await generateText({
      model: make(),
      prompt: QUESTION,
      tools: { add: tool(addTool) },
      output: Output.object({ schema: answer }),
      stopWhen: stepCountIs(3),
      maxOutputTokens: 400,
      maxRetries: 0,
    });
    assert.ok(steps.length >= 1);
  };
}

const anthropic = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });
tests["Anthropic SDK: tool runner"] = async () => {
  const add = betaZodTool({
    name: "add",
    description: "Adds two numbers.",
    inputSchema: numbers,
    run: ({ a, b }) => String(a + b),
  });
  const message = await anthropic.beta.messages.toolRunner({
    model,
    max_tokens: 300,
    tools: [add],
    tool_choice: { type: "any" },
    max_iterations: 2,
    messages: [{ role: "user", content: "Add 2 and 3." }],
  });
  assert.equal(message.role, "assistant");
};
tests["Anthropic SDK: stream"] = async () => {
  const stream = anthropic.messages.stream({ model, max_tokens: 200, messages });
  assert.match(await stream.finalText(), /264/);
};

const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
for (const Api of [OpenAIChatCompletionsModel, OpenAIResponsesModel]) {
  tests[`OpenAI Agents, ${Api.name}: tools and an output type`] = async () => {
    const agent = new Agent({
      name: "sums",
      instructions: "Answer sums.",
      model: new Api(openai, model),
      tools: [
        agentTool({
          name: "add",
          description: "Adds two numbers.",
          parameters: numbers,
          execute: async ({ a, b }) => String(a + b),
        }),
      ],
      outputType: answer,
      modelSettings: { maxTokens: 400, temperature: 0 },
    });
    const { finalOutput } = await run(agent, QUESTION, { maxTurns: 4 });
    answer.parse(finalOutput);
  };
}

const ollama = new Ollama({ host: url });
tests["ollama: chat, stream, format"] = async () => {
  const { message } = await ollama.chat({ model, messages, options: { temperature: 0 } });
  assert.match(message.content, /264/);
  let text = "";
  for await (const part of await ollama.chat({ model, messages, stream: true, options: { temperature: 0 } }))
    text += part.message.content;
  assert.match(text, /264/);
  const { message: json } = await ollama.chat({ model, messages, format: z.toJSONSchema(answer) });
  answer.parse(JSON.parse(json.content));
};
tests["ollama: generate, embed, list, show, ps"] = async () => {
  const { response } = await ollama.generate({ model, prompt: QUESTION, options: { temperature: 0 } });
  assert.match(response, /264/);
  const { embeddings } = await ollama.embed({ model, input: ["a", "b"] });
  assert.equal(embeddings.length, 2);
  const { models } = await ollama.list();
  assert.ok(models.some(({ name }) => name.replace(/:latest$/, "") === model));
  assert.ok((await ollama.show({ model })).capabilities.length > 0);
  assert.equal((await ollama.ps()).models.length, 1);
};

for (const [name, test] of Object.entries(tests)) {
  const error = await test().then(
    () => null,
    (cause) => String(cause?.stack ?? cause).slice(0, 2000),
  );
  console.log(JSON.stringify({ name, error }));
}
process.exit();
