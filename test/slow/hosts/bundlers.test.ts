/** Each bundler builds a small app with the packed package, and the app answers. (wrangler: hosts.test.ts.) */
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
