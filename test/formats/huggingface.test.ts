import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { TensorInfo } from "../../src/formats/checkpoint.ts";
import { readGguf } from "../../src/formats/gguf/model.ts";
import { readHuggingFace } from "../../src/formats/huggingface/folder.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { codeOf, fixtureFiles, fixtures, memoryFiles } from "./helpers.ts";

type Config = Record<string, unknown>;
const configOf = (model: string, name = "config.json"): Config =>
  JSON.parse(readFileSync(`${fixtures}${model}/${name}`, "utf8"));

/** Reads a fixture with changes to its config (undefined deletes a key) and its other files. */
function read(
  model: string,
  changes: Config = {},
  files: Record<string, Uint8Array | string | undefined> = {},
  name = "config.json",
) {
  const config = JSON.stringify({ ...configOf(model, name), ...changes });
  return readHuggingFace(memoryFiles({ ...fixtureFiles(model), "config.json": config, ...files }));
}

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
  const folder = new URL("../../models/crumb/", import.meta.url).pathname;
  const checkpoint = await readHuggingFace({
    has: async (name) => existsSync(folder + name),
    open: async (name) => bytesSource(readFileSync(folder + name)),
  });
  expect(checkpoint.architecture).toBe("llama4");
  expect(checkpoint.tensors.size).toBe(8 * 9 + 2);
  expect(checkpoint.metadata.get("nibble.end_token_ids")).toEqual(new Uint32Array([1020, 1023]));
  expect(checkpoint.metadata.get("nibble.use_rope")).toEqual(new Array(8).fill(true));
  expect(checkpoint.huggingFace!.chatTemplate).toMatch(/^\{\{ bos_token \}\}/);
  expect(checkpoint.huggingFace!.generationConfig!.get("do_sample")).toBe(false);
});

describe("llama4", () => {
  const key = async (changes: Config, name: string, file = "config.json") =>
    (await read("mobilellm-r1", changes, {}, file)).metadata.get(`nibble.${name}`);

  test("facts that GGUF has no key for", async () => {
    const { metadata } = await read("mobilellm-r1");
    expect([...metadata].filter(([name]) => name.startsWith("nibble."))).toEqual([
      ["nibble.use_rope", [true, true, true]],
      ["nibble.use_qk_norm", true],
      ["nibble.attention.chunk_size", new Uint32Array([0, 0, 0])],
      ["nibble.attention.temperature_tuning", false],
      ["nibble.attention.temperature_scale", 0.1],
      ["nibble.attention.temperature_floor", 8192],
      ["nibble.end_token_ids", new Uint32Array([317, 318])],
    ]);
  });
  test("no_rope_layers: indexed by layer, surplus ignored; else every fourth layer is without", async () => {
    expect(await key({ no_rope_layers: [1, 0, 1] }, "use_rope")).toEqual([true, false, true]);
    expect(await key({ no_rope_layers: [0, 1, 1, 0, 0, 0] }, "use_rope")).toEqual([false, true, true]);
    for (const none of [undefined, null, []]) {
      expect(await key({ no_rope_layers: none, no_rope_layer_interval: 2 }, "use_rope")).toEqual([true, false, true]);
      expect(await key({ no_rope_layers: none, no_rope_layer_interval: undefined }, "use_rope")).toEqual([
        true,
        true,
        true,
      ]);
    }
    expect(await codeOf(read("mobilellm-r1", { no_rope_layers: [1, 1] }))).toBe("bad_value");
  });
  test("chunked attention: by layer_types, else on the layers with RoPE; none if no position leaves the chunk", async () => {
    const chunk = { attention_chunk_size: 64 };
    const types = ["chunked_attention", "full_attention", "chunked_attention"];
    expect(await key({ ...chunk, layer_types: types }, "attention.chunk_size")).toEqual(new Uint32Array([64, 0, 64]));
    expect(await key({ ...chunk, no_rope_layers: [0, 1, 1] }, "attention.chunk_size", "config.legacy.json")).toEqual(
      new Uint32Array([0, 64, 64]),
    );
    expect(await key({ layer_types: types }, "attention.chunk_size")).toEqual(new Uint32Array(3));
    expect(await key({}, "attention.chunk_size", "config.legacy.json")).toEqual(new Uint32Array(3));
    expect(await codeOf(read("mobilellm-r1", { layer_types: ["full_attention"] }))).toBe("bad_value");
    expect(await codeOf(read("mobilellm-r1", { layer_types: new Array(3).fill("linear_attention") }))).toBe(
      "unsupported_architecture",
    );
  });
  test("transformers' defaults", async () => {
    const changes = {
      attn_temperature_tuning: undefined,
      use_qk_norm: undefined,
      floor_scale: undefined,
      attn_scale: undefined,
    };
    const { metadata } = await read("mobilellm-r1", changes);
    expect(metadata.get("nibble.attention.temperature_tuning")).toBe(true);
    expect(metadata.get("nibble.use_qk_norm")).toBe(true);
    const bare = {
      rope_parameters: undefined,
      head_dim: undefined,
      num_key_value_heads: undefined,
      rms_norm_eps: undefined,
    };
    const defaults = (await read("mobilellm-r1", bare)).metadata;
    expect(defaults.get("llama4.rope.freq_base")).toBe(500_000);
    expect(defaults.get("llama4.attention.key_length")).toBe(128);
    expect(defaults.get("llama4.attention.head_count_kv")).toBe(8);
  });
  test("experts are refused; a dense model in any spelling is read", async () => {
    const experts = { num_local_experts: 16, num_experts_per_tok: 1 };
    for (const changes of [
      { ...experts, moe_layers: [0, 2] },
      { ...experts, moe_layers: undefined, interleave_moe_layer_step: 1 },
      { ...experts, moe_layers: null, interleave_moe_layer_step: undefined },
    ]) {
      const reading = read("mobilellm-r1", changes);
      await expect(reading).rejects.toMatchObject({ code: "unsupported_architecture" });
      await expect(reading).rejects.toThrow(/experts/);
    }
    for (const changes of [{ moe_layers: undefined }, { interleave_moe_layer_step: 1 }, { num_local_experts: 16 }]) {
      expect((await read("mobilellm-r1", changes)).metadata.get("llama4.expert_count")).toBe(0);
    }
  });
});

