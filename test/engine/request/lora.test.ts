/** Adapters per request: chosen, checked, and never mixed up by shared prefixes. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

import { createModel, type Model } from "../../../src/engine/model.ts";
import type { ChatCompletion } from "../../../src/engine/openai/chat-types.ts";
import type { LoraChoice } from "../../../src/engine/request/lora.ts";
import { openCheckpoint } from "../../../src/load/checkpoint.ts";
import { createLoad } from "../../../src/load/create-load.ts";
import { createHandler } from "../../../src/server/handler.ts";
import { ggufAdapter, randomAdapter } from "../../helpers/adapters.ts";
import { FakeExecutor, type FakeOptions, isIdle } from "../../helpers/fake-executor.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";
import { root, testHost } from "../../helpers/models.ts";

const path = join(root, "dist/crumb.gguf");
const load = createLoad(testHost);
const messages = [{ role: "user", content: "How much is 8 * 33?" }];

describe("crumb with two adapters", () => {
  let plain: Model;
  let model: Model;
  let source: Uint8Array;
  beforeAll(async () => {
    const base = await openCheckpoint(path, testHost);
    const names = [...base.tensors.keys()].filter((name) => /attn_(q|v)|ffn_up/.test(name));
    source = await ggufAdapter(randomAdapter(base, names, 8, 1), base.architecture);
    const other = await ggufAdapter(randomAdapter(base, names, 4, 2), base.architecture);
    await base.close();
    plain = await load(path);
    model = await load(path, {
      lora: [
        { source, name: "one", scale: 0 },
        { source: other, scale: 0 },
      ],
    });
  });

  const answer = async (from: Model, lora?: readonly LoraChoice[]) => {
    const plainText = { reasoning_format: "none" } as const;
    const request = { messages, temperature: 0, max_tokens: 40, ...plainText, ...(lora && { lora }) };
    return (await from.chat.completions.create(request)).choices[0]!.message.content;
  };

  it("lists its adapters", () => {
    expect(model.info.lora).toEqual([
      { id: 0, name: "one", scale: 0 },
      { id: 1, name: "1", scale: 0 },
    ]);
    expect(plain.info.lora).toEqual([]);
  });

  it("a request chooses by id or name; side by side with others as alone", async () => {
    const base = await answer(plain);
    const choices: (readonly LoraChoice[] | undefined)[] = [
      undefined,
      [{ name: "one" }],
      [{ id: 1, scale: 1.5 }],
      [{ id: 0 }, { id: 1, scale: -2 }],
      [],
    ];
    const alone: (string | null)[] = [];
    for (const lora of choices) {
      model.clearPrefixCache();
      alone.push(await answer(model, lora));
    }
    expect([alone[0], alone[4]]).toEqual([base, base]);
    expect(new Set(alone).size).toBe(4);
    expect(await Promise.all(choices.map((lora) => answer(model, lora)))).toEqual(alone);
    expect(await Promise.all(choices.map((lora) => answer(model, lora)))).toEqual(alone); // from the cache
    expect(await answer(model, [{ id: 0, scale: 1 }])).toBe(alone[1]);
  });

  it("an adapter that was loaded with a scale is on by default", async () => {
    const on = await load(path, { lora: [{ source, name: "one" }] });
    expect(await answer(on)).toBe(await answer(model, [{ name: "one" }]));
    expect(await answer(on, [])).toBe(await answer(plain));
    on.dispose();
  });

  it("sessions, embeddings and completions take them; a saved session keeps them", async () => {
    const ids = model.tokenize("A train travels at 65 km per hour for 4 hours. How far does it go?");
    const bits = (session: ReturnType<Model["session"]>) => session.forward(ids.slice(-3));
    const session = model.session({ lora: [{ name: "one" }] });
    session.forward([...ids, ...ids, ...ids]);
    const saved = session.save();
    const restored = model.restore(saved);
    expect(restored.save()).toEqual(saved);
    const expected = bits(session);
    expect(bits(restored)).toEqual(expected);
    const without = model.session();
    without.forward([...ids, ...ids, ...ids]);
    expect(bits(without)).not.toEqual(expected);
    expect(() => plain.restore(saved)).toThrow(expect.objectContaining({ code: "bad_value" }));

    const [off] = await model.embed(["text"]);
    expect([off]).toEqual(await plain.embed(["text"]));
    expect(await model.embed(["text"], { lora: [{ id: 0 }] })).not.toEqual([off]);
    const completion = async (lora: LoraChoice[]) =>
      (await model.completions.create({ prompt: "12 + 5 =", temperature: 0, max_tokens: 20, lora })).choices[0]!.text;
    expect(await completion([{ id: 0 }])).not.toBe(await completion([]));
  });

  it("a server lists them and takes them", async () => {
    const handler = createHandler(model);
    const listed = await handler(new Request("http://localhost/lora-adapters"));
    expect(await listed.json()).toMatchObject(model.info.lora);
    const lora = [{ id: 1, scale: 1.5 }];
    const body = JSON.stringify({ messages, temperature: 0, max_tokens: 40, reasoning_format: "none", lora });
    const headers = { "content-type": "application/json" };
    const request = new Request("http://localhost/v1/chat/completions", { method: "POST", headers, body });
    const answered = (await (await handler(request)).json()) as ChatCompletion;
    expect(answered.choices[0]!.message.content).toBe(await answer(model, lora));
  });

  it.each<[unknown, string]>([
    [{}, "lora"],
    [[{ id: 2 }], "lora[0].id"],
    [[{ id: -1 }], "lora[0].id"],
    [[{ name: "two" }], "lora[0].name"],
    [[{}], "lora[0].name"],
    [[{ id: 0, name: "one" }], "lora[0].id"],
    [[{ id: 0, scale: "1" }], "lora[0].scale"],
    [[{ id: 0, scale: 2000 }], "lora[0].scale"],
    [[{ id: 0, path: "/etc/passwd" }], "lora[0].path"],
    [[{ id: 0 }, 5], "lora[1]"],
    [[{ id: 0 }, { id: 1 }, { id: 0 }], "lora"],
  ])("wrong choices are named: %j", async (lora, param) => {
    const request = { messages, lora } as never;
    await expect(model.chat.completions.create(request)).rejects.toMatchObject({ code: "invalid_request", param });
    expect(() => model.generate({ prompt: [1], lora } as never)).toThrow(
      expect.objectContaining({ code: "invalid_argument", param }),
    );
  });

  it.each<[unknown, string]>([
    [{}, "lora"],
    [["a.gguf"], "lora[0]"],
    [[{ scale: 1 }], "lora[0].source"],
    [[{ source: "a.gguf", scale: Number.NaN }], "lora[0].scale"],
    [[{ source: "a.gguf", name: 5 }], "lora[0].name"],
    [[{ source: "x/a.gguf" }, { source: "y/a.gguf" }], "lora[1].name"],
  ])("wrong options of load are named: %j", async (lora, param) => {
    await expect(load(path, { lora } as never)).rejects.toMatchObject({ code: "invalid_argument", param });
  });
});

describe("shared prefixes", () => {
  const tokenizer = new FakeTokenizer();
  const adapters = [
    { name: "a", scale: 0 },
    { name: "b", scale: 0 },
  ];
  function fake(options: FakeOptions = {}) {
    const executor = new FakeExecutor(options);
    const pages = executor.freePages;
    const model = createModel({ name: "fake", architecture: "test", tokenizer, executor, adapters });
    return { executor, model, idle: () => isIdle(model, executor, pages) };
  }
  const prompt = "A prompt that is longer than a page or two of the cache, so that it would be shared.";
  const choices: LoraChoice[][] = [[], [{ id: 0 }], [{ id: 1 }], [{ id: 0, scale: 0.5 }], [{ id: 0 }, { id: 1 }]];
  const ask = async (model: Model, lora: LoraChoice[]) => {
    const request = { prompt, lora, seed: 5, max_tokens: 12 };
    const { choices, usage } = await model.completions.create(request);
    return { text: choices[0]!.text, cached: usage!.prompt_tokens_details.cached_tokens };
  };

  it("one after the other: only the same adapters take over", async () => {
    const { model, idle } = fake();
    const texts: string[] = [];
    for (const lora of choices) {
      const { text, cached } = await ask(model, lora);
      expect(cached).toBe(0);
      texts.push(text);
    }
    expect(new Set(texts).size).toBe(choices.length);
    for (const [i, lora] of choices.entries()) {
      const { text, cached } = await ask(model, lora);
      expect(text).toBe(texts[i]);
      expect(cached).toBeGreaterThan(0);
    }
    expect(idle()).toBe(true);
  });

  it("together, in a tight cache and beside a session", async () => {
    const { model } = fake();
    const expected = [];
    for (const lora of choices) expected.push((await ask(model, lora)).text);
    const tight = fake({ pages: 30, maxBatchTokens: 9 });
    const session = tight.model.session({ lora: [{ id: 1 }] });
    session.forward(tight.model.tokenize(prompt));
    const twice = [...choices, ...choices];
    const texts = await Promise.all(twice.map(async (lora) => (await ask(tight.model, lora)).text));
    expect(texts).toEqual([...expected, ...expected]);
    session.dispose();
    expect(tight.idle()).toBe(true);
  });
});
