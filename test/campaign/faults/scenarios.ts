/**
 * Commands that write, each with what it leaves behind. A scenario runs in a folder of its own, twice if the first run fails:
 * then the second must leave what one undisturbed run leaves.
 * @module
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cli, fixtureModel, pathOf, Running } from "../../cli/helpers.ts";
import { FaultServer, fileOf } from "../../hub/fault-server.ts";
import { Broken } from "../target.ts";

export interface Scenario {
  readonly name: string;
  /**
   * How many calls of each kind an undisturbed run makes. Faults are drawn by these and not by what a run counts, so that a
   * seed gives the same faults after a change of the program.
   */
  readonly calls: Readonly<Record<string, number>>;
  /** Prepares a folder. */
  readonly prepare?: (folder: string) => Promise<void>;
  /** Arguments of node, to run in the folder. @param again whether an earlier run of the same folder was disturbed */
  readonly args: (folder: string, again: boolean) => Promise<readonly string[]>;
  /** What a finished run leaves, as text to compare; undefined where it is not there. */
  readonly result: (folder: string) => string | undefined;
  /** Whether what a disturbed run leaves may be used as it is: nothing, or a whole file. @throws Broken */
  readonly checkAfterFault?: (folder: string, good: string) => void;
}

const read = (path: string): string | undefined =>
  existsSync(path) ? readFileSync(path).toString("base64") : undefined;

const PROMPTS = ["a b", "c", "d e f"];
const BATCH = PROMPTS.map((prompt, i) =>
  JSON.stringify({
    custom_id: `r${i}`,
    method: "POST",
    url: "/v1/completions",
    body: { prompt, max_tokens: 4, temperature: 0, model: "crumb" },
  }),
).join("\n");

/** A file at its place is whole, or the one from before, or not there. */
function wholeOrNothing(path: string, good: string): void {
  const now = read(path);
  if (now !== undefined && now !== good) throw new Broken(`${path} is there and is not whole`);
}

let server: Promise<FaultServer> | undefined;
async function fileServer(): Promise<string> {
  server ??= FaultServer.start().then((one) => {
    one.files.set("/model.gguf", fileOf(20 * 2 ** 20));
    return one;
  });
  return (await server).url;
}

const evaluation = (folder: string): readonly string[] => [
  ...[cli, "eval", "crumb-problems", "--limit", "2"],
  ...["-n", "8", "-o", join(folder, "out")],
];

function evaluationResult(folder: string): string | undefined {
  const path = join(folder, "out/results.json");
  return existsSync(path) ? JSON.stringify(JSON.parse(readFileSync(path, "utf8")).results) : undefined;
}

const SAMPLES = "out/samples_crumb-problems.jsonl";

/** A field in the row of the earlier run. A run that computes the row anew has not got it. */
const MARK = '"mark":1,';

let half: Promise<string> | undefined;
/** A folder with an evaluation that was ended after its first row. */
function halfEvaluated(): Promise<string> {
  const make = async (): Promise<string> => {
    const folder = mkdtempSync(join(tmpdir(), "nibble-campaign-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    const { code, stderr } = await new Running(process.execPath, evaluation(folder)).result();
    if (code !== 0) throw new Broken(`undisturbed, eval ends with ${code}: ${stderr}`);
    const [first] = readFileSync(join(folder, SAMPLES), "utf8").split("\n");
    writeFileSync(join(folder, SAMPLES), `${first!.replace("{", `{${MARK}`)}\n`);
    for (const name of ["results.json", "report.html"]) rmSync(join(folder, "out", name));
    return folder;
  };
  half ??= make();
  return half;
}

/** The row that was there is not lost. */
function firstRowStays(folder: string): void {
  if (!readFileSync(join(folder, SAMPLES), "utf8").includes(MARK))
    throw new Broken("the row of the earlier run is gone");
}

/** The cache's files, with the hash in each name, and its records. */
function cacheResult(folder: string): string | undefined {
  const list = (name: string): string[] =>
    existsSync(join(folder, "cache", name)) ? readdirSync(join(folder, "cache", name)).sort() : [];
  const files = list("files").map((name) => `${name} ${readFileSync(join(folder, "cache/files", name)).length}`);
  return files.length > 0 && list("models").some((name) => name.endsWith(".json")) ? files.join("\n") : undefined;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "convert",
    calls: { stat: 4, open: 2, read: 49, lstat: 1, write: 21, sync: 1, rename: 1 },
    args: async (folder) => [cli, "convert", fixtureModel, join(folder, "out.gguf"), "--type", "q8_0", "--force"],
    result: (folder) => read(join(folder, "out.gguf")),
    checkAfterFault: (folder, good) => wholeOrNothing(join(folder, "out.gguf"), good),
  },
  {
    name: "batch",
    calls: {
      ...{ stat: 14, writeFile: 1, open: 9, read: 83, readFile: 2, clock: 7 },
      ...{ appendFile: 3, lstat: 1, write: 3, sync: 1, rename: 1, rm: 1 },
    },
    prepare: async (folder) => writeFileSync(join(folder, "in.jsonl"), BATCH),
    args: async (folder) => [cli, "batch", join(folder, "in.jsonl"), "-o", join(folder, "out.jsonl"), "-m", "crumb"],
    result: (folder) => read(join(folder, "out.jsonl")),
    // The results are appended as they come, so that the next run goes on: a part of them is no fault.
  },
  {
    name: "eval",
    calls: {
      ...{ stat: 3, open: 9, read: 78, readFile: 3, mkdir: 1, writeFile: 3 },
      ...{ lstat: 5, write: 4, sync: 5, rename: 5, appendFile: 2, rm: 1 },
    },
    args: async (folder) => evaluation(folder),
    result: evaluationResult,
  },
  {
    name: "eval that goes on",
    calls: {
      ...{ stat: 3, open: 9, read: 78, readFile: 3, mkdir: 1, writeFile: 2 },
      ...{ lstat: 4, write: 4, sync: 4, rename: 4, appendFile: 1, rm: 1 },
    },
    prepare: async (folder) => cpSync(await halfEvaluated(), folder, { recursive: true }),
    args: async (folder) => evaluation(folder),
    result: (folder) => `${evaluationResult(folder)} ${read(join(folder, SAMPLES))}`,
    checkAfterFault: firstRowStays,
  },
  {
    name: "pull",
    calls: {
      ...{ fetch: 3, clock: 3, readFile: 4, mkdir: 6, writeFile: 2, open: 4 },
      ...{ write: 40, read: 21, truncate: 1, sync: 4, rename: 2, rm: 3 },
    },
    args: async () => [cli, "pull", `${await fileServer()}/model.gguf`],
    result: cacheResult,
  },
  {
    name: "slot saves",
    calls: { readdir: 1, lstat: 4, open: 4, write: 4, sync: 4, rename: 4 },
    prepare: async (folder) => void mkdirSync(join(folder, "slots")),
    args: async (folder) => [pathOf("test/campaign/faults/save-slots.ts"), join(folder, "slots")],
    result: (folder) => read(join(folder, "slots/a.bin")),
    checkAfterFault: (folder, good) => wholeOrNothing(join(folder, "slots/a.bin"), good),
  },
];
