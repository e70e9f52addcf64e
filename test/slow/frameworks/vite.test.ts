/** create-vite's app of TypeScript with the packed package, in Chromium: developed, and built and previewed; page and worker answer. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchChromium, openPage } from "../hosts/browser.ts";
import { createProject, installTools, type Project, run } from "../hosts/project.ts";
import { type AppFiles, createApp, ENV, startApp } from "./app-folder.ts";

const APP: AppFiles = {
  template: ["create-vite@9.3.0", ".", "--template", "vanilla-ts", "--no-interactive", "--overwrite"],
  packages: ["vite@8.4.0", "typescript@7.0.2"],
  files: {
    // A model in the page, and one in a worker with a thread to help it, for which the page needs the headers.
    "src/main.ts": `import { load, loadInWorker } from "nibble-llm/browser";
      const messages = [{ role: "user" as const, content: "How much is 8 * 33?" }];
      async function ask(): Promise<unknown[]> {
        const models = [await load("crumb"), await loadInWorker("crumb", { threads: 2 })];
        const asked = models.map((model) => model.chat.completions.create({ messages, temperature: 0 }));
        return [...(await Promise.all(asked)).map(({ choices }) => choices[0]!.message.content), models[1]!.info.threads];
      }
      Object.assign(window, { ask, ready: true });`,
    "vite.config.ts": `const headers = {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      };
      export default { server: { headers }, preview: { headers } };`,
  },
};

let project: Project;
let folder: string;
beforeAll(() => {
  installTools();
  project = createProject();
  folder = createApp(APP, project.tarball);
});
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true });
  project?.remove();
});

it.each([
  ["developed", []],
  ["built and previewed", ["preview"]],
])("%s: the page and a worker on two threads answer", async (_, args) => {
  // The template's own check of types, then its build.
  if (args.length > 0) run("npm", ["run", "build"], { cwd: folder, env: ENV });
  const command = [join(folder, "node_modules/vite/bin/vite.js"), ...args, "--port", "$PORT"];
  const server = await startApp({ folder, command, path: "/" });
  const browser = await launchChromium();
  try {
    const page = await openPage(browser, `${server.url}/`);
    const [inPage, inWorker, threads] = await page.evaluate<unknown[]>("ask()");
    expect(inPage).toContain("264");
    expect([inWorker, threads]).toEqual([inPage, 2]);
  } finally {
    await browser.close();
    server.end();
  }
});
