/** llama-server's own /completion. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import { createHandler, type Handler } from "../../../src/server/handler.ts";
import { LineGuard } from "../../../src/server/llama-server/completion/line-guard.ts";
import { loadCrumb, postHandler, QUESTION } from "../helpers.ts";

let model: Model;
let handler: Handler;
beforeAll(async () => {
  model = await loadCrumb();
  handler = createHandler(model);
});
afterAll(() => model.dispose());

const ask = async (body: object, path = "/completion") => {
  const { status, json } = await postHandler(handler, path, body);
  expect(status, JSON.stringify(body)).toBe(200);
  return json();
};
const refused = async (body: object) => (await postHandler(handler, "/completion", body)).json().error?.param;
const stream = async (body: object) => {
  const { text } = await postHandler(handler, "/completion", { ...body, stream: true });
  expect(text).not.toContain("[DONE]");
  return text
    .trimEnd()
    .split("\n\n")
    .map((event) => JSON.parse(event.replace(/^data: /, "")));
};
const base = { prompt: QUESTION, n_predict: 12, temperature: 0 };

describe("an answer", () => {
  it("has the text of /v1/completions, its settings, figures and reason", async () => {
    const answer = await ask(base);
    const { choices, usage } = await ask({ prompt: QUESTION, max_tokens: 12, temperature: 0 }, "/v1/completions");
    expect(answer).toMatchObject({
      index: 0,
      content: choices[0].text,
      tokens: [],
      stop: true,
      model: "crumb",
      prompt: QUESTION,
      tokens_evaluated: usage.prompt_tokens,
      tokens_predicted: usage.completion_tokens,
      truncated: false,
      stop_type: "limit",
      stopping_word: "",
      generation_settings: { temperature: 0, n_predict: 12, top_k: 40, n_ctx: model.info.contextLength },
      timings: { predicted_n: 12 },
    });
    expect(answer).not.toHaveProperty("completion_probabilities");
  });

  it("stops at a stop string, at an end token, or at the end of the context", async () => {
    const word = await ask({ ...base, n_predict: 20, grammar: 'root ::= "one two three"', stop: ["two"] });
    expect(word).toMatchObject({ content: "one ", stop_type: "word", stopping_word: "two" });
    expect(await ask({ ...base, grammar: 'root ::= "ok"' })).toMatchObject({ content: "ok", stop_type: "eos" });
    const full = await ask({ prompt: new Array(1020).fill(292), n_predict: -1, ignore_eos: true });
    expect(full).toMatchObject({ stop_type: "limit", truncated: true, tokens_evaluated: 1020 });
    expect(await ask({ ...base, n_predict: 0 })).toMatchObject({ content: "", tokens_predicted: 0 });
  });

  it("tokens and probabilities, before and after sampling", async () => {
    const { tokens, content } = await ask({ ...base, return_tokens: true });
    expect([tokens.length, model.detokenize(tokens, { skipSpecial: false })]).toEqual([12, content]);
    const probs = (await ask({ ...base, n_probs: 3 })).completion_probabilities;
    expect(probs).toHaveLength(12);
    expect(probs.map(({ id }: { id: number }) => id)).toEqual(tokens);
    expect(probs[0].top_logprobs).toHaveLength(3);
    const after = (await ask({ ...base, n_probs: 3, post_sampling_probs: true })).completion_probabilities;
    expect(after[0]).toMatchObject({ id: tokens[0], prob: 1 });
    expect(after[0]).not.toHaveProperty("logprob");
  });

  it("streamed: pieces with their tokens, the figures in the last one", async () => {
    const whole = await ask({ ...base, return_tokens: true });
    const parts = await stream(base);
    expect(parts.map(({ content }) => content).join("")).toBe(whole.content);
    expect(parts.flatMap(({ tokens }) => tokens)).toEqual(whole.tokens);
    expect(parts.slice(0, -1).every(({ stop }) => stop === false)).toBe(true);
    const { timings: _, ...end } = parts.at(-1);
    const { timings: __, ...expected } = whole;
    expect(end).toEqual({ ...expected, content: "", tokens: [], tokens_cached: expect.any(Number) });
    expect((await stream({ ...base, n_probs: 1 }))[0].completion_probabilities).toHaveLength(1);
  });

  it("ignore_eos shows as a bias on every end token", async () => {
    const biases = async (fields: object) => (await ask({ ...base, ...fields })).generation_settings.logit_bias;
    expect(await biases({})).toEqual([]);
    expect(await biases({ ignore_eos: true })).toEqual(model.info.endIds.map((token) => ({ token, bias: null })));
  });

  it("response_fields chooses the fields of an answer", async () => {
    const fields = ["content", "generation_settings/n_predict", "timings/predicted_n", "nothing", "content/length"];
    expect(await ask({ ...base, response_fields: fields })).toEqual({
      content: expect.any(String),
      "generation_settings/n_predict": 12,
      "timings/predicted_n": 12,
    });
  });
});

describe("prompts", () => {
  const content = async (prompt: unknown) => (await ask({ ...base, prompt })).content;

  it("are texts, ids, both mixed, or objects", async () => {
    const ids = model.tokenize(QUESTION);
    const expected = await content(QUESTION);
    expect(await content(ids)).toBe(expected);
    expect(await content({ prompt_string: QUESTION, multimodal_data: [] })).toBe(expected);
    const [first, ...rest] = ids;
    expect(await content([first, model.detokenize(rest)])).toBe(expected);
    expect(await content([QUESTION.slice(0, 3), ...model.tokenize(QUESTION.slice(3), { addBos: false })])).toBe(
      expected,
    );
    expect(await content([QUESTION])).toBe(expected);
  });

  it("several give a list, in their order, n_cmpl times each", async () => {
    const prompts = [QUESTION, [292, 368], { prompt_string: "What is" }, [292, " much"]];
    const answers = await ask({ ...base, prompt: prompts });
    expect(answers.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2, 3]);
    for (const [i, prompt] of prompts.entries()) expect(answers[i].content).toBe(await content(prompt));
    const twice = await ask({ prompt: ["a", "b"], n_cmpl: 2, n_predict: 2, seed: 1 });
    expect(twice.map(({ prompt }: { prompt: string }) => prompt)).toEqual(["a", "a", "b", "b"]);
    expect((await ask({ prompt: "a", n: 2, n_predict: 1 })).length).toBe(2);
    const parts = await stream({ ...base, prompt: prompts });
    expect(
      parts
        .filter(({ stop }) => stop)
        .map(({ index }) => index)
        .sort(),
    ).toEqual([0, 1, 2, 3]);
  });

  it("wrong ones are refused by name", async () => {
    const wrong: [unknown, string][] = [
      [undefined, "prompt"],
      [5, "prompt"],
      [{}, "prompt.prompt_string"],
      [{ prompt_string: "a", multimodal_data: ["AA"] }, "prompt.multimodal_data"],
      [[-1], "prompt[0]"],
      [[292, "a", 1e9], "prompt[2]"],
      [["a", 5.5, null], "prompt[1]"],
      [["a", {}], "prompt[1].prompt_string"],
      [new Array(300).fill("a"), "prompt"],
    ];
    for (const [prompt, param] of wrong) expect([await refused({ prompt }), prompt]).toEqual([param, prompt]);
    expect(await refused({ ...base, n_cmpl: 0 })).toBe("n_cmpl");
    expect(await refused({ ...base, n_predict: 0.5 })).toBe("n_predict");
    expect(await refused({ ...base, image_data: [{}] })).toBe("image_data");
    for (const prompt of ["word ".repeat(2000), new Array(5000).fill(292)]) {
      expect(await refused({ prompt })).toBe("prompt");
      const { error } = (await postHandler(handler, "/completion", { prompt })).json();
      expect(error).toMatchObject({ code: "context_length_exceeded", n_ctx: model.info.contextLength });
      expect(error.n_prompt_tokens).toBe(typeof prompt === "string" ? model.tokenize(prompt).length : prompt.length);
    }
  });
});

describe("bounds for completing code", () => {
  it("n_indent ends at a line that is indented less", () => {
    const run = (indent: number, ...texts: string[]) => {
      const guard = new LineGuard({ indent, maxMs: 0 });
      const kept: string[] = [];
      for (const text of texts) {
        kept.push(guard.push(text));
        if (guard.stopped) break;
      }
      return [kept.join(""), guard.stopped];
    };
    expect(run(4, "x = 1\n    y", " = 2\n\n    z\n", "  ", "end")).toEqual(["x = 1\n    y = 2\n\n    z\n  ", true]);
    expect(run(2, "a\n", "\t\tb\n", "  c")).toEqual(["a\n\t\tb\n  c", false]);
    expect(run(1, "a\nb")).toEqual(["a\n", true]);
    expect(run(0, "a\nb")).toEqual(["a\nb", false]);
  });

  it("both end an answer, whole and streamed, with its figures", async () => {
    const grammar = 'root ::= "a\\n" "  b\\n"+';
    const cut = await ask({ prompt: "a", n_predict: 200, grammar, n_indent: 4 });
    expect(cut).toMatchObject({ content: "a\n  ", stop_type: "limit", has_new_line: true });
    expect(cut.timings.predicted_n).toBe(cut.tokens_predicted);
    // No letter is the only one allowed, and the answer cannot end by itself: a step computes each one.
    const letters = 'root ::= "a\\n" [a-z]{900}';
    const late = await stream({ prompt: "a", n_predict: 900, grammar: letters, t_max_predict_ms: 1 });
    expect(late.at(-1)).toMatchObject({ stop: true, stop_type: "limit" });
    expect(late.at(-1).tokens_predicted).toBeLessThan(400);
    expect(model.stats().requests).toBe(0);
  });
});

it("other fields of llama-server are accepted", async () => {
  const neutral = {
    cache_prompt: true,
    id_slot: -1,
    n_cache_reuse: 0,
    n_discard: 0,
    min_keep: 0,
    samplers: ["top_k", "temperature"],
    logit_bias: [
      [25, -1],
      ["hello", false],
    ],
    json_schema: null,
    timings_per_token: false,
    return_progress: false,
    sse_ping_interval: 30,
    lora: [],
    seed: -1,
    n_keep: -1,
  };
  await ask({ ...base, ...neutral });
  expect((await ask({ ...base, n_predict: 5, json_schema: { const: 7 } })).content).toBe("7");
});
