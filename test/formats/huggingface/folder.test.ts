import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { TensorInfo } from "../../../src/formats/checkpoint.ts";
import { readGguf } from "../../../src/formats/gguf/model.ts";
import { readHuggingFace } from "../../../src/formats/huggingface/folder.ts";
import { bytesSource } from "../../../src/io/memory-source.ts";
import { codeOf, fixtureFiles, fixtures, memoryFiles } from "../helpers.ts";
import { type Config, read } from "./fixture.ts";

/** A value of a tensor as f32, from its F32, F16 or BF16 bytes. */
async function values({ source, offset, byteLength, type }: TensorInfo): Promise<number[]> {
  const bytes = (await source.read(offset, byteLength)).slice();
  if (type === "F32") return [...new Float32Array(bytes.buffer)];
  return Array.from(new Uint16Array(bytes.buffer), (bits) => {
    if (type === "BF16") return new Float32Array(new Uint32Array([bits << 16]).buffer)[0]!;
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    return bits & 0x8000 ? -size : size;
  });
}

const models = ["mobilellm-r1", "llama", "llama3-rope", "llama-untied", "qwen2", "qwen3", "gemma3", "olmo2"];
describe.each(models)("%s", (model) => {
  test.each(["config.json", "config.legacy.json"])("%s: every hyper-parameter as in the GGUF", async (name) => {
    const gguf = await readGguf(bytesSource(readFileSync(`${fixtures}${model}/model.gguf`)));
    const folder = await readHuggingFace(memoryFiles(fixtureFiles(model, name)));
    expect(folder).toMatchObject({ format: "huggingface", architecture: gguf.architecture, permutedQK: false });
    for (const [key, value] of gguf.metadata) {
      const same = key.startsWith(`${gguf.architecture}.`) || /\.(bos|eos|padding)_token_id$/.test(key);
      if (same) expect(folder.metadata.get(key), key).toBe(value);
    }
  });
  test("the same tensors as the GGUF, value by value where q and k are not permuted", async () => {
    const gguf = await readGguf(bytesSource(readFileSync(`${fixtures}${model}/model.gguf`)));
    const folder = await readHuggingFace(memoryFiles(fixtureFiles(model)));
    const names = [...gguf.tensors.keys()].filter((name) => name !== "rope_freqs.weight");
    expect([...folder.tensors.keys()].sort()).toEqual(names.sort());
    for (const name of names) {
      const [ours, theirs] = [folder.tensors.get(name)!, gguf.tensors.get(name)!];
      expect(ours.shape, name).toEqual(theirs.shape);
      if (gguf.permutedQK && /attn_[qk]\.weight$/.test(name)) continue;
      if (theirs.byteLength > 100_000) continue; // the small ones tell
      expect(await values(ours), name).toEqual(await values(theirs));
    }
  });
});

test("crumb", async () => {
  const folder = new URL("../../../models/crumb/", import.meta.url).pathname;
  const checkpoint = await readHuggingFace({
    has: async (name) => existsSync(folder + name),
    open: async (name) => bytesSource(readFileSync(folder + name)),
  });
  expect(checkpoint.architecture).toBe("llama4");
  expect(checkpoint.tensors.size).toBe(8 * 9 + 2);
  expect(checkpoint.metadata.get("nibble.end_token_ids")).toEqual(new Uint32Array([1020, 1023]));
  expect(checkpoint.metadata.get("nibble.use_rope")).toEqual(new Array(8).fill(true));
  expect(checkpoint.huggingFace!.chatTemplates.get("default")).toMatch(/^\{\{ bos_token \}\}/);
  expect(checkpoint.huggingFace!.generationConfig!.get("do_sample")).toBe(false);
});

