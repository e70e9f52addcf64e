/**
 * The 128 MB of an isolate: examples/worker with a file as large as MobileLLM-R1-140M's from static assets, in a workerd
 * that runs nothing else (no simulator of R2), its memory as the inspector and Linux tell it.
 */
import { cpSync, createReadStream, readFileSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Running } from "../../cli/helpers.ts";
import { root } from "../../helpers/models.ts";
import { processFacts } from "../process-facts.ts";
import { type Inspector, inspect } from "./inspector.ts";
import { llama140m } from "./llama-140m.ts";
import { createProject, installTools, type Project } from "./project.ts";
import { workerdCommand } from "./workerd.ts";

/** An isolate's 128 MB, as MiB. Measured 124.5e6; garbage collection moves it by a few million. */
const LIMIT = 128 * 2 ** 20;
/**
 * Limit on the growth of the process since before the first request, in bytes: what is measured (up to 140e6; it depends on the
 * threads of V8, of which there are more on more cores) and less than a second copy of the weights, 94e6.
 */
const PROCESS_LIMIT = 210e6;
/** WebAssembly memory of the example for this file, and the 64 KiB pages that V8 is held to. */
const PLANNED = 94_011_328;
const V8_FLAGS = [`--wasm-max-mem-pages=${Math.ceil(PLANNED / 65536)}`, "--max-heap-size=16"];
const PART_BYTES = 20 * 2 ** 20;
const HELD_BYTES = 2 ** 20;

/**
 * Serves a file in parts, as assets.ts asks for them; the last bytes are sent only when everything before them must be
 * in place.
 */
function partsOf(path: string, onEnd: () => void): Server {
  const { size } = statSync(path);
  return createServer((request, response) => {
    const start = Number(/\.part(\d)$/.exec(request.url!)![1]) * PART_BYTES;
    const end = Math.min(start + PART_BYTES, size);
    if (start >= end) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": end - start });
    const held = end === size ? HELD_BYTES : 0;
    const stream = createReadStream(path, { start, end: end - held - 1 });
    stream.pipe(response, { end: held === 0 });
    if (held === 0) return;
    stream.on("end", async () => {
      await setTimeout(3000);
      response.end(readFileSync(path).subarray(-held));
      onEnd();
    });
  });
}

let project: Project;
let assets: Server;
let workerd: Running;
let inspector: Inspector;
let url: string;
/** The time when the last byte of the weights was sent. */
let lastByte = 0;

beforeAll(async () => {
  installTools();
  project = createProject();
  const folder = join(project.folder, "worker-example");
  cpSync(join(root, "examples/worker"), folder, { recursive: true });
  assets = partsOf(await llama140m(), () => {
    lastByte = performance.now();
  });
  await new Promise<void>((resolve) => assets.listen(0, "127.0.0.1", resolve));
  const { port } = assets.address() as AddressInfo;
  const [command, args] = workerdCommand(folder, {
    services: [`(name = "assets", external = (address = "127.0.0.1:${port}", http = ()))`],
    bindings: ['(name = "MODEL", text = "model.gguf")', '(name = "ASSETS", service = "assets")'],
    v8Flags: V8_FLAGS,
  });
  workerd = new Running(command, [...args, "--inspector-addr=127.0.0.1:0"]);
  await workerd.until('"socket":"http"');
  await workerd.until('"listen-inspector"');
  await workerd.until("\n");
  const events = workerd.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const portOf = (of: (event: { event: string; socket?: string }) => boolean): number => events.find(of).port;
  url = `http://127.0.0.1:${portOf(({ socket }) => socket === "http")}`;
  inspector = await inspect(portOf(({ event }) => event === "listen-inspector"));
});
afterAll(() => {
  inspector?.close();
  workerd?.child.kill("SIGKILL");
  assets?.close();
  project?.remove();
});

const residentBytes = (): number => processFacts(workerd.child.pid!)?.bytes ?? 0;

/**
 * The maximum of each size during some work, in bytes. The inspector answers between two turns of the isolate's event
 * loop.
 */
interface Peak {
  readonly heapUsed: number;
  readonly heap: number;
  readonly buffers: number;
  /** WebAssembly memory, heap and buffers at once. */
  readonly isolate: number;
  readonly resident: number;
}

async function peakOf(work: Promise<unknown>): Promise<Peak> {
  const samples: Peak[] = [];
  let resident = 0;
  const sampling = setInterval(() => {
    resident = Math.max(resident, residentBytes());
  }, 2);
  let ended = false;
  const end = work.finally(() => {
    ended = true;
  });
  while (!ended) {
    const { usedSize, totalSize, backingStorageSize } = await inspector.usage();
    const isolate = PLANNED + totalSize + backingStorageSize;
    samples.push({ heapUsed: usedSize, heap: totalSize, buffers: backingStorageSize, isolate, resident });
  }
  clearInterval(sampling);
  await end;
  const most = (key: keyof Peak): number => samples.reduce((peak, sample) => Math.max(peak, sample[key]), 0);
  const [heapUsed, heap, buffers, isolate] = [most("heapUsed"), most("heap"), most("buffers"), most("isolate")];
  return { heapUsed, heap, buffers, isolate, resident };
}

const ask = async (body: object): Promise<Response> => {
  const response = await fetch(`${url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ temperature: 0, ...body }),
  });
  if (response.status !== 200) throw new Error(await response.text());
  return response;
};

it("loads and runs within 128 MB, everything counted", async () => {
  const idle = residentBytes();
  let firstToken = 0;
  const loading = await peakOf(
    (async () => {
      const reader = (await ask({ prompt: "Once upon a time", max_tokens: 1, stream: true })).body!.getReader();
      await reader.read();
      firstToken = performance.now();
      while (!(await reader.read()).done);
    })(),
  );
  const prompt = Array.from({ length: 1024 }, (_, i) => (i * 7919 + 13) % 128_000);
  let usage: unknown;
  const running = await peakOf(
    (async () => {
      ({ usage } = (await (await ask({ prompt, max_tokens: 64 })).json()) as { usage: unknown });
    })(),
  );
  expect(usage).toMatchObject({ prompt_tokens: 1024, completion_tokens: 64 });
  const seconds = (firstToken - lastByte) / 1000;
  console.log({ loading, running, idle, seconds }); // the figures of examples/worker/README.md
  for (const { buffers, isolate, resident } of [loading, running]) {
    expect(buffers).toBeGreaterThan(8e6); // the tables of the tokenizer at least: the inspector saw the right isolate
    expect(isolate).toBeLessThan(LIMIT);
    // Compiled code, V8's compiler and network buffers count for the process, but not for the 128 MB.
    if (idle > 0) expect(resident - idle).toBeLessThan(PROCESS_LIMIT);
  }
  expect(seconds).toBeGreaterThan(0); // The time itself is printed, since it is the machine's.
});
