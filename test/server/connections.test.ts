/** Several requests on one connection: kept alive, pipelined, cut off. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Admission } from "../../src/server/admission.ts";
import { gauge } from "./crowd.ts";
import { postJson, QUESTION, startServer, type TestServer, until } from "./helpers.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ slots: 4 });
});
afterAll(() => server.close());

let socket: Socket;
afterEach(() => void socket?.destroy());

/** Opens a connection; `received` gives the text that the server has sent so far. */
function open(): { send(text: string): void; received(): string } {
  let text = "";
  socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.setEncoding("latin1").on("data", (data: string) => {
    text += data;
  });
  return { send: (data) => void socket.write(data), received: () => text };
}
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
const complete = (fields: object): string => {
  const body = JSON.stringify({ prompt: QUESTION, temperature: 0, max_tokens: 4, ...fields });
  const head = `host: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  return `POST /v1/completions HTTP/1.1\r\n${head}\r\n\r\n${body}`;
};
const statuses = (text: string): string[] => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status!);
const endless = { ignore_eos: true, stream: true, max_tokens: null };

it("a slot and a place in the queue end with their client, whether or not the request's own code runs again", async () => {
  const admission = new Admission(1, 1);
  const clients = [new AbortController(), new AbortController()];
  const [first, second] = clients.map(({ signal }) => admission.admit(signal));
  expect([admission.active, admission.queued]).toEqual([1, 1]);
  clients[0]!.abort();
  await second!.slot;
  expect([admission.active, admission.queued]).toEqual([1, 0]);
  clients[1]!.abort();
  expect([admission.active, admission.queued]).toEqual([0, 0]);
  first!.end(); // does nothing any more
  expect(admission.active).toBe(0);
});

describe("one connection", () => {
  it("is kept after an answer, a stream and a refusal", async () => {
    const { send, received } = open();
    const requests = [complete({}), complete({ stream: true }), complete({ temperature: -1 }), get("/health")];
    for (const [i, request] of requests.entries()) {
      send(request);
      await until(() => received().split("\r\n0\r\n\r\n").length === i + 2);
    }
    expect(statuses(received())).toEqual(["200", "200", "400", "200"]);
    expect(await server.listener.connections()).toBe(1);
  });

  it("pipelined requests are answered in their order, each with what it would get alone", async () => {
    const alone = open();
    alone.send(complete({}));
    await until(() => alone.received().includes('"finish_reason":"length"'));
    const text = /"text":"[^"]*"/.exec(alone.received())![0];
    socket.destroy();

    const { send, received } = open();
    send(complete({}) + complete({ stream: true }) + get("/health") + complete({ max_tokens: -2 }) + complete({}));
    await until(() => statuses(received()).length === 5 && received().split('"usage":{').length === 3);
    expect(statuses(received())).toEqual(["200", "200", "200", "400", "200"]);
    const [first, , last] = received()
      .split("data: [DONE]")
      .map((part) => part.split(text).length - 1);
    expect([first, last]).toEqual([1, undefined]);
    expect(received().split("data: [DONE]")[1]).toContain(text);
    expect(received().indexOf("[DONE]")).toBeLessThan(received().indexOf('"status":"ok"'));
  });

  it("that is cut off cancels every request on it", async () => {
    const { send, received } = open();
    send(complete(endless) + complete(endless) + complete({ ...endless, stream: false }));
    await until(() => received().includes("data: ") && server.model.stats().requests === 1);
    socket.destroy();
    await once(socket, "close");
    await until(() => server.model.stats().requests === 0 && server.model.stats().usedPages === 0);
  });

  it("pipelined requests take one slot in all, and none continues when their client has disconnected", async () => {
    const { send } = open();
    send(complete({ ...endless, stream: false, n: 2 }).repeat(40));
    await until(async () => (await gauge(server.url, "slots_busy")) === 1);
    expect(await gauge(server.url, "requests_queued")).toBe(0);
    socket.destroy();
    await until(async () => (await gauge(server.url, "slots_busy")) === 0);
    expect(server.model.stats()).toMatchObject({ requests: 0, usedPages: 0 });
    const answer = await postJson(`${server.url}/v1/completions`, { prompt: "a", max_tokens: 1 });
    expect(answer.status).toBe(200);
  });
});
