/** examples/fleet-bullmq with a real Redis or Valkey: three workers, of which one is killed while it answers. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../../helpers/free-port.ts";
import { root } from "../../helpers/models.ts";
import { batchOf, resultsAlone } from "./fleet.ts";
import { createProject, installTools, npm, type Project, redisPath, tool } from "./project.ts";

/** The parts of BullMQ that the test uses. */
interface Job {
  readonly data: { readonly customId: string };
  readonly processedBy?: string;
  readonly attemptsStarted: number;
}
interface Queue {
  getActive(): Promise<Job[]>;
  getCompleted(): Promise<Job[]>;
  getCompletedCount(): Promise<number>;
  getFailedCount(): Promise<number>;
  getJobCountByTypes(): Promise<number>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}
interface BullMq {
  readonly Queue: new (name: string, options: object) => Queue;
  readonly Worker: new (name: string, process: () => Promise<never>, options: object) => { close(): Promise<void> };
}

/** A dead worker's jobs go to others after this time. */
const LOCK_MS = 3000;

let project: Project;
let folder: string;
let redis: ChildProcess;
let url: string;
let bullmq: BullMq;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  installTools();
  project = createProject();
  folder = join(project.folder, "fleet");
  cpSync(join(root, "examples/fleet-bullmq"), folder, { recursive: true });
  npm(["install", "--no-audit", "--no-fund", project.tarball], folder);
  bullmq = createRequire(join(folder, "worker.js"))("bullmq") as BullMq;
  const port = await freePort();
  url = `redis://127.0.0.1:${port}`;
  mkdirSync(join(project.folder, "redis"));
  redis = spawn(redisPath(), ["--port", `${port}`, "--bind", "127.0.0.1", "--save", ""], {
    cwd: join(project.folder, "redis"),
    stdio: "ignore",
  });
});
afterAll(() => {
  for (const child of [...running, redis]) child?.kill("SIGKILL");
  project?.remove();
});

interface Script {
  readonly child: ChildProcess;
  printed(): string;
  readonly ended: Promise<number | null>;
}

/** Runs one of the example's scripts, by default on the machine's own Node. */
function start(args: readonly string[], variables: object = {}, node = "node"): Script {
  const env = { ...process.env, REDIS_URL: url, LOCK_MS: `${LOCK_MS}`, ...variables };
  const child = spawn(node, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (printed += text));
  running.add(child);
  const ended = new Promise<number | null>((resolve) =>
    child.once("close", (code) => {
      running.delete(child);
      resolve(code);
    }),
  );
  return { child, printed: () => printed, ended };
}

async function finish(args: readonly string[], variables?: object): Promise<{ code: number | null; printed: string }> {
  const script = start(args, variables);
  return { code: await script.ended, printed: script.printed() };
}

/** Starts a worker. @returns it when its model is loaded */
async function startWorker(variables: object, node: string): Promise<Script> {
  const script = start(["worker.js"], variables, node);
  while (!script.printed().includes("answers the queue")) {
    if (script.child.exitCode !== null) throw new Error(script.printed());
    await setTimeout(50);
  }
  return script;
}

async function withQueue<T>(name: string, action: (queue: Queue) => Promise<T>): Promise<T> {
  const queue = new bullmq.Queue(name, { connection: { url } });
  try {
    return await action(queue);
  } finally {
    await queue.close();
  }
}

const results = (name: string): string => readFileSync(join(folder, name), "utf8");

