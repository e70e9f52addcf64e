/** Architectures from outside: the registry, and examples/granite from the command line to the text. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TensorInfo } from "../../src/formats/checkpoint.ts";
import { bf16ToF32, f32ToBf16 } from "../../src/formats/float16.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { describeModel, registerArchitecture } from "../../src/models/index.ts";
import { llama } from "../../src/models/llama.ts";
import { writeGguf } from "../../weights-tools/gguf/writer.ts";
import { architectures, openFixture, root, testHost } from "../helpers/models.ts";

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

/**
 * A Granite file whose weights undo its multipliers, which are powers of two: it computes what llama-untied computes, if the
 * multipliers are applied. (The divisor of the logits alone would change no greedy token.)
 */
describe("examples/granite", () => {
  const MULTIPLIERS = { embedding_scale: 8, residual_scale: 0.25, "attention.scale": 0.25, logit_scale: 4 };
  const FACTORS: readonly (readonly [name: RegExp, factor: number])[] = [
    [/^token_embd/, 1 / 8],
    [/attn_output|ffn_down/, 4],
    [/attn_q\.weight/, 0.5], // scores are scaled by 1/8 in the original
  ];
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "nibble-granite-"));
    const original = await openFixture("llama-untied", "gguf");
    const metadata = new Map(
      [...original.metadata].map(([key, value]) => [key.replace(/^llama\./, "granite."), value] as const),
    );
    metadata.set("general.architecture", "granite");
    for (const [key, value] of Object.entries(MULTIPLIERS)) metadata.set(`granite.${key}`, value);
    const chunks: Uint8Array[] = [];
    const sink = { write: async (bytes: Uint8Array) => void chunks.push(bytes.slice()) };
    await writeGguf(sink, metadata, [...original.tensors.values()], async function* (info: TensorInfo) {
      const bytes = new Uint8Array(await info.source.read(info.offset, info.byteLength));
      const factor = FACTORS.find(([name]) => name.test(info.name))?.[1] ?? 1;
      if (factor === 1) return yield bytes;
      expect(info.type).toBe("BF16");
      const scaled = new Uint16Array(bytes.buffer).map((bits) => f32ToBf16(bf16ToF32(bits) * factor));
      yield new Uint8Array(scaled.buffer);
    });
    await original.close();
    writeFileSync(join(folder, "granite.gguf"), Buffer.concat(chunks));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is unknown until it is registered", async () => {
    await expect(createLoad(testHost)(join(folder, "granite.gguf"))).rejects.toMatchObject({
      code: "unsupported_architecture",
    });
  });

  it("main.ts continues a text as the original does", async () => {
    const prompt = "The answer is";
    const model = await createLoad(testHost)(join(architectures, "llama-untied/model.gguf"));
    const answer = await model.completions.create({ prompt, temperature: 0, max_tokens: 16 });
    model.dispose();
    const { text } = answer.choices[0]!;
    expect(text.length).toBeGreaterThan(8);
    const args = [join(root, "examples/granite/main.ts"), join(folder, "granite.gguf"), prompt];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toBe(`${text}\n`);
  });
});
