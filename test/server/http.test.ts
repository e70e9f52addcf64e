/** The server's HTTP behaviour: methods, keys, origins, hosts, limits. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { createHandler } from "../../src/server/handler.ts";
import type { HandlerOptions } from "../../src/server/options.ts";
import { askHandler, loadCrumb, messages, postHandler } from "./helpers.ts";

let model: Model;
beforeAll(async () => {
  model = await loadCrumb();
});
afterAll(() => model.dispose());

const ask = (path: string, init: RequestInit = {}, options: HandlerOptions = {}) =>
  askHandler(createHandler(model, options), path, init);
const post = (path: string, body: unknown, options: HandlerOptions = {}, headers: Record<string, string> = {}) =>
  postHandler(createHandler(model, options), path, body, headers);

describe("methods", () => {
  const V1 = ["chat/completions", "completions", "responses", "embeddings", "messages", "messages/count_tokens"];
  const POSTS = [...V1.map((name) => `/v1/${name}`), "/tokenize", "/detokenize", "/apply-template"];
  it.each(POSTS)("%s takes POST alone", async (path) => {
    for (const method of ["GET", "PUT", "DELETE", "PATCH", "HEAD"]) {
      const { status, headers, text } = await ask(path, { method });
      expect(status).toBe(405);
      expect(headers.get("allow")).toBe("POST, OPTIONS");
      if (method !== "HEAD") expect(JSON.parse(text).error.message).toMatch(/expected POST, got/);
    }
  });

  it.each(["/v1/models", "/v1/models/crumb", "/health", "/metrics", "/slots"])(
    "%s takes GET and HEAD",
    async (path) => {
      const get = await ask(path);
      const head = await ask(path, { method: "HEAD" });
      expect([get.status, head.status]).toEqual([200, 200]);
      expect(head.text).toBe("");
      expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
      const { status, headers } = await ask(path, { method: "POST" });
      expect([status, headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    },
  );

  it("OPTIONS answers with the allowed methods", async () => {
    const { status, headers } = await ask("/v1/models", { method: "OPTIONS" });
    expect([status, headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    expect(headers.get("access-control-allow-methods")).toBeNull();
  });

  it("an unknown path is 404, with the error shape of its API", async () => {
    expect((await ask("/v1/nothing")).json()).toMatchObject({ error: { code: "not_found", param: null } });
    expect((await ask("/")).status).toBe(404);
    expect((await ask("/v1/messages/nothing")).json()).toMatchObject({
      type: "error",
      error: { type: "not_found_error" },
    });
  });

  it("a page is served at / where there is one", async () => {
    const page = () => new Response("<p>hello", { headers: { "content-type": "text/html" } });
    expect((await ask("/", {}, { page, apiKeys: ["k"] })).text).toBe("<p>hello");
  });
});

describe("API keys", () => {
  const apiKeys = ["first", "second"];
  it("are required everywhere but at /health", async () => {
    for (const path of ["/v1/models", "/metrics", "/props", "/v1/nothing"]) {
      const { status, headers } = await ask(path, {}, { apiKeys });
      expect([status, headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    }
    expect((await post("/v1/chat/completions", { messages }, { apiKeys })).status).toBe(401);
    expect((await ask("/health", {}, { apiKeys })).status).toBe(200);
  });

  it("are accepted in OpenAI's, in Anthropic's and in Azure's header", async () => {
    const status = async (headers: Record<string, string>) =>
      (await ask("/v1/models", { headers }, { apiKeys })).status;
    expect(await status({ authorization: "Bearer second" })).toBe(200);
    expect(await status({ "x-api-key": "first" })).toBe(200);
    expect(await status({ "api-key": "second" })).toBe(200);
    expect(await status({ "api-key": "third" })).toBe(401);
    for (const wrong of ["first ", "firs", "firstt", "First", "first,second", ""])
      expect(await status({ "x-api-key": `${wrong}!` })).toBe(401);
    expect(await status({ authorization: "Basic first" })).toBe(401);
  });
});

it("a key is compared by its bytes; one that no header can carry is refused at the start", async () => {
  const apiKeys = ["schlüssel"];
  const bytes = String.fromCharCode(...new TextEncoder().encode("schlüssel"));
  expect((await ask("/v1/models", { headers: { "x-api-key": bytes } }, { apiKeys })).status).toBe(200);
  expect((await ask("/v1/models", { headers: { "x-api-key": "schlussel" } }, { apiKeys })).status).toBe(401);
  for (const key of ["a\nb", " a", "a\u0000"])
    expect(() => createHandler(model, { apiKeys: [key] })).toThrow(expect.objectContaining({ param: "apiKeys" }));
});

describe("origins and hosts", () => {
  it("no page may read answers unless it is allowed", async () => {
    const origin = { origin: "https://example.com" };
    const of = async (cors: HandlerOptions["cors"]) =>
      (await ask("/health", { headers: origin }, cors === undefined ? {} : { cors })).headers;
    expect((await of(undefined)).get("access-control-allow-origin")).toBeNull();
    expect((await of("*")).get("access-control-allow-origin")).toBe("*");
    expect((await of(["https://example.com"])).get("access-control-allow-origin")).toBe("https://example.com");
    const other = await of(["https://example.org"]);
    expect([other.get("access-control-allow-origin"), other.get("vary")]).toEqual([null, "origin"]);
    expect((await of("*")).get("access-control-allow-credentials")).toBeNull();
  });

  it("a preflight passes without a key", async () => {
    const headers = {
      origin: "https://example.com",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization, x-stainless-lang",
    };
    const init = { method: "OPTIONS", headers };
    const allowed = await ask("/v1/chat/completions", init, { cors: ["https://example.com"], apiKeys: ["k"] });
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-headers")).toBe("authorization, x-stainless-lang");
    expect(allowed.headers.get("access-control-allow-methods")).toBe("GET, HEAD, POST, DELETE");
    expect((await ask("/v1/chat/completions", init)).headers.get("access-control-allow-headers")).toBeNull();
  });

  it("another name for this machine is refused where names are given", async () => {
    const { status, json } = await ask("/v1/models", {}, { hosts: ["127.0.0.1"] });
    expect([status, json().error.code]).toEqual([403, "forbidden"]);
    expect((await ask("/v1/models", {}, { hosts: ["localhost"] })).status).toBe(200);
  });
});

describe("limits, before any work", () => {
  const chat = "/v1/chat/completions";
  it("content type and encoding", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"]) {
      // A browser may send these types for a page of any site, so they are refused with a browser's headers. Programs
      // may send any type.
      for (const browser of [{ origin: "https://example.com" }, { "sec-fetch-site": "cross-site" }])
        expect((await post(chat, { messages }, {}, { "content-type": type, ...browser })).status).toBe(415);
      expect((await post("/tokenize", { content: "a" }, {}, { "content-type": type })).status).toBe(200);
    }
    expect((await post(chat, { messages }, {}, { "content-encoding": "gzip" })).status).toBe(415);
    expect(
      (await post("/tokenize", { content: "a" }, {}, { "content-type": "application/json; charset=utf-8" })).status,
    ).toBe(200);
  });

  it("size, with and without a length", async () => {
    const long = { content: "x".repeat(2000) };
    expect((await post("/tokenize", long, { maxBodyBytes: 1000 })).status).toBe(413);
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(100).fill(0x20)),
    });
    const init = { method: "POST", body: stream, duplex: "half", headers: { "content-type": "application/json" } };
    const { status, json } = await ask("/tokenize", init as RequestInit, { maxBodyBytes: 1000 });
    expect([status, json().error.code]).toEqual([413, "too_large"]);
  });

  it("objects and arrays are counted before they are made; brackets in strings are text", async () => {
    const many = `{"prompt":[${new Array(70_000).fill("{}").join(",")}]}`;
    const { status, json } = await post("/v1/completions", many);
    expect([status, json().error.code]).toEqual([413, "too_large"]);
    const text = '[{"\\"[{'.repeat(20_000);
    expect((await post("/tokenize", { content: text })).status).toBe(200);
  });

  it("a request body that arrives too slowly", async () => {
    const body = new ReadableStream({ pull: () => new Promise(() => {}) });
    const init = { method: "POST", body, duplex: "half", headers: { "content-type": "application/json" } };
    expect((await ask("/tokenize", init as RequestInit, { bodyTimeoutMs: 20 })).status).toBe(408);
  });

  it("depth, duplicate keys, invalid JSON or UTF-8, headers", async () => {
    const bodies = [
      "[".repeat(65) + "]".repeat(65),
      '{"a":1,"a":2}',
      "",
      "{",
      "nul",
      '"\\ud800"',
      "[1,]",
      "NaN",
      "1e999",
    ];
    for (const body of bodies) expect((await post(chat, body)).status).toBe(400);
    const bytes = new Uint8Array([0x22, 0xff, 0x22]);
    const init = { method: "POST", body: bytes, headers: { "content-type": "application/json" } };
    expect((await ask(chat, init)).status).toBe(400);
    expect((await ask("/health", { headers: { a: "x".repeat(17_000) } })).status).toBe(413);
  });
});

describe("several models", () => {
  it("the field model tells them apart, and an unknown one is 404", async () => {
    const other = await loadCrumb();
    const both = [model, { ...other, info: { ...other.info, name: "other" } }];
    const handler = createHandler(both);
    const completion = async (name: string | undefined) => {
      const body = JSON.stringify({ model: name, prompt: "a", max_tokens: 1 });
      const init = { method: "POST", body, headers: { "content-type": "application/json" } };
      return (await handler(new Request("http://localhost/v1/completions", init))).json();
    };
    expect((await handler(new Request("http://localhost/v1/models/other"))).status).toBe(200);
    expect((await completion(undefined)).choices).toHaveLength(1);
    expect((await completion("other")).choices).toHaveLength(1);
    expect((await completion("third")).error).toMatchObject({ param: "model", code: "not_found" });
    other.dispose();
    expect((await completion("other")).error).toMatchObject({ code: "disposed" });
  });

  it("no model, or two of one name, are refused", () => {
    for (const models of [[], [model, model]])
      expect(() => createHandler(models)).toThrow(
        expect.objectContaining({ code: "invalid_argument", param: "model" }),
      );
  });

  it("options are checked by name", () => {
    const wrong: [string, unknown][] = [
      ["slots", 0],
      ["queue", -1],
      ["apiKeys", [""]],
      ["cors", "https://example.com"],
      ["hosts", [1]],
      ["basePath", "ai"],
      ["basePath", "/ai?x"],
      ["basePath", "//ai"],
      ["maxBodyBytes", 0.5],
      ["page", "x"],
      ["slotStore", { read: 1 }],
      ["onError", 1],
      ["unknown", 1],
    ];
    for (const [param, value] of wrong)
      expect(() => createHandler(model, { [param]: value })).toThrow(
        expect.objectContaining({ code: "invalid_argument", param }),
      );
  });
});
