import { describe, expect, it } from "vitest";
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { type ConvertOptions, convert } from "../../weights-tools/convert.ts";
import type { WeightType } from "../../weights-tools/types/weight-types.ts";
import { testHost } from "../helpers/models.ts";
import {
  bytesOf,
  converted,
  crumb,
  fixtureFolder,
  fixtureGguf,
  floatSource,
  headed,
  MemorySink,
  rawBytes,
  sameBytes,
  syntheticCheckpoint,
  values,
} from "./helpers.ts";

const load = createLoad(testHost);

/** The type of each fixture's model.gguf. */
const fixtures: [string, WeightType][] = [
  ["mobilellm-r1", "f16"],
  ["llama", "f16"],
  ["llama3-rope", "f32"],
  ["llama-untied", "bf16"],
  ["qwen2", "f32"],
  ["qwen3", "f16"],
  ["gemma3", "f16"],
  ["olmo2", "f16"],
];

describe.each(fixtures)("%s", (model, type) => {
  const name = `fixture ${model}`;

  it.each(["config.json", "config.legacy.json"])(
    "is converted as by llama.cpp's converter, from %s",
    async (config) => {
      const { checkpoint, report } = await converted(await fixtureFolder(model, config), { type, name });
      const expected = await fixtureGguf(model);
      // Keys named nibble.* are ours: what GGUF has no key for. llama.cpp passes over them.
      const standard = [...checkpoint.metadata].filter(([key]) => !key.startsWith("nibble."));
      expect(new Map(standard)).toEqual(new Map(expected.metadata));
      expect([...checkpoint.tensors.keys()]).toEqual([...expected.tensors.keys()]);
      for (const tensor of expected.tensors.values()) {
        const ours = checkpoint.tensors.get(tensor.name)!;
        expect([ours.name, ours.type, ours.shape]).toEqual([tensor.name, tensor.type, tensor.shape]);
        expect(sameBytes(await rawBytes(ours), await rawBytes(tensor)), tensor.name).toBe(true);
      }
      expect(report.tensors.every(({ rmse, maxError, reason }) => rmse === 0 && maxError === 0 && !reason)).toBe(true);
      expect(report.notes).toEqual([]);
    },
  );

  it("comes out of GGUF as it went in, byte for byte", async () => {
    const { bytes } = await converted(await fixtureGguf(model), { type });
    expect(sameBytes(bytes, bytesOf(`test/fixtures/architectures/${model}/model.gguf`))).toBe(true);
  });
});