describe("weights", () => {
  /** A safetensors file of 1-value F32 tensors. */
  const weights = (names: string[], dtype = "F32", bytes = 4) => {
    const header = Object.fromEntries(
      names.map((name, i) => [name, { dtype, shape: [1], data_offsets: [i * bytes, (i + 1) * bytes] }]),
    );
    const json = new TextEncoder().encode(JSON.stringify(header));
    const file = new Uint8Array(8 + json.length + names.length * bytes);
    new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
    file.set(json, 8);
    return file;
  };
  const names = async (files: Record<string, Uint8Array | string | undefined>, changes: Config = {}) => [
    ...(await read("llama", changes, files)).tensors.keys(),
  ];
  const single = (...args: Parameters<typeof weights>) => ({ "model.safetensors": weights(...args) });

  test("biases are translated, stored tables left out, other tensors refused", async () => {
    expect(
      await names(
        single([
          "model.layers.1.self_attn.q_proj.bias",
          "model.layers.0.self_attn.rotary_emb.inv_freq",
          "lm_head.weight",
        ]),
        { tie_word_embeddings: false, attention_bias: true },
      ),
    ).toEqual(["blk.1.attn_q.bias", "output.weight"]);
    for (const name of [
      "model.layers.2.input_layernorm.weight",
      "model.layers.00.input_layernorm.weight",
      "model.layers.0.mlp.router.weight",
      "vision.weight",
      "__proto__",
    ]) {
      expect(await codeOf(names(single([name]))), name).toBe("unsupported_architecture");
    }
  });
  test("a bias that config.json denies is refused by name", async () => {
    for (const name of ["self_attn.o_proj", "mlp.down_proj"]) {
      const reading = names(single([`model.layers.0.${name}.bias`]));
      await expect(reading).rejects.toMatchObject({ code: "unsupported_architecture" });
      await expect(reading).rejects.toThrow(name);
    }
    expect(await names(single(["model.layers.0.mlp.down_proj.bias"]), { mlp_bias: true })).toHaveLength(1);
  });
  test("lm_head.weight of a tied model counts, unless it is a copy of the embeddings", async () => {
    const embeddings = "model.embed_tokens.weight";
    expect(await names(single(["lm_head.weight", embeddings]))).toEqual(["token_embd.weight"]);
    const file = weights(["lm_head.weight", embeddings]);
    file[file.length - 1] = 64;
    expect(await names({ "model.safetensors": file })).toEqual(["output.weight", "token_embd.weight"]);
  });
  test("a model that is not tied needs it", async () => {
    const untied = names(single(["model.embed_tokens.weight"]), { tie_word_embeddings: false });
    await expect(untied).rejects.toMatchObject({
      code: "missing_tensor",
      message: expect.stringContaining("lm_head.weight"),
    });
  });
  test("types", async () => {
    expect(await codeOf(names(single(["model.norm.weight"], "BF16", 2)))).toBe("loaded");
    expect(await codeOf(names(single(["model.norm.weight"], "F64", 8)))).toBe("unsupported_type");
    expect(await codeOf(names(single(["model.norm.weight"], "F8_E4M3", 1)))).toBe("unsupported_type");
  });
  test("shards", async () => {
    const [one, two] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    const map = { "model.norm.weight": one, "model.embed_tokens.weight": two };
    const files = {
      "model.safetensors": undefined,
      "model.safetensors.index.json": JSON.stringify({ metadata: {}, weight_map: map }),
      [one]: weights(["model.norm.weight"]),
      [two]: weights(["model.embed_tokens.weight"]),
    };
    expect(await names(files)).toEqual(["output_norm.weight", "token_embd.weight"]);
    expect(await codeOf(names({ ...files, [two]: undefined }))).toBe("missing_file");
    expect(await codeOf(names({ ...files, [two]: weights(["lm_head.weight"]) }))).toBe("missing_tensor");
    expect(await codeOf(names({ ...files, [two]: weights(["model.norm.weight", "model.embed_tokens.weight"]) }))).toBe(
      "duplicate_key",
    );
    expect(await codeOf(names({ "model.safetensors": undefined }))).toBe("missing_file");
  });
  test("closed with the checkpoint, or at once after an error", async () => {
    const files = memoryFiles(fixtureFiles("llama"));
    const checkpoint = await readHuggingFace(files);
    expect([...files.opened].map(([name, source]) => [name, source.closed])).toEqual([
      ["config.json", 1],
      ["tokenizer_config.json", 1],
      ["tokenizer.json", 1],
      ["model.safetensors", 0],
    ]);
    await checkpoint.close();
    expect(files.opened.get("model.safetensors")!.closed).toBe(1);
    const bad = memoryFiles({ ...fixtureFiles("llama"), ...single(["vision.weight"]) });
    await expect(readHuggingFace(bad)).rejects.toThrow("vision.weight");
    expect(bad.opened.get("model.safetensors")!.closed).toBe(1);
  });
});

