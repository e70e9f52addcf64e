/** What one caller's requests leave behind is not for callers with another API key. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { createHandler } from "../../src/server/handler.ts";
import type { HandlerOptions } from "../../src/server/options.ts";
import { askHandler, loadCrumb, messages, postHandler } from "./helpers.ts";

const apiKeys = ["first", "second"];
const conversation = [{ role: "system", content: "Be brief and be right. ".repeat(20) }, ...messages];

let model: Model;
beforeAll(async () => {
  model = await loadCrumb();
});
afterAll(() => model.dispose());
beforeEach(() => model.clearPrefixCache());

/** A handler, and its answers to a caller. */
function serve(options: HandlerOptions = {}) {
  const handler = createHandler(model, { apiKeys, responseStore: 8, ...options });
  const post = async (key: string, path: string, body: object) => {
    const { status, json } = await postHandler(handler, path, body, { authorization: `Bearer ${key}` });
    return { status, body: json() };
  };
  const ask = async (key: string, path: string, method: string) => {
    const { status } = await askHandler(handler, path, { method, headers: { authorization: `Bearer ${key}` } });
    return status;
  };
  return { post, ask };
}

/** Tokens of its prompt that a request did not have to compute. Their number makes the difference in time. */
const cachedTokens = async (send: ReturnType<typeof serve>["post"], key: string, fields: object = {}) => {
  const body = { messages: conversation, temperature: 0, max_tokens: 2, ...fields };
  const answer = await send(key, "/v1/chat/completions", body);
  expect(answer.status).toBe(200);
  return answer.body.usage.prompt_tokens_details.cached_tokens;
};

describe("cached prefixes", () => {
  it("are reused by the same key and not by another one", async () => {
    const { post } = serve();
    expect(await cachedTokens(post, "first")).toBe(0);
    expect(await cachedTokens(post, "second")).toBe(0);
    expect(await cachedTokens(post, "first")).toBeGreaterThan(50);
    expect(await cachedTokens(post, "second")).toBeGreaterThan(50);
  });

  it("requests that run together wait for the prefix of their own caller only", async () => {
    const { post } = serve();
    const cached = await Promise.all(["first", "second", "first", "second"].map((key) => cachedTokens(post, key)));
    expect(cached.slice(0, 2)).toEqual([0, 0]);
    expect(Math.min(...cached.slice(2))).toBeGreaterThan(50);
  });

  it("are shared where the operator says so, and where there is one key or none", async () => {
    for (const [options, key] of [
      [{ sharePrefixes: true }, "second"],
      [{ apiKeys: ["first", "first"] }, "first"],
      [{ apiKeys: [] }, "anything"],
    ] as const) {
      model.clearPrefixCache();
      const { post } = serve(options);
      expect(await cachedTokens(post, "first")).toBe(0);
      expect(await cachedTokens(post, key)).toBeGreaterThan(50);
    }
  });

  it("a request separates itself further by vLLM's cache_salt, also where keys share", async () => {
    const { post } = serve({ sharePrefixes: true });
    expect(await cachedTokens(post, "first", { cache_salt: "a" })).toBe(0);
    expect(await cachedTokens(post, "first")).toBe(0);
    expect(await cachedTokens(post, "first", { cache_salt: "b" })).toBe(0);
    expect(await cachedTokens(post, "second", { cache_salt: "a" })).toBeGreaterThan(50);
    const { status, body } = await post("first", "/v1/completions", { prompt: "a", cache_salt: 5 });
    expect([status, body.error.param]).toEqual([400, "cache_salt"]);
  });

  it("every API that generates or embeds keeps callers apart", async () => {
    const prompt = "Be brief and be right. ".repeat(20);
    const calls: [path: string, body: object][] = [
      ["/v1/completions", { prompt, max_tokens: 2 }],
      ["/completion", { prompt, n_predict: 2 }],
      ["/v1/messages", { messages: [{ role: "user", content: prompt }], max_tokens: 2 }],
      ["/v1/responses", { input: prompt, max_output_tokens: 16 }],
      ["/api/generate", { model: "crumb", prompt, stream: false, options: { num_predict: 2 } }],
      [
        "/api/chat",
        { model: "crumb", messages: [{ role: "user", content: prompt }], stream: false, options: { num_predict: 2 } },
      ],
      ["/v1/embeddings", { input: prompt, pooling: "last" }],
    ];
    const { post } = serve();
    for (const [path, body] of calls) {
      const rows: number[] = [];
      for (const key of ["first", "second", "first"]) {
        const before = model.stats().cachedPages;
        expect([path, (await post(key, path, body)).status]).toEqual([path, 200]);
        rows.push(model.stats().cachedPages - before);
      }
      // The second caller's text takes pages of its own; the first one's second request takes none, or a last page.
      expect([path, rows[1]! >= rows[0]! - 1, rows[2]! <= 1]).toEqual([path, true, true]);
      model.clearPrefixCache();
    }
  });
});

