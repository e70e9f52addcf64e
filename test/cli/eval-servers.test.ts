/** `nibble eval --url`: the same files as from a model here, whoever computes, and servers that cannot. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { dataFolder } from "../eval/fixtures.ts";
import { startServer, type TestServer } from "../server/helpers.ts";
import { nibble } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-eval-servers-"));
const at = (name: string): string => join(folder, name);
let servers: TestServer[];
beforeAll(async () => {
  servers = await Promise.all([startServer({ defaults: { top_k: 3, repeat_penalty: 1.5 } }), startServer()]);
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  rmSync(folder, { recursive: true });
});

const TASKS = ["hellaswag", "winogrande", "gsm8k"];
const files = ["results.json", ...TASKS.map((task) => `samples_${task}.jsonl`)];

function run(out: string, ...args: string[]) {
  const own = [
    "--data",
    dataFolder,
    "--num-fewshot",
    "0",
    "--limit",
    "4",
    "-n",
    "16",
    "--samples",
    "2",
    "--temp",
    "0.7",
  ];
  return nibble(["eval", ...TASKS, ...own, "-o", at(out), ...args]);
}

it("the files of a model here, byte for byte, from one server and from two", async () => {
  expect(await run("here", "-m", "crumb", "-t", "1")).toMatchObject({ code: 0 });
  const [a, b] = servers.map(({ url }) => url) as [string, string];
  for (const [out, urls] of [
    ["one", ["--url", `${a}/v1`]],
    ["two", ["--url", a, b]],
  ] as const) {
    expect(await run(out, ...urls)).toMatchObject({ code: 0 });
    for (const name of files)
      expect(readFileSync(join(at(out), name), "utf8"), name).toBe(readFileSync(join(at("here"), name), "utf8"));
  }
});

it("in chats, by the server's own template", async () => {
  // crumb's problems are inside the package.
  const problems = (out: string, ...args: string[]) =>
    nibble(["eval", "crumb-problems", "--limit", "4", "-n", "16", "-o", at(out), ...args]);
  expect(await problems("chat-here", "-m", "crumb", "-t", "1")).toMatchObject({ code: 0 });
  expect(await problems("chat-there", "--url", servers[0]!.url)).toMatchObject({ code: 0 });
  for (const name of ["results.json", "samples_crumb-problems.jsonl"])
    expect(readFileSync(join(at("chat-there"), name), "utf8")).toBe(readFileSync(join(at("chat-here"), name), "utf8"));
});

/**
 * A server as llama-server is: it tokenizes, its completions echo no log-probabilities, and settings of samplers that are off
 * are checked all the same.
 */
async function silentServer(): Promise<{ server: Server; url: string }> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const choice = {
      index: 0,
      text: "x",
      logprobs: { content: [{ id: 1, token: "x", logprob: -1, top_logprobs: [] }] },
    };
    const answers: Record<string, object> = {
      "/v1/models": { data: [{ id: "other" }] },
      "/props": { default_generation_settings: { n_ctx: 512 }, total_slots: 1 },
      "/tokenize": { tokens: [...new TextEncoder().encode(body && JSON.parse(body).content)] },
      "/v1/completions": { choices: [choice] },
    };
    response.setHeader("content-type", "application/json");
    if (JSON.parse(body || "{}").dry_penalty_last_n === -1) response.statusCode = 400;
    response.end(JSON.stringify(answers[request.url!] ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

it("a server that echoes no log-probabilities is refused by name; one with another model too", async () => {
  const { server, url } = await silentServer();
  const args = ["--data", dataFolder, "--limit", "2", "-n", "4", "--num-fewshot", "0"];
  const { code, stderr } = await nibble(["eval", "hellaswag", ...args, "--url", url]);
  expect([code, stderr]).toEqual([1, expect.stringContaining(`${url}: this server does not echo`)]);
  expect((await nibble(["eval", "gsm8k", ...args, "--url", url])).code).toBe(0);
  server.close();
  const both = await nibble(["eval", "gsm8k", "--url", url, "-m", "crumb"]);
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("-m: it cannot be used together with --url")]);
});
