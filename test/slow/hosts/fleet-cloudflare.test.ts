/** examples/fleet-cloudflare in workerd with wrangler's local queues and R2: what is delivered twice is answered once. */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../helpers/models.ts";
import { batchOf, resultsAlone } from "./fleet.ts";
import { createProject, installTools, type Project } from "./project.ts";
import { startWorker, type Worker } from "./wrangler.ts";

let project: Project;
let worker: Worker;
beforeAll(() => {
  installTools();
  project = createProject();
});
afterAll(() => project?.remove());

const batch = batchOf(120);

async function ask(path: string, init?: RequestInit): Promise<{ status: number; text: string }> {
  const response = await fetch(worker.url + path, init);
  return { status: response.status, text: await response.text() };
}

interface State {
  readonly id: string;
  readonly status: string;
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number };
}

async function post(body: string): Promise<State> {
  const { status, text } = await ask("/batches", { method: "POST", body });
  expect(status, text).toBe(200);
  return JSON.parse(text);
}

async function completed(id: string): Promise<State> {
  for (;;) {
    const { status, text } = await ask(`/batches/${id}`);
    expect(status, text).toBe(200);
    const state = JSON.parse(text) as State;
    if (state.status === "completed") return state;
    await setTimeout(200);
  }
}

describe("the example", () => {
  beforeAll(async () => {
    const folder = join(project.folder, "fleet");
    cpSync(join(root, "examples/fleet-cloudflare"), folder, { recursive: true });
    worker = await startWorker(folder);
  });
  afterAll(() => worker?.stop());

  it("answers a batch that is posted twice as one machine alone does, in the order of the requests", async () => {
    const [{ id }, again] = await Promise.all([post(batch), post(batch)]);
    expect(again.id).toBe(id);
    const early = await ask(`/batches/${id}/results`);
    expect(early.status).toBe(409);
    expect(early.text).toMatch(/\d+ of 120 requests have no answer yet/);
    const { request_counts } = await completed(id);
    expect(request_counts).toEqual({ total: 120, completed: 120, failed: 0 });
    const { status, text } = await ask(`/batches/${id}/results`);
    expect(status).toBe(200);
    expect(text === resultsAlone(project, batch)).toBe(true);
    expect(await post(batch)).toMatchObject({ id, status: "completed" });
  });

  it("refuses a file with a wrong line, and names it", async () => {
    const wrong = `${batch}{"custom_id":"a"}\n`;
    const { status, text } = await ask("/batches", { method: "POST", body: wrong });
    expect(status).toBe(400);
    expect(text).toMatch(/line 121: missing_required_parameter: method/);
  });

  it("an empty batch is complete, and unknown paths and methods have their status", async () => {
    const { id, status } = await post("");
    expect(status).toBe("completed");
    expect(await ask(`/batches/${id}/results`)).toEqual({ status: 200, text: "" });
    expect((await ask("/batches/batch_0123")).status).toBe(404);
    expect((await ask("/batches")).status).toBe(405);
    expect((await ask(`/batches/${id}`, { method: "POST" })).status).toBe(405);
    expect((await ask("/elsewhere")).status).toBe(404);
  });
});

describe("every delivery twice at the same time, and answers that R2 does not take", () => {
  const few = `${batch.split("\n").slice(0, 20).join("\n")}\n`;
  const named = (id: string): string =>
    `${JSON.stringify({ custom_id: id, method: "POST", url: "/v1/completions", body: { prompt: "1 + 1", max_tokens: 8 } })}\n`;
  const requests = named("lost") + few + named("unlucky");
  beforeAll(async () => {
    const folder = project.add("fleet");
    rmSync(folder, { recursive: true });
    cpSync(join(root, "examples/fleet-cloudflare"), folder, { recursive: true });
    project.add("fleet");
    const config = join(folder, "wrangler.jsonc");
    const vars = '"vars": { "API_KEY": "secret" },\n  "rules"';
    writeFileSync(config, readFileSync(config, "utf8").replace("worker.ts", "faulty.js").replace('"rules"', vars));
    worker = await startWorker(folder);
  });
  afterAll(() => worker?.stop());

  it("retries, and tells what has failed for good", async () => {
    const alone = resultsAlone(project, requests).trim().split("\n");
    const headers = { authorization: "Bearer secret" };
    expect((await ask("/batches", { method: "POST", body: requests })).status).toBe(401);
    const posted = await ask("/batches", { method: "POST", body: requests, headers });
    const { id } = JSON.parse(posted.text) as State;
    let state: State;
    do {
      await setTimeout(500);
      state = JSON.parse((await ask(`/batches/${id}`, { headers })).text);
    } while (state.status !== "completed");
    expect(state.request_counts).toEqual({ total: 22, completed: 21, failed: 1 });
    const { text } = await ask(`/batches/${id}/results`, { headers });
    const [lost, ...others] = text.trim().split("\n");
    expect(JSON.parse(lost!)).toMatchObject({
      custom_id: "lost",
      response: null,
      error: { code: "failed", message: "R2 does not take lost" },
    });
    expect(others.map((line, i) => line === alone[i + 1])).toEqual(others.map(() => true));
    expect(Number((await ask("/refused")).text)).toBeGreaterThan(10);
  });
});
