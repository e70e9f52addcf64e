import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeGguf } from "../../weights-tools/gguf/writer.ts";
import { cli, fixtureModel, nibble, nibbleJson, pathOf, Running, reference } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-tools-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

const text = reference.map(({ prompt, text }) => prompt + text).join("\n");
const textFile = at("text.txt");
beforeAll(() => writeFileSync(textFile, text));

describe("split and merge", () => {
  it("by count: the names are llama.cpp's, and merging restores the bytes", async () => {
    const { shards } = await nibbleJson(["split", fixtureModel, at("s"), "--split-max-tensors", "8"]);
    const names = [1, 2, 3].map((n) => at(`s-0000${n}-of-00003.gguf`));
    expect(shards.map(({ file }: { file: string }) => file)).toEqual(names);
    expect(shards.map(({ tensors }: { tensors: number }) => tensors)).toEqual([8, 8, 4]);
    const merged = await nibbleJson(["merge", names[0]!, at("merged.gguf")]);
    expect(merged).toMatchObject({ out: at("merged.gguf"), tensors: 20 });
    expect(sha256(at("merged.gguf"))).toBe(sha256(fixtureModel));
  });
  it("by size: a split model answers as the whole one", async () => {
    const { shards } = await nibbleJson(["split", "crumb", at("c"), "--split-max-size", "1M"]);
    expect(shards.length).toBeGreaterThan(3);
    const [prompt, rest] = ["2+2?", ["-n", "4", "--temp", "0"]];
    const whole = await nibbleJson(["run", "crumb", prompt, ...rest]);
    expect((await nibbleJson(["run", shards[0].file, prompt, ...rest])).tokens).toEqual(whole.tokens);
  });
  it("leave no files when they fail, and never write over their input", async () => {
    const before = readdirSync(folder);
    const taken = at("m-00002-of-00003.gguf");
    writeFileSync(taken, "mine");
    const args = ["split", fixtureModel, at("m"), "--split-max-tensors", "8"];
    expect((await nibble(args)).stderr).toMatch(/m-00002-of-00003\.gguf: the file exists; --force overwrites it\n$/);
    expect(readFileSync(taken, "utf8")).toBe("mine");
    rmSync(taken);
    expect(readdirSync(folder)).toEqual(before);
    const first = at("s-00001-of-00003.gguf");
    for (const [out, source] of [
      [at("s-00002-of-00003.gguf"), first],
      [at("link.gguf"), at("merged.gguf")],
    ] as const) {
      if (out === at("link.gguf")) symlinkSync(source, out);
      const { code, stderr } = await nibble(["merge", source, out, "--force"]);
      expect([code, stderr]).toEqual([1, `nibble: ${out}: it is an input, and cannot be the output too\n`]);
    }
    expect(sha256(at("merged.gguf"))).toBe(sha256(fixtureModel));
  });
});

describe("verify", () => {
  it("hashes files and tensors", async () => {
    const { files, tensors, problems } = await nibbleJson(["verify", fixtureModel]);
    expect(files).toEqual([
      { file: fixtureModel, bytes: readFileSync(fixtureModel).length, sha256: sha256(fixtureModel) },
    ]);
    expect([tensors.length, problems]).toEqual([20, []]);
    expect((await nibble(["verify", fixtureModel, "--sha256", sha256(fixtureModel).toUpperCase()])).code).toBe(0);
    const wrong = await nibble(["verify", fixtureModel, "--sha256", "0".repeat(64)]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("expected SHA-256 00")]);
    const half = await nibble(["verify", fixtureModel, "--sha256", "00"]);
    expect([half.code, half.stderr]).toEqual([2, expect.stringContaining('expected 64 hexadecimal digits, got "00"')]);
  });
  it("recognises the same model in other types and containers, and a different model", async () => {
    await nibbleJson(["convert", pathOf("models/crumb"), at("q4.gguf"), "--type", "q4_0"]);
    const same = await nibble(["verify", pathOf("models/crumb"), at("q4.gguf")]);
    expect([same.code, same.stdout.trimEnd().split("\n").at(-1)]).toEqual([
      0,
      "the same model, within the errors of its types",
    ]);
    const other = await nibble(["verify", "crumb", fixtureModel]);
    expect([other.code, other.stdout.trimEnd().split("\n").at(-1)]).toEqual([1, "not the same model"]);
  });
  it("finds a changed byte and a missing one", async () => {
    const bytes = readFileSync(fixtureModel);
    bytes[bytes.length - 1] = 0x7e; // the last half of the last norm's last float: NaN
    bytes.fill(0xff, bytes.length - 2);
    writeFileSync(at("bad.gguf"), bytes);
    const { code, stdout } = await nibble(["verify", at("bad.gguf"), "--json"]);
    expect([code, JSON.parse(stdout).problems]).toEqual([1, [expect.stringContaining("NaN")]]);
    writeFileSync(at("bad.gguf"), bytes.subarray(0, -40));
    expect((await nibble(["verify", at("bad.gguf")])).stderr).toMatch(/^nibble: .*the file ends at byte/);
  });
});

