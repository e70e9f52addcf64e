/** The official clients against the packed server on every host; clients that disconnect. */
import { connect } from "node:net";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import { Running } from "../../cli/helpers.ts";
import { crowd, gauge } from "../../server/crowd.ts";
import { loadCrumb, messages, postJson, QUESTION, until } from "../../server/helpers.ts";
import { createProject, installTools, type Project, tool } from "./project.ts";
import { workerdCommand } from "./workerd.ts";

let project: Project;
let model: Model;
beforeAll(async () => {
  installTools();
  project = createProject();
  model = await loadCrumb();
});
afterAll(() => {
  model.dispose();
  project.remove();
});

let running: Running | undefined;
afterEach(() => void running?.child.kill("SIGKILL"));

/** Starts a program that prints its address. */
async function start(path: string, args: readonly string[]): Promise<string> {
  running = new Running(path, args, { cwd: project.folder, env: { PATH: "/usr/bin:/bin", NO_COLOR: "1" } });
  await running.until("\n");
  const [, url, port] = /(http:[^"\s]+)|"port":(\d+)/.exec(running.stdout)!;
  return url ?? `http://127.0.0.1:${port}`;
}

const serve = (node: string): Promise<string> => {
  const cli = join(project.folder, "node_modules/nibble-llm/dist/cli.js");
  return start(node, [cli, "serve", "--port", "0", "--json", "--api-key", "secret"]);
};
const bun = (options: object): Promise<string> =>
  start(tool("bun/bin/bun.exe"), [join(project.add("server"), "main.js"), JSON.stringify(options)]);
const deno = (options: object): Promise<string> => {
  const allowed = ["--allow-net", `--allow-read=${project.folder}`];
  const file = join(project.add("server"), "main.js");
  return start(tool("deno/deno"), ["run", "--no-prompt", "--cached-only", ...allowed, file, JSON.stringify(options)]);
};
const keys = { apiKeys: ["secret"] };
const hosts: readonly [name: string, begin: () => Promise<string>][] = [
  ["Node 20", () => serve(tool("node-20/bin/node"))],
  ["Node 24", () => serve(process.execPath)],
  ["Node 26", () => serve(tool("node-26/bin/node"))],
  ["Bun", () => bun(keys)],
  ["Deno", () => deno(keys)],
  [
    "workerd",
    // Without the flag, a client that disconnects before a whole answer is not noticed.
    () => start(...workerdCommand(project.add("server-worker"), { compatibilityFlags: ["enable_request_signal"] })),
  ],
];

const headers = { authorization: "Bearer secret" };

describe.each(hosts)("%s", (_, begin) => {
  it("answers OpenAI's and Anthropic's clients; requests of clients that disconnect are cancelled", async () => {
    const url = await begin();
    const metric = (name: string) => gauge(url, name, headers);
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "secret", maxRetries: 0 });
    const anthropic = new Anthropic({ baseURL: url, apiKey: "secret", maxRetries: 0 });
    const chat = { model: "crumb", messages: [...messages], temperature: 0 };
    const direct = await model.chat.completions.create({ messages, temperature: 0, reasoning_format: "auto" });
    const { content, reasoning_content } = direct.choices[0]!.message;

    expect((await openai.chat.completions.create(chat)).choices[0]!.message).toEqual(direct.choices[0]!.message);
    let text = "";
    for await (const chunk of await openai.chat.completions.create({ ...chat, stream: true }))
      text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe(content);
    const response = openai.responses.stream({ model: "crumb", input: QUESTION, temperature: 0 });
    expect((await response.finalResponse()).output_text).toBe(content);
    const message = await anthropic.messages.stream({ ...chat, max_tokens: 200 }).finalMessage();
    expect(message.content).toMatchObject([
      { type: "thinking", thinking: reasoning_content },
      { type: "text", text: content },
    ]);
    // More requests than slots: waiting ones are woken by others' requests.
    const many = await Promise.all(Array.from({ length: 24 }, () => openai.chat.completions.create(chat)));
    for (const { choices } of many) expect(choices[0]!.message.content).toBe(content);
    await expect(openai.chat.completions.create({ ...chat, temperature: -1 })).rejects.toMatchObject({ status: 400 });

    // An answer that was read to its end was not cut off, even if the host aborts its request afterwards.
    expect(await metric("answers_cut_total")).toBe(0);
    const endless = { prompt: QUESTION, ignore_eos: true, n: 8 };
    const stream = await postJson(`${url}/v1/completions`, { ...endless, stream: true }, { headers });
    const reader = stream.body!.getReader();
    await reader.read();
    expect(await metric("slots_busy")).toBe(1);
    await reader.cancel();
    await until(async () => (await metric("requests_running")) === 0);
    const body = JSON.stringify(endless);
    const head = `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: ${headers.authorization}`;
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write(`${head}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await until(async () => (await metric("slots_busy")) === 1);
    socket.resetAndDestroy(); // workerd takes a client that closes its side for one that has sent all, and answers it
    await until(async () => (await metric("requests_running")) === 0);
    expect(await metric("answers_cut_total")).toBe(2);
    for (const name of ["slots_busy", "requests_queued", "kv_pages_used"]) expect(await metric(name)).toBe(0);
  });

  it("a client that leaves in any state ends its work, and nobody else's", async () => {
    const url = await begin();
    const metric = (name: string) => gauge(url, name, headers);
    const send = (fields: object) => {
      const body = JSON.stringify({ prompt: QUESTION, ignore_eos: true, ...fields });
      const head = `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: ${headers.authorization}`;
      const socket = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});
      socket.write(`${head}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      return socket;
    };
    // Reading a long prompt, beside other answers.
    const reading = send({ prompt: new Array(900).fill(7), n: 8 });
    await until(async () => (await metric("requests_running")) > 0);
    reading.resetAndDestroy();
    await until(async () => (await metric("requests_running")) === 0);
    // Eight run and one waits: that one leaves, then one of the eight.
    const running = Array.from({ length: 8 }, (_, i) => send({ stream: i % 2 === 0 }));
    await until(async () => (await metric("slots_busy")) === 8);
    const waiting = send({});
    await until(async () => (await metric("requests_queued")) === 1);
    waiting.resetAndDestroy();
    await until(async () => (await metric("requests_queued")) === 0);
    expect(await metric("slots_busy")).toBe(8);
    for (const [i, socket] of running.entries()) {
      socket.resetAndDestroy();
      await until(async () => (await metric("slots_busy")) <= 7 - i);
    }
    await until(async () => (await metric("kv_pages_used")) === 0);
  });
});

