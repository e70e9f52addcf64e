/** Architectures from outside: the registry, and examples/exaone4 from the command line to the text. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { load } from "nibble-llm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLoad } from "../../src/load/create-load.ts";
import { describeModel, registerArchitecture } from "../../src/models/index.ts";
import { llama } from "../../src/models/llama.ts";
import { architectures, floats, openFixture, root, testHost } from "../helpers/models.ts";

describe("registerArchitecture", () => {
  it.each([
    undefined,
    null,
    {},
    { ...llama, name: "" },
    { ...llama, name: 5 },
    { ...llama, build: undefined },
    { ...llama, readConfig: "x" },
  ])("refuses %o", (value) => {
    expect(() => registerArchitecture(value as unknown as typeof llama)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  });

  it("makes a name known, and the error for an unknown name lists it", async () => {
    const checkpoint = await openFixture("llama", "gguf");
    const named = (architecture: string) => describeModel({ ...checkpoint, architecture });
    await expect(named("mine")).rejects.toMatchObject({ code: "unsupported_architecture" });
    registerArchitecture({ ...llama, name: "mine", readConfig: () => llama.readConfig(checkpoint) });
    expect((await named("mine")).config.layers).toBe(2);
    await expect(named("other")).rejects.toThrow(/mine/);
    await checkpoint.close();
  });
});

describe("examples/exaone4", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "nibble-exaone4-"));
    for (const from of ["tokenizer", "exaone4"]) cpSync(join(architectures, from), folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is unknown until it is registered", async () => {
    await expect(createLoad(testHost)(folder)).rejects.toMatchObject({ code: "unsupported_architecture" });
  });

  it("has the logits of transformers, and main.ts continues a text with it", async () => {
    await import("../../examples/exaone4/exaone4.ts");
    const model = await load(folder, { kvType: "f32", maxLogitRows: 40 });
    const reference = JSON.parse(readFileSync(join(folder, "reference.json"), "utf8"));
    const expected = floats(reference.logits_float64);
    const session = model.session();
    const logits = session.forward(reference.input_ids, { logits: "all" });
    const { positions, vocab_size: size } = reference as { positions: number[]; vocab_size: number };
    const worst = positions.flatMap((position, i) =>
      Array.from({ length: size }, (_, v) => Math.abs(logits[position * size + v]! - expected[i * size + v]!)),
    );
    expect(Math.max(...worst)).toBeLessThan(5e-5);
    session.dispose();

    const prompt = "The answer is";
    const answer = await model.completions.create({ prompt, temperature: 0, max_tokens: 16 });
    model.dispose();
    const args = [join(root, "examples/exaone4/main.ts"), folder, prompt];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toBe(`${answer.choices[0]!.text}\n`);
  });
});