describe("perplexity against a reference", () => {
  const args = ["perplexity", "-f", textFile, "-c", "200", "-b", "50"];
  it("a recorded run and the reference model itself give the same figures", async () => {
    await nibbleJson(["convert", pathOf("models/crumb"), at("q4_1.gguf"), "--type", "q4_1"]);
    const float = ["-m", pathOf("models/crumb")];
    const recorded = await nibbleJson([...args, ...float, "--kl-divergence-base", at("base.gguf")]);
    expect(recorded.divergence).toBeUndefined();
    const direct = await nibbleJson([...args, "-m", at("q4_1.gguf"), "--reference", pathOf("models/crumb")]);
    const fromFile = await nibbleJson([
      "perplexity",
      ...["-m", at("q4_1.gguf"), "-b", "50", "--kl-divergence", "--kl-divergence-base", at("base.gguf")],
    ]);
    expect(fromFile).toEqual(direct);
    const { divergence } = direct;
    expect(divergence.referencePpl).toBe(recorded.ppl);
    expect(divergence.predictions).toBe(direct.tokens - 1);
    expect(divergence.mean).toBeGreaterThan(1e-4);
    expect(divergence.mean).toBeLessThan(0.5);
    expect(divergence.median).toBeLessThan(divergence.quantile99);
    expect(divergence.quantile99).toBeLessThanOrEqual(divergence.max);
    expect(divergence.top1).toBeGreaterThan(0.8);
  });
  it("a model does not differ from itself", async () => {
    const { divergence } = await nibbleJson([...args, "-m", "crumb", "--reference", "crumb"]);
    expect(divergence).toMatchObject({ mean: 0, max: 0, top1: 1 });
    const { stdout } = await nibble([...args, "-m", "crumb", "--reference", "crumb"]);
    expect(stdout).toMatch(/^perplexity .*\nreference perplexity .* ratio 1\.00000\nKL divergence: mean 0\.000e\+0 /);
    expect(stdout).toMatch(/same top token: 100\.00 %\n$/);
  });
  it("requires the same vocabulary", async () => {
    writeFileSync(at("ids.json"), "[1,2,3]");
    const { stderr } = await nibble([
      "perplexity",
      "--ids",
      at("ids.json"),
      "-m",
      fixtureModel,
      "--reference",
      "crumb",
    ]);
    expect(stderr).toMatch(/logits: expected the reference's vocabulary of 1024 tokens, got 320/);
  });
});

describe("imatrix", () => {
  it("writes sums for every matrix of the layers, and for the output if asked", async () => {
    const args = ["imatrix", "-m", pathOf("models/crumb"), "-f", textFile, "-c", "128", "-o"];
    const report = await nibbleJson([...args, at("imatrix.gguf")]);
    expect(report).toMatchObject({ dataset: "text.txt", chunkSize: 128, matrices: 56 });
    expect(report.chunkCount).toBe(Math.ceil(report.tokens / 128));
    const withOutput = await nibbleJson([...args, at("imatrix2.gguf"), "--process-output"]);
    expect(withOutput.matrices).toBe(57);
    const again = await nibble([...args, at("imatrix.gguf")]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("--force")]);
  });
  it("convert --imatrix writes other codes with a smaller typical divergence, and notes matrices without importance", async () => {
    const quantized = async (name: string, ...more: string[]) => {
      const { notes } = await nibbleJson(["convert", pathOf("models/crumb"), at(name), "--type", "Q4_0", ...more]);
      const args = ["perplexity", "-f", textFile, "-m", at(name), "--reference", pathOf("models/crumb")];
      return { notes, median: (await nibbleJson(args)).divergence.median };
    };
    const plain = await quantized("plain.gguf");
    const weighted = await quantized("weighted.gguf", "--imatrix", at("imatrix.gguf"));
    expect(plain.notes).toEqual([]);
    expect(weighted.notes).toEqual(["quantised without importance: token_embd.weight"]);
    expect(weighted.median).toBeLessThan(plain.median);
    const { metadata } = await nibbleJson(["inspect", at("weighted.gguf")]);
    expect(metadata).toEqual(
      expect.arrayContaining([
        { key: "quantize.imatrix.file", value: at("imatrix.gguf") },
        { key: "quantize.imatrix.dataset", value: "text.txt" },
        { key: "quantize.imatrix.entries_count", value: 56 },
      ]),
    );
    const wrong = await nibble(["convert", "crumb", at("x.gguf"), "--type", "q4_0", "--imatrix", pathOf("LICENSE")]);
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringMatching(/^nibble: .*LICENSE: GGUF file: expected "GGUF" as its first four bytes/),
    ]);
  });
});

