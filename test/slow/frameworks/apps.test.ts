/** Apps of frameworks with the packed package, developed and built: answers of crumb and of SmolLM2, streams, clients that leave. */
import { rmSync } from "node:fs";
import process from "node:process";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { fetchOrSkip } from "../../helpers/real-model.ts";
import { messages, postJson, until } from "../../server/helpers.ts";
import { createProject, installTools, type Project, run, tool } from "../hosts/project.ts";
import { type AppServer, createApp, ENV, startApp } from "./app-folder.ts";
import { APPS } from "./apps.ts";

const smollm2 = await fetchOrSkip("smollm2-135m-instruct-q4_1");
let project: Project;
beforeAll(() => {
  installTools();
  project = createProject();
});
afterAll(() => project?.remove());

let server: AppServer | undefined;
afterEach(() => {
  server?.end();
  server = undefined;
});

describe.each(APPS)("$name", (app) => {
  let folder: string;
  beforeAll(() => {
    folder = createApp(app, project.tarball);
    if (app.build) run(process.execPath, app.build, { cwd: folder, env: ENV });
  });
  afterAll(() => folder && rmSync(folder, { recursive: true }));

  /** Starts a server of the app. @returns the URL of nibble's endpoints */
  async function start(command: readonly string[]): Promise<string> {
    const program = app.bun ? tool("bun/bin/bun.exe") : process.execPath;
    server = await startApp({ folder, program, command, path: "/ai/health", env: { SMOLLM2: smollm2 } });
    return `${server.url}/ai`;
  }
  const ask = (url: string, fields: object = {}, init: RequestInit = {}): Promise<Response> =>
    postJson(`${url}/v1/chat/completions`, { model: "crumb", messages, temperature: 0, ...fields }, init);

  it("answers while it is developed", async () => {
    const answer = await ask(await start(app.dev));
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("264")]);
  });

  it("built: answers, streams as tokens come, and ends what nobody reads", async () => {
    const url = await start(app.start);
    const answer = await ask(url);
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("264")]);

    const streamed = await ask(url, { stream: true });
    const parts: string[] = [];
    for await (const part of streamed.body!.pipeThrough(new TextDecoderStream())) parts.push(part);
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.join("")).toMatch(/data: \[DONE\]\s*$/);

    const page = async (path: string): Promise<string> => (await fetch(url + path)).text();
    const busy = async (): Promise<boolean> => (await page("/slots")).includes(":true");
    const leaves = app.onlyStreamsEnd ? [true] : [true, false];
    for (const stream of leaves) {
      const gone = new AbortController();
      const unread = ask(url, { stream, ignore_eos: true, max_tokens: null, n: 8 }, { signal: gone.signal });
      unread.then((response) => response.text()).catch(() => {}); // it ends with the abort
      await until(busy);
      gone.abort();
      await until(async () => !(await busy()));
    }
    expect(await page("/metrics")).toContain(`nibble_answers_cut_total ${leaves.length}\n`);

    if (smollm2 !== "") {
      const real = await ask(url, { model: "smollm2", messages: [{ role: "user", content: "Hello" }] });
      expect(await real.text()).toContain("Hello! How can I assist you today?");
    }
  });
});
