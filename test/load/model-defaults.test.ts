/** Defaults from a checkpoint: name, chat templates, pooling, sampling settings. */
import { describe, expect, it } from "vitest";
import { SAMPLING_DEFAULTS } from "../../src/engine/sample/defaults.ts";
import type { Checkpoint, Metadata } from "../../src/formats/checkpoint.ts";
import { embeddingFacts } from "../../src/load/embedding-facts.ts";
import { chatTemplates, modelName, samplingDefaults } from "../../src/load/model-defaults.ts";

const checkpoint = (metadata: Metadata, more: Partial<Checkpoint> = {}): Checkpoint =>
  ({ architecture: "llama", metadata, ...more }) as Checkpoint;

describe("the name", () => {
  const named = checkpoint(new Map([["general.name", "Named"]]));
  it.each([
    ["models/a.gguf", "a.gguf"],
    ["https://host/folder/", "folder"],
    ["hf:owner/repo:Q4_0", "repo:Q4_0"],
  ])("of %s is %s", (source, name) => expect(modelName(source, named)).toBe(name));
  it("of bytes is general.name, else model", () => {
    expect(modelName(new Uint8Array(1), named)).toBe("Named");
    expect(modelName(new Uint8Array(1), checkpoint(new Map()))).toBe("model");
  });
});

describe("chat templates", () => {
  const metadata: Metadata = new Map<string, string | string[]>([
    ["tokenizer.chat_template", "plain"],
    ["tokenizer.chat_templates", ["tool_use", "gone"]],
    ["tokenizer.chat_template.tool_use", "tools"],
    ["tokenizer.chat_template.unlisted", "never"],
  ]);
  const names = (...args: Parameters<typeof checkpoint>) => Object.fromEntries(chatTemplates(checkpoint(...args)));
  it("are those that a GGUF file lists, and the default one", () => {
    expect(names(metadata)).toEqual({ default: "plain", tool_use: "tools" });
    expect(names(new Map([["tokenizer.chat_template", "plain"]]))).toEqual({ default: "plain" });
    expect(names(new Map())).toEqual({});
  });
  it("of a folder come from its own files only, even if they have none", () => {
    const folder = (templates: [string, string][]) =>
      ({ huggingFace: { chatTemplates: new Map(templates) } }) as unknown as Partial<Checkpoint>;
    expect(names(metadata, folder([["default", "from the folder"]]))).toEqual({ default: "from the folder" });
    expect(names(metadata, folder([]))).toEqual({});
  });
});

it.each([
  [-1, "mean"],
  [0, "none"],
  [1, "mean"],
  [2, "cls"],
  [3, "last"],
])("pooling type %o is %o", (type, pooling) => {
  expect(embeddingFacts(checkpoint(new Map([["llama.pooling_type", type]]))).pooling).toBe(pooling);
});

it("a pooling that nobody knows and a head with other results are refused", () => {
  expect(() => embeddingFacts(checkpoint(new Map([["llama.pooling_type", 5]])))).toThrow(/pooling_type: 5 is not/);
  const tensors = new Map([["cls.output.weight", { shape: [3, 8] }]]) as unknown as Checkpoint["tensors"];
  const ranking = checkpoint(new Map([["llama.pooling_type", 4]]), { tensors });
  expect(() => embeddingFacts(ranking)).toThrow(/expected a head with one result.*got 3/);
});

describe("a checkpoint's own settings", () => {
  it("are llama.cpp's where the checkpoint has none", () => {
    expect(samplingDefaults(new Map())).toEqual(SAMPLING_DEFAULTS);
  });
  it("values outside a setting's range are left out", () => {
    const metadata = new Map<string, number | string>([
      ["general.sampling.temp", 0],
      ["general.sampling.top_p", 0.5],
      ["general.sampling.top_k", -2],
      ["general.sampling.min_p", "0.1"],
      ["general.sampling.penalty_repeat", 1.25],
    ]);
    expect(samplingDefaults(metadata)).toEqual({
      ...SAMPLING_DEFAULTS,
      temperature: 0,
      topP: 0.5,
      repeatPenalty: 1.25,
    });
  });
});
