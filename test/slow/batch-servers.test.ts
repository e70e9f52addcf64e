/** 2,000 requests over three servers, of which one is killed at a random moment and one comes late: real processes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { cli, nibble, Running } from "../cli/helpers.ts";
import { freePort } from "../helpers/free-port.ts";

const COUNT = 2000;
const folder = mkdtempSync(join(tmpdir(), "nibble-batch-servers-"));
const at = (name: string): string => join(folder, name);
const running: Running[] = [];
afterAll(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  await Promise.all(running.map(({ exit }) => exit));
  rmSync(folder, { recursive: true });
});

function serve(port: number): Running {
  const server = new Running(process.execPath, [cli, "serve", "crumb", "--port", String(port), "-t", "1", "--no-ui"]);
  running.push(server);
  return server;
}

function request(i: number): object {
  const question = { messages: [{ role: "user", content: `How much is ${i} + ${i % 7}?` }], max_tokens: 8 + (i % 9) };
  const [url, body] =
    i % 3 === 0
      ? ["/v1/completions", { prompt: `${i} + 5 =`, max_tokens: 6, temperature: i % 2 }]
      : i % 10 === 1
        ? ["/v1/embeddings", { input: `text ${i}`, encoding_format: "base64" }]
        : ["/v1/chat/completions", question];
  return { custom_id: `r${i}`, method: "POST", url, body };
}

const lines = (name: string): string[] => readFileSync(at(name), "utf8").trimEnd().split("\n");

it("all are answered once, with the same bytes as alone", async () => {
  writeFileSync(
    at("requests.jsonl"),
    Array.from({ length: COUNT }, (_, i) => `${JSON.stringify(request(i))}\n`).join(""),
  );
  const alone = await nibble(["batch", at("requests.jsonl"), "-o", at("alone.jsonl"), "-m", "crumb", "-t", "1"]);
  expect(alone.code).toBe(0);

  const ports = [await freePort(), await freePort(), await freePort()];
  const [first, second] = [serve(ports[0]!), serve(ports[1]!)];
  await Promise.all([first, second].map((server) => server.until("at http://")));
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const args = ["batch", at("requests.jsonl"), "-o", at("three.jsonl"), "--url", ...urls];
  const batch = new Running(process.execPath, [cli, ...args]);
  running.push(batch);
  const done = (): number => {
    try {
      return lines("three.jsonl").length;
    } catch {
      return 0;
    }
  };
  const reached = async (count: number): Promise<void> => {
    while (done() < count && batch.child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const killAt = 50 + Math.floor(700 * Math.random());
  await reached(killAt);
  first.child.kill("SIGKILL");
  await reached(killAt + Math.floor(200 * Math.random()));
  const third = serve(ports[2]!);
  const { code, stderr } = await batch.result();
  expect([code, stderr]).toEqual([0, expect.stringContaining(`${urls[0]}: the connection was cut`)]);
  expect(stderr).toContain(`${urls[2]}: it answers`);
  expect(done()).toBe(COUNT);
  expect(new Set(lines("three.jsonl").map((line) => JSON.parse(line).custom_id)).size).toBe(COUNT);
  expect(readFileSync(at("three.jsonl"), "utf8")).toBe(readFileSync(at("alone.jsonl"), "utf8"));
  // The late one had a share of the work.
  const metrics = await (await fetch(`${urls[2]}/metrics`)).text();
  const answered = [...metrics.matchAll(/path="\/v1\/[^"]+",status="200"} (\d+)/g)].map(([, count]) => Number(count));
  expect(answered.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(20);
  third.child.kill("SIGTERM");
});
