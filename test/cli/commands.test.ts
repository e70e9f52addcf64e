import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canRevectorize } from "../../src/hosts/node/revectorize.ts";
import type { Load } from "../../src/load/create-load.ts";
import { cli, fixtureModel, nibble, nibbleJson, pathOf, QUESTION, Running, reference } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("tokenize", () => {
  it("an argument, a file and stdin give the same ids; BOS only on request", async () => {
    const text = "<|eot_id|>\nHow far?\n";
    const file = join(folder, "text.txt");
    writeFileSync(file, text);
    const { ids, tokens, ...rest } = await nibbleJson(["tokenize", text]);
    expect(rest).toEqual({});
    expect(tokens.join("")).toBe(text);
    expect(ids[0]).toBe(1023);
    expect(await nibbleJson(["tokenize", "-m", "crumb", "-f", file])).toEqual({ ids, tokens });
    expect(await nibbleJson(["tokenize"], text)).toEqual({ ids, tokens });
    expect((await nibbleJson(["tokenize", "--bos", text])).ids).toEqual([1019, ...ids]);
  });
  it("--no-special treats the text of special tokens as text", async () => {
    const { ids, tokens } = await nibbleJson(["tokenize", "--no-special", "<|eot_id|>"]);
    expect(ids.length).toBeGreaterThan(1);
    expect(ids).not.toContain(1023);
    expect(tokens.join("")).toBe("<|eot_id|>");
  });
  it("as text, it is one line per token", async () => {
    expect((await nibble(["tokenize", "65\n"])).stdout).toBe('    21  "6"\n    20  "5"\n   198  "\\n"\n');
  });
});

describe("perplexity", () => {
  const { input_ids } = JSON.parse(readFileSync(pathOf("test/fixtures/architectures/llama/reference.json"), "utf8"));
  const idsFile = join(folder, "ids.json");
  let load: Load;
  beforeAll(async () => {
    writeFileSync(idsFile, JSON.stringify(input_ids));
    ({ load } = await import(pathOf("dist/index.js")));
  });

  /** Perplexity by its definition: each window alone, with Math.log and Math.exp. */
  async function expected(ids: number[], windows: [start: number, end: number][]): Promise<number> {
    const model = await load(fixtureModel);
    let sum = 0;
    for (const [start, end] of windows) {
      const session = model.session();
      for (let i = start; i < end - 1; i++) {
        const logits = Array.from(session.forward([ids[i]!]));
        const total = logits.reduce((all, logit) => all + Math.exp(logit), 0);
        sum -= Math.log(Math.exp(logits[ids[i + 1]!]!) / total);
      }
      session.dispose();
    }
    model.dispose();
    return sum / (ids.length - 1);
  }

  it("is the mean over all tokens except the first", async () => {
    const { nll, ppl, ...rest } = await nibbleJson(["perplexity", "-m", fixtureModel, "--ids", idsFile]);
    expect(rest).toEqual({ tokens: 40 });
    expect(nll).toBeCloseTo(await expected(input_ids, [[0, 40]]), 9);
    expect(ppl).toBeCloseTo(Math.exp(nll), 6);
  });
  it("a text longer than the context is read in windows that share a token", async () => {
    const { nll } = await nibbleJson(["perplexity", "-m", fixtureModel, "--ids", idsFile, "-c", "16", "-b", "5"]);
    expect(nll).toBeCloseTo(
      await expected(input_ids, [
        [0, 16],
        [15, 31],
        [30, 40],
      ]),
      9,
    );
  });
  it("crumb expects the text of its own answers", async () => {
    const file = join(folder, "conversation.txt");
    writeFileSync(file, reference[0]!.prompt + reference[0]!.text);
    const { ppl, tokens } = await nibbleJson(["perplexity", "-f", file]);
    expect(tokens).toBe(reference[0]!.prompt_ids.length + reference[0]!.tokens.length);
    writeFileSync(file, reference[0]!.prompt + [...reference[0]!.text].reverse().join(""));
    expect((await nibbleJson(["perplexity", "-f", file])).ppl).toBeGreaterThan(20 * ppl);
    expect((await nibble(["perplexity", "-f", file])).stdout).toMatch(/^perplexity [\d.]+, nll [\d.]+, \d+ tokens\n$/);
  });
  it("refuses numbers that are not token ids, and a single token", async () => {
    for (const [ids, message] of [
      ["[1, 320]", "got 320"],
      ["[-1, 3]", "got -1"],
      ["[5]", "at least 2 tokens, got 1"],
    ] as const) {
      writeFileSync(join(folder, "bad.json"), ids);
      const { code, stderr } = await nibble(["perplexity", "-m", fixtureModel, "--ids", join(folder, "bad.json")]);
      expect(code).toBe(1);
      expect(stderr).toContain(message);
    }
  });
});

