/** Each bundler builds a small app with the packed package, and the app answers. (wrangler: hosts.test.ts.) */
import { cpSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium, openPage, serveFolder } from "./browser.ts";
import { createProject, installTools, type Project, run, tool } from "./project.ts";

let project: Project;
beforeAll(() => {
  installTools();
  project = createProject();
});
afterAll(() => project.remove());

const node = (folder: string, ...args: readonly string[]): string => run(process.execPath, args, { cwd: folder });

/** Builds a fixture. @returns the folder to serve */
const bundlers: readonly [name: string, build: (folder: string) => string][] = [
  [
    "vite",
    (folder) => {
      node(folder, tool("vite/bin/vite.js"), "build");
      return join(folder, "dist");
    },
  ],
  [
    "webpack",
    (folder) => {
      const build = `const config = require("./webpack.config.cjs"); const webpack = require(${JSON.stringify(tool("webpack"))});
        webpack(config, (error, stats) => {
          if (error || stats.hasErrors()) throw error ?? new Error(stats.toString("errors-only"));
        });`;
      node(folder, "--input-type=commonjs", "-e", build);
      return folder;
    },
  ],
  [
    "esbuild",
    (folder) => {
      const options = ["--bundle", "--splitting", "--format=esm", "--minify", "--outdir=dist", "--public-path=/dist/"];
      const loaders = ["--loader:.wasm=file", "--loader:.gguf=file"];
      run(tool("esbuild/bin/esbuild"), ["main.js", "worker.js", ...options, ...loaders], { cwd: folder });
      return folder;
    },
  ],
];

it.each([
  ["a page without a bundler, with the package on another origin (a CDN)", "cdn"],
  ["esbuild with two flags, and the package's files beside the page", "esbuild-flags"],
])("%s: answers in the page and in a worker with threads", async (_, kind) => {
  const folder = mkdtempSync(join(project.folder, "page-"));
  const dist = join(project.folder, "node_modules/nibble-llm/dist");
  const cdn = await serveFolder(dist, true);
  const from = kind === "cdn" ? `${cdn.url}/browser.js` : "nibble-llm/browser";
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="./app.js"></script>');
  writeFileSync(
    join(folder, kind === "cdn" ? "app.js" : "main.js"),
    `import { load, loadInWorker } from "${from}";
    const request = { messages: [{ role: "user", content: "How much is 8 * 33?" }], temperature: 0 };
    window.ask = async () => {
      const models = [await load("crumb"), await loadInWorker("crumb", { threads: 2 })];
      const answers = await Promise.all(models.map((model) => model.chat.completions.create(request)));
      return [...answers.map(({ choices }) => choices[0].message.content), String(models[1].info.threads)];
    };
    window.ready = true;`,
  );
  if (kind !== "cdn") {
    cpSync(dist, join(folder, "nibble"), { recursive: true });
    const flags = ["--alias:nibble-llm/browser=/nibble/browser.js", "--external:/nibble/*"];
    const options = ["main.js", "--bundle", "--format=esm", "--outfile=app.js", ...flags];
    run(tool("esbuild/bin/esbuild"), options, { cwd: folder });
  }
  const server = await serveFolder(folder, true);
  const browser = await launchChromium();
  try {
    const page = await openPage(browser, `${server.url}/`);
    const [inPage, inWorker, threads] = await page.evaluate<string[]>("ask()");
    expect(inPage).toContain("264");
    expect([inWorker, threads]).toEqual([inPage, "2"]);
  } finally {
    await browser.close();
    server.close();
    cdn.close();
  }
});

describe.each(bundlers)("%s", (name, build) => {
  it("bundles an app that answers in Chromium, in the page and in a worker", async () => {
    const server = await serveFolder(build(project.add(name)), true);
    const browser = await launchChromium();
    try {
      const page = await openPage(browser, `${server.url}/`);
      const answers = await page.evaluate<string[]>("ask()");
      expect(answers[0]).toContain("264");
      expect(answers[1]).toBe(answers[0]);
    } finally {
      await browser.close();
      server.close();
    }
  });
});
