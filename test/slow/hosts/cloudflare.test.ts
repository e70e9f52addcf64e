/** examples/worker in workerd: a file as large as MobileLLM-R1-140M's from R2, with WebAssembly memory and heap capped. */
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../../helpers/models.ts";
import { llama140m } from "./llama-140m.ts";
import { createProject, installTools, type Project } from "./project.ts";
import { startWorker, type Worker, wrangler } from "./wrangler.ts";

/** 94.4 MB of WebAssembly memory and 16 MiB of JavaScript heap; what is in use is counted in memory.test.ts. */
const CAPS = "--wasm-max-mem-pages=1440 --max-heap-size=16";

let project: Project;
let folder: string;
let worker: Worker;
beforeAll(async () => {
  installTools();
  project = createProject();
  folder = join(project.folder, "worker-example");
  cpSync(join(root, "examples/worker"), folder, { recursive: true });
  // Wrangler reads the secrets of local runs from this file.
  writeFileSync(join(folder, ".dev.vars"), "SNAPSHOT_KEY=a-secret-of-thirty-two-characters\n");
  wrangler(folder, "r2", "object", "put", "models/model.gguf", "--local", "--file", await llama140m());
  worker = await startWorker(folder, CAPS);
});
afterAll(async () => {
  await worker?.stop();
  project?.remove();
});

const post = (path: string, body: object, signal?: AbortSignal): Promise<Response> =>
  fetch(worker.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });

interface Answer {
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details: { readonly cached_tokens: number };
  };
}

async function complete(prompt: string, tokens: number): Promise<number> {
  const response = await post("/v1/completions", { prompt, max_tokens: tokens, temperature: 0 });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return (JSON.parse(text) as Answer).usage.completion_tokens;
}

it("reads 1,024 tokens and streams 64", async () => {
  const prompt = Array.from({ length: 1024 }, (_, i) => (i * 7919 + 13) % 128_000);
  const response = await post("/v1/completions", {
    prompt,
    max_tokens: 64,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  expect(text).toMatch(/"usage":\{"prompt_tokens":1024,"completion_tokens":64,.*data: \[DONE\]\s*$/s);
});

it("later requests continue when the first has ended", async () => {
  const answers = [complete("Once upon a time", 4), complete("Two roads", 40), complete("In the beginning", 12)];
  expect(await Promise.all(answers)).toEqual([4, 40, 12]);
});

it("requests continue when the client of the first has disconnected", async () => {
  const gone = new AbortController();
  const first = await post("/v1/completions", { prompt: "A", max_tokens: 500, stream: true }, gone.signal);
  const second = complete("Two roads", 40);
  await first.body!.getReader().read();
  gone.abort();
  expect(await second).toBe(40);
  expect(await complete("Once upon a time", 4)).toBe(4);
});

async function expectSystemPromptCached(): Promise<void> {
  const messages = [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: "Hello" },
  ];
  const response = await post("/v1/chat/completions", { messages, max_tokens: 4, temperature: 0 });
  const { usage } = (await response.json()) as Answer;
  expect(usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(5);
}

it("the system prompt has been computed already", async () => {
  expect(worker.printed()).toContain("the system prompt was computed");
  await expectSystemPromptCached();
});

it("another isolate reads the system prompt from R2", async () => {
  await worker.stop();
  worker = await startWorker(folder, CAPS);
  await expectSystemPromptCached();
  expect(worker.printed()).toContain("the system prompt was read");
});
