/** The folder of `nibble eval`: runs that are ended, folders of other runs, and folders that cannot be written. */
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataFolder } from "../eval/fixtures.ts";
import { cli, nibble, pathOf, Running } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-eval-runs-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(at(name), "utf8");
const sums = ["eval", "crumb-problems", "--limit", "6", "-n", "16"];

const FILES = ["results.json", "samples_crumb-problems.jsonl", "report.html"];
beforeAll(async () => {
  expect((await nibble([...sums, "-o", at("whole")])).code).toBe(0);
});

describe("runs that are ended", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s ends one cleanly, says how to go on, and nothing is lost",
    async (signal) => {
      const run = new Running(process.execPath, [cli, ...sums, "-np", "1", "--limit", "500", "-o", at(signal)]);
      while (
        !existsSync(at(`${signal}/samples_crumb-problems.jsonl`)) ||
        read(`${signal}/samples_crumb-problems.jsonl`) === ""
      )
        await new Promise((resolve) => setTimeout(resolve, 10));
      run.child.kill(signal);
      const { code, stderr } = await run.result();
      expect([code, stderr]).toEqual([
        signal === "SIGINT" ? 130 : 143,
        expect.stringMatching(
          new RegExp(
            `ended by ${signal} after \\d+ of 500 rows of crumb-problems; the same command goes on from .*${signal}\n$`,
          ),
        ),
      ]);
      expect(existsSync(at(`${signal}/run.lock`))).toBe(false);
      const rows = read(`${signal}/samples_crumb-problems.jsonl`).trim().split("\n");
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect(JSON.parse(row)).toHaveProperty("doc_id");
    },
  );

  it("without -o, a run that is ended says that nothing was kept", async () => {
    const run = new Running(process.execPath, [cli, ...sums, "--limit", "500"]);
    while (!run.stderr.includes(" of 500 rows")) await new Promise((resolve) => setTimeout(resolve, 10));
    run.child.kill("SIGINT");
    expect((await run.result()).stderr).toMatch(/ended by SIGINT after \d+ of 500 rows .*; nothing was kept/);
  });

  const several = [...sums, "--samples", "12", "--temp", "2", "--seed", "7", "-np", "1"];
  const ANSWERS = "answers_crumb-problems.jsonl";

  it("single answers of a row that was not complete are kept: only the others are generated", async () => {
    const run = async (out: string) => expect((await nibble([...several, "--limit", "2", "-o", at(out)])).code).toBe(0);
    await run("several");
    const samples = read(`several/${FILES[1]}`).trim().split("\n");
    const { resps } = JSON.parse(samples[1]!);
    cpSync(at("several"), at("kept"), { recursive: true });
    writeFileSync(at(`kept/${FILES[1]}`), `${samples[0]}\n`);
    // An answer of a row that is complete, two of one that is not, and a line that was cut off.
    const lines = [
      { doc_id: 0, sample: 0, text: "of a row that is complete" },
      { doc_id: 1, sample: 3, text: resps[0][3] },
      { doc_id: 1, sample: 7, text: "nobody else says this" },
    ].map((line) => `${JSON.stringify(line)}\n`);
    writeFileSync(at(`kept/${ANSWERS}`), `${lines.join("")}{"doc_id":1,"sample":4,"text":"cut o`);
    await run("kept");
    const [first, second] = read(`kept/${FILES[1]}`).trim().split("\n");
    expect(first).toBe(samples[0]);
    expect(JSON.parse(second!).resps[0]).toEqual(resps[0].with(7, "nobody else says this"));
    expect(existsSync(at(`kept/${ANSWERS}`))).toBe(false);
  });

  it("kill -9 within a row: the run that goes on ends with the bytes of a run alone, also as a shard to merge", async () => {
    const run = async (out: string, ...more: string[]) =>
      expect((await nibble([...several, "-o", at(out), ...more])).code).toBe(0);
    const killed = new Running(process.execPath, [cli, ...several, "-o", at("killed")]);
    while (killed.child.exitCode === null && !existsSync(at(`killed/${ANSWERS}`)))
      await new Promise((resolve) => setTimeout(resolve, 5));
    killed.child.kill("SIGKILL");
    await killed.exit;
    await run("not killed");
    await run("merged", "--merge", at("killed"));
    await run("killed");
    for (const name of FILES)
      for (const out of ["merged", "killed"]) expect(read(`${out}/${name}`), name).toBe(read(`not killed/${name}`));
    expect(existsSync(at(`killed/${ANSWERS}`))).toBe(false);
  });

  it("lines of rows that are there twice, or in parts in two folders, count once", async () => {
    const lines = read("whole/samples_crumb-problems.jsonl").trim().split("\n");
    for (const name of ["a", "b"]) cpSync(at("whole"), at(name), { recursive: true });
    writeFileSync(at("a/samples_crumb-problems.jsonl"), `${[...lines.slice(0, 3), ...lines.slice(0, 3)].join("\n")}\n`);
    writeFileSync(at("b/samples_crumb-problems.jsonl"), `${lines.slice(2).join("\n")}\n{"doc_id": 5, "fil`);
    expect((await nibble([...sums, "-o", at("a"), "--merge", at("b")])).code).toBe(0);
    for (const name of FILES) expect(read(`a/${name}`), name).toBe(read(`whole/${name}`));
  });

  it("shards with samples that are drawn at random give the bytes of one run, with any number of rows at once", async () => {
    const args = [...sums, "--samples", "3", "--temp", "2", "--seed", "7"];
    const run = async (out: string, ...more: string[]) =>
      expect((await nibble([...args, "-o", at(out), ...more])).code).toBe(0);
    await run("one");
    await run("s1", "--shard", "1/2", "-np", "1");
    await run("s2", "--shard", "2/2", "-np", "5", "--merge", at("s1"), "-t", "2");
    for (const name of FILES) expect(read(`s2/${name}`), name).toBe(read(`one/${name}`));
    const lines = read("one/samples_crumb-problems.jsonl").trim().split("\n");
    expect(lines.some((line) => new Set(JSON.parse(line).resps[0]).size > 1)).toBe(true);
  });
});

