/** The playground as an installed app, in Chromium: without its server, with a new build, and on hosts that send no headers. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cli, pathOf, QUESTION, Running } from "../../cli/helpers.ts";
import { serveFolder } from "../hosts/browser.ts";
import { installTools } from "../hosts/project.ts";
import { ask, type Browser, drop, launch, loaded, openPlayground, type Page, until } from "./page.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-installed-"));
const BASE = "some/where/";
let browser: Browser;

beforeAll(async () => {
  installTools();
  browser = await launch();
  const files: string[] = JSON.parse(readFileSync(pathOf("dist/playground/files.json"), "utf8"));
  for (const file of files) cpSync(pathOf(`dist/${file}`), join(folder, BASE, file));
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** The names of the caches, when the service worker has put its files there and deleted those of the build before. */
async function cachesOf(page: Page): Promise<string[]> {
  await until(page, `navigator.serviceWorker.controller?.state === "activated"`);
  return page.evaluate("caches.keys()");
}

it("nibble serve: it can be installed, and answers when the server is gone", async () => {
  const server = new Running(process.execPath, [cli, "serve", "crumb", "--port", "0", "--json"]);
  const end = await server.until("\n");
  const said: string[] = [];
  const page = await openPlayground(browser, JSON.parse(server.stdout.slice(0, end)).url, {}, said);
  expect(await cachesOf(page)).toHaveLength(1);
  const session = await page.context().newCDPSession(page);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual(["in-incognito"]); // as all pages of the tests are
  await page.locator("#keep").check();
  await drop(page, "kept.gguf", "/playground/crumb.gguf");
  await page.locator("#kept li").waitFor();
  await loaded(page, "kept");
  expect(said).toEqual([]);

  server.child.kill();
  await server.exit;
  await page.reload();
  await loaded(page, "kept");
  await page.locator("#crumb").click();
  await loaded(page, "crumb");
  expect(await page.evaluate("crossOriginIsolated")).toBe(true);
  expect(await ask(page, QUESTION)).toBe("It goes 260 km.");
  await page.locator("#evaluate-tab").click();
  await until(page, `document.querySelector("#eval-form select").options.length > 0`);
  await page.locator("#eval-form [name=limit]").fill("3");
  await page.locator("#eval-run").click();
  await until(page, `document.querySelector("#eval-result").textContent.includes("crumb-problems")`);
  await page.close();
});

it("a static host below a path: threads by the service worker alone, and a new build replaces the old one", async () => {
  const server = await serveFolder(folder, false);
  const said: string[] = [];
  const url = `${server.url}/${BASE}`;
  const page = await openPlayground(browser, url, {}, said);
  await until(page, "crossOriginIsolated");
  await loaded(page, "crumb");
  expect(await page.locator("#facts").innerText()).not.toContain("not isolated");
  const old = await cachesOf(page);
  expect(said).toEqual([]);

  const inFolder = (file: string): string => join(folder, BASE, file);
  const rewrite = (file: string, from: RegExp, to: string): void => {
    const text = readFileSync(inFolder(file), "utf8");
    expect(text).toMatch(from);
    writeFileSync(inFolder(file), text.replace(from, to));
  };
  rewrite("index.html", /<h1>nibble/, "<h1>newer");
  rewrite("service-worker.js", /"[0-9a-f]{16}"/, '"0123456789abcdef"');
  const heading = (): Promise<string> => page.locator("h1").innerText();
  await page.reload();
  expect(await heading()).toBe("newer");
  await until(page, `caches.keys().then((names) => names.length === 1 && names[0] !== ${JSON.stringify(old[0])})`);

  server.close();
  await page.reload();
  await loaded(page, "crumb");
  expect(await heading()).toBe("newer");
  expect(await page.evaluate("crossOriginIsolated")).toBe(true);
  expect(await ask(page, QUESTION)).toBe("It goes 260 km.");
  await page.close();
});

it("a conversation is not lost by loading the page again; a build that cannot be fetched whole leaves the old copies", async () => {
  const server = await serveFolder(folder, false);
  const first = await openPlayground(browser, `${server.url}/${BASE}`, {}, []);
  await until(first, "crossOriginIsolated");
  await loaded(first, "crumb");
  await ask(first, QUESTION);
  await first.locator("#share").click();
  await until(first, `location.hash !== ""`);
  const link = await first.evaluate<string>("location.href");
  await first.close();

  const page = await openPlayground(browser, link, {}, []);
  await page.evaluate("window.stays = true");
  const old = await cachesOf(page);
  expect(await page.evaluate("[window.stays, crossOriginIsolated]")).toEqual([true, false]);
  expect(await page.locator("#facts").innerText()).toContain("page not isolated");

  rmSync(join(folder, BASE, "playground/icon.png"));
  const script = join(folder, BASE, "service-worker.js");
  writeFileSync(script, readFileSync(script, "utf8").replace(/"[0-9a-f]{16}"/, '"fedcba9876543210"'));
  await page.reload();
  expect(await page.evaluate("crossOriginIsolated")).toBe(true);
  const installed = await page.evaluate(`navigator.serviceWorker.ready.then(async (registration) => {
    await registration.update();
    const { installing } = registration;
    await new Promise((resolve) => installing.addEventListener("statechange", resolve));
    return installing.state;
  })`);
  expect(installed).toBe("redundant");
  server.close();
  await page.reload();
  await loaded(page, "crumb");
  expect(await cachesOf(page)).toEqual(expect.arrayContaining(old));
  await until(page, `document.querySelectorAll("article").length === 2`);
  expect(await ask(page, QUESTION)).toBe("It goes 260 km.");
  await page.close();
});
