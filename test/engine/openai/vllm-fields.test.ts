/** vLLM's fields about what an answer contains: token ids, special tokens, the stop string, and the usage so far. */
import { describe, expect, it } from "vitest";
import { createModel } from "../../../src/engine/model.ts";
import { FakeExecutor } from "../../helpers/fake-executor.ts";
import { BOS, FakeTokenizer, IM_END } from "../../helpers/fake-tokenizer.ts";

const tokenizer = new FakeTokenizer();
const PROMPT = "Ask";
/** A special token in the middle of the text. */
const ANSWER = [...tokenizer.encode("one ", { addBos: false }), BOS, ...tokenizer.encode("two.", { addBos: false })];

function create() {
  let begun: number | undefined;
  const next = (tokens: readonly number[]) => {
    begun ??= tokens.length;
    return [...ANSWER, IM_END][tokens.length - begun];
  };
  const executor = new FakeExecutor({ contextLength: 512, pages: 100, next });
  const templates = new Map([["default", "{% for m in messages %}{{ m.content }}{% endfor %}"]]);
  return createModel({ name: "fake", architecture: "test", tokenizer, executor, templates });
}
const base = { temperature: 0, max_tokens: 40 };
const text = async (fields: object) => {
  const { choices } = await create().completions.create({ prompt: PROMPT, ...base, ...fields, stream: false });
  return choices[0]!;
};
const chat = (fields: object) =>
  create().chat.completions.create({
    messages: [{ role: "user", content: PROMPT }],
    ...base,
    ...fields,
    stream: false as const,
  });

describe("return_token_ids", () => {
  it("completions have them in the choice", async () => {
    const choice = await text({ return_token_ids: true });
    expect(choice.prompt_token_ids).toEqual(tokenizer.encode(PROMPT));
    expect(choice.token_ids).toEqual([...ANSWER, IM_END]);
    expect(await text({ return_token_ids: false })).not.toHaveProperty("token_ids");
  });

  it("chats have those of the prompt beside the choices", async () => {
    const answer = await chat({ return_token_ids: true });
    expect(answer.prompt_token_ids).toEqual(tokenizer.encode(PROMPT, { addBos: false }));
    expect(answer.choices[0]!.token_ids).toEqual([...ANSWER, IM_END]);
  });

  it("in a stream each chunk has those of its tokens", async () => {
    const ids: number[] = [];
    const stream = await create().completions.create({ prompt: PROMPT, ...base, return_token_ids: true, stream: true });
    for await (const { choices } of stream) ids.push(...(choices[0]?.token_ids ?? []));
    expect(ids).toEqual([...ANSWER, IM_END]);
  });
});

it("return_tokens_as_token_ids names tokens by id", async () => {
  const { logprobs } = await text({ return_tokens_as_token_ids: true, logprobs: 1 });
  expect(logprobs!.tokens).toEqual([...ANSWER, IM_END].map((id) => `token_id:${id}`));
  expect(Object.keys(logprobs!.top_logprobs[0]!)).toEqual([`token_id:${ANSWER[0]}`]);
});

it("skip_special_tokens: false keeps special tokens, except the end token", async () => {
  expect((await text({ skip_special_tokens: true })).text).toBe("one two.");
  expect((await text({ skip_special_tokens: false })).text).toBe(`one ${tokenizer.token(BOS)}two.`);
});

it("include_stop_str_in_output keeps the stop string", async () => {
  const stop = ["two", "wo"];
  expect(await text({ stop })).toMatchObject({ text: "one ", stop_reason: "two" });
  expect(await text({ stop, include_stop_str_in_output: true })).toMatchObject({ text: "one two", stop_reason: "two" });
});

it("continuous_usage_stats counts in each chunk, beside include_usage only", async () => {
  const usages = async (stream_options: object) => {
    const stream = await create().completions.create({ prompt: PROMPT, ...base, stream: true, stream_options });
    const counts: (number | undefined)[] = [];
    for await (const { choices, usage } of stream) if (choices.length > 0) counts.push(usage?.completion_tokens);
    return counts.filter((count) => count !== undefined);
  };
  const counts = await usages({ include_usage: true, continuous_usage_stats: true });
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
  expect([counts[0], counts.at(-1)! >= ANSWER.length]).toEqual([1, true]);
  expect(await usages({ include_usage: true })).toEqual([]);
  expect(await usages({ continuous_usage_stats: true })).toEqual([]);
});