describe("refused", () => {
  const other = at("other.jsonl");
  const own = ["eval", "hellaswag", "--limit", "2"];
  beforeAll(async () => {
    copyFileSync(join(dataFolder, "hellaswag.jsonl"), other);
    await nibble([...own, "--data", other, "-o", at("mine")]);
  });

  it("samples of another model, of other data and of other settings", async () => {
    const elsewhere = at("elsewhere.jsonl");
    copyFileSync(other, elsewhere);
    expect((await nibble([...own, "--data", elsewhere, "-o", at("mine")])).code).toBe(0); // The same data in another place.
    const rows = readFileSync(other, "utf8");
    writeFileSync(
      elsewhere,
      rows.replace(/.*\n/, (row) => row.replace(/"ctx_a": ?"/, (begin) => `${begin}Well, `)),
    );
    for (const [args, expected] of [
      [["--data", elsewhere], /mine: it holds a run with other settings \(run\.json\): task hellaswag is /],
      [["--data", other, "-m", pathOf("models/crumb")], /mine: it holds .*: model is "/],
      [["--data", other, "--kv", "f32"], /mine: it holds .*: model is "/],
      [["--data", other, "--num-fewshot", "1"], /mine: it holds .*: --num-fewshot is not given there and 1 here/],
      [
        ["--data", other, "--apply-chat-template"],
        /mine: it holds .*: --apply-chat-template is not given there and true here/,
      ],
    ] as const) {
      const ways = args.length > 2 ? ["-o"] : ["-o", "--merge"];
      for (const way of ways) {
        const { code, stderr } = await nibble([...own, ...args, way, at("mine")]);
        expect([code, stderr]).toEqual([1, expect.stringMatching(expected)]);
      }
    }
  });

  it.each<[string, string[], RegExp]>([
    [
      "a folder to merge that holds no run",
      ["--merge", tmpdir()],
      /there is no run\.json, as nibble eval -o leaves it/,
    ],
    [
      "a folder that cannot be made",
      ["-o", join(cli, "folder")],
      /cli\.js\/folder: the folder cannot be made: ENOTDIR/,
    ],
    ["a file in place of the folder", ["-o", cli], /cli\.js: the folder cannot be made: EEXIST/],
  ])("%s", async (_, args, message) => {
    const { code, stderr } = await nibble([...sums, ...args]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  it("a folder that another process writes to", async () => {
    const run = new Running(process.execPath, [cli, ...sums, "--limit", "500", "-o", at("held")]);
    while (!existsSync(at("held/samples_crumb-problems.jsonl")))
      await new Promise((resolve) => setTimeout(resolve, 10));
    const { code, stderr } = await nibble([...sums, "--limit", "500", "-o", at("held")]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/another process has the lock .*held\/run\.lock/)]);
    run.child.kill("SIGKILL");
    await run.exit;
  });

  it.skipIf(process.platform === "win32")(
    "a disk that is full: a typed error, and the rows before it are kept",
    async () => {
      // A limit on the size of files stands for the full disk: writes fail at the same place, with EFBIG in place of ENOSPC.
      const command = `ulimit -f 8; exec "$0" "$@"`;
      const args = [process.execPath, cli, ...sums, "--limit", "40", "-o", at("full"), "--json"];
      const full = await new Running("sh", ["-c", command, ...args]).result();
      expect(full.code).toBe(1);
      expect(JSON.parse(full.stdout)).toEqual({
        error: {
          code: "io_error",
          message: expect.stringMatching(/could not write .*samples_crumb-problems\.jsonl: EFBIG/),
        },
      });
      const kept = read("full/samples_crumb-problems.jsonl").split("\n").length - 1;
      expect(kept).toBeGreaterThan(0);
      expect((await nibble(args.slice(2))).code).toBe(0);
      expect(JSON.parse(read("full/results.json"))["n-samples"]["crumb-problems"].effective).toBe(40);
    },
  );
});
