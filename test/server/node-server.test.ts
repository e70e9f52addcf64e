/** Connections as Node has them: clients that leave in every state, bodies that are refused, limits per connection. */
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { listen } from "../../src/hosts/node/server.ts";
import { gauge } from "./crowd.ts";
import { postJson, QUESTION, startServer, type TestServer, until } from "./helpers.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ slots: 2, queue: 8 });
});
afterAll(() => server.close());

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Opens a connection; `received` gives the text that the server has sent so far. */
function open(url = server.url) {
  let text = "";
  let closed = false;
  const socket = connect({ port: Number(new URL(url).port), host: "127.0.0.1", allowHalfOpen: true });
  sockets.push(socket);
  socket.setEncoding("latin1").on("data", (data: string) => {
    text += data;
  });
  socket.on("error", () => {});
  for (const event of ["end", "close"])
    socket.on(event, () => {
      closed = true;
    });
  return { socket, send: (data: string) => void socket.write(data), received: () => text, closed: () => closed };
}
const post = (path: string, body: string, ...headers: string[]): string =>
  [`POST ${path} HTTP/1.1`, "host: localhost", `content-length: ${body.length}`, ...headers, "", body].join("\r\n");
const complete = (fields: object): string =>
  post("/v1/completions", JSON.stringify({ prompt: QUESTION, temperature: 0, max_tokens: 4, ...fields }));
const statuses = (text: string): string[] => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status!);
const endless = { ignore_eos: true, max_tokens: null };
const gauges = async () => [await gauge(server.url, "slots_busy"), await gauge(server.url, "requests_queued")];
const isIdle = async () =>
  (await gauges()).join() === "0,0" && server.model.stats().requests === 0 && server.model.stats().usedPages === 0;

describe("a client that leaves, or ends its own side as a proxy does that passes this on", () => {
  const ways: [name: string, leave: (socket: Socket) => void][] = [
    ["cuts the connection", (socket) => void socket.destroy()],
    ["half-closes", (socket) => void socket.end()],
    ["half-closes and reads nothing", (socket) => void socket.pause().end()],
  ];
  const states: [name: string, request: string, reached: () => Promise<boolean> | boolean][] = [
    ["streaming", complete({ ...endless, stream: true }), () => server.model.stats().usedPages > 0],
    ["answering whole", complete({ ...endless, n: 2 }), () => server.model.stats().usedPages > 0],
    [
      "reading its prompt",
      complete({ prompt: new Array(900).fill(7), ...endless }),
      () => server.model.stats().requests > 0,
    ],
    ["pipelined", complete(endless).repeat(5), () => server.model.stats().requests > 0],
    ["embedding", post("/v1/embeddings", JSON.stringify({ input: new Array(200).fill(QUESTION) })), () => true],
    ["sending its body", complete({ ...endless }).slice(0, -20), () => true],
  ];
  for (const [way, leave] of ways)
    it.each(states)(`${way} while %s: its work ends`, async (_, request, reached) => {
      const { socket, send } = open();
      send(request);
      await until(reached);
      leave(socket);
      await until(isIdle);
    });

  it.each(ways)("%s while waiting in the queue: it loses its place, and others keep theirs", async (_, leave) => {
    const running = [1, 2].map(() => open());
    for (const { send } of running) send(complete({ ...endless, stream: true }));
    await until(async () => (await gauges()).join() === "2,0");
    const [first, second] = [open(), open()];
    first.send(complete(endless));
    await until(async () => (await gauges()).join() === "2,1");
    second.send(complete({}));
    await until(async () => (await gauges()).join() === "2,2");
    leave(first.socket);
    await until(async () => (await gauges()).join() === "2,1");
    for (const { socket } of running) socket.destroy();
    await until(() => statuses(second.received()).join() === "200");
    await until(isIdle);
  });
});

describe("a body that is refused", () => {
  const large = " ".repeat(8 * 2 ** 20);
  it("is 413 for a client that reads only behind its own last byte", async () => {
    for (const headers of [[], ["expect: 100-continue"]]) {
      const { socket, send, received, closed } = open();
      socket.pause();
      send(post("/v1/completions", large, ...headers));
      await until(() => socket.writableLength === 0);
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.resume();
      await until(closed);
      expect(statuses(received())).toEqual(["413"]);
      expect(received()).toMatch(/"code":"too_large"[\s\S]*\}$/);
    }
  });

  it("a client that asks first whether to send its body is told", async () => {
    const { send, received } = open();
    const request = complete({ stream: true });
    const end = request.indexOf("\r\n\r\n");
    send(`${request.slice(0, end)}\r\nexpect: 100-continue\r\n\r\n`);
    await until(() => received().startsWith("HTTP/1.1 100 Continue\r\n\r\n"));
    send(request.slice(end + 4));
    await until(() => received().includes("[DONE]"));
    expect(statuses(received())).toEqual(["100", "200"]);
  });

  it("gets its answer at once and whole, also while the client goes on sending", async () => {
    const { send, received, closed } = open();
    send(post("/v1/completions", large).slice(0, 10_000));
    await until(() => received().includes("too_large"));
    const { length } = /\{"error[\s\S]*$/.exec(received())![0];
    expect(received()).toContain(`content-length: ${length}\r\n`);
    await until(closed);
  });
});

describe("limits of a connection", () => {
  it("a thousand requests; the last answer says that the connection ends", async () => {
    const { send, received, closed } = open();
    const request = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for (let sent = 0; sent < 1000; sent += 50) {
      send(request.repeat(50));
      await until(() => statuses(received()).length === sent + 50);
    }
    await until(closed);
    expect(received().match(/connection: close/gi)).toHaveLength(1);
  });

  it("a hundred requests ahead of their answers; with more it is cut off", async () => {
    const { send, closed } = open();
    send(complete({ ...endless }).repeat(101));
    await until(closed);
    await until(isIdle);
    expect((await postJson(`${server.url}/v1/completions`, { prompt: "a", max_tokens: 1 })).status).toBe(200);
  });
});

it("a body that waits for its turn behind a long answer is not late", async () => {
  let release = (): void => {};
  const first = new Promise<void>((resolve) => {
    release = resolve;
  });
  let count = 0;
  const listener = await listen(
    async (request) => {
      if (count++ === 0) await first;
      return new Response(String((await request.text()).length));
    },
    { port: 0 },
  );
  const { send, received } = open(listener.url);
  send(post("/", "a") + post("/", "b".repeat(300_000)));
  // Node's own limit for requests, which is looked at once a second, would end the connection here.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  release();
  await until(() => received().includes("300000"));
  expect(statuses(received())).toEqual(["200", "200"]);
  await listener.close(0);
});
