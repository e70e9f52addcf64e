/** The packed package's endpoints within the servers of Express, Fastify, Hono and node:http: answers, streams, clients that leave. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import type { load } from "../../../src/entries/node.ts";
import type { createHandler, toNodeListener } from "../../../src/entries/server.ts";
import { messages, postJson, until } from "../../server/helpers.ts";
import { createProject, type Project } from "../hosts/project.ts";

const here = import.meta.dirname;
const NAMES = ["node:http", "express", "express with its parser of bodies", "fastify", "hono"] as const;
interface Nibble {
  createHandler: typeof createHandler;
  toNodeListener: typeof toNodeListener;
}
type Tools = Nibble & { model: Model };
type Frameworks = Readonly<Record<(typeof NAMES)[number], (tools: Tools) => Promise<Server>>>;

let project: Project;
let nibble: Nibble;
let model: Model;
let frameworks: Frameworks;
beforeAll(async () => {
  install();
  frameworks = (await import("./servers.mjs" as string)).frameworks as Frameworks;
  project = createProject();
  const packed = (name: string): Promise<unknown> =>
    import(pathToFileURL(join(project.folder, "node_modules/nibble-llm/dist", name)).href);
  nibble = (await packed("server.js")) as Nibble;
  model = await ((await packed("index.js")) as { load: typeof load }).load("crumb");
});
afterAll(() => {
  model?.dispose();
  project?.remove();
});

/** Installs the frameworks, unless they are there in the versions of the lock file. */
function install(): void {
  const lock = readFileSync(join(here, "package-lock.json"), "utf8");
  const mark = join(here, "node_modules/.installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  const { status, stderr } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: here, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ci ended with ${status}:\n${stderr}`);
  writeFileSync(mark, lock);
}

describe.each(NAMES)("%s", (name) => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = await frameworks[name]({ ...nibble, model });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => until(() => model.stats().requests === 0));
  afterAll(() => void server.close());
  const chat = (fields: object = {}, init: RequestInit = {}): Promise<Response> =>
    postJson(`${url}/ai/v1/chat/completions`, { messages, temperature: 0, ...fields }, init);

  it("answers, and keeps its own routes", async () => {
    const answer = await chat();
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("264");
    expect(await (await fetch(`${url}/mine`)).text()).toBe("mine");
    expect(await (await fetch(`${url}/ai/v1/models`)).json()).toMatchObject({ data: [{ id: "crumb" }] });
  });

  it("streams as tokens come", async () => {
    const stream = await chat({ stream: true });
    expect(stream.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const parts: string[] = [];
    for await (const part of stream.body!.pipeThrough(new TextDecoderStream())) parts.push(part);
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.join("")).toMatch(/data: \[DONE\]\s*$/);
  });

  it("ends what nobody reads: a stream, and an answer that is not streamed", async () => {
    for (const stream of [true, false]) {
      const gone = new AbortController();
      const answer = chat({ stream, ignore_eos: true, max_tokens: null }, { signal: gone.signal });
      answer.then((response) => response.text()).catch(() => {}); // it ends with the abort
      await until(() => model.stats().requests === 1);
      gone.abort();
      await until(() => model.stats().requests === 0);
    }
  });

  it("says what is wrong", async () => {
    const wrong = await chat({ temperature: "hot" });
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toMatchObject({ error: { param: "temperature" } });
    expect((await fetch(`${url}/ai/nowhere`)).status).toBe(404);
  });
});
