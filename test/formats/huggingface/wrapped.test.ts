/** Folders that hold a model among other things: multimodal models, models for embeddings, weights of other quantisers. */
import { describe, expect, test } from "vitest";
import { codeOf, fixtureFiles } from "../helpers.ts";
import { type Config, configOf, read } from "./fixture.ts";

/** A safetensors file with other names, and further tensors of one value. */
function renamed(file: Uint8Array, rename: (name: string) => string, further: string[] = []): Uint8Array {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  const data = file.subarray(8 + length);
  const entries = Object.entries(header).map(([name, value]) => [name === "__metadata__" ? name : rename(name), value]);
  const added = further.map((name, i) => [
    name,
    { dtype: "F32", shape: [1], data_offsets: [data.length + 4 * i, data.length + 4 * (i + 1)] },
  ]);
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...entries, ...added])));
  const bytes = new Uint8Array(8 + json.length + data.length + 4 * further.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const weightsOf = (model: string): Uint8Array => fixtureFiles(model)["model.safetensors"]!;
const facts = async (reading: ReturnType<typeof read>) => {
  const { architecture, metadata, tensors } = await reading;
  return { architecture, metadata, tensors: [...tensors.values()].map(({ name, byteLength }) => [name, byteLength]) };
};
const flat = (name: string): string => name.replace(/^model\./, "");

test("names without model. in front", async () => {
  const files = { "model.safetensors": renamed(weightsOf("qwen3"), flat) };
  expect(await facts(read("qwen3", {}, files))).toEqual(await facts(read("qwen3")));
});

test("a tensor under both names is refused", async () => {
  const files = { "model.safetensors": renamed(weightsOf("qwen3"), (name) => name, ["norm.weight"]) };
  expect(await codeOf(read("qwen3", {}, files))).toBe("duplicate_key");
});

describe("multimodal models run their text model", () => {
  const LAYOUTS: Record<string, (name: string) => string> = {
    "model.language_model": (name) => name.replace(/^model\./, "model.language_model."),
    "language_model.model": (name) => `language_model.${name}`,
    "model.text_model": (name) => name.replace(/^model\./, "model.text_model."),
  };
  const OTHERS = ["model.visual.patch.weight", "vision_tower.x.bias", "multi_modal_projector.w", "mtp.fc.weight"];

  /** A wrapper of the fixture: no key of the model is outside of `text_config`. */
  const wrapped = (model: string, further: Config = {}): Config => {
    const inner = configOf(model);
    const outside = Object.fromEntries(Object.keys(inner).map((key) => [key, undefined]));
    return {
      ...outside,
      model_type: "anything",
      text_config: inner,
      vision_config: { depth: 5, hidden_size: 7 },
      image_token_id: 300,
      ...further,
    };
  };

  test.each(Object.keys(LAYOUTS))("%s", async (layout) => {
    for (const model of ["gemma3", "qwen3", "llama-untied"]) {
      const files = { "model.safetensors": renamed(weightsOf(model), LAYOUTS[layout]!, OTHERS) };
      expect(await facts(read(model, wrapped(model), files))).toEqual(await facts(read(model)));
    }
  });

  test("token ids may stand outside, and unknown keys outside are refused by name", async () => {
    const inner = { ...configOf("gemma3"), eos_token_id: null };
    const { metadata } = await read("gemma3", wrapped("gemma3", { text_config: inner, eos_token_id: [317, 318] }));
    expect(metadata.get("nibble.end_token_ids")).toEqual(new Uint32Array([317, 318]));
    await expect(read("gemma3", wrapped("gemma3", { residual_mix: 2 }))).rejects.toThrow("residual_mix");
  });

  test("a text model of an unknown type is refused by both names", async () => {
    const config = wrapped("gemma3", { model_type: "some_vl", text_config: { model_type: "mamba9" } });
    await expect(read("gemma3", config)).rejects.toThrow(/mamba9 .*some_vl.* is not supported.*registerArchitecture/);
  });

  test("tensors of other parts are refused where config.json has none", async () => {
    const files = { "model.safetensors": renamed(weightsOf("qwen3"), (name) => name, ["model.visual.patch.weight"]) };
    expect(await codeOf(read("qwen3", {}, files))).toBe("unsupported_architecture");
  });
});

describe("weights of other quantisers are refused by their name, with what to use instead", () => {
  test.each<[string, Config]>([
    ["GPTQ", { quantization_config: { quant_method: "gptq", bits: 4, group_size: 128 } }],
    ["AWQ", { quantization_config: { quant_method: "awq", bits: 4 } }],
    ["bitsandbytes", { quantization_config: { quant_method: "bitsandbytes", load_in_4bit: true } }],
    ["compressed-tensors", { quantization_config: { quant_method: "compressed-tensors", format: "pack-quantized" } }],
    ["compressed-tensors", { compression_config: { quant_method: "compressed-tensors" } }],
    ["fp8", { quantization_config: { quant_method: "fp8", weight_block_size: [128, 128] } }],
    ["MLX", { quantization: { group_size: 64, bits: 4 } }],
    ["MLX", { quantization_config: { group_size: 64, bits: 4, mode: "affine" } }],
    ["newquant", { quantization_config: { quant_method: "newquant" } }],
  ])("%s: %j", async (method, changes) => {
    const reading = read("llama", changes);
    expect(await codeOf(reading)).toBe("unsupported_type");
    await expect(reading).rejects.toThrow(method);
    await expect(reading).rejects.toThrow("GGUF");
  });

  test.each([
    ["GPTQ or AWQ", "qweight"],
    ["bitsandbytes", "weight.quant_state.bitsandbytes__nf4"],
    ["compressed-tensors", "weight_packed"],
    ["fp8", "weight_scale_inv"],
    ["MLX", "scales"],
  ])("%s by a tensor %s", async (method, ending) => {
    const further = [`model.layers.0.mlp.up_proj.${ending}`];
    const files = { "model.safetensors": renamed(weightsOf("llama"), (name) => name, further) };
    const reading = read("llama", {}, files);
    expect(await codeOf(reading)).toBe("unsupported_type");
    await expect(reading).rejects.toThrow(method);
  });

  test("an empty quantization_config asks for nothing", async () => {
    expect(await codeOf(read("llama", { quantization_config: {}, quantization: null }))).toBe("loaded");
  });
});
