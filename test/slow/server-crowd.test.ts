/** 1,000 connections at once to `nibble serve`. */
import { expect, it, onTestFinished } from "vitest";
import { cli, Running } from "../cli/helpers.ts";
import { crowd, gauge } from "../server/crowd.ts";
import { until } from "../server/helpers.ts";
import { processFacts } from "./process-facts.ts";

it("normal clients get the right answer, at once or later; nothing stays allocated", async () => {
  const flags = ["--port", "0", "--json", "-t", "1", "-np", "16", "--cache-tokens", "16384"];
  const server = new Running(process.execPath, [cli, "serve", ...flags]);
  onTestFinished(() => void server.child.kill("SIGKILL"));
  const end = await server.until("\n");
  const { url } = JSON.parse(server.stdout.slice(0, end));
  const pid = server.child.pid!;
  const before = processFacts(pid);
  const kinds = {
    normal: 400,
    slowReaders: 200,
    choices: 1,
    leaving: 200,
    slowSenders: 100,
    garbage: 100,
    retryMs: 1000,
  };
  const start = performance.now();
  const { refusals, close } = await crowd(url, kinds);
  const after = processFacts(pid);
  // Readers that read nothing lose their slots after 30 s, and slow senders their connections, even if they stay
  // connected.
  await until(async () => (await gauge(url, "slots_busy")) === 0);
  expect(await gauge(url, "requests_queued")).toBe(0);
  expect(await gauge(url, "requests_running")).toBe(0);
  expect(await gauge(url, "kv_pages_used")).toBe(0);
  close();
  const seconds = (performance.now() - start) / 1000;
  const refusalMs = [0.5, 0.99, 1].map((part) => refusals[Math.ceil(part * refusals.length) - 1]);
  console.log({ seconds, refusals: refusals.length, refusalMs, before, after, settled: processFacts(pid) });
  if (before) {
    expect(after!.bytes - before.bytes).toBeLessThan(1000 * 256 * 1024);
    await until(() => processFacts(pid)!.sockets <= before.sockets + 1);
  }
  server.child.kill("SIGTERM");
  expect((await server.result()).code).toBe(0);
});