describe("bench", () => {
  it("--json prints llama-bench's fields, one object per test", async () => {
    const results = await nibbleJson(["bench", "-p", "8,16", "-n", "4", "-d", "0,32", "-r", "3", "-b", "5"]);
    const tests = results.map((r: Record<string, number>) => [r.n_prompt, r.n_gen, r.n_depth]);
    expect(tests).toEqual([
      [8, 0, 0],
      [16, 0, 0],
      [0, 4, 0],
      [8, 0, 32],
      [16, 0, 32],
      [0, 4, 32],
    ]);
    for (const result of results) {
      expect(result).toMatchObject({
        build_commit: expect.any(String),
        cpu_info: expect.any(String),
        backends: expect.stringMatching(/^wasm-(simd|relaxed|relaxed-revectorized)$/),
        model_filename: "crumb",
        model_type: "llama4 3.35M Q8_0",
        model_n_params: 3_345_600,
        n_batch: 5,
        n_threads: 1,
      });
      expect(new Date(result.test_time).toISOString()).toBe(result.test_time);
      expect(result.samples_ns).toHaveLength(3);
      const rates = result.samples_ns.map((ns: number) => (1e9 * (result.n_prompt + result.n_gen)) / ns);
      rates.forEach((rate: number, i: number) => {
        expect(result.samples_ts[i]).toBeCloseTo(rate, 6);
      });
      const mean = rates.reduce((sum: number, rate: number) => sum + rate, 0) / 3;
      expect(result.avg_ts).toBeCloseTo(mean, 6);
      const squares = rates.reduce((sum: number, rate: number) => sum + (rate - mean) ** 2, 0);
      expect(result.stddev_ts).toBeCloseTo(Math.sqrt(squares / 2), 6);
    }
  });
  it("--no-revectorize and NIBBLE_REVECTORIZE=0 turn V8's revectorizer off, and `backends` says what runs", async () => {
    const backend = async (args: string[], more: Record<string, string> = {}) => {
      const command = [cli, "bench", fixtureModel, "-p", "0", "-n", "1", "-r", "1", "--json", ...args];
      const env = { ...process.env, NIBBLE_REVECTORIZE: undefined, ...more };
      const { stdout } = await new Running(process.execPath, command, { env }).result();
      return JSON.parse(stdout)[0].backends;
    };
    const plain = await backend(["--no-revectorize"]);
    expect(plain).toMatch(/^wasm-(simd|relaxed)$/);
    expect(await backend([], { NIBBLE_REVECTORIZE: "0" })).toBe(plain);
    expect(await backend([])).toBe(canRevectorize() ? `${plain}-revectorized` : plain);
  });
  it("prints llama-bench's table", async () => {
    const { stdout } = await nibble(["bench", fixtureModel, "-p", "16", "-n", "4", "-d", "8", "-r", "2"]);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    expect(rows[0]).toEqual(["model", "size", "params", "backend", "threads", "test", "t/s"]);
    expect(rows.slice(2).map((row) => row[5])).toEqual(["pp16 @ d8", "tg4 @ d8"]);
    for (const row of rows.slice(2)) expect(row[6]).toMatch(/^[\d.]+ ± [\d.]+$/);
  });
});

