/**
 * llama.cpp's own server tests against `nibble serve`. They come from the source package of llama-cpp-python, are unpacked below
 * .cache/ and start shim.mjs in place of llama-server. outcomes.json says what each file's tests end with, and why.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCheckpoint } from "../../../src/load/checkpoint.ts";
import { cli } from "../../cli/helpers.ts";
import { ggufAdapter, randomAdapter } from "../../helpers/adapters.ts";
import { root, testHost } from "../../helpers/models.ts";
import { fetchOrSkip } from "../../helpers/real-model.ts";

const PACKAGE = "llama_cpp_python-0.3.36";
const here = import.meta.dirname;
const requirements = join(here, "requirements.txt");
const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
const installed = join(root, `.cache/llama-server-tests-${hash}`);
const python = join(installed, "python/bin/python");
const tests = join(installed, "source/tools/server/tests");
const work = mkdtempSync(join(tmpdir(), "nibble-llama-server-"));
const model = await fetchOrSkip("smollm2-135m-instruct-q4_1");

interface Outcomes {
  /** Files that concern nothing that nibble does, each with the reason. */
  readonly leftOut: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, FileOutcome>>;
}
interface FileOutcome {
  readonly passes: number;
  /** Tests that fail by design, below the reason. */
  readonly fails: Readonly<Record<string, readonly string[]>>;
}
interface Report {
  readonly outcome: "passed" | "failed" | "skipped";
  readonly reason: string;
}

const { leftOut, files } = JSON.parse(readFileSync(join(here, "outcomes.json"), "utf8")) as Outcomes;

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}:\n${stdout}\n${stderr}`);
}

/** Installs pytest and what the tests import, and unpacks the tests with the chat templates that they read. */
function install(): void {
  const complete = join(installed, "complete");
  if (existsSync(complete)) return;
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(join(installed, "source"), { recursive: true });
  run("python3", ["-m", "venv", join(installed, "python")]);
  run(python, ["-m", "pip", "install", "--quiet", "-r", requirements]);
  const [name, version] = PACKAGE.split("-");
  const options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-binary", ":all:", "--dest", installed];
  run(python, ["-m", "pip", "download", ...options, `${name!.replaceAll("_", "-")}==${version}`]);
  const archive = join(installed, `${PACKAGE}.tar.gz`);
  const source = `${PACKAGE}/vendor/llama.cpp`;
  const parts = [`${source}/tools/server/tests`, `${source}/models/templates`];
  run("tar", ["-xzf", archive, "-C", join(installed, "source"), "--strip-components=3", ...parts]);
  rmSync(archive);
  writeFileSync(complete, "");
}

/** A random adapter for crumb, which stands in for the one that the tests download. */
async function writeAdapter(path: string): Promise<void> {
  const base = await openCheckpoint(join(root, "dist/crumb.gguf"), testHost);
  const names = [...base.tensors.keys()].filter((name) => /attn_(q|k|v|output)\.weight/.test(name));
  writeFileSync(path, await ggufAdapter(randomAdapter(base, names, 8, 0), base.architecture));
  await base.close();
}

/** crumb with three tokens for gaps, which stands in for the model of the tests of /infill. */
function writeInfillModel(path: string): void {
  const crumb = readFileSync(join(root, "dist/crumb.gguf"));
  const [KEYS, FIRST_KEY, ALIGNMENT, UINT32, STRING] = [16, 24, 32, 4, 8];
  const number = (value: number, bytes: number): Buffer => {
    const buffer = Buffer.alloc(bytes);
    buffer.writeUInt32LE(value);
    return buffer;
  };
  const string = (text: string): Buffer => Buffer.concat([number(text.length, 8), Buffer.from(text)]);
  const ids = ["pre", "suf", "mid"].map((name, i) =>
    Buffer.concat([string(`tokenizer.ggml.fim_${name}_token_id`), number(UINT32, 4), number(3 + i, 4)]),
  );
  const note = [string("test.padding"), number(STRING, 4)];
  const size = Buffer.concat([...ids, ...note]).length + 8;
  const padding = string(" ".repeat((ALIGNMENT - (size % ALIGNMENT)) % ALIGNMENT));
  const head = Buffer.from(crumb.subarray(0, FIRST_KEY));
  head.writeUInt32LE(head.readUInt32LE(KEYS) + ids.length + 1, KEYS);
  writeFileSync(path, Buffer.concat([head, ...ids, ...note, padding, crumb.subarray(FIRST_KEY)]));
}

/** Runs the tests, some at a time. @returns how each test ended */
async function pytest(): Promise<ReadonlyMap<string, Report>> {
  const [adapter, infill, outcomes] = ["adapter.gguf", "infill.gguf", "outcomes.json"].map((name) => join(work, name));
  await writeAdapter(adapter!);
  writeInfillModel(infill!);
  const skipped = Object.keys(leftOut).map((file) => `--ignore=unit/${file}`);
  const workers = String(Math.min(4, availableParallelism()));
  const args = ["-m", "pytest", "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider", "-p", "plugin"];
  args.push("-m", "not slow", "--timeout", "120", "-n", workers, ...skipped, "unit");
  const child = spawn(python, args, {
    cwd: tests,
    env: {
      ...process.env,
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      PYTHONPATH: here,
      PYTHONDONTWRITEBYTECODE: "1",
      LLAMA_SERVER_BIN_PATH: join(here, "shim.mjs"),
      NIBBLE_CLI: cli,
      NIBBLE_CRUMB: join(root, "dist/crumb.gguf"),
      NIBBLE_SMOLLM2: model,
      NIBBLE_ADAPTER: adapter,
      NIBBLE_INFILL: infill,
      NIBBLE_OUTCOMES: outcomes,
    },
  });
  let text = "";
  child.stdout.on("data", (bytes) => (text += bytes));
  child.stderr.on("data", (bytes) => (text += bytes));
  await new Promise((resolve) => child.on("close", resolve));
  if (!existsSync(outcomes!)) throw new Error(`pytest did not run:\n${text}`);
  return new Map(Object.entries(JSON.parse(readFileSync(outcomes!, "utf8"))));
}

describe("llama.cpp's server tests", { skip: model === "" }, () => {
  let reports: ReadonlyMap<string, Report>;
  beforeAll(async () => {
    install();
    reports = await pytest();
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  it("every file has its row in the table", () => {
    const found = new Set([...reports.keys()].map((id) => id.split("::")[0]!.replace("unit/", "")));
    expect([...found].sort()).toEqual(Object.keys(files).sort());
  });

  it.each(Object.entries(files))("%s", (file, { passes, fails }) => {
    const own = [...reports].filter(([id]) => id.startsWith(`unit/${file}::`));
    const names = (outcome: Report["outcome"]) =>
      own.filter(([, report]) => report.outcome === outcome).map(([id]) => id.slice(id.indexOf("::") + 2));
    const expected = Object.values(fails).flat();
    const surprises = own.filter(
      ([id, { outcome }]) => outcome === "failed" && !expected.includes(id.slice(id.indexOf("::") + 2)),
    );
    expect(surprises.map(([id, { reason }]) => `${id}\n${reason}`)).toEqual([]);
    expect(names("passed").filter((name) => expected.includes(name))).toEqual([]);
    expect(names("passed")).toHaveLength(passes);
  });
});