describe("a folder that cannot be run is not converted", () => {
  it.each([
    ["kv heads", "config.json", /"num_key_value_heads": \d+/, '"num_key_value_heads": 2', /multiple of kv heads/],
    ["width", "config.json", /"hidden_size": \d+/, '"hidden_size": 256', /expected shape/],
    [
      "merges",
      "tokenizer.json",
      /"merges": ?\[/,
      '"merges":[["qqq","zzz"],',
      /both parts of .* must be in the vocabulary/,
    ],
  ])("%s", async (_, file, what, instead, message) => {
    const damaged = at("damaged");
    mkdirSync(damaged, { recursive: true });
    for (const name of ["config.json", "tokenizer.json", "model.safetensors"])
      copyFileSync(pathOf(`models/crumb/${name}`), join(damaged, name));
    const before = readFileSync(join(damaged, file), "utf8");
    writeFileSync(join(damaged, file), before.replace(what, instead));
    const { code, stderr } = await nibble(["convert", damaged, at("damaged.gguf"), "--type", "q8_0"]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(existsSync(at("damaged.gguf"))).toBe(false);
  });
});

it("a folder is never written over, not even with --force", async () => {
  const { code, stderr } = await nibble(["convert", fixtureModel, at("."), "--force"]);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/expected a regular file to write, got a folder/)]);
});

it("the weights in a folder are inputs, so they are never written over", async () => {
  mkdirSync(at("hf"));
  for (const name of ["config.json", "tokenizer.json", "model.safetensors"])
    copyFileSync(pathOf(`models/crumb/${name}`), at(`hf/${name}`));
  const target = at("hf/model.safetensors");
  const { code, stderr } = await nibble(["convert", at("hf"), target, "--type", "q8_0", "--force"]);
  expect([code, stderr]).toEqual([1, `nibble: ${target}: it is an input, and cannot be the output too\n`]);
});

describe.runIf(process.platform !== "win32")("interrupted", () => {
  /** A sparse GGUF of 16 GiB of zeros, which takes half a minute to convert. */
  beforeAll(async () => {
    const header: Uint8Array[] = [];
    const tensors = [{ name: "token_embd.weight", type: "F32", shape: [2 ** 22, 1024] }] as const;
    const metadata = new Map([["general.architecture", "llama"]]);
    const stop = new Error("the header is enough");
    await writeGguf({ write: async (bytes) => void header.push(bytes.slice()) }, metadata, tensors, () => {
      throw stop;
    }).catch((error) => expect(error).toBe(stop));
    writeFileSync(at("zeros.gguf"), Buffer.concat(header));
    truncateSync(at("zeros.gguf"), Buffer.concat(header).length + 2 ** 34);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("by %s: code %i, and nothing is left", async (signal, code) => {
    mkdirSync(at(signal));
    const out = join(at(signal), "out.gguf");
    const running = new Running(process.execPath, [cli, "convert", at("zeros.gguf"), out, "--type", "q8_0"]);
    for (; readdirSync(at(signal)).length === 0; await sleep(5))
      if (running.child.exitCode !== null) throw new Error(`expected a file, got none: ${running.stderr}`);
    running.child.kill(signal);
    expect(await running.result()).toEqual({
      code,
      stdout: "",
      stderr: `nibble: ${out} was not written, because ${signal} came\n`,
    });
    expect(readdirSync(at(signal))).toEqual([]);
  });
});