describe("inspect", () => {
  it("shows header, tensors, tokenizer and memory plan, and reads no weights", async () => {
    const facts = await nibbleJson(["inspect", "crumb"]);
    expect(facts).toMatchObject({
      format: "gguf",
      architecture: "llama4",
      name: "crumb",
      chatTemplate: true,
      tokenizer: { vocabSize: 1024, bosId: 1019, eosId: 1023, addBos: false },
      memory: { contextLength: 1024, kvType: "mixed", maxBatchTokens: 128 },
    });
    const { weightTypes } = facts.memory;
    expect(weightTypes[0]).toMatchObject({ type: "Q8_0", layout: "int8", bitsPerWeight: 8.5 });
    expect(weightTypes.reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0)).toBeLessThanOrEqual(
      facts.memory.weights,
    );
    expect(facts.tensors).toHaveLength(74);
    const { constants, program, tables, activations, kvCache, weights, total } = facts.memory;
    expect(constants + program + tables + activations + kvCache + weights).toBe(total);
    expect(facts.headerBytes).toBeLessThan(statSync(pathOf("dist/crumb.gguf")).size / 20);
    const short = (await nibbleJson(["inspect", "crumb", "-c", "512", "--kv", "f32"])).memory;
    expect(short).toMatchObject({ contextLength: 512, kvType: "f32" });
    expect(short.kvCache).toBeGreaterThan(kvCache);
    const stdout = (await nibble(["inspect", "-m", "crumb"])).stdout;
    for (const part of [
      "Q8_0 ",
      "llama4.block_count",
      "chat template",
      "memory for a context of 1024",
      "total ",
      "as int8",
    ]) {
      expect(stdout).toContain(part);
    }
  });
  it("a model that cannot be run is shown with the reason", async () => {
    // The same file with the name of an unknown architecture.
    const bytes = readFileSync(fixtureModel);
    for (let at = bytes.indexOf("llama"); at >= 0; at = bytes.indexOf("llama", at)) bytes.write("alpac", at);
    const path = join(folder, "unknown.gguf");
    writeFileSync(path, bytes);
    const { architecture, tensors, memory } = await nibbleJson(["inspect", path]);
    expect(architecture).toBe("alpac");
    expect(tensors.length).toBeGreaterThan(10);
    expect(memory).toEqual({ error: { code: "unsupported_architecture", message: expect.stringContaining("alpac") } });
    const { code, stdout } = await nibble(["inspect", path]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/cannot be run\n {2}architecture alpac is not supported;.* \(unsupported_architecture\)\n$/);
  });
});

describe("convert", () => {
  const out = join(folder, "out.gguf");
  it("makes crumb as in the package, byte for byte", async () => {
    const report = await nibbleJson(["convert", pathOf("models/crumb"), out, "--type", "q8_0", "--name", "crumb"]);
    expect(Buffer.compare(readFileSync(out), readFileSync(pathOf("dist/crumb.gguf")))).toBe(0);
    expect(report).toMatchObject({ out, architecture: "llama4", type: "q8_0", bytes: statSync(out).size, notes: [] });
    expect(report.tensors).toHaveLength(74);
    for (const { rmse, from } of report.tensors) {
      expect(from).toBe("F32");
      expect(rmse).toBeLessThan(0.01);
    }
  });
  it("overwrites only with --force; --tensor-type; the result runs", async () => {
    const before = readFileSync(out);
    const refused = await nibble(["convert", "crumb", out, "--type", "q4_0"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/the file exists; --force overwrites it\n$/);
    expect(Buffer.compare(readFileSync(out), before)).toBe(0);
    const args = ["convert", pathOf("models/crumb"), out, "--force", "--type", "q8_0"];
    const { tensors } = await nibbleJson([
      ...args,
      "--tensor-type",
      "*.ffn_*=f16",
      "--tensor-type",
      "token_embd.*=q4_1",
    ]);
    const types = new Map(tensors.map(({ name, to }: { name: string; to: string }) => [name, to]));
    expect(types.get("blk.3.ffn_up.weight")).toBe("F16");
    expect(types.get("token_embd.weight")).toBe("Q4_1");
    expect(types.get("blk.3.attn_q.weight")).toBe("Q8_0");
    expect((await nibbleJson(["run", out, "-n", "5", QUESTION])).tokens).toHaveLength(5);
  });
  it("a pattern that fits nothing is an error, and leaves no file", async () => {
    const args = ["convert", "crumb", join(folder, "none.gguf"), "--type", "q4_0", "--tensor-type", "blk.99.*=q8_0"];
    const { code, stderr } = await nibble(args);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^nibble: tensorType: "blk\.99\.\*" matches no matrix of this model\n$/),
    ]);
    expect(readdirSync(folder).filter((name) => name.startsWith("none"))).toEqual([]);
  });
  it("names a folder's model after the folder", async () => {
    const path = join(folder, "My Model");
    cpSync(pathOf("models/crumb"), path, { recursive: true });
    await nibbleJson(["convert", `${path}/`, out, "--force", "--type", "q8_0"]);
    expect((await nibbleJson(["inspect", out])).name).toBe("My Model");
  });
  it("as text, it is one line per tensor", async () => {
    const { code, stdout, stderr } = await nibble(["convert", "crumb", out, "--force", "--type", "f16"]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(
        /out\.gguf: [\d.]+ MB, 74 tensors \(57 F16, 17 F32\); largest error 2\.\d\de-4 in blk\.3\.attn_v\.weight\n$/,
      ),
    });
    expect(stdout).toMatch(/^blk\.0\.attn_q\.weight +Q8_0 -> F16 +[\d.]+ kB {2}error \d/m);
  });
});
