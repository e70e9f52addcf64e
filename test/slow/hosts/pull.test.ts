/** Models by name in every host: pulled, kept, opened without the network. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { load as Load, models as Models } from "../../../src/entries/browser.ts";
import { cli, Running } from "../../cli/helpers.ts";
import buildBundles from "../../helpers/build-bundles.ts";
import buildWasm from "../../helpers/build-wasm.ts";
import { root } from "../../helpers/models.ts";
import { FaultServer } from "../../hub/fault-server.ts";
import { expectSound, sha256, temporary } from "../../hub/helpers.ts";
import { answerRequests, BROWSERS, openPage, serveFolder, visit } from "./browser.ts";
import { installTools, tool } from "./project.ts";

const QUESTION = "How much is 8 * 33?";
let crumb: Uint8Array;
let server: FaultServer;
beforeAll(async () => {
  installTools();
  buildWasm();
  buildBundles();
  crumb = new Uint8Array(readFileSync(join(root, "dist/crumb.gguf")));
  server = await FaultServer.start();
  server.files.set("/crumb.gguf", crumb);
});
afterAll(() => server.stop());

it.each([
  ["Node 20", () => [tool("node-20/bin/node")]],
  ["Node 24", () => [process.execPath]],
  ["Node 26", () => [tool("node-26/bin/node")]],
  ["Bun", () => [tool("bun/bin/bun.exe")]],
  ["Deno", () => [tool("deno/deno"), "run", "-A", "--cached-only"]],
])("%s: pull after a cut, run offline, rm", async (_, command) => {
  server.reset();
  const cache = temporary();
  const [program, ...before] = command() as [string, ...string[]];
  const nibble = (...args: string[]) =>
    new Running(program, [...before, cli, ...args], { env: { ...process.env, NIBBLE_CACHE: cache } }).result();
  server.fault = (_request, index) => (index === 1 ? { cut: 2_500_000 } : undefined);
  const url = `${server.url}/crumb.gguf`;
  const pulled = await nibble("pull", url);
  expect(pulled.code, pulled.stderr).toBe(0);
  expect(pulled.stderr).toMatch(/^nibble: .*; the next attempt is in \d\.\d s\n$/);
  expectSound(cache);
  expect((await nibble("run", url, QUESTION, "--offline")).stdout).toContain("\\boxed{264}");
  expect(await nibble("rm", url)).toMatchObject({ code: 0, stderr: "" });
  expect((await nibble("ls")).stdout).toBe("");
});

/** The hub as a page sees it: on another origin, with the headers that it exposes. */
function hubAnswer(url: URL, range: string | undefined) {
  const cors = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "ETag,Content-Range,X-Linked-ETag",
  };
  if (url.pathname.startsWith("/api/")) {
    const siblings = [{ rfilename: "m-Q8_0.gguf", size: crumb.length, lfs: { sha256: sha256(crumb) } }];
    return { status: 200, headers: cors, body: JSON.stringify({ sha: "0".repeat(40), siblings }) };
  }
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  const body = Buffer.from(crumb.subarray(Number(from), Number(to) + 1));
  const headers = { ...cors, "content-range": `bytes ${from}-${to}/${crumb.length}` };
  return { status: 206, headers, body };
}

const kinds = BROWSERS.flatMap(([name, launch]) =>
  ["OPFS", "the Cache API"].map((kind) => [name, kind, launch] as const),
);

it.each(kinds)("%s: models stay in %s over pages, and load from there", async (_, kind, launch) => {
  const folder = await serveFolder(join(root, "dist"), true, { "/": join(root, "test/slow/hosts/fixtures/pull.html") });
  const browser = await launch();
  try {
    const url = `${folder.url}/?${kind === "OPFS" ? "" : "no-opfs"}`;
    const page = await openPage(browser, url);
    let requests = 0;
    let online = true;
    await answerRequests(page, "https://huggingface.co", (url, { range }) => {
      requests++;
      return online ? hubAnswer(url, range) : { status: 500 };
    });
    const answer = async (): Promise<object> => {
      const { load, models } = window as never as { load: typeof Load; models: typeof Models };
      const listed = await models.list();
      const model = await load("hf:owner/repo:q8_0");
      const messages = [{ role: "user" as const, content: "How much is 8 * 33?" }];
      const { choices } = await model.chat.completions.create({ messages, temperature: 0 });
      model.dispose();
      return { listed: listed.map(({ id }) => id), text: choices[0]!.message.content };
    };
    expect(await page.evaluate(answer)).toEqual({ listed: [], text: expect.stringContaining("\\boxed{264}") });
    expect(requests).toBe(2);
    // The next page of the same browser has no hub at all.
    const listed = ["hf:owner/repo:Q8_0"];
    online = false;
    await visit(page, url);
    expect(await page.evaluate(answer)).toEqual({ listed, text: expect.stringContaining("\\boxed{264}") });
    const stores = await page.evaluate(async () => ({
      opfs: await navigator.storage
        .getDirectory()
        .then((directory) => directory.getDirectoryHandle("nibble"))
        .then(
          () => true,
          () => false,
        ),
      caches: await caches.keys(),
    }));
    expect(stores).toEqual(kind === "OPFS" ? { opfs: true, caches: [] } : { opfs: false, caches: ["nibble"] });
    const removed = async (): Promise<unknown> => {
      const { models } = window as never as { models: typeof Models };
      return [await models.remove("hf:owner/repo:q8_0"), await models.list()];
    };
    expect(await page.evaluate(removed)).toEqual([true, []]);
  } finally {
    await browser.close();
    folder.close();
  }
});
