/**
 * A server under load for a minute: mixed clients, stalled readers, the time to a first byte while others are answered.
 */
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createLoad } from "../../src/load/create-load.ts";
import { createHandler } from "../../src/server/handler.ts";
import { root, testHost } from "../helpers/models.ts";
import { gauge } from "../server/crowd.ts";
import { postJson, QUESTION, until } from "../server/helpers.ts";
import { quantile, type SoakServer, soak, startSoakServer } from "./soak.ts";

const SECONDS = 60;

async function start(): Promise<SoakServer> {
  const server = await startSoakServer();
  onTestFinished(() => server.stop());
  return server;
}

it(`${SECONDS} s of mixed clients, a tenth of them hostile: memory does not grow`, async () => {
  const result = await soak(await start(), { seconds: SECONDS, clients: 20 });
  console.log(result);
  expect(result.requests).toBeGreaterThan(500);
  // The last fifth is compared with the middle, when the heap has reached its size. Medians, because garbage collection
  // moves the size up and down.
  expect(result.lastMiB - result.middleMiB).toBeLessThan(16);
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
