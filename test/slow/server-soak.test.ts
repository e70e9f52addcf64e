/**
 * A server under load for a minute: mixed clients, stalled readers, the time to a first byte while others are answered.
 */
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createLoad } from "../../src/load/create-load.ts";
import { createHandler } from "../../src/server/handler.ts";
import { cli, Running } from "../cli/helpers.ts";
import { root, testHost } from "../helpers/models.ts";
import { gauge } from "../server/crowd.ts";
import { messages, postJson, QUESTION, until } from "../server/helpers.ts";
import { processFacts } from "./process-facts.ts";

const SECONDS = 60;

/** The heap is limited to 40 MiB: without a limit V8 lets it grow before it collects garbage, which hides leaks. */
async function start(): Promise<{ url: string; pid: number }> {
  const heap = ["--max-old-space-size=40", "--max-semi-space-size=2"];
  const server = new Running(process.execPath, [...heap, cli, "serve", "--port", "0", "--json", "-t", "1"]);
  onTestFinished(() => void server.child.kill("SIGKILL"));
  const end = await server.until("\n");
  return { url: JSON.parse(server.stdout.slice(0, end)).url, pid: server.child.pid! };
}

const quantile = (list: number[], part: number): number =>
  list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(part * list.length))]!;

const CLIENTS: readonly ((url: string, i: number) => Promise<unknown>)[] = [
  async (url, i) => {
    const body = { messages: [{ role: "user", content: `${i} ${QUESTION}` }], max_tokens: 24, stream: i % 2 === 0 };
    expect((await postJson(`${url}/v1/chat/completions`, body)).status).toBe(200);
  },
  async (url, i) => {
    const body = { prompt: `${i} ${"word ".repeat(i % 100)}`, max_tokens: 8, n: 1 + (i % 4), logprobs: 3 };
    await (await postJson(`${url}/v1/completions`, body)).json();
  },
  async (url, i) => {
    const body = {
      messages,
      max_tokens: 16,
      stream: i % 2 === 0,
      tools: [{ name: "f", input_schema: { type: "object" } }],
    };
    await (await postJson(`${url}/v1/messages`, body)).text();
  },
  async (url, i) => {
    const schema = { type: "object", properties: { [`key${i % 500}`]: { type: "integer" } } };
    const text = { format: { type: "json_schema", name: "a", schema } };
    await (await postJson(`${url}/v1/responses`, { input: QUESTION, max_output_tokens: 16, text })).text();
  },
  async (url, i) => (await postJson(`${url}/v1/embeddings`, { input: [QUESTION, `${i}`] })).json(),
  async (url, i) => {
    const body = { prompt: QUESTION, stream: true, ignore_eos: true, n: 2 };
    const controller = new AbortController();
    setTimeout(() => controller.abort(), i % 50);
    await postJson(`${url}/v1/completions`, body, { signal: controller.signal })
      .then((response) => response.text())
      .catch(() => {});
  },
  async (url) => expect((await postJson(`${url}/v1/completions`, { prompt: "a", seed: "x" })).status).toBe(400),
  async (url) => expect((await postJson(`${url}/v1/completions`, '{"prompt":')).status).toBe(400),
  async (url) => (await fetch(`${url}/metrics`)).text(),
];

it(`${SECONDS} s of mixed clients: memory does not grow`, async () => {
  const { url, pid } = await start();
  const sizes: [requests: number, bytes: number][] = [];
  let requests = 0;
  const begin = performance.now();
  const seconds = () => (performance.now() - begin) / 1000;
  const client = async (): Promise<void> => {
    while (seconds() < SECONDS) {
      const i = requests++;
      await CLIENTS[i % CLIENTS.length]!(url, i);
    }
  };
  const clients = Promise.all(Array.from({ length: 12 }, client));
  while (seconds() < SECONDS) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const bytes = processFacts(pid)?.bytes;
    if (bytes !== undefined) sizes.push([requests, bytes]);
  }
  await clients;
  await until(async () => (await gauge(url, "requests_running")) === 0);
  for (const name of ["slots_busy", "requests_queued", "kv_pages_used"]) expect(await gauge(url, name)).toBe(0);
  expect(requests).toBeGreaterThan(500);
  // The last fifth is compared with the middle, when the heap has reached its size. Medians, because garbage collection
  // moves the size up and down.
  const part = (from: number, to: number) => {
    const list = sizes.slice(from * sizes.length, to * sizes.length).map(([, bytes]) => bytes);
    return quantile(list, 0.5) / 2 ** 20;
  };
  const middle = part(0.4, 0.6);
  const last = part(0.8, 1);
  console.log({ requests, MiB: [part(0, 0.1), middle, last].map(Math.round) });
  if (sizes.length > 0) expect(last - middle).toBeLessThan(16);
});

it("100 stalled readers: few tokens are computed for them, none while they wait, and then they are disconnected", async () => {
  const options = { name: "crumb", threads: 1, cacheTokens: 2 ** 15 };
  const model = await createLoad(testHost)(join(root, "dist/crumb.gguf"), options);
  const handler = createHandler(model, { slots: 100, stallTimeoutMs: 15_000 });
  const init = {
    method: "POST",
    body: JSON.stringify({ prompt: QUESTION, ignore_eos: true, stream: true }),
    headers: { "content-type": "application/json" },
  };
  const ask = () => handler(new Request("http://localhost/v1/completions", init));
  const readers = (await Promise.all(Array.from({ length: 100 }, ask))).map(({ body }) => body!.getReader());
  await Promise.all(readers.map((reader) => reader.read()));
  for (let before = -1; before !== model.stats().usedPages; await new Promise((resolve) => setTimeout(resolve, 500)))
    before = model.stats().usedPages;
  expect(model.stats().requests).toBe(100);
  expect(model.stats().usedPages).toBeLessThanOrEqual(100 * 4); // the prompt and 64 tokens
  const first = process.memoryUsage.rss();
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  expect((process.memoryUsage.rss() - first) / 2 ** 20).toBeLessThan(1);
  await until(() => model.stats().requests === 0);
  expect(model.stats().usedPages).toBe(0);
  for (const reader of readers) await expect(reader.read()).rejects.toMatchObject({ code: "timeout" });
  model.dispose();
});

it("the first byte of an answer beside 7 others", async () => {
  const { url } = await start();
  const controller = new AbortController();
  const busy = Array.from({ length: 7 }, async (_, i) => {
    const body = { prompt: `${i} ${QUESTION}`, ignore_eos: true, stream: true };
    while (!controller.signal.aborted)
      await postJson(`${url}/v1/completions`, body, { signal: controller.signal })
        .then((response) => response.text())
        .catch(() => {});
  });
  await until(async () => (await gauge(url, "requests_running")) === 7);
  const times: number[] = [];
  for (let i = 0; i < 50; i++) {
    const begin = performance.now();
    const question = [{ role: "user", content: `How much is ${i} * 33?` }];
    const body = { messages: question, stream: true, max_tokens: 4, temperature: 0 };
    const response = await postJson(`${url}/v1/chat/completions`, body);
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (/"(content|reasoning_content)":"[^"]/.test(text)) break;
    }
    times.push(performance.now() - begin);
  }
  controller.abort();
  await Promise.all(busy);
  const ms = [0.5, 0.9, 1].map((part) => Math.round(quantile(times, part)));
  console.log({ ms });
  expect(ms[0]).toBeLessThan(500);
});
