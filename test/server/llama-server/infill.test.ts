/** llama-server's /infill, and the suffix of OpenAI's and Ollama's completions. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHandler, type Handler } from "../../../src/server/handler.ts";
import { create, tokenizer } from "../../engine/answering.ts";
import { FakeExecutor } from "../../helpers/fake-executor.ts";
import { FIM, IM_END } from "../../helpers/fake-tokenizer.ts";
import { loadCrumb, postHandler } from "../helpers.ts";

const TEXT = "int n = 1;\n    return n;\n";
const gap = { input_prefix: "int f() {\n", input_suffix: "}\n" };
/** It writes the text behind the token of the gap. */
const script = [...tokenizer.encode(TEXT, { addBos: false }), IM_END];
const model = create(
  new FakeExecutor({
    contextLength: 512,
    next: (tokens) => script[tokens.length - 1 - tokens.lastIndexOf(FIM.middle)],
  }),
);
const handler: Handler = createHandler(model, { strict: true });
const ask = async (body: object, path = "/infill") => {
  const { status, json } = await postHandler(handler, path, body);
  expect(status, JSON.stringify(json())).toBe(200);
  return json();
};
const stream = async (body: object, path = "/infill") => {
  const { text } = await postHandler(handler, path, { ...body, stream: true });
  return text
    .trimEnd()
    .split("\n\n")
    .map((event) => JSON.parse(event.replace(/^data: /, "")));
};

describe("/infill", () => {
  it("answers as /completion does, with the prompt that it made", async () => {
    const answer = await ask({ ...gap, temperature: 0 });
    expect(answer).toMatchObject({ content: TEXT, stop: true, stop_type: "eos", stopping_word: "", index: 0 });
    expect(answer.prompt).toBe(model.detokenize(model.infillPrompt(gap.input_prefix, gap.input_suffix)));
    expect(answer.tokens_evaluated).toBe(model.infillPrompt(gap.input_prefix, gap.input_suffix).length);
    expect(answer.generation_settings).toMatchObject({ temperature: 0, n_ctx: 512 });
  });

  it("has the other files and what is begun in the prompt, which leaves room for the answer", async () => {
    const extra = [{ filename: "a.h", text: "int a;\n", time: 1 }, { text: "b" }];
    const { prompt } = await ask({ ...gap, prompt: "    int", input_extra: extra, n_predict: 4 });
    const files = [{ filename: "a.h", text: "int a;\n" }, { text: "b" }];
    const ids = model.infillPrompt(gap.input_prefix, gap.input_suffix, { begun: "    int", files, maxTokens: 4 });
    expect(prompt).toBe(model.detokenize(ids));
    const long = { input_prefix: "a".repeat(2000), input_suffix: "z".repeat(2000) };
    for (const limit of [{ n_predict: 4 }, { max_tokens: 4 }]) {
      const { tokens_evaluated: read } = await ask({ ...long, ...limit });
      expect(read).toBe(model.infillPrompt(long.input_prefix, long.input_suffix, { maxTokens: 4 }).length);
    }
  });

  it("takes token ids, and ids mixed with texts", async () => {
    const { prompt } = await ask({ input_prefix: [97, "b<eos>"], input_suffix: [122] });
    expect(prompt).toBe(model.detokenize(model.infillPrompt("ab<eos>", "z")));
  });

  it("has the fields of /completion: several answers, response_fields, n_indent, time limits, no tokens", async () => {
    const several = await ask({ ...gap, n_cmpl: 2 });
    expect(several.map(({ content }: { content: string }) => content)).toEqual([TEXT, TEXT]);
    expect(await ask({ ...gap, response_fields: ["content"] })).toEqual({ content: TEXT });
    expect(await ask({ ...gap, n_indent: 4 })).toMatchObject({ content: TEXT, stop_type: "eos" });
    expect(await ask({ ...gap, n_indent: 5 })).toMatchObject({ content: "int n = 1;\n    ", stop_type: "limit" });
    const editor = { cache_prompt: true, t_max_prompt_ms: 500, t_max_predict_ms: 10_000, top_k: 40, samplers: [] };
    expect(await ask({ ...gap, ...editor, n_predict: 0 })).toMatchObject({ content: "", tokens_predicted: 0 });
    expect(await ask({ ...gap, stop: ["return"] })).toMatchObject({ stop_type: "word", stopping_word: "return" });
  });

  it("streams pieces", async () => {
    const parts = await stream(gap);
    expect(parts.map(({ content }) => content).join("")).toBe(TEXT);
    expect(parts.at(-1)).toMatchObject({ stop: true, stop_type: "eos" });
  });

  it.each([
    [{ input_suffix: "" }, "input_prefix"],
    [{ input_prefix: "" }, "input_suffix"],
    [{ ...gap, input_prefix: { a: 1 } }, "input_prefix"],
    [{ ...gap, input_suffix: [[1]] }, "input_suffix[0]"],
    [{ ...gap, input_suffix: ["a", 1e9] }, "input_suffix[1]"],
    [{ ...gap, prompt: [1] }, "prompt"],
    [{ ...gap, prompt: "a".repeat(600) }, "prompt"],
    [{ ...gap, input_extra: {} }, "input_extra"],
    [{ ...gap, input_extra: [{}] }, "input_extra[0].text"],
    [{ ...gap, input_extra: [{ filename: "ok" }] }, "input_extra[0].text"],
    [{ ...gap, input_extra: [{ filename: 123 }] }, "input_extra[0].text"],
    [{ ...gap, input_extra: [{ filename: 123, text: "abc" }] }, "input_extra[0].filename"],
    [{ ...gap, input_extra: [{ filename: 123, text: 456 }] }, "input_extra[0].text"],
    [{ ...gap, n_predict: "4" }, "n_predict"],
    [{ ...gap, max_tokens: 0.5 }, "max_tokens"],
    [{ ...gap, suffix: "a" }, "suffix"],
    [{ ...gap, input_suffixes: "a" }, "input_suffixes"],
  ])("refuses %j by name", async (body, param) => {
    const { status, json } = await postHandler(handler, "/infill", body);
    expect([status, json().error?.param]).toEqual([400, param]);
  });
});