describe("text files", () => {
  test("chat template: the file first, then tokenizer_config.json, as text or as a list", async () => {
    const template = async (files: Record<string, string | undefined>) =>
      Object.fromEntries((await read("llama", {}, files)).huggingFace!.chatTemplates);
    const config = (chat_template: unknown) => ({ "tokenizer_config.json": JSON.stringify({ chat_template }) });
    expect(await template({ ...config("b"), "chat_template.jinja": "a\n" })).toEqual({ default: "a\n" });
    expect(await template(config("b"))).toEqual({ default: "b" });
    expect(
      await template(
        config([
          { name: "tool", template: "t" },
          { name: "default", template: "d" },
        ]),
      ),
    ).toEqual({ tool: "t", default: "d" });
    expect(await template(config(null))).toEqual({});
    expect(await template({ "tokenizer_config.json": undefined })).toEqual({});
    expect(await codeOf(template(config(1)))).toBe("bad_type");
    expect(await codeOf(template(config([{ name: "default" }])))).toBe("bad_type");
    const many = Array.from({ length: 17 }, (_, i) => ({ name: `n${i}`, template: "t" }));
    expect(await codeOf(template(config(many)))).toBe("limit_exceeded");
  });
  test("more chat templates in a folder of their own; with files, tokenizer_config.json counts no more", async () => {
    const additional = { "additional_chat_templates/tool_use.jinja": "t", "additional_chat_templates/rag.jinja": "r" };
    const config = { "tokenizer_config.json": JSON.stringify({ chat_template: "config" }) };
    const files = { "chat_template.jinja": "d", ...additional, ...config };
    const { chatTemplates } = (await read("llama", {}, files)).huggingFace!;
    expect(Object.fromEntries(chatTemplates)).toEqual({ default: "d", tool_use: "t", rag: "r" });
    const without = (await read("llama", {}, { ...additional, ...config })).huggingFace!;
    expect(Object.fromEntries(without.chatTemplates)).toEqual({ tool_use: "t", rag: "r" });
  });
  test("model_max_length may be 10^30", async () => {
    const files = { "tokenizer_config.json": '{"model_max_length": 1000000000000000019884624838656}' };
    expect((await read("llama", {}, files)).huggingFace!.tokenizerConfig!.get("model_max_length")).toBe(1e30);
  });
  test.each<[string, string, Record<string, Uint8Array | string | undefined>]>([
    ["no config.json", "missing_file", { "config.json": undefined }],
    ["no tokenizer.json", "missing_file", { "tokenizer.json": undefined }],
    ["config.json cut short", "bad_json", { "config.json": '{"model_type": "llama"' }],
    ["config.json an array", "bad_json", { "config.json": "[]" }],
    ["config.json of 5 MiB", "limit_exceeded", { "config.json": new Uint8Array(5 * 2 ** 20) }],
    ["a key twice", "duplicate_key", { "generation_config.json": '{"a": 1, "a": 2}' }],
    ["a template that is not UTF-8", "bad_string", { "chat_template.jinja": new Uint8Array([0xff]) }],
    ["a web page for weights", "limit_exceeded", { "model.safetensors": "<!DOCTYPE html><html></html>" }],
  ])("%s gives %s", async (_, code, files) => {
    expect(await codeOf(readHuggingFace(memoryFiles({ ...fixtureFiles("llama"), ...files })))).toBe(code);
  });
});
