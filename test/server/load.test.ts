/** Many clients, slow clients, clients that leave; how a server ends. */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NibbleError } from "../../src/errors.ts";
import { createHandler } from "../../src/server/handler.ts";
import { messages, postJson, QUESTION, startServer, type TestServer, until } from "./helpers.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ slots: 4, queue: 16 });
});
afterAll(() => server.close());

const chat = () => `${server.url}/v1/chat/completions`;
const idle = () => until(() => server.model.load().requests === 0 && server.model.load().usedPages === 0);
/** Goes on to the end of the context. */
const endless = { prompt: QUESTION, ignore_eos: true, stream: true };

it("100 at once: those admitted are right, the others are told 429, nothing stays behind", async () => {
  const request = (i: number) => ({ messages, seed: i % 7, max_tokens: 24 });
  const expected = await Promise.all(
    Array.from({ length: 7 }, (_, i) =>
      server.model.chat.completions.create({ ...request(i), reasoning_format: "auto" }),
    ),
  );
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const response = await postJson(chat(), request(i));
      return { i, response, body: await response.json() };
    }),
  );
  const admitted = answers.filter(({ response }) => response.status === 200);
  expect(admitted.length).toBeGreaterThanOrEqual(20);
  for (const { i, body } of admitted) expect(body.choices).toEqual(expected[i % 7]!.choices);
  for (const { response, body } of answers.filter((one) => !admitted.includes(one))) {
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(body.error).toMatchObject({ type: "rate_limit_error", code: "overloaded", param: null });
  }
  await idle();
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain("nibble_slots_busy 0\n");
  expect(metrics).toContain("nibble_requests_queued 0\n");
  expect(server.errors).toEqual([]);
});

describe("a client that leaves", () => {
  it("while it waits for a whole answer", async () => {
    const controller = new AbortController();
    const gone = postJson(`${server.url}/v1/completions`, { ...endless, stream: false }, { signal: controller.signal });
    await until(() => server.model.load().requests === 1);
    controller.abort();
    await expect(gone).rejects.toThrow();
    await idle();
  });

  it("in the middle of a stream", async () => {
    const response = await postJson(`${server.url}/v1/completions`, endless);
    const reader = response.body!.getReader();
    await reader.read();
    expect(server.model.load().requests).toBe(1);
    await reader.cancel();
    await idle();
  });

  it("while it waits for its slot: nobody else's answer ends", async () => {
    const open = await Promise.all([1, 2, 3, 4].map(() => postJson(`${server.url}/v1/completions`, endless)));
    const controller = new AbortController();
    const queued = postJson(chat(), { messages }, { signal: controller.signal });
    const behind = postJson(chat(), { messages, max_tokens: 2 });
    const waiting = async () => Number(/queued (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())![1]);
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
      expect(server.model.load().requests).toBe(1);
      if (leave === "signal") controller.abort();
      else await reader.cancel();
      expect(server.model.load().requests).toBe(0); // at once: the scheduler has nothing left to step
    }
  });
});

it("a reader that takes nothing pauses its answer, and then loses it; others go on", async () => {
  const slow = await startServer({ stallTimeoutMs: 400 });
  // The socket is not read: what fits into its buffers is all that is made.
  const text = JSON.stringify({ ...endless, logprobs: 20 });
  const socket = connect(Number(new URL(slow.url).port), "127.0.0.1");
  socket.pause();
  socket.write(
    `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
  );
  await until(() => slow.model.load().requests === 1);
  const other = await postJson(`${slow.url}/v1/completions`, { prompt: "a", max_tokens: 3, ignore_eos: true });
  expect((await other.json()).usage.completion_tokens).toBe(3);
  await until(() => slow.model.load().requests === 0);
  await until(async () => (await slow.listener.connections()) <= 1); // the other's, kept alive
  socket.destroy();
  await slow.close();
});

describe("the end of a server", () => {
  it("answers under way are finished, new ones refused", async () => {
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

  it("after the grace a stream ends with an error, never without a word", async () => {
    const ending = await startServer();
    const running = await postJson(`${ending.url}/v1/completions`, endless);
    const text = running.text();
    await ending.handler.close(10);
    await ending.listener.close();
    const last = (await text).trimEnd().split("\n\n").at(-1)!;
    expect(JSON.parse(last.slice("data: ".length)).error).toMatchObject({ code: "shutting_down" });
    expect(ending.model.load()).toMatchObject({ requests: 0, usedPages: 0 });
    ending.model.dispose();
  });

  it("a failure of its own is 500 and tells nothing", async () => {
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
