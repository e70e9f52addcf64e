/** Where `nibble eval` finds its rows: files, folders of any layout, the hub; and what it says where there are none. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findLocal } from "../../../src/cli/eval/local-data.ts";
import { TASKS } from "../../../src/eval/registry.ts";
import { FaultServer } from "../../hub/fault-server.ts";
import { sha256 } from "../../hub/helpers.ts";
import { cli, nibble, pathOf, type Result, Running } from "../helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-data-"));
afterAll(() => rmSync(folder, { recursive: true }));
const parquet = (name: string): string => pathOf(`test/fixtures/parquet/${name}.parquet`);

/** Makes files in a new folder; their content does not matter to `findLocal`. */
function tree(name: string, paths: readonly string[], content = "{}"): string {
  for (const path of paths) {
    mkdirSync(dirname(join(folder, name, path)), { recursive: true });
    writeFileSync(join(folder, name, path), content);
  }
  return join(folder, name);
}
const found = (task: string, data: string, pool = false): string[] => {
  const own = TASKS.get(task)!;
  const split = pool ? (own.fewshot_split ?? "train") : own.test_split;
  return findLocal({ task: own, split, isPool: pool }, data).map((path) => path.slice(data.length + 1));
};

describe("folders", () => {
  const test = "test-00000-of-00001.parquet";
  it.each<[string, string[], string, string, boolean?]>([
    ["the task's name", ["piqa.jsonl", "piqa.train.jsonl", "gsm8k.jsonl"], "piqa", "piqa.jsonl"],
    ["examples", ["piqa.jsonl", "piqa.train.jsonl"], "piqa", "piqa.train.jsonl", true],
    ["examples by the name of their split", ["mmlu.parquet", "mmlu.dev.parquet"], "mmlu", "mmlu.dev.parquet", true],
    ["the name of the data", ["gsm8k.jsonl.gz"], "gsm8k_cot_zeroshot", "gsm8k.jsonl.gz"],
    [
      "the variant before the data",
      ["gsm8k.jsonl", "gsm8k_cot_zeroshot.json"],
      "gsm8k_cot_zeroshot",
      "gsm8k_cot_zeroshot.json",
    ],
    ["another case", ["GSM8K.jsonl"], "gsm8k", "GSM8K.jsonl"],
    ["a clone of the repository", ["README.md", `main/${test}`, `socratic/${test}`], "gsm8k", `main/${test}`],
    [
      "its examples",
      ["main/train-00000-of-00001.parquet", `main/${test}`],
      "gsm8k",
      "main/train-00000-of-00001.parquet",
      true,
    ],
    ["data/", ["data/validation-00000-of-00001.parquet"], "piqa", "data/validation-00000-of-00001.parquet"],
    ["without the configuration", [`data/${test}`], "gsm8k", `data/${test}`],
    [
      "owner/name",
      [`openai/gsm8k/main/${test}`, `allenai/ai2_arc/ARC-Easy/${test}`],
      "arc_easy",
      `allenai/ai2_arc/ARC-Easy/${test}`,
    ],
    [
      "name",
      [`ai2_arc/ARC-Easy/${test}`, `ai2_arc/ARC-Challenge/${test}`],
      "arc_challenge",
      `ai2_arc/ARC-Challenge/${test}`,
    ],
    ["as the hub converts", ["ai2_arc/ARC-Easy/test/0000.parquet"], "arc_easy", "ai2_arc/ARC-Easy/test/0000.parquet"],
    ["the task's folder", ["aime24/aime_2024_problems.parquet"], "aime24", "aime24/aime_2024_problems.parquet"],
  ])("%s", (name, paths, task, expected, pool = false) => {
    expect(found(task, tree(`layouts/${name.replace("/", "-")}`, paths), pool)).toEqual([expected]);
  });
  it("a cache of Hugging Face's library", () => {
    const data = tree("hub", ["datasets--openai--gsm8k/snapshots/abc/main/test-00000-of-00001.parquet"]);
    tree("hub", ["datasets--openai--gsm8k/refs/main"], "abc\n");
    expect(found("gsm8k", data)).toEqual(["datasets--openai--gsm8k/snapshots/abc/main/test-00000-of-00001.parquet"]);
  });
  it("several files, in order", () => {
    const files = [0, 1, 2].map((i) => `main/test-0000${i}-of-00003.parquet`);
    expect(found("gsm8k", tree("shards", [...files].reverse()))).toEqual(files);
    expect(() => found("gsm8k", tree("part", files.slice(1)))).toThrow(
      /expected 3 files like main\/test-00001-of-00003/,
    );
  });
  it.each<[string, string[], string]>([
    ["mixed", ["gsm8k.jsonl", "mmlu.dev.jsonl", "train.txt"], "piqa"],
    ["ARC-Easy", [test], "arc_challenge"],
    ["unnamed", ["problems.jsonl"], "aime24"],
  ])("what belongs to another task is not taken: %s", (name, paths, task) => {
    expect(() => found(task, tree(`others/${name}`, paths))).toThrow(
      /expected \w+\.jsonl, or the files of the split \w+ of /,
    );
  });
});