describe("crumb", () => {
  // The worst matrix as measured, with a margin of a few per cent (README.md); sizes are header + blocks.
  it.each([
    ["f32", 13_415_328, 0, 0],
    ["f16", 6_730_656, 0.00022, 0.0022],
    ["bf16", 6_730_656, 0.0018, 0.018],
    ["q8_0", 3_597_216, 0.0062, 0.028],
    ["q5_1", 2_552_736, 0.042, 0.18],
    ["q5_0", 2_343_840, 0.049, 0.25],
    ["q4_1", 2_134_944, 0.086, 0.37],
    ["q4_0", 1_926_048, 0.099, 0.6],
  ] as const)("%s", async (type, bytes, rmse, maxError) => {
    const { report, checkpoint } = await converted(await crumb(), { type, name: "crumb" });
    expect(report.bytes).toBe(bytes);
    expect(report.tensors).toHaveLength(74);
    for (const tensor of report.tensors) {
      expect(tensor.rmse, tensor.name).toBeLessThanOrEqual(rmse);
      expect(tensor.maxError, tensor.name).toBeLessThanOrEqual(maxError);
      expect(tensor.to).toBe(tensor.shape.length === 1 ? "F32" : type.toUpperCase());
      expect(checkpoint.tensors.get(tensor.name)!.byteLength).toBe(tensor.bytes);
    }
    // The report tells the truth: measured again from both files.
    const name = "blk.3.ffn_down.weight";
    const before = await values((await crumb()).tensors.get(name)!);
    const after = await values(checkpoint.tensors.get(name)!);
    const squares = before.reduce((sum, value) => sum + value ** 2, 0);
    const errors = before.reduce((sum, value, i) => sum + (after[i]! - value) ** 2, 0);
    expect(report.tensors.find((tensor) => tensor.name === name)!.rmse).toBeCloseTo(Math.sqrt(errors / squares), 6);
  });

  it("gives the same bytes every time, whatever the chunks", async () => {
    const first = await converted(await crumb(), { type: "q4_0", name: "crumb" });
    const second = await converted(await crumb(), { type: "q4_0", name: "crumb", chunkBytes: 5_000 });
    expect(sameBytes(second.bytes, first.bytes)).toBe(true);
    expect(second.report.tensors.map(({ name }) => name)).toEqual(first.report.tensors.map(({ name }) => name));
  });

  it("keeps its vocabulary, template and ends of a turn", async () => {
    const { checkpoint } = await converted(await crumb(), { type: "q4_0", name: "crumb" });
    const { metadata } = checkpoint;
    expect(metadata.get("general.name")).toBe("crumb");
    expect(metadata.get("tokenizer.ggml.pre")).toBe("qwen2");
    expect(metadata.get("tokenizer.ggml.bos_token_id")).toBe(1019);
    expect(metadata.get("tokenizer.ggml.eos_token_id")).toBe(1023);
    expect(metadata.get("tokenizer.ggml.eot_token_id")).toBe(1023);
    expect(metadata.get("tokenizer.ggml.add_bos_token")).toBe(false);
    expect(metadata.get("nibble.end_token_ids")).toEqual(Uint32Array.of(1020, 1023));
    expect(metadata.get("tokenizer.chat_template")).toMatch(/^\{\{ bos_token \}\}/);
    expect((metadata.get("tokenizer.ggml.tokens") as string[])[1022]).toBe("<|end_header_id|>");
  });

  it("may mix types by tensor name", async () => {
    const options: ConvertOptions = {
      type: "q4_0",
      tensorType: [
        ["token_embd.weight", "q8_0"],
        ["*.ffn_*n.weight", "f16"],
      ],
    };
    const { report } = await converted(await crumb(), options);
    const types = new Map(report.tensors.map(({ name, to }) => [name, to]));
    expect(types.get("token_embd.weight")).toBe("Q8_0");
    expect(types.get("blk.0.ffn_down.weight")).toBe("F16");
    expect(types.get("blk.7.ffn_up.weight")).toBe("Q4_0");
    expect(types.get("blk.0.attn_q.weight")).toBe("Q4_0");
    expect(types.get("blk.0.ffn_norm.weight")).toBe("F32");
  });

  it.each(["blk.*.attn_?.weight", "blk.0.attn_norm.weight", "output.weight", ""])(
    "refuses %j, which fits no matrix: only * is special, and vectors are always F32",
    async (pattern) => {
      const options: ConvertOptions = { type: "q4_0", tensorType: [[pattern, "f32"]] };
      const message = `tensorType: ${JSON.stringify(pattern)} matches no matrix of this model`;
      await expect(converted(await crumb(), options)).rejects.toMatchObject({ code: "invalid_argument", message });
    },
  );

  it("is quantised again from a quantised file, with a note", async () => {
    const { checkpoint } = await converted(await crumb(), { type: "q8_0" });
    const { report } = await converted(checkpoint, { type: "q4_0" });
    const down = report.tensors.find(({ name }) => name === "blk.0.ffn_down.weight")!;
    expect([down.from, down.to]).toEqual(["Q8_0", "Q4_0"]);
    expect(down.rmse).toBeGreaterThan(0.05);
    expect(report.notes).toEqual([expect.stringMatching(/^57 tensors were Q8_0 and have the errors of both types/)]);
    expect((await converted(checkpoint, { type: "q8_0" })).report.notes).toEqual([]);
  });
});

describe("a mix", () => {
  it("gives some matrices a larger type, narrow rows another one; pure: its main type alone", async () => {
    const mixed = await converted(await crumb(), { type: "q4_k_m" });
    const types = new Map(mixed.report.tensors.map(({ name, to, reason }) => [name, { to, reason }]));
    // Hidden size 192 holds no block of 256, the feed-forward's 512 does.
    expect(types.get("token_embd.weight")).toEqual({ to: "Q8_0", reason: undefined });
    expect(types.get("blk.0.attn_q.weight")).toEqual({ to: "Q5_0", reason: expect.stringContaining("192") });
    expect(types.get("blk.0.attn_v.weight")).toEqual({ to: "Q8_0", reason: expect.stringContaining("192") });
    expect(types.get("blk.0.ffn_down.weight")?.to).toBe("Q6_K");
    expect(types.get("blk.1.ffn_down.weight")?.to).toBe("Q4_K");
    expect(mixed.checkpoint.metadata.get("general.file_type")).toBe(15);
    const pure = await converted(await crumb(), { type: "q4_k_m", pure: true });
    expect(new Set(pure.report.tensors.map(({ to }) => to))).toEqual(new Set(["Q5_0", "Q4_K", "F32"]));
    expect(pure.report.bytes).toBeLessThan(mixed.report.bytes);
  });
});