it("a killed worker loses nothing: every request is answered once, with the bytes of one machine alone", async () => {
  const COUNT = 400;
  const batch = batchOf(COUNT);
  writeFileSync(join(folder, "requests.jsonl"), batch);
  for (let i = 0; i < 2; i++) {
    const { code, printed } = await finish(["enqueue.js", "requests.jsonl"]);
    expect(code, printed).toBe(0);
    expect(printed).toMatch(/400 requests are in the queue nibble; 0 of them/);
  }
  const nodes = [tool("node-20/bin/node"), tool("node-22/bin/node"), process.execPath];
  // The workers begin together, so that none has answered everything before the last one is there.
  await withQueue("nibble", (queue) => queue.pause());
  const workers = await Promise.all(nodes.map((node) => startWorker({}, node)));
  const collected = finish(["collect.js", "requests.jsonl", "results.jsonl", "--remove"]);
  const [victim] = workers as [Script];
  const jobs = await withQueue("nibble", async (queue) => {
    expect(await queue.getJobCountByTypes()).toBe(COUNT);
    await queue.resume();
    const ofVictim = (all: Job[]): Job[] =>
      all.filter(({ processedBy }) => processedBy?.endsWith(`:${victim.child.pid}`));
    while (ofVictim(await queue.getCompleted()).length === 0) await setTimeout(10);
    // It is stopped before it is looked at, so that it cannot end what it has begun before it is killed.
    for (;;) {
      victim.child.kill("SIGSTOP");
      if (ofVictim(await queue.getActive()).length > 0) break;
      victim.child.kill("SIGCONT");
      await setTimeout(10);
    }
    victim.child.kill("SIGKILL");
    await victim.ended;
    const lost = ofVictim(await queue.getActive());
    expect(lost.length).toBeGreaterThan(0);
    while ((await queue.getCompletedCount()) < COUNT) {
      expect(await queue.getFailedCount()).toBe(0);
      await setTimeout(10);
    }
    const completed = await queue.getCompleted();
    for (const { data } of lost) {
      const again = completed.find((job) => job.data.customId === data.customId);
      expect(again).toMatchObject({ attemptsStarted: 2 });
      expect(again!.processedBy).not.toMatch(new RegExp(`:${victim.child.pid}$`));
    }
    return completed;
  });
  expect(new Set(jobs.map(({ processedBy }) => processedBy)).size).toBe(3);
  expect(await collected).toMatchObject({
    code: 0,
    printed: "400 results are in results.jsonl; 0 of them are errors\n",
  });
  expect(results("results.jsonl") === resultsAlone(project, batch)).toBe(true);
  expect(await withQueue("nibble", (queue) => queue.getJobCountByTypes())).toBe(0);
  for (const { child, ended } of workers.slice(1)) {
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  }
});

it("requests that have failed in all attempts are told, and tried again when they are enqueued again", async () => {
  const batch = batchOf(4);
  writeFileSync(join(folder, "few.jsonl"), batch);
  const variables = { QUEUE: "other" };
  expect((await finish(["enqueue.js", "few.jsonl"], variables)).code).toBe(0);
  const broken = async (): Promise<never> => {
    throw new Error("the disk is full");
  };
  const worker = new bullmq.Worker("other", broken, { connection: { url }, concurrency: 4 });
  const first = await finish(["collect.js", "few.jsonl", "few-results.jsonl"], variables);
  await worker.close();
  expect(first).toMatchObject({ code: 1, printed: "4 results are in few-results.jsonl; 4 of them are errors\n" });
  for (const line of results("few-results.jsonl").trim().split("\n"))
    expect(JSON.parse(line)).toMatchObject({ response: null, error: { code: "failed", message: "the disk is full" } });
  const again = await finish(["enqueue.js", "few.jsonl"], variables);
  expect(again.printed).toMatch(/4 of them had failed and are tried again/);
  const real = await startWorker(variables, "node");
  expect((await finish(["collect.js", "few.jsonl", "few-results.jsonl"], variables)).code).toBe(0);
  expect(results("few-results.jsonl") === resultsAlone(project, batch)).toBe(true);
  real.child.kill("SIGTERM");
  await real.ended;
});

it("what is wrong ends with one line", async () => {
  writeFileSync(join(folder, "wrong.jsonl"), `${batchOf(2)}{"custom_id":"a"}\n`);
  const wrong = await finish(["enqueue.js", "wrong.jsonl"]);
  expect(wrong).toMatchObject({
    code: 1,
    printed: "line 3: missing_required_parameter: method: a value is required\n",
  });
  writeFileSync(join(folder, "unknown.jsonl"), batchOf(3));
  const unknown = await finish(["collect.js", "unknown.jsonl", "out.jsonl"], { QUEUE: "empty" });
  expect(unknown.code).toBe(1);
  expect(unknown.printed).toMatch(/^\S+ is not in the queue empty: run enqueue.js with this file first\n$/);
  const away = await finish(["enqueue.js", "few.jsonl"], { REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
  expect(away.code).toBe(1);
  expect(away.printed).toMatch(/^connect ECONNREFUSED \S+\n$/);
  const first = await startWorker({ QUEUE: "claimed" }, "node");
  const other = start(["worker.js", join(root, "test/fixtures/architectures/llama/model.gguf")], { QUEUE: "claimed" });
  expect(await other.ended).toBe(1);
  first.child.kill("SIGTERM");
  expect(await first.ended).toBe(0);
  expect(other.printed()).toMatch(/^another model answers the queue claimed: set QUEUE/);
});