const doc = async (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<{ result: Result; rows: number }> => {
  const all = ["eval", ...args, "--json", "-t", "1"];
  const result = await new Running(process.execPath, [cli, ...all], { env: { ...process.env, ...env } }).result();
  const samples = result.code === 0 ? JSON.parse(result.stdout)["n-samples"] : {};
  return { result, rows: (Object.values(samples)[0] as { original: number } | undefined)?.original ?? -1 };
};

it("Parquet, JSON Lines packed by gzip, and the same rows as JSON give the same results", async () => {
  const rows = JSON.parse(readFileSync(pathOf("test/fixtures/parquet/arc-snappy.json"), "utf8"));
  const lines = rows.map((row: object) => JSON.stringify(row)).join("\n");
  writeFileSync(join(folder, "arc.jsonl.gz"), gzipSync(lines));
  writeFileSync(join(folder, "arc.json"), JSON.stringify(rows));
  const results = await Promise.all(
    [parquet("arc-snappy"), join(folder, "arc.jsonl.gz"), join(folder, "arc.json")].map((file) =>
      doc(["arc_easy", "--data", file, "--limit", "4"]),
    ),
  );
  for (const { result, rows } of results) expect([result.stdout, rows]).toEqual([results[0]!.result.stdout, 12]);
});

describe("the hub", () => {
  let hub: FaultServer;
  const commit = "0123456789abcdef0123456789abcdef01234567";
  beforeAll(async () => {
    hub = await FaultServer.start();
    const files: Record<string, Uint8Array> = {
      "ARC-Easy/test/0000.parquet": new Uint8Array(readFileSync(parquet("arc-snappy"))),
      "ARC-Easy/train/0000.parquet": new Uint8Array(readFileSync(parquet("arc-snappy"))),
      "ARC-Challenge/test/0000.parquet": new Uint8Array(readFileSync(parquet("run"))),
    };
    const siblings = Object.entries(files).map(([rfilename, content]) => ({
      rfilename,
      size: content.length,
      lfs: { sha256: sha256(content) },
    }));
    const set = "datasets/allenai/ai2_arc";
    hub.files.set(
      `/api/${set}/revision/refs%2Fconvert%2Fparquet`,
      new TextEncoder().encode(JSON.stringify({ sha: commit, siblings })),
    );
    for (const [path, content] of Object.entries(files)) hub.files.set(`/${set}/resolve/${commit}/${path}`, content);
  });
  afterAll(() => hub.stop());
  const env = (): NodeJS.ProcessEnv => ({
    HF_ENDPOINT: hub.url,
    NIBBLE_CACHE: join(folder, "cache"),
    NIBBLE_OFFLINE: "",
  });

  it("a data set is fetched once, its examples only where they are needed, and then no network is needed", async () => {
    const args = ["arc_easy", "--limit", "2"];
    const { result, rows } = await doc(args, env());
    expect([result.code, rows]).toEqual([0, 12]);
    expect(result.stderr).toMatch(
      /^nibble: hf:datasets\/allenai\/ai2_arc:ARC-Easy\/test is not in the cache yet; fetching it\n/,
    );
    expect(hub.seen.some(({ path }) => path.includes("train"))).toBe(false);
    const asked = hub.seen.length;
    expect((await doc([...args, "--offline"], env())).result.stdout).toBe(result.stdout);
    expect(hub.seen.length).toBe(asked);
    await doc([...args, "--num-fewshot", "1"], env());
    // Its file is the same, and so it is not fetched again: only the listing is read.
    expect(hub.seen.length).toBe(asked + 1);
  });
  it("ls, show and rm know it", async () => {
    const run = (...args: string[]) =>
      new Running(process.execPath, [cli, ...args], { env: { ...process.env, ...env() } }).result();
    const name = "hf:datasets/allenai/ai2_arc:ARC-Easy/test";
    await run("pull", name);
    expect((await run("ls")).stdout).toContain(name);
    expect(JSON.parse((await run("show", name, "--json")).stdout)).toMatchObject({
      source: `${hub.url}/datasets/allenai/ai2_arc`,
      revision: commit,
      files: [{ sha256: sha256(new Uint8Array(readFileSync(parquet("arc-snappy")))) }],
    });
    expect((await run("rm", name)).code).toBe(0);
    expect((await run("ls")).stdout).not.toContain(name);
    expect((await run("run", name, "Hi")).stderr).toMatch(/expected hf:owner\/repository/);
  });
  it("rows of another kind are refused by their fields", async () => {
    const { result } = await doc(["arc_challenge"], env());
    expect(result.stderr).toMatch(/arc_challenge: expected rows with the fields question, choices, answerKey, got n\n/);
  });
  it("a server that does not answer: the error says what to put where", async () => {
    const { result } = await doc(["piqa"], { ...env(), HF_ENDPOINT: "http://127.0.0.1:9" });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(
      /could not reach 127\.0\.0\.1:9: .*; without a network, give by --data a folder with piqa\.jsonl/,
    );
  });
});

describe("offline, the error says which file, split and fields", () => {
  it.each<[string[], RegExp]>([
    [
      ["gsm8k"],
      /^nibble: hf:datasets\/openai\/gsm8k:main\/test is not in the cache, and nothing is fetched while offline; give by --data a folder with gsm8k\.jsonl, the split test of openai\/gsm8k \(main\): JSON Lines or Parquet with the fields question, answer, and with gsm8k\.train\.jsonl, its split train, for examples\n$/,
    ],
    [
      ["piqa"],
      /hf:datasets\/baber\/piqa:validation .* piqa\.jsonl, the split validation of baber\/piqa: .* fields goal, sol1, sol2, label\n$/,
    ],
  ])("%j", async (args, message) => {
    const cache = { NIBBLE_CACHE: join(folder, "empty"), HF_HUB_OFFLINE: "1" };
    const { result } = await doc(args, cache);
    expect([result.code, result.stderr]).toEqual([1, expect.stringMatching(message)]);
  });
  it("a folder without examples, where the task needs some", async () => {
    mkdirSync(join(folder, "few"));
    writeFileSync(join(folder, "few/gsm8k.jsonl"), '{"question":"1+1?","answer":"#### 2"}\n');
    const { stderr } = await nibble(["eval", "gsm8k", "--data", join(folder, "few")]);
    expect(stderr).toMatch(
      /few: expected gsm8k\.train\.jsonl, or the files of the split train of openai\/gsm8k \(main\)/,
    );
  });
});

describe("damaged files", () => {
  const cut = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes.subarray(0, bytes.length - 20));
    return join(folder, name);
  };
  it.each<[string, () => string, RegExp]>([
    ["Parquet", () => cut("cut.parquet", readFileSync(parquet("run"))), /cut\.parquet: .*the file is not complete/],
    [
      "gzip",
      () => cut("cut.gz", gzipSync('{"question":"a"}\n'.repeat(999))),
      /cut\.gz: the gzip file is damaged: unexpected end/,
    ],
    ["a folder's file", () => tree("dir", ["piqa.parquet"], "PAR1"), /piqa\.parquet: .*the file is not complete/],
  ])("%s", async (_, file, message) => {
    const { code, stderr } = await nibble(["eval", "piqa", "--data", file()]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });
  it("stdin", () => {
    const input = readFileSync(parquet("arc-snappy"));
    const { stdout } = spawnSync(process.execPath, [cli, "eval", "arc_easy", "--data", "-", "--limit", "1", "--json"], {
      input,
    });
    expect(JSON.parse(String(stdout))["n-samples"].arc_easy.original).toBe(12);
  });
});
