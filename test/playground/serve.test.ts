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
  expect(await response.text()).toBe(readFileSync(pathOf("dist/playground/index.html"), "utf8"));
});

it("the files that it loads, and those that they load, are served too", async () => {
  const seen = new Set<string>();
  const open = [`${url}/playground/main.js`, `${url}/playground/files-worker.js`, `${url}/playground/style.css`];
  open.push(`${url}/crumb.gguf`, `${url}/crumb-problems.jsonl`, `${url}/eval-worker.js`);
  open.push(...["simd", "relaxed", "threads"].map((name) => `${url}/wasm/${name}.wasm`));
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
    expect.arrayContaining(["browser.js", "model-worker.js", "browser-thread.js"].map((name) => `${url}/${name}`)),
  );
});

it("no other file is served", async () => {
  const paths = ["/package.json", "/types/index.d.ts", "/wasm/debug.wasm", "/playground", "/playground/..%2fcli.js"];
  for (const path of paths) expect([path, (await fetch(url + path)).status]).toEqual([path, 401]);
  expect((await fetch(`${url}/playground/`, { method: "POST" })).status).toBe(401);
  const head = await fetch(`${url}/playground/main.js`, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});
