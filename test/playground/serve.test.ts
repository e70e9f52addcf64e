/** `nibble serve` serves the playground's files and nothing else of the package. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cli, pathOf, Running } from "../cli/helpers.ts";

let running: Running;
let url = "";
beforeAll(async () => {
  running = new Running(process.execPath, [cli, "serve", "crumb", "--port", "0", "--json", "--api-key", "k"]);
  const end = await running.until("\n");
  url = JSON.parse(running.stdout.slice(0, end)).url;
});
afterAll(() => void running.child.kill());

it("the page is at /, is isolated from other origins, and needs no key", async () => {
  const response = await fetch(url);
  expect(response.url).toBe(`${url}/playground/`);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "content-security-policy": expect.stringContaining("script-src 'self' 'wasm-unsafe-eval'"),
  });
  expect(await response.text()).toBe(readFileSync(pathOf("dist/index.html"), "utf8"));
});

it("the files that it loads, and those that they load, are served too", async () => {
  const seen = new Set<string>();
  const page = `${url}/playground`;
  const open = ["playground/main.js", "playground/files-worker.js", "playground/style.css", "service-worker.js"];
  open.push("playground/manifest.webmanifest", "playground/icon.svg", "playground/icon.png");
  open.push("crumb.gguf", "crumb-problems.jsonl", "eval-worker.js");
  open.push(...["simd", "relaxed", "threads"].map((name) => `wasm/${name}.wasm`));
  for (const [i, file] of open.entries()) open[i] = `${page}/${file}`;
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const response = await fetch(file);
    expect([file, response.status, response.headers.get("cross-origin-embedder-policy")]).toEqual([
      file,
      200,
      "require-corp",
    ]);
    if (!file.endsWith(".js")) continue;
    const text = await response.text();
    for (const [, name] of text.matchAll(/(?:from|import|import\(|URL\()\s*"(\.\.?\/[\w./-]+\.js)"/g))
      open.push(new URL(name!, file).href);
  }
  expect([...seen]).toEqual(
    expect.arrayContaining(["browser.js", "model-worker.js", "browser-thread.js"].map((name) => `${page}/${name}`)),
  );
  // The service worker keeps what is served, except for itself.
  const kept = /\[("[^\]]+)\]/.exec(await (await fetch(`${page}/service-worker.js`)).text())![1]!;
  const names: string[] = JSON.parse(`[${kept}]`);
  expect(new Set([...names, "service-worker.js"].map((name) => `${page}/${name}`))).toEqual(
    seen.add(`${page}/index.html`),
  );
});

it("no other file is served", async () => {
  const inside = ["package.json", "types/index.d.ts", "wasm/debug.wasm", "index.js", "..%2fcli.js", "cli.js"];
  const paths = ["/package.json", "/browser.js", "/playground", ...inside.map((name) => `/playground/${name}`)];
  for (const path of paths) expect([path, (await fetch(url + path)).status]).toEqual([path, 401]);
  expect((await fetch(`${url}/playground/`, { method: "POST" })).status).toBe(401);
  const head = await fetch(`${url}/playground/playground/main.js`, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});
