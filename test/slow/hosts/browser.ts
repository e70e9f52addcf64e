/**
 * Chromium and Firefox on a folder that a local server sends, with or without the headers that isolate a page.
 * @module
 */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";
import { chromiumPath, firefoxPath, tool } from "./project.ts";

/** What playwright-core and puppeteer-core have in common and the tests use; neither is installed with the project. */
interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}
export interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T, A = undefined>(code: string | ((argument: A) => T | Promise<T>), argument?: A): Promise<T>;
  on(event: "pageerror" | "console", listener: (what: unknown) => void): unknown;
}

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Serves `folder`; `extra` has files from elsewhere, by their URL paths. */
export async function serveFolder(
  folder: string,
  isolated: boolean,
  extra: Readonly<Record<string, string>> = {},
): Promise<{ url: string; requests: string[]; close(): void }> {
  const requests: string[] = [];
  const server = createServer(({ url = "/", headers }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    requests.push(pathname);
    const path =
      extra[pathname] ?? join(folder, normalize(pathname.endsWith("/") ? `${pathname}index.html` : pathname));
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats?.isFile()) return void response.writeHead(404).end();
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from ? 206 : 200, {
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      "content-length": stats.size - from,
      ...(from && { "content-range": `bytes ${from}-${stats.size - 1}/${stats.size}` }),
      "access-control-allow-origin": "*",
      ...(isolated && ISOLATED),
    });
    createReadStream(path, { start: from }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    requests,
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A request that the test answers, and what only one of the two libraries has for it. */
interface Request {
  url(): string;
  headers(): Record<string, string>;
}
interface PlaywrightPage extends Page {
  route(
    url: string,
    answer: (route: { request(): Request; fulfill(answer: Answer): Promise<void> }) => unknown,
  ): unknown;
}
interface PuppeteerPage extends Page {
  setRequestInterception(on: true): Promise<void>;
  on(event: string, listener: (what: never) => void): unknown;
}
interface PuppeteerRequest extends Request {
  respond(answer: Answer): Promise<void>;
  continue(): Promise<void>;
}
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Answers the page's requests to an origin, in place of the network. */
export async function answerRequests(
  page: Page,
  origin: string,
  answer: (url: URL, headers: Readonly<Record<string, string>>) => Answer,
): Promise<void> {
  const answerTo = (request: Request): Answer => answer(new URL(request.url()), request.headers());
  if ("route" in page) {
    await (page as PlaywrightPage).route(`${origin}/**`, (route) => route.fulfill(answerTo(route.request())));
    return;
  }
  const puppeteerPage = page as PuppeteerPage;
  await puppeteerPage.setRequestInterception(true);
  puppeteerPage.on("request", (request: PuppeteerRequest) => {
    if (request.url().startsWith(`${origin}/`)) void request.respond(answerTo(request));
    else void request.continue();
  });
}

interface Launcher {
  launch(options: object): Promise<Browser>;
}

export async function launchChromium(): Promise<Browser> {
  const url = pathToFileURL(tool("playwright-core/index.mjs")).href;
  const { chromium } = (await import(url)) as { chromium: Launcher };
  return chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox", "--disable-gpu"], timeout: 600_000 });
}

/**
 * Firefox as Mozilla and Debian build it, by WebDriver BiDi. Playwright drives only its own builds of Firefox: with this
 * one, playwright-core 1.65 ends in "emulation.setMediaFeaturesOverride: unknown command".
 */
export async function launchFirefox(): Promise<Browser> {
  const url = pathToFileURL(tool("puppeteer-core/lib/puppeteer/puppeteer-core.js")).href;
  const { default: puppeteer } = (await import(url)) as { default: Launcher };
  // The tests have limits of their own, so puppeteer's limit of three minutes for one evaluation is switched off.
  return puppeteer.launch({ browser: "firefox", executablePath: firefoxPath(), protocolTimeout: 0 });
}

/** The browsers that are hosts. */
export const BROWSERS: readonly (readonly [name: string, launch: () => Promise<Browser>])[] = [
  ["Chromium", launchChromium],
  ["Firefox", launchFirefox],
];

/** Is fulfilled in the page when `window.ready` is set. */
const READY = `new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error("expected window.ready to be set within ten minutes")), 600_000);
  (function look() { window.ready ? resolve(true) : setTimeout(look, 10); })();
})`;

/** Opens a page that sets `window.ready`. @throws Error with the page's messages if it does not set it */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  const said: string[] = [];
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("console", (message) => said.push((message as { text(): string }).text()));
  await visit(page, url).catch((error: Error) => {
    throw new Error(`${url}: ${error.message}\n${said.join("\n")}`);
  });
  return page;
}

/** Goes to a page that sets `window.ready`. */
export async function visit(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.evaluate(READY);
}
