/** One table in every host, from the packed package: the same bits, tokens and errors. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../helpers/models.ts";
import { fetchOrSkip } from "../../helpers/real-model.ts";
import { BROWSERS, openPage, serveFolder } from "./browser.ts";
import { createProject, installTools, type Project, run, tool } from "./project.ts";
import type { Case, Row } from "./table.ts";
import { startWorker, wrangler } from "./wrangler.ts";

const large = await fetchOrSkip("smollm2-135m-instruct-q4_1");
const cases: Case[] = JSON.parse(readFileSync(join(root, "models/crumb/reference.json"), "utf8")).cases;
const hash: string = JSON.parse(readFileSync(join(root, "test/fixtures/logits-sha256.json"), "utf8"))[
  "crumb q8_0, mixed cache"
];

let project: Project;
/** SmolLM2's part, of the host that came first. */
let reference: Row["large"];
beforeAll(() => {
  installTools();
  project = createProject();
});
afterAll(() => project.remove());

function check(row: Row, variants: number): void {
  const answers = cases.map(({ tokens }) => tokens);
  const [one, two] = answers;
  expect(row.hashes).toEqual(Array(variants).fill(hash));
  expect(row.greedy).toEqual(answers);
  expect(row.together).toEqual([one, two, two]);
  expect(row.aborted).toEqual({ reason: "enough", tokens: 3, afterwards: two });
  expect(row.disposed).toEqual({ code: "disposed", survivor: two });
  if (large === "") return;
  expect(row.large?.tokens).toHaveLength(16);
  reference ??= row.large;
  expect(row.large).toEqual(reference);
}

/** Node 24 packs the kernels; the V8 of Node 26 cannot, and the plain ones run. */
const REVECTORIZED = [
  { threads: 1, revectorize: true },
  { threads: 2, revectorize: true },
];
const THREADS = [{ threads: 1 }, { threads: 2 }, { threads: 3 }];
const command = (node: string): [string, string[]] => [node, []];
/** Program, its arguments before the script, and the variants that it can run. */
const programs: readonly [name: string, () => [string, string[]], readonly object[]][] = [
  ["Node 20", () => command(tool("node-20/bin/node")), [{}, { build: "simd" }]],
  ["Node 22", () => command(tool("node-22/bin/node")), THREADS],
  ["Node 24", () => command(process.execPath), [...THREADS, ...REVECTORIZED, { build: "simd" }]],
  ["Node 26", () => command(tool("node-26/bin/node")), [...THREADS, ...REVECTORIZED, { build: "simd" }]],
  ["Bun", () => command(tool("bun/bin/bun.exe")), [...THREADS, { build: "simd" }]],
  // Deno has no right but to read the package's files and the model's.
  ["Deno", () => [tool("deno/deno"), denoArguments()], [...THREADS, { build: "simd" }]],
];

/** The PATH without the project's own tools, which npm puts first. */
function cleanPath(): NodeJS.ProcessEnv {
  const folders = (process.env.PATH ?? "").split(":").filter((folder) => !folder.includes("node_modules"));
  return { ...process.env, PATH: folders.join(":") };
}

function denoArguments(): string[] {
  const readable = [project.folder, large].filter((path) => path !== "");
  return ["run", "--no-prompt", "--cached-only", `--allow-read=${readable.join(",")}`];
}

describe.each(programs)("%s", (_, program, variants) => {
  it("runs the table", () => {
    const folder = project.add("node");
    const [path, args] = program();
    const input = JSON.stringify({ variants, cases, ...(large && { large }) });
    const env = { ...cleanPath(), NO_COLOR: "1" };
    check(JSON.parse(run(path, [...args, join(folder, "main.js"), input], { cwd: folder, env })), variants.length);
  });
});

describe("workerd", () => {
  it("runs the table, bundled by wrangler, SmolLM2 from R2", async () => {
    const folder = project.add("worker");
    if (large) wrangler(folder, "r2", "object", "put", "models/smollm2.gguf", "--local", "--file", large);
    const worker = await startWorker(folder);
    try {
      const response = await fetch(worker.url, { method: "POST", body: JSON.stringify({ cases }) });
      const text = await response.text();
      expect(response.status, text).toBe(200);
      check(JSON.parse(text), 2);
    } finally {
      await worker.stop();
    }
  });
});

describe.each(BROWSERS)("%s", (_, launch) => {
  it.each([true, false])("runs the table, page isolated: %s", async (isolated) => {
    project.add("page");
    const server = await serveFolder(project.folder, isolated, { "/smollm2.gguf": large });
    const browser = await launch();
    try {
      const page = await openPage(browser, `${server.url}/page/`);
      expect(await page.evaluate("crossOriginIsolated")).toBe(isolated);
      const variants = [{}, { build: "simd" }];
      const row = await page.evaluate(
        ({ cases, variants, large }) => {
          const { load, runTable } = window as never as { load: unknown; runTable(table: object): Promise<Row> };
          return runTable({ load, crumb: () => "crumb", large: large && (() => "/smollm2.gguf"), cases, variants });
        },
        { cases, variants, large: large !== "" },
      );
      check(row, variants.length);
      // Both browsers validate relaxed SIMD, so the first variant ran the relaxed build.
      const wasm = server.requests.filter((path) => path.endsWith(".wasm"));
      expect([...new Set(wasm.map((path) => basename(path)))]).toEqual(["relaxed.wasm", "simd.wasm"]);
    } finally {
      await browser.close();
      server.close();
    }
  });
});
