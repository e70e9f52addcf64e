import { describe, expect, test } from "vitest";
import { codeOf } from "../helpers.ts";
import { type Config, configOf, read } from "./fixture.ts";

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
    expect(await scaled({ rope_type: "ntk-by-parts", factor: 2 })).toBe("unsupported_architecture");
    expect(await scaled({ rope_type: "linear" })).toBe("missing_key");
    expect(await scaled("linear")).toBe("bad_type");
    // transformers' class of Llama ignores it where RoPE is not scaled.
    expect(await codeOf(read("llama", { partial_rotary_factor: 0.5 }))).toBe("loaded");
    expect(await codeOf(read("qwen3", { partial_rotary_factor: 0.5 }))).toBe("unsupported_architecture");
    expect(await scaled({ rope_type: "linear", factor: 2, partial_rotary_factor: 0.5 })).toBe(
      "unsupported_architecture",
    );
    const llama3 = {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    expect(await scaled(llama3)).toBe("loaded");
    expect(await scaled({ ...llama3, high_freq_factor: 1 })).toBe("loaded");
    expect(await scaled({ ...llama3, high_freq_factor: 0.5 })).toBe("bad_value");
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