it("falls back to F16 where a row is no whole block, and says so", async () => {
  const source = syntheticCheckpoint(
    [
      { name: "odd.weight", shape: [2, 40] },
      { name: "even.weight", shape: [2, 64] },
    ],
    floatSource(new Array(208).fill(0.25)),
  );
  const { report } = await converted(source, { type: "q4_0" });
  expect(report.tensors.map(({ to }) => to)).toEqual(["F16", "Q4_0"]);
  expect(report.tensors[0]!.reason).toMatch(/40.*32/);
  expect(report.tensors[1]!.reason).toBeUndefined();
});

describe("refuses", () => {
  it.each([
    ["NaN in a matrix", Number.NaN, "q8_0"],
    ["infinity in a matrix that is copied", Number.POSITIVE_INFINITY, "f32"],
    ["a weight beyond F16", 1e6, "f16"],
  ] as const)("%s, naming the tensor", async (_, bad, type) => {
    const weights = new Array(96).fill(1);
    weights[70] = bad;
    const source = syntheticCheckpoint(
      [
        { name: "good.weight", shape: [1, 32] },
        { name: "bad.weight", shape: [2, 32] },
      ],
      floatSource(weights),
    );
    await expect(converted(source, { type })).rejects.toMatchObject({
      code: "bad_weights",
      message: expect.stringContaining("bad.weight"),
    });
  });

  it("a type it does not know", async () => {
    const type = "q3_k" as WeightType;
    await expect(converted(headed(true), { type })).rejects.toMatchObject({ code: "invalid_argument" });
  });

  it("a source that ends early", async () => {
    const source = syntheticCheckpoint([{ name: "a.weight", shape: [4, 32] }], bytesSource(new Uint8Array(500)));
    await expect(converted(source, { type: "q8_0" })).rejects.toMatchObject({ code: "truncated" });
  });
});

it("holds a few megabytes, however large a tensor is", async () => {
  let largestRead = 0;
  let read = 0;
  const source: ByteSource = {
    size: 2 ** 40,
    async read(offset, length) {
      largestRead = Math.max(largestRead, length);
      read += length;
      return new Uint8Array(
        Float32Array.from({ length: length / 4 }, (_, i) => ((offset / 4 + i) % 1000) - 500).buffer,
      );
    },
  };
  // 24 MiB in one row, 32 MiB in many, and q of 4 heads of 2 MiB.
  const tensors = [
    { name: "wide.weight", shape: [1, 6 * 2 ** 20] },
    { name: "tall.weight", shape: [2 ** 18, 32] },
    { name: "blk.0.attn_q.weight", shape: [512, 4096] },
  ];
  const checkpoint = syntheticCheckpoint(tensors, source, {
    metadata: new Map<string, MetadataValue>([["llama.attention.head_count", 4]]),
    permutedQK: false,
  });
  const sink = new MemorySink();
  const { bytes } = await convert(checkpoint, sink, { type: "q8_0" });
  expect(read).toBe(4 * (6 * 2 ** 20 + 2 ** 23 + 2 ** 21));
  expect(largestRead).toBe(4 * 2 ** 20);
  expect(sink.largestWrite).toBeLessThanOrEqual(4 * 2 ** 20);
  expect(bytes).toBeGreaterThan(16 * 2 ** 20);
});

it("keeps chat templates with names, which a loaded model chooses from", async () => {
  const [plain, tools] = ["{{ messages[0].content }}", "{{ (tools or [])|length }} tools"];
  const folder = await crumb();
  const chatTemplates = new Map([
    ["default", plain],
    ["tool_use", tools],
  ]);
  const huggingFace = { ...folder.huggingFace!, chatTemplates };
  const { bytes } = await converted({ ...folder, huggingFace }, { type: "q4_0" });
  const model = await load(bytes, { threads: 1 });
  const messages = [{ role: "user", content: "a" }];
  expect(model.applyTemplate(messages)).toBe("a");
  expect(model.applyTemplate(messages, { tools: [{}] })).toBe("1 tools");
  model.dispose();
  const chosen = await load(bytes, { threads: 1, chatTemplate: "tool_use" });
  expect(chosen.applyTemplate(messages)).toBe("0 tools");
  chosen.dispose();
  await expect(load(bytes, { chatTemplate: "rag" })).rejects.toMatchObject({ param: "chatTemplate" });
});
