/** Many clients, slow clients, clients that disconnect, and the end of a server. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import { listen } from "../../src/hosts/node/server.ts";
import { createHandler } from "../../src/server/handler.ts";
import { crowd, gauge } from "./crowd.ts";
import { messages, postJson, QUESTION, startServer, type TestServer, until } from "./helpers.ts";

/** A request whose answer continues to the end of the context. */
const endless = { prompt: QUESTION, ignore_eos: true, stream: true } as const;

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ slots: 4, queue: 16 });
});
afterAll(() => server.close());

const chat = () => `${server.url}/v1/chat/completions`;
const idle = () => until(() => server.model.stats().requests === 0 && server.model.stats().usedPages === 0);

it("100 of every kind at once: normal clients get the right answer, and nothing stays allocated", async () => {
  const busy = await startServer({ slots: 4, queue: 16, stallTimeoutMs: 300, bodyTimeoutMs: 300 });
  const kinds = { normal: 50, slowReaders: 2, choices: 1, leaving: 28, slowSenders: 10, garbage: 10, retryMs: 50 };
  const { refusals, close } = await crowd(busy.url, kinds);
  expect(refusals.length).toBeGreaterThan(0);
  await until(async () => (await gauge(busy.url, "slots_busy")) === 0);
  expect(await gauge(busy.url, "requests_queued")).toBe(0);
  expect(busy.model.stats()).toMatchObject({ requests: 0, usedPages: 0 });
  expect(busy.errors).toEqual([]);
  close();
  await busy.close();
});

it("many clients are refused between two steps, not one per step", async () => {
  const full = await startServer({ slots: 1, queue: 0 });
  const held = await postJson(`${full.url}/v1/completions`, endless);
  let steps = 0;
  const controller = new AbortController();
  const answer = await full.model.completions.create(endless, { signal: controller.signal });
  const generating = (async () => {
    for await (const _ of answer) steps++;
  })().catch((error) => expect(error.name).toBe("AbortError"));
  await until(() => steps > 0);
  const before = steps;
  const text = `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`;
  const refused = Array.from({ length: 200 }, async () => {
    const socket = connect(Number(new URL(full.url).port), "127.0.0.1");
    socket.write(text);
    const [data] = await once(socket, "data");
    socket.destroy();
    return String(data).slice(9, 12);
  });
  expect(await Promise.all(refused)).toEqual(refused.map(() => "429"));
  expect(steps - before).toBeLessThan(100);
  controller.abort();
  await held.body!.cancel();
  await generating;
  await full.close();
});

describe("a client that leaves", () => {
  it("while it waits for a whole answer", async () => {
    const controller = new AbortController();
    const gone = postJson(`${server.url}/v1/completions`, { ...endless, stream: false }, { signal: controller.signal });
    await until(() => server.model.stats().requests === 1);
    controller.abort();
    await expect(gone).rejects.toThrow();
    await idle();
  });

  it("in the middle of a stream", async () => {
    const response = await postJson(`${server.url}/v1/completions`, endless);
    const reader = response.body!.getReader();
    await reader.read();
    expect(server.model.stats().requests).toBe(1);
    await reader.cancel();
    await idle();
  });

  it("while it waits for its slot: no other client's answer ends", async () => {
    const open = await Promise.all([1, 2, 3, 4].map(() => postJson(`${server.url}/v1/completions`, endless)));
    const controller = new AbortController();
    const queued = postJson(chat(), { messages }, { signal: controller.signal });
    const behind = postJson(chat(), { messages, max_tokens: 2 });
    const waiting = () => gauge(server.url, "requests_queued");
    await until(async () => (await waiting()) === 2);
    controller.abort();
    await expect(queued).rejects.toThrow();
    await until(async () => (await waiting()) === 1);
    await open[0]!.body!.cancel();
    expect((await behind).status).toBe(200);
    await Promise.all(open.slice(1).map((response) => response.body!.cancel()));
    await idle();
  });

  it("computes at most one step more, by the signal or by cancelling", async () => {
    const handler = createHandler(server.model);
    for (const leave of ["signal", "cancel"] as const) {
      const controller = new AbortController();
      const response = await handler(
        new Request("http://localhost/v1/completions", {
          method: "POST",
          body: JSON.stringify(endless),
          headers: { "content-type": "application/json" },
          signal: controller.signal,
        }),
      );
      const reader = response.body!.getReader();
      await reader.read();
      expect(server.model.stats().requests).toBe(1);
      if (leave === "signal") controller.abort();
      else await reader.cancel();
      expect(server.model.stats().requests).toBe(0); // at once: the scheduler has nothing left to step
    }
  });
});

