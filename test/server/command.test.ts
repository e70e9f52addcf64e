/** `nibble serve` as a process. */
import { afterEach, describe, expect, it } from "vitest";
import { cli, nibble, Running } from "../cli/helpers.ts";
import { messages, postJson } from "./helpers.ts";

let running: Running | undefined;
afterEach(() => void running?.child.kill("SIGKILL"));

async function start(...flags: string[]): Promise<string> {
  running = new Running(process.execPath, [cli, "serve", "--port", "0", "--json", ...flags]);
  const end = await running.until("\n");
  return JSON.parse(running.stdout.slice(0, end)).url;
}

describe("nibble serve", () => {
  it("listens on loopback, tells where, ends its answers at SIGTERM and exits with 0", async () => {
    const url = await start("-t", "1", "-a", "tiny");
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await (await fetch(`${url}/v1/models`)).json()).data[0].id).toBe("tiny");
    const stream = await postJson(`${url}/v1/chat/completions`, { messages, temperature: 0, stream: true });
    running!.child.kill("SIGTERM");
    expect(await stream.text()).toMatch(/data: \[DONE\]\n\n$/);
    const { code, stderr } = await running!.result();
    expect([code, stderr]).toEqual([0, "nibble: ending; answers under way may go on\n"]);
  });

  it("SIGINT: with no grace, answers are cut off with an error event", async () => {
    const url = await start("--grace", "0", "--api-key", "k", "--parallel", "2");
    const headers = { authorization: "Bearer k" };
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    expect((await (await fetch(`${url}/props`, { headers })).json()).total_slots).toBe(2);
    const body = { prompt: "a", ignore_eos: true, stream: true };
    const stream = await postJson(`${url}/v1/completions`, body, { headers });
    running!.child.kill("SIGINT");
    expect(await stream.text()).toContain('"code":"shutting_down"');
    expect((await running!.result()).code).toBe(0);
  });

  it("a second signal ends it at once, in the middle of an answer", async () => {
    const url = await start();
    const body = { prompt: "a", ignore_eos: true, n: 8, stream: true, logprobs: 20 };
    const stream = await postJson(`${url}/v1/completions`, body);
    const reader = stream.body!.getReader();
    await reader.read();
    running!.child.kill("SIGTERM");
    while (!running!.stderr.includes("ending")) await reader.read();
    expect((await fetch(`${url}/health`)).status).toBe(503);
    running!.child.kill("SIGTERM");
    await expect(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    ).rejects.toThrow();
    await running!.exit;
    expect(running!.child.signalCode).toBe("SIGTERM");
  });

  it("--cache-tokens bounds what conversations keep; without it several fit", async () => {
    const body = { prompt: "word ".repeat(150), max_tokens: 1 };
    const small = await start("--cache-tokens", "64");
    const refused = await postJson(`${small}/v1/completions`, body);
    expect([refused.status, (await refused.json()).error.code]).toEqual([503, "context_length_exceeded"]);
    running!.child.kill("SIGKILL");
    const url = await start();
    for (let i = 0; i < 12; i++) {
      const prompt = `${i} ${"word ".repeat(150)}`;
      expect((await postJson(`${url}/v1/completions`, { ...body, prompt })).status).toBe(200);
    }
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(Number(/^nibble_kv_pages_cached (\d+)$/m.exec(metrics)![1])).toBeGreaterThan(1024 / 32);
  });

  it("wrong usage is told before anything is loaded", async () => {
    const wrong: [string[], string][] = [
      [["--host", "0.0.0.0"], "nibble: --host 0.0.0.0: it requires --api-key, or --insecure, because"],
      [["--port", "70000"], "nibble: --port: expected a whole number from 0 to 65535"],
      [["--parallel", "0"], "nibble: --parallel: expected"],
      [["--api-key", ""], "nibble: --api-key: expected text"],
    ];
    const results = await Promise.all(wrong.map(([flags]) => nibble(["serve", ...flags])));
    for (const [i, { code, stderr }] of results.entries()) {
      expect(stderr).toContain(wrong[i]![1]);
      expect(code).toBe(2);
    }
  });
});
