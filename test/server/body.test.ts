/** Bodies: their parts are counted before they are made, and what came in time is not late. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { bodyReader } from "../../src/server/body.ts";
import { createHandler, type Handler } from "../../src/server/handler.ts";
import { askHandler, loadCrumb, postHandler } from "./helpers.ts";

let model: Model;
let handler: Handler;
const warnings: string[] = [];
beforeAll(async () => {
  model = await loadCrumb();
  handler = createHandler(model, { onWarning: (message) => void warnings.push(message) });
});
afterAll(() => model.dispose());

const keys = (count: number) => `{${Array.from({ length: count }, (_, i) => `"k${i}":0`).join(",")}}`;
const refused = async (path: string, body: string) => {
  const { status, json } = await postHandler(handler, path, body);
  return [status, json().error.code];
};

describe("many parts in few bytes are refused before they are made", () => {
  it.each([
    ["keys of the body", keys(400_000).slice(0, 4_000_000)],
    ["keys of a field", `{"prompt":"a","logit_bias":${keys(200_000)}}`],
    ["keys of many objects", `{"messages":[${new Array(30_000).fill('{"a":0,"b":0,"c":0}').join(",")}]}`],
    ["objects", `{"prompt":[${new Array(70_000).fill("{}").join(",")}]}`],
    ["values", `{"prompt":[${new Array(1_100_000).fill(1).join(",")}]}`],
  ])("%s", async (_, body) => {
    expect(await refused("/v1/completions", body)).toEqual([413, "too_large"]);
  });

  it("fields that nobody knows: a few are ignored and named, many are refused, and the log stays short", async () => {
    const few = `{"prompt":"a","max_tokens":1,${keys(200).slice(1)}`;
    const { status, headers } = await postHandler(handler, "/v1/completions", few);
    expect([status, headers.get("x-nibble-ignored")]).toEqual([200, expect.stringMatching(/^k0, k1.*\.\.\.$/)]);
    expect(await refused("/v1/completions", keys(60_000))).toEqual([400, "invalid_request"]);
    expect(warnings.length).toBeLessThanOrEqual(256);
  });

  it("as many token ids as /detokenize takes are read", async () => {
    const { status } = await postHandler(
      handler,
      "/detokenize",
      `{"tokens":[${new Array(2 ** 20).fill(65).join(",")}]}`,
    );
    expect(status).toBe(200);
  });
});

describe("a text that is much too long is refused before it is tokenized", () => {
  const text = "a ".repeat(2_000_000);
  it.each([
    ["/v1/completions", { prompt: text }],
    ["/completion", { prompt: text }],
    ["/completion", { prompt: [1, text] }],
    ["/v1/chat/completions", { messages: [{ role: "user", content: text }] }],
    ["/v1/embeddings", { input: text }],
    ["/embedding", { content: text }],
    ["/tokenize", { content: text }],
    ["/tokenize", { prompt: text }],
  ])("%s", async (path, body) => {
    const { status, json } = await postHandler(handler, path, body);
    expect([path, [400, 413].includes(status), json().error.message]).toEqual([
      path,
      true,
      expect.stringMatching(/more than \d+ tokens|at most \d+ tokens/),
    ]);
  });

  it("also where all of it is one piece; a limit is exact", () => {
    for (const piece of [" ", "_", "a", "汉"])
      expect(() => model.tokenize(piece.repeat(1_000_000), { limit: 1000 })).toThrow(
        expect.objectContaining({ code: "limit_exceeded" }),
      );
    const ids = model.tokenize("The quick brown fox. ".repeat(20));
    expect(model.tokenize("The quick brown fox. ".repeat(20), { limit: ids.length })).toEqual(ids);
    expect(() => model.tokenize("The quick brown fox. ".repeat(20), { limit: ids.length - 1 })).toThrow(/more than/);
  });

  it("one that is a little too long is read to its end, so that the error has its length", async () => {
    const count = 3 * model.info.contextLength;
    const { json } = await postHandler(handler, "/v1/completions", { prompt: "a".repeat(count) });
    expect(json().error).toMatchObject({ code: "context_length_exceeded", n_ctx: model.info.contextLength });
    expect(json().error.n_prompt_tokens).toBeGreaterThan(model.info.contextLength);
  });
});

describe("calls that take no slot have a queue of their own", () => {
  it("they are answered while all slots are taken, refused beyond the queue, and when the server ends", async () => {
    const own = createHandler(model, { slots: 1, queue: 0 });
    const running = await own(
      new Request("http://localhost/v1/completions", {
        method: "POST",
        body: JSON.stringify({ prompt: "a", ignore_eos: true, stream: true }),
      }),
    );
    const tokenize = () => postHandler(own, "/tokenize", { content: "abc" });
    expect((await tokenize()).status).toBe(200);
    const all = await Promise.all(Array.from({ length: 5 }, tokenize));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200, 429]));
    await running.body!.cancel();
    await own.close(0);
    expect((await tokenize()).status).toBe(503);
    for (const path of ["/detokenize", "/apply-template", "/v1/messages/count_tokens", "/v1/responses/input_tokens"])
      expect([path, (await postHandler(own, path, {})).status]).toEqual([path, 503]);
    expect((await askHandler(own, "/health")).status).toBe(503);
  });
});

describe("time", () => {
  const limits = { maxBytes: 1e6, timeoutMs: 30 };
  /** A body that lies ready in parts, each of which takes a turn of the event loop to read, as on a socket. */
  const ready = (parts: number, wait = 0) => {
    let left = parts;
    const pull = async (controller: ReadableStreamDefaultController) => {
      await new Promise((resolve) => (wait > 0 ? setTimeout(resolve, wait) : setImmediate(resolve)));
      if (left-- > 0) controller.enqueue(new Uint8Array([0x20]));
      else {
        controller.enqueue(new TextEncoder().encode("[1]"));
        controller.close();
      }
    };
    const init = { method: "POST", body: new ReadableStream({ pull }), duplex: "half" };
    return new Request("http://localhost/", init as RequestInit);
  };
  const block = (ms: number) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };

  it("a body that came in time is read, however long the server was busy", async () => {
    const reading = bodyReader({ ...limits, timeoutMs: 500 })(ready(20));
    block(700);
    expect(await reading).toEqual([1]);
  });

  it("a client that sends slowly is late, also one that sends a little all the time", async () => {
    const code = expect.objectContaining({ code: "timeout" });
    await expect(bodyReader(limits)(ready(5, 10_000))).rejects.toEqual(code);
    // It takes far longer than the limit to read as many parts, and it is not read to its end.
    await expect(bodyReader(limits)(ready(1e7))).rejects.toEqual(code);
  });
});
