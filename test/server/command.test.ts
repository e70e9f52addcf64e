/** `nibble serve` as a process. */
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { cli, nibble, pathOf, Running } from "../cli/helpers.ts";
import { messages, postJson } from "./helpers.ts";

let running: Running | undefined;
afterEach(() => void running?.child.kill("SIGKILL"));

async function start(...flags: string[]): Promise<string> {
  running = new Running(process.execPath, [cli, "serve", "--port", "0", "--json", ...flags]);
  const end = await running.until("\n");
  return JSON.parse(running.stdout.slice(0, end)).url;
}

describe("nibble serve", () => {
  it("listens on loopback, prints its address, finishes its answers after SIGTERM and exits with 0", async () => {
    const url = await start("-t", "1", "-a", "tiny");
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await (await fetch(`${url}/v1/models`)).json()).data[0].id).toBe("tiny");
    const stream = await postJson(`${url}/v1/chat/completions`, { messages, temperature: 0, stream: true });
    running!.child.kill("SIGTERM");
    expect(await stream.text()).toMatch(/data: \[DONE\]\n\n$/);
    const { code, stderr } = await running!.result();
    expect([code, stderr]).toEqual([0, "nibble: ending after the answers that are running\n"]);
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

  it("--cache-tokens limits the tokens kept for conversations; without it several conversations fit", async () => {
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

  it("--temp, -n and other flags are the defaults of requests; flags of llama-server that change nothing are taken", async () => {
    const url = await start(
      "--temp",
      "0",
      "-n",
      "3",
      "--reasoning-format",
      "none",
      "--jinja",
      "-ngl",
      "99",
      "-fa",
      "on",
    );
    const ask = async (body: object) => (await postJson(`${url}/v1/chat/completions`, { messages, ...body })).json();
    const [a, b] = [await ask({ seed: 1 }), await ask({ seed: 2 })];
    expect(a.usage.completion_tokens).toBe(3);
    expect(a.choices).toEqual(b.choices);
    expect(a.choices[0].message.content).toMatch(/^<think>/);
    expect((await ask({ max_completion_tokens: 5 })).usage.completion_tokens).toBe(5);
    const message = (await (await postJson(`${url}/v1/messages`, { messages, max_tokens: 4 })).json()).usage;
    expect(message.output_tokens).toBe(4);
    const { settings = {} } = {
      settings: (await (await fetch(`${url}/props`)).json()).default_generation_settings.params,
    };
    expect(settings).toMatchObject({ temperature: 0, n_predict: 3 });
  });

  it("--chat-template and --chat-template-file replace the model's own; --no-ui serves no page", async () => {
    const prompt = async (...flags: string[]) => {
      const url = await start(...flags);
      const answer = await (
        await postJson(`${url}/apply-template`, { messages: [{ role: "user", content: "a" }] })
      ).json();
      expect((await fetch(url, { redirect: "manual" })).status).toBe(flags.includes("--no-ui") ? 404 : 302);
      running!.child.kill("SIGKILL");
      return answer.prompt;
    };
    expect(await prompt("--chat-template", "chatml")).toBe("<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n");
    expect(await prompt("--chat-template", "{{ messages[0].content }}!", "--no-ui")).toBe("a!");
    const folder = mkdtempSync(join(tmpdir(), "nibble-template-"));
    writeFileSync(join(folder, "a.jinja"), "[{{ messages[0].content }}]");
    expect(await prompt("--chat-template-file", join(folder, "a.jinja"))).toBe("[a]");
    rmSync(folder, { recursive: true });
  });

  it("several models are told apart by name and loaded when they are asked for; one may stay in memory", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nibble-models-"));
    cpSync(pathOf("dist/crumb.gguf"), join(folder, "second.gguf"));
    const url = await start("crumb", join(folder, "second.gguf"), "--models-max", "1", "-t", "1");
    const loaded = async () =>
      (await (await fetch(`${url}/api/ps`)).json()).models.map(({ name }: { name: string }) => name);
    const ask = async (model: string) => postJson(`${url}/v1/completions`, { model, prompt: "a", max_tokens: 1 });
    const { data } = await (await fetch(`${url}/v1/models`)).json();
    expect(data.map(({ id }: { id: string }) => id)).toEqual(["crumb", "second.gguf"]);
    expect(await loaded()).toEqual(["crumb"]);
    expect((await (await ask("second.gguf")).json()).model).toBe("second.gguf");
    expect(await loaded()).toEqual(["second.gguf"]);
    expect((await (await ask("crumb")).json()).model).toBe("crumb");
    const [unknown, tags] = [await ask("third"), await (await fetch(`${url}/api/tags`)).json()];
    expect([unknown.status, (await unknown.json()).error.code]).toEqual([404, "not_found"]);
    expect(tags.models[1]).toMatchObject({ name: "second.gguf", size: statSync(join(folder, "second.gguf")).size });
    rmSync(folder, { recursive: true });
  });

  it("--alias has several names; --strict refuses fields that are otherwise ignored and logged once", async () => {
    const lenient = await start("--alias", "tiny,gpt-4");
    const body = { prompt: "a", max_tokens: 1, temprature: 1 };
    for (const model of ["tiny", "gpt-4", "anything"])
      expect((await (await postJson(`${lenient}/v1/completions`, { ...body, model })).json()).model).toBe("tiny");
    expect(running!.stderr.match(/temprature/g)).toHaveLength(1);
    running!.child.kill("SIGKILL");
    const strict = await start("--strict");
    const refused = await postJson(`${strict}/v1/completions`, body);
    expect([refused.status, (await refused.json()).error.message]).toEqual([
      400,
      expect.stringContaining("temperature?"),
    ]);
  });

  it("wrong usage is an error before anything is loaded", async () => {
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
