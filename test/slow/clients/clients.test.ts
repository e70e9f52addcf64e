/**
 * Clients that people use, in pinned versions and with their own defaults, against `nibble serve`. Python's are installed
 * from requirements.txt into a virtual environment below .cache/, never with the project; each file test_*.py is one client.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import { createLoad } from "../../../src/load/create-load.ts";
import { root, testHost } from "../../helpers/models.ts";
import { here, installEnvironment, offline, python, run, type Server, serve } from "./environment.ts";

beforeAll(installEnvironment);

/** Installs the clients of package.json, unless they are there in the versions of its lock file. */
function installNodeClients(): void {
  const lock = readFileSync(join(here, "package-lock.json"), "utf8");
  const mark = join(here, "node_modules/.installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  run("npm", ["ci", "--no-audit", "--no-fund"]);
  writeFileSync(mark, lock);
}

/** Runs one file of tests. @returns what pytest printed, and its exit code */
function pytest(
  file: string,
  variables: Readonly<Record<string, string>>,
): Promise<{ code: number | null; text: string }> {
  const args = ["-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", join(here, file)];
  const child = spawn(python, args, {
    env: { ...process.env, ...offline, ...variables },
  });
  let text = "";
  child.stdout.on("data", (bytes) => (text += bytes));
  child.stderr.on("data", (bytes) => (text += bytes));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, text })));
}

describe("crumb", () => {
  let server: Server;
  beforeAll(async () => {
    server = await serve("crumb");
  });
  afterAll(() => server.stop());

  const clients = readdirSync(here).filter((name) => /^test_.*\.py$/.test(name) && name !== "test_lm_eval.py");
  it("node-clients.mjs", () => {
    installNodeClients();
    const lines = run(process.execPath, ["node-clients.mjs", server.url, "crumb"]).trim().split("\n");
    const results = lines.map((line) => JSON.parse(line) as { name: string; error: string | null });
    expect(results.length).toBeGreaterThan(10);
    expect(results.filter(({ error }) => error !== null)).toEqual([]);
  });

  it.each(clients)("%s", async (file) => {
    const { code, text } = await pytest(file, { NIBBLE_URL: server.url });
    expect(code, text).toBe(0);
  });
});

/** A folder like one of the fixtures, whose end token is ChatML's. */
function chatMlFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nibble-chatml-"));
  const fixtures = join(root, "test/fixtures/architectures");
  for (const name of ["config.json", "model.safetensors"]) cpSync(join(fixtures, "llama", name), join(folder, name));
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    const text = readFileSync(join(fixtures, "tokenizer", name), "utf8");
    writeFileSync(
      join(folder, name),
      text.replaceAll("<|begin_of_text|>", "<|im_start|>").replaceAll("<|end_of_text|>", "<|im_end|>"),
    );
  }
  return folder;
}

describe.each([
  { name: "crumb", folder: () => join(root, "models/crumb"), end: "<|eot_id|>" },
  { name: "a ChatML model", folder: chatMlFolder, end: "<|im_end|>" },
])("lm-eval, $name", ({ folder: makeFolder, end }) => {
  const out = mkdtempSync(join(tmpdir(), "nibble-lm-eval-"));
  let folder: string;
  let server: Server;
  let model: Model;
  beforeAll(async () => {
    folder = makeFolder();
    server = await serve(folder);
    model = await createLoad(testHost)(folder, { threads: 1 });
  });
  afterAll(async () => {
    model.dispose();
    await server.stop();
    rmSync(out, { recursive: true, force: true });
    if (!folder.startsWith(root)) rmSync(folder, { recursive: true, force: true });
  });

  it("runs, and its log-likelihoods are the library's to 1e-12", async () => {
    const name = folder.split("/").pop()!;
    const variables = {
      NIBBLE_URL: server.url,
      NIBBLE_MODEL: name,
      NIBBLE_TOKENIZER: folder,
      NIBBLE_END_TOKEN: end,
      NIBBLE_OUT: out,
    };
    const { code, text } = await pytest("test_lm_eval.py", variables);
    expect(code, text).toBe(0);
    const samples = JSON.parse(readFileSync(join(out, "local-completions-sums_likelihood.json"), "utf8")) as Sample[];
    expect(samples).toHaveLength(6);
    for (const { arguments: requests, resps } of samples) {
      for (const [i, [context, continuation]] of requests.entries()) {
        const [found, isGreedy] = resps[i]![0]!;
        const expected = logLikelihood(model, context, continuation);
        expect(Math.abs(Number(found) - expected.sum)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(expected.sum)));
        expect(String(isGreedy)).toMatch(expected.isGreedy ? /true/i : /false/i);
      }
    }
  });
});

interface Sample {
  readonly arguments: readonly (readonly [string, string])[];
  readonly resps: readonly (readonly (readonly [number | string, boolean | string])[])[];
}

/** The log-likelihood of a continuation as lm-eval defines it: context and continuation are tokenized together. */
function logLikelihood(model: Model, context: string, continuation: string): { sum: number; isGreedy: boolean } {
  const ids = model.tokenize(context + continuation, { addBos: false, special: true });
  const start = model.tokenize(context, { addBos: false, special: true }).length;
  const session = model.session();
  let sum = 0;
  let isGreedy = true;
  session.forward(ids.slice(0, start - 1));
  for (let i = start; i < ids.length; i++) {
    const logits = Float64Array.from(session.forward([ids[i - 1]!]));
    const max = logits.reduce((a, b) => Math.max(a, b));
    const total = logits.reduce((all, logit) => all + Math.exp(logit - max), 0);
    sum += logits[ids[i]!]! - max - Math.log(total);
    if (logits.indexOf(max) !== ids[i]) isGreedy = false;
  }
  session.dispose();
  return { sum, isGreedy };
}
