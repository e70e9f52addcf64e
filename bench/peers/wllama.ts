/**
 * Runs wllama (llama.cpp in WebAssembly) as a contender in Chromium, which playwright-core drives. A local server sends the
 * headers that make the page cross-origin isolated; without them there is no shared memory, and so only one thread.
 * @module
 */
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Test } from "../../src/cli/throughput.ts";
import type { Contender, Sample } from "./contender.ts";

/** The part of playwright-core that is used; it is not installed with the project. */
interface Playwright {
  readonly chromium: { launch(options: object): Promise<Browser> };
}
interface Browser {
  newPage(): Promise<Page>;
  version(): string;
  close(): Promise<void>;
}
interface Page {
  goto(url: string): Promise<unknown>;
  waitForFunction(expression: string): Promise<unknown>;
  evaluate<T>(expression: string): Promise<T>;
}

/** llama-server's timings (tools/server). */
interface Timings {
  readonly prompt_n: number;
  readonly prompt_ms: number;
  readonly predicted_n: number;
  readonly predicted_ms: number;
}

const packages = new URL("node_modules/", import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

async function serveFiles(model: string): Promise<Server> {
  const pathOf = (name: string): string | undefined => {
    if (name === "/model.gguf") return model;
    if (name === "/") return fileURLToPath(new URL("page.html", import.meta.url));
    if (/^\/wllama\/[\w/.-]+$/.test(name) && !name.includes(".."))
      return fileURLToPath(new URL(name.replace("/wllama/", "@wllama/wllama/esm/"), packages));
    return undefined;
  };
  const server = createServer(({ url = "/" }, response) => {
    const path = pathOf(new URL(url, "http://localhost").pathname);
    const size = path && statSync(path, { throwIfNoEntry: false })?.size;
    if (!path || size === undefined) return void response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      "content-length": size,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    createReadStream(path).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @param contextTokens the tokens of the longest test */
export async function startWllama(model: string, threads: number, contextTokens: number): Promise<Contender> {
  const { chromium } = (await import(new URL("playwright-core/index.mjs", packages).href)) as Playwright;
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const server = await serveFiles(model);
  const close = async (): Promise<void> => {
    await browser.close();
    server.close();
  };
  try {
    const page = await browser.newPage();
    const query = new URLSearchParams({ threads: String(threads), context: String(contextTokens) });
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/?${query}`);
    await page.waitForFunction("window.ready");
    const got = await page.evaluate<{ threads: number; llama: string }>("start()");
    if (got.threads !== threads) throw new Error(`threads: expected ${threads}, got ${got.threads}`);
    const { version } = JSON.parse(readFileSync(new URL("@wllama/wllama/package.json", packages), "utf8"));
    return {
      about: `wllama ${version} (llama.cpp ${got.llama}), WebAssembly SIMD, Chromium ${browser.version()}`,
      prepare: async (test) => () => run(page, test),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Runs a test. The first token of an answer comes from its prompt, so n steps make n + 1 tokens. */
async function run(page: Page, { prompt, gen }: Test): Promise<Sample> {
  // A prompt has two tokens at least, as the first may be BOS.
  const asked = { prompt: prompt || 2, predicted: gen + 1 };
  const t = await page.evaluate<Timings>(`timings(${asked.prompt}, ${asked.predicted})`);
  if (t.prompt_n !== asked.prompt || t.predicted_n !== asked.predicted)
    throw new Error(`ran ${t.prompt_n} + ${t.predicted_n} tokens, not ${asked.prompt} + ${asked.predicted}`);
  return { seconds: (prompt > 0 ? t.prompt_ms : t.predicted_ms) / 1000 };
}