describe("RoPE scaling", () => {
  test.each(["config.json", "config.legacy.json"])("llama3 in %s", async (name) => {
    const { metadata } = await read("llama3-rope", {}, {}, name);
    expect(metadata.get("llama.rope.scaling.type")).toBe("llama3");
    expect(metadata.get("llama.rope.scaling.factor")).toBe(32);
    expect(metadata.get("llama.rope.scaling.original_context_length")).toBe(8192);
    expect(metadata.get("nibble.rope.scaling.low_freq_factor")).toBe(1);
    expect(metadata.get("nibble.rope.scaling.high_freq_factor")).toBe(4);
    expect(metadata.get("llama.rope.freq_base")).toBe(500_000);
  });
  test("others", async () => {
    const { metadata } = await read("llama", {
      rope_parameters: undefined,
      rope_theta: 1e4,
      rope_scaling: { type: "linear", factor: 2 },
    });
    expect(metadata.get("llama.rope.scaling.type")).toBe("linear");
    expect(metadata.get("llama.rope.scaling.factor")).toBe(2);
    const scaled = (scaling: unknown) => codeOf(read("llama", { rope_parameters: undefined, rope_scaling: scaling }));
    expect(await scaled({ rope_type: "yarn", factor: 2 })).toBe("unsupported_architecture");
    expect(await scaled({ rope_type: "linear" })).toBe("missing_key");
    expect(await scaled("linear")).toBe("bad_type");
    expect(await codeOf(read("llama", { partial_rotary_factor: 0.5 }))).toBe("unsupported_architecture");
    expect(await scaled({ rope_type: "default", partial_rotary_factor: 0.5 })).toBe("unsupported_architecture");
    const llama3 = {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    expect(await scaled(llama3)).toBe("loaded");
    expect(await scaled({ ...llama3, high_freq_factor: 1 })).toBe("bad_value");
    expect(await scaled({ ...llama3, low_freq_factor: 0 })).toBe("bad_value");
    expect(await scaled({ ...llama3, original_max_position_embeddings: undefined })).toBe("missing_key");
  });
});

test("end tokens come from both configs", async () => {
  const generation = (json: unknown) => ({ "generation_config.json": JSON.stringify(json) });
  const ends = async (changes: Config, files = {}) => {
    const { metadata } = await read("llama", changes, files);
    return [metadata.get("tokenizer.ggml.eos_token_id"), metadata.get("nibble.end_token_ids")];
  };
  expect(await ends({})).toEqual([317, new Uint32Array([317])]);
  expect(await ends({ eos_token_id: [318, 317] }, generation({ eos_token_id: [317, 319] }))).toEqual([
    318,
    new Uint32Array([318, 317, 319]),
  ]);
  expect(await ends({ eos_token_id: null }, generation({ eos_token_id: 318 }))).toEqual([
    undefined,
    new Uint32Array([318]),
  ]);
  expect(await ends({ eos_token_id: -1 })).toEqual([undefined, undefined]);
  expect(await codeOf(ends({ eos_token_id: "x" }))).toBe("bad_type");
  expect(await codeOf(ends({ eos_token_id: [1.5] }))).toBe("bad_value");
});

test.each<[string, string, Config]>([
  ["no model_type", "missing_key", { model_type: undefined }],
  ["model_type __proto__", "unsupported_architecture", { model_type: "__proto__" }],
  ["a multimodal model", "unsupported_architecture", { model_type: "llama4" }],
  ["another activation", "unsupported_architecture", { hidden_act: "gelu" }],
  ["no layers", "bad_value", { num_hidden_layers: 0 }],
  ["missing layers", "missing_key", { num_hidden_layers: undefined }],
  ["half a layer", "bad_value", { num_hidden_layers: 0.5 }],
  ["layers as text", "bad_type", { num_hidden_layers: "2" }],
  ["2^31 - 1 layers", "limit_exceeded", { num_hidden_layers: 2 ** 31 - 1 }],
  ["2^31 layers", "bad_value", { num_hidden_layers: 2 ** 31 }],
  ["1,025 layers", "limit_exceeded", { num_hidden_layers: 1_025 }],
  ["1,024 layers", "loaded", { num_hidden_layers: 1_024 }],
  ["fewer layers than weights", "unsupported_architecture", { num_hidden_layers: 1 }],
  ["no heads (llama.cpp #24085)", "bad_value", { num_attention_heads: 0 }],
  ["no kv heads", "bad_value", { num_key_value_heads: 0 }],
  ["kv heads missing", "loaded", { num_key_value_heads: undefined }],
  ["head size missing", "loaded", { head_dim: null }],
  ["more heads than width", "bad_value", { head_dim: null, num_attention_heads: 1_000 }],
  ["epsilon below 0", "bad_value", { rms_norm_eps: -1 }],
  ["theta 0", "bad_value", { rope_parameters: undefined, rope_theta: 0 }],
  ["vocabulary missing", "missing_key", { vocab_size: undefined }],
])("config with %s gives %s", async (_, code, changes) => {
  expect(await codeOf(read("llama", changes))).toBe(code);
});

test("any key with any value: a typed error, or metadata of sound numbers", async () => {
  const odd = [
    undefined,
    null,
    0,
    1,
    -1,
    2_000,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 53 - 1,
    0.5,
    1e308,
    "",
    "x",
    true,
    [],
    [1],
    [null],
    ["x"],
    {},
    { a: 1 },
  ];
  const outcomes = new Set<string>();
  for (const model of ["mobilellm-r1", "llama3-rope"]) {
    for (const key of Object.keys({ ...configOf(model), ...configOf(model, "config.legacy.json") })) {
      for (const value of odd) {
        const reading = read(model, { [key]: value }, {}, "config.legacy.json");
        const code = await codeOf(reading);
        outcomes.add(code);
        if (code !== "loaded") continue;
        for (const [name, number] of (await reading).metadata) {
          if (typeof number === "number" && !Number.isFinite(number))
            expect.unreachable(`${key}: ${name} is ${number}`);
        }
      }
    }
  }
  expect([...outcomes].sort()).toEqual([
    "bad_type",
    "bad_value",
    "limit_exceeded",
    "loaded",
    "missing_key",
    "missing_tensor",
    "unsupported_architecture",
  ]);
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
        { tie_word_embeddings: false },
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
  test("lm_head.weight of a tied model is left out", async () => {
    expect(await names(single(["lm_head.weight", "model.norm.weight"]))).toEqual(["output_norm.weight"]);
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
      ["tokenizer.json", 1],
      ["tokenizer_config.json", 1],
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
      (await read("llama", {}, files)).huggingFace!.chatTemplate;
    const config = (chat_template: unknown) => ({ "tokenizer_config.json": JSON.stringify({ chat_template }) });
    expect(await template({ ...config("b"), "chat_template.jinja": "a\n" })).toBe("a\n");
    expect(await template(config("b"))).toBe("b");
    expect(
      await template(
        config([
          { name: "tool", template: "t" },
          { name: "default", template: "d" },
        ]),
      ),
    ).toBe("d");
    expect(await template(config(null))).toBeUndefined();
    expect(await template({ "tokenizer_config.json": undefined })).toBeUndefined();
    expect(await codeOf(template(config(1)))).toBe("bad_type");
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
