/** `toNodeListener` behind node:http and node:http2, and the option `basePath`. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect, createServer as createServer2, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { toNodeListener } from "../../src/hosts/node/to-node-listener.ts";
import { createHandler } from "../../src/server/handler.ts";
import { askHandler, loadCrumb, messages, postHandler, postJson, until } from "./helpers.ts";

let model: Model;
beforeAll(async () => {
  model = await loadCrumb();
});
afterAll(() => model.dispose());

let server: Server | Http2Server;
afterEach(() => void server?.close());

async function listen(created: Server | Http2Server): Promise<string> {
  server = created.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const request = { messages, temperature: 0 };
const path = "/v1/chat/completions";

describe("toNodeListener", () => {
  it("answers, and ends the generation of a client that leaves", async () => {
    const url = await listen(createServer(toNodeListener(createHandler(model))));
    const answer = await postJson(url + path, request);
    expect(await answer.text()).toContain("264");
    const gone = new AbortController();
    const stream = await postJson(url + path, { ...request, stream: true, ignore_eos: true }, { signal: gone.signal });
    await stream.body!.getReader().read();
    expect(model.stats().requests).toBe(1);
    gone.abort();
    await until(() => model.stats().requests === 0);
  });

  it.each<[string, (text: string) => unknown]>([
    ["an object", (text) => JSON.parse(text)],
    ["a text", (text) => text],
    ["bytes", (text) => Buffer.from(text)],
  ])("takes a body that a middleware has read before, as %s", async (_, parse) => {
    const listener = toNodeListener(createHandler(model));
    const url = await listen(
      createServer(async (incoming: IncomingMessage & { body?: unknown }, outgoing) => {
        let text = "";
        for await (const part of incoming) text += part;
        incoming.body = parse(text);
        listener(incoming, outgoing);
      }),
    );
    // Spaces are not kept by a parser, so the length differs from the header's.
    const body = JSON.stringify(request, null, 4);
    expect(await (await postJson(url + path, body)).text()).toContain("264");
  });

  it("an empty body that was read before is an empty body", async () => {
    const listener = toNodeListener(createHandler(model));
    const url = await listen(
      createServer(async (incoming, outgoing) => {
        for await (const _ of incoming);
        listener(incoming, outgoing);
      }),
    );
    expect((await fetch(url + path, { method: "POST" })).status).toBe(400);
  });

  it("answers requests of HTTP/2 on one connection at the same time", async () => {
    const url = await listen(createServer2(toNodeListener(createHandler(model))));
    const client = connect(url);
    const send = async (body: object): Promise<string> => {
      const stream = client.request({ ":method": "POST", ":path": path, "content-type": "application/json" });
      stream.end(JSON.stringify(body));
      let text = "";
      for await (const part of stream) text += part;
      return text;
    };
    const texts = await Promise.all([send(request), send({ ...request, stream: true }), send({})]);
    client.close();
    expect(texts[0]).toContain("264");
    expect(texts[1]).toContain("data: [DONE]");
    expect(texts[2]).toContain('"param":"messages"');
  });
});

describe("basePath", () => {
  it.each(["/ai", "/ai/", "/deep/er"])("%s is taken off the path", async (basePath) => {
    const handler = createHandler(model, { basePath });
    const base = basePath.replace(/\/$/, "");
    expect((await postHandler(handler, `${base}/v1/chat/completions`, request)).text).toContain("264");
    expect((await askHandler(handler, `${base}/health`)).status).toBe(200);
    for (const outside of ["/health", "/", `${base}x/health`, `/x${base}/health`]) {
      const { status, json } = await askHandler(handler, outside);
      expect(status).toBe(404);
      expect(json().error.message).toBe(`${outside}: there is no such endpoint`);
    }
  });

  it("errors have the form of the API behind it", async () => {
    const handler = createHandler(model, { basePath: "/ai" });
    expect((await postHandler(handler, "/ai/v1/messages", {})).json().type).toBe("error");
    expect((await postHandler(handler, "/ai/api/chat", {})).json().error).toBeTypeOf("string");
    expect((await askHandler(handler, "/ai/v1/messages")).headers.get("allow")).toBe("POST, OPTIONS");
  });

  it("a page is at the base path itself", async () => {
    const handler = createHandler(model, { basePath: "/ai", page: () => new Response("page") });
    for (const path of ["/ai", "/ai/"]) expect((await askHandler(handler, path)).text).toBe("page");
  });
});