it("a stored response is continued, read and deleted by its own caller only", async () => {
  const { post, ask } = serve();
  const { body } = await post("first", "/v1/responses", { input: "a", max_output_tokens: 16, store: true });
  const next = { input: "b", previous_response_id: body.id, max_output_tokens: 16 };
  expect((await post("second", "/v1/responses", next)).body.error.param).toBe("previous_response_id");
  expect(await ask("second", `/v1/responses/${body.id}`, "GET")).toBe(404);
  expect(await ask("second", `/v1/responses/${body.id}`, "DELETE")).toBe(404);
  expect((await post("first", "/v1/responses", next)).status).toBe(200);
  expect(await ask("first", `/v1/responses/${body.id}`, "DELETE")).toBe(200);
});

describe("saved slots", () => {
  const files = new Map<string, Uint8Array>();
  const slotStore = {
    read: async (name: string) => files.get(name),
    write: async (name: string, bytes: Uint8Array) => void files.set(name, bytes),
  };
  const save = { filename: "a.bin", messages: conversation };
  const restore = (send: ReturnType<typeof serve>["post"], key: string) =>
    send(key, "/slots/0?action=restore", { filename: "a.bin" });

  it("are restored by their own caller only, and prefixes of others stay as they are", async () => {
    const { post } = serve({ slotStore });
    expect((await post("first", "/slots/0?action=save", save)).status).toBe(200);
    model.clearPrefixCache();
    const refused = await restore(post, "second");
    expect([refused.status, refused.body.error.param]).toEqual([400, "filename"]);
    expect((await restore(post, "first")).status).toBe(200);
    expect(await cachedTokens(post, "second")).toBe(0);
    expect(await cachedTokens(post, "first")).toBeGreaterThan(50);
  });

  it("that the server did not sign, or that were changed, are refused", async () => {
    const slotKey = new Uint8Array(32).fill(3);
    const { post } = serve({ slotStore, slotKey, apiKeys: [] });
    await post("", "/slots/0?action=save", save);
    const whole = files.get("a.bin")!;
    const session = model.session();
    session.forward([1, 2, 3], { logits: "none" });
    const [unsigned, foreign] = [session.save(), await session.saveSigned(new Uint8Array(32).fill(4))];
    session.dispose();
    const changed = whole.slice();
    changed[changed.length - 40]! ^= 1;
    for (const bytes of [unsigned, foreign, changed, whole.subarray(0, whole.length - 32)]) {
      files.set("a.bin", bytes);
      expect((await restore(post, "")).body.error?.message).toMatch(/signed with this key/);
    }
    files.set("a.bin", whole);
    expect((await restore(post, "")).status).toBe(200);
    // Without a key of the options, each handler has one of its own.
    const other = serve({ slotStore, apiKeys: [] });
    expect((await restore(other.post, "")).status).toBe(400);
  });
});
