/**
 * Opens Chromium, which playwright-core drives. A local server sends the headers that make the page cross-origin isolated;
 * without them there is no shared memory, and so only one thread.
 * @module
 */
import { createReadStream, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import process from "node:process";

/** The part of playwright-core that is used; it is not installed with the project. */
interface Playwright {
  readonly chromium: { launch(options: object): Promise<Browser> };
}
interface Browser {
  newPage(): Promise<Page>;
  version(): string;
  close(): Promise<void>;
}
export interface Page {
  goto(url: string): Promise<unknown>;
  waitForFunction(expression: string): Promise<unknown>;
  evaluate<T>(expression: string): Promise<T>;
}

/** The file behind a URL path; undefined for none. */
export type PathOf = (name: string) => string | undefined;

const packages = new URL("node_modules/", import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

async function serveFiles(pathOf: PathOf): Promise<Server> {
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

/** An empty page, and the URL under which the files are served. */
export async function openIsolated(
  pathOf: PathOf,
): Promise<{ page: Page; url: string; version: string; close(): Promise<void> }> {
  const { chromium } = (await import(new URL("playwright-core/index.mjs", packages).href)) as Playwright;
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const server = await serveFiles(pathOf);
  const close = async (): Promise<void> => {
    await browser.close();
    server.close();
  };
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return { page: await browser.newPage(), url, version: browser.version(), close };
}