describe("suffix", () => {
  it("of /v1/completions, whole and streamed", async () => {
    const body = { prompt: "a", suffix: "z", temperature: 0 };
    expect((await ask(body, "/v1/completions")).choices[0]).toMatchObject({ text: TEXT, finish_reason: "stop" });
    const { text } = await postHandler(handler, "/v1/completions", { ...body, stream: true });
    const chunks = text.split("\n\n").filter((event) => event.startsWith("data: {"));
    expect(chunks.map((event) => JSON.parse(event.slice(6)).choices[0]?.text ?? "").join("")).toBe(TEXT);
  });

  it("of Ollama's /api/generate, which then has no template; refused with raw", async () => {
    const body = { model: "fake", prompt: "a", suffix: "z", stream: false };
    const answer = await ask(body, "/api/generate");
    expect(answer).toMatchObject({ response: TEXT, done: true, prompt_eval_count: 6 });
    expect(answer.prompt_eval_count).toBe([256, FIM.prefix, 97, FIM.suffix, 122, FIM.middle].length);
    const { status, json } = await postHandler(handler, "/api/generate", { ...body, raw: true });
    expect([status, json().error]).toEqual([400, "suffix: it cannot be used together with raw, because a raw prompt is sent as it is"]); // biome-ignore format: one line
    const { capabilities } = await ask({ model: "fake" }, "/api/show");
    expect(capabilities).toContain("insert");
  });
});

describe("a model without the tokens", () => {
  let plain: Handler;
  let dispose: () => void;
  beforeAll(async () => {
    const crumb = await loadCrumb();
    plain = createHandler(crumb);
    dispose = () => crumb.dispose();
  });
  afterAll(() => dispose());

  const LACK = /the model crumb cannot fill gaps: its vocabulary has no token for the prefix, the suffix, the middle$/;
  it("says so by name", async () => {
    const infill = await postHandler(plain, "/infill", gap);
    expect([infill.status, infill.json().error.type]).toEqual([501, "not_supported_error"]);
    expect(infill.json().error.message).toMatch(LACK);
    const openai = await postHandler(plain, "/v1/completions", { prompt: "a", suffix: "z" });
    expect([openai.status, openai.json().error.param]).toEqual([400, "suffix"]);
    expect(openai.json().error.message).toMatch(LACK);
    const ollama = await postHandler(plain, "/api/generate", { model: "crumb", prompt: "a", suffix: "z" });
    expect(ollama.status).toBe(400);
    expect(ollama.json().error).toMatch(LACK);
    const shown = await postHandler(plain, "/api/show", { model: "crumb" });
    expect(shown.json().capabilities).not.toContain("insert");
  });
});
