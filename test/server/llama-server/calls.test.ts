/** llama-server's calls that generate nothing. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import { createHandler } from "../../../src/server/handler.ts";
import { askHandler, loadCrumb, messages, postHandler } from "../helpers.ts";

let model: Model;
beforeAll(async () => {
  model = await loadCrumb();
});
afterAll(() => model.dispose());

const ask = (path: string) => askHandler(createHandler(model), path);
const post = (path: string, body: unknown) => postHandler(createHandler(model), path, body);

describe("llama-server's calls", () => {
  it("tokenize and detokenize", async () => {
    const { tokens } = (await post("/tokenize", { content: "How much is 8?" })).json();
    expect(tokens).toEqual(model.tokenize("How much is 8?", { addBos: false }));
    expect((await post("/detokenize", { tokens })).json()).toMatchObject({ content: "How much is 8?" });
    // crumb's tokenizer puts no token before a text.
    expect((await post("/tokenize", { content: "How much is 8?", add_special: true })).json()).toEqual({ tokens });
    const pieces = (await post("/tokenize", { content: "How much", with_pieces: true })).json().tokens;
    expect(pieces.map(({ piece }: { piece: string }) => piece).join("")).toBe("How much");
    const bytes = (await post("/tokenize", { content: "á", with_pieces: true })).json().tokens;
    expect(bytes.map(({ piece }: { piece: unknown }) => piece)).toEqual([[0xc3], [0xa1]]);
    expect((await post("/detokenize", { tokens: [1e9] })).json().error.param).toBe("tokens");
    for (const [path, body] of [
      ["/tokenize", { content: "a", flavour: 1 }],
      ["/detokenize", { tokens, flavour: 1 }],
    ] as const)
      expect((await post(path, body)).headers.get("x-nibble-ignored")).toBe("flavour");
  });

  it("tokenize in vLLM's form", async () => {
    const ids = model.tokenize("How much");
    const text = (await post("/tokenize", { prompt: "How much", return_token_strs: true })).json();
    const pieces = ids.map((id) => model.detokenize([id]));
    const max_model_len = model.info.contextLength;
    expect(text).toEqual({ count: ids.length, max_model_len, tokens: ids, token_strs: pieces });
    const chat = (await post("/tokenize", { messages, add_special_tokens: false })).json();
    expect(chat).toMatchObject({ tokens: model.chatPrompt({ messages }).ids, token_strs: null });
    expect((await post("/tokenize", { prompt: 5 })).json().error.param).toBe("prompt");
    expect((await post("/tokenize", { prompt: "a", return_token_strs: 1 })).json().error.param).toBe(
      "return_token_strs",
    );
  });

  it("apply-template and props", async () => {
    expect((await post("/apply-template", { messages })).json()).toEqual({ prompt: model.applyTemplate(messages) });
    const handler = createHandler(model, { defaults: { add_generation_prompt: false, max_tokens: 3 } });
    const { prompt } = (await postHandler(handler, "/apply-template", { messages })).json();
    expect(prompt).toBe(model.applyTemplate(messages, { addGenerationPrompt: false }));
    expect((await ask("/props")).json()).toMatchObject({ model_alias: "crumb", total_slots: 8 });
  });
});

it("a default for reasoning gives way to any of its names", async () => {
  const handler = createHandler(model, { defaults: { reasoning_budget: 5 } });
  for (const fields of [{ enable_thinking: false }, { thinking_token_budget: 3 }, { thinking: { type: "disabled" } }])
    expect((await postHandler(handler, "/v1/chat/completions", { messages, max_tokens: 1, ...fields })).status).toBe(
      200,
    );
});

it("props of a model that sleeps do not wake it", async () => {
  const load = vi.fn(loadCrumb);
  const handler = createHandler([{ name: "crumb", load }], { modelsIdleMs: 0 });
  const props = async () => (await askHandler(handler, "/props")).json();
  const first = await props();
  expect(load).toHaveBeenCalledTimes(1);
  expect(first).toMatchObject({ is_sleeping: true, n_vocab: model.info.vocabSize });
  expect(await props()).toEqual(first);
  expect(load).toHaveBeenCalledTimes(1);
  expect((await askHandler(createHandler(model), "/props")).json()).toMatchObject({ is_sleeping: false });
  await handler.close();
});

it("metrics count what was answered", async () => {
  const handler = createHandler(model);
  const send = (path: string, init: RequestInit = {}) => handler(new Request(`http://localhost${path}`, init));
  const body = JSON.stringify({ prompt: "a", max_tokens: 3, ignore_eos: true });
  const answer = await send("/v1/completions", {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  expect((await answer.json()).usage.completion_tokens).toBe(3);
  await send("/nowhere");
  const page = await send("/metrics");
  expect(Number(page.headers.get("process-start-time-unix"))).toBeGreaterThan(1.6e9);
  const text = await page.text();
  expect(text).toContain('nibble_requests_total{path="/v1/completions",status="200"} 1\n');
  expect(text).toContain('nibble_requests_total{path="other",status="404"} 1\n');
  expect(text).toContain("nibble_completion_tokens_total 3\n");
  expect(text).toContain("nibble_slots_busy 0\n");
  expect(text).toContain("nibble_kv_pages_used 0\n");
  const line = /^(# (HELP|TYPE) (nibble_|llamacpp:)\w+ .+|(nibble_|llamacpp:)\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+)$/;
  expect(text).toContain("llamacpp:tokens_predicted_total 3\n");
  expect(text).toContain("llamacpp:prompt_tokens_cached_total 0\n");
  expect(text).toContain("llamacpp:requests_processing 0\n");
  for (const one of text.trimEnd().split("\n")) expect(one).toMatch(line);
});