describe("a slow reader", () => {
  const ask = (body: object, stallTimeoutMs = 30_000) => {
    const handler = createHandler(server.model, { stallTimeoutMs });
    const init = { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    return handler(new Request("http://localhost/v1/completions", init));
  };

  it("pauses its answer; others go on", async () => {
    const paused = await ask(endless);
    const reader = paused.body!.getReader();
    await reader.read();
    const other = await (await ask({ prompt: "a", max_tokens: 1000, ignore_eos: true })).json();
    expect(other.usage.completion_tokens).toBe(1000);
    expect(server.model.stats().requests).toBe(1); // it would have ended with the other
    await reader.cancel();
    await idle();
  });

  it("loses its answer after a while", async () => {
    const stalled = await ask(endless, 50);
    const reader = stalled.body!.getReader();
    await reader.read();
    await idle();
    await expect(reader.read()).rejects.toMatchObject({ code: "timeout" });
  });

  it("on Node: a connection whose buffers are full takes no more, and closes when the handler gives up", async () => {
    let pulls = 0;
    let fail!: (error: Error) => void;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        fail = (error) => controller.error(error);
      },
      pull: (controller) => {
        pulls++;
        controller.enqueue(new Uint8Array(2 ** 18));
      },
    });
    const listener = await listen(async () => new Response(body), { port: 0 });
    const socket = connect(Number(new URL(listener.url).port), "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    socket.pause();
    let before = -1;
    while (pulls === 0 || pulls !== before) {
      before = pulls;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(pulls).toBeLessThan(200); // 50 MiB, more than any socket's buffers
    expect(await listener.connections()).toBe(1);
    fail(new Error("gave up"));
    await until(async () => (await listener.connections()) === 0);
    socket.destroy();
    await listener.close();
  });
});

describe("the end of a server", () => {
  it("answers in progress are finished, new requests refused", async () => {
    const ending = await startServer();
    const url = `${ending.url}/v1/chat/completions`;
    const running = await postJson(url, { messages, temperature: 0, stream: true });
    const closed = ending.handler.close();
    expect((await fetch(`${ending.url}/health`)).status).toBe(503);
    const late = await postJson(url, { messages });
    expect([late.status, late.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await running.text()).toMatch(/data: \[DONE\]\n\n$/);
    await closed;
    await ending.close();
  });

  it("after the grace a stream ends with an error event", async () => {
    const ending = await startServer();
    const running = await postJson(`${ending.url}/v1/completions`, endless);
    const text = running.text();
    await ending.handler.close(10);
    await ending.listener.close();
    const last = (await text).trimEnd().split("\n\n").at(-1)!;
    expect(JSON.parse(last.slice("data: ".length)).error).toMatchObject({ code: "shutting_down" });
    expect(ending.model.stats()).toMatchObject({ requests: 0, usedPages: 0 });
    ending.model.dispose();
  });

  it("an internal failure is 500 and reveals nothing", async () => {
    const errors: unknown[] = [];
    const fail = () => Promise.reject(new Error("secret path /home/me"));
    const broken = { ...server.model, completions: { create: fail } } as typeof server.model;
    const handler = createHandler(broken, { onError: (error) => void errors.push(error) });
    const init = { method: "POST", body: '{"prompt":"a"}', headers: { "content-type": "application/json" } };
    const response = await handler(new Request("http://localhost/v1/completions", init));
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      error: { message: "internal error", type: "server_error", param: null, code: "internal" },
    });
    expect(errors).toHaveLength(1);
    expect(errors[0]).not.toBeInstanceOf(NibbleError);
  });
});