describe.each([
  ["Bun", bun],
  ["Deno", deno],
])("%s", (_, begin) => {
  it("SIGTERM: answers in progress are finished, new requests refused", async () => {
    const url = await begin({});
    const stream = await postJson(`${url}/v1/completions`, { prompt: QUESTION, ignore_eos: true, stream: true, n: 8 });
    const waiting = fetch(`${url}/health`);
    expect((await waiting).status).toBe(200);
    running!.child.kill("SIGTERM");
    await until(async () => (await fetch(`${url}/health`)).status === 503);
    expect(await stream.text()).toMatch(/data: \[DONE\]\n\n$/);
    expect((await running!.result()).code).toBe(0);
  });

  it("1,000 connections: normal clients get the right answer, nothing stays allocated", async () => {
    const url = await begin({ slots: 16, cacheTokens: 16384, stallTimeoutMs: 5000, bodyTimeoutMs: 5000 });
    const begun = performance.now();
    const kinds = { normal: 400, slowReaders: 200, choices: 1, leaving: 200, slowSenders: 100, garbage: 100 };
    const { refusals, close } = await crowd(url, { ...kinds, retryMs: 1000 });
    await until(async () => (await gauge(url, "slots_busy")) === 0);
    for (const name of ["requests_queued", "requests_running", "kv_pages_used"]) expect(await gauge(url, name)).toBe(0);
    close();
    const ms = [0.5, 0.99].map((part) => Math.round(refusals[Math.floor(part * refusals.length)]!));
    console.log({ seconds: (performance.now() - begun) / 1000, refusals: refusals.length, ms });
  });
});
