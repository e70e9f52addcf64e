/** Adapter files that are wrong: every one a typed error, and nothing stays open. */
import { describe, expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import type { Checkpoint } from "../../src/formats/checkpoint.ts";
import { readAdapter } from "../../src/formats/lora/adapter.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { ggufAdapter, peftFiles, randomAdapter, safetensors, type TestAdapter } from "../helpers/adapters.ts";
import { executorOf, openFixture } from "../helpers/models.ts";
import { Random } from "../helpers/random.ts";
import { codeOf, memoryFiles, recordingSource } from "./helpers.ts";

const base = await openFixture("llama", "gguf");
await base.close(); // the header is all that is read
const QUERY = "blk.0.attn_q.weight";
const adapter = randomAdapter(base, [QUERY, "blk.1.ffn_down.weight"], 4, 1);

/** The code with which reading and planning ends. */
async function load(opened: Parameters<typeof readAdapter>[0]): Promise<string> {
  const source = "file" in opened ? opened.file : opened.files;
  const checkpoint = await openFixture("llama", "gguf");
  return codeOf(executorOf(checkpoint, { contextLength: 64, lora: [{ source, name: "x" }] }));
}
const gguf = async (changed: TestAdapter, metadata = {}, architecture = "llama", type: "F32" | "F16" = "F16") =>
  load({ file: bytesSource(await ggufAdapter(changed, architecture, type, metadata)) });

function reshaped(name: string, half: "a" | "b", shape: [number, number], products = adapter.products): TestAdapter {
  const product = { ...products.get(QUERY)! };
  product[half] = { shape, data: new Float32Array(shape[0] * shape[1]) };
  return { ...adapter, products: new Map([[name, product]]) };
}

describe("GGUF", () => {
  it.each<[string, () => Promise<string>, string]>([
    ["a good one", () => gguf(adapter), "loaded"],
    ["no alpha", () => gguf({ ...adapter, alpha: 0 }), "loaded"],
    ["a model", () => gguf(adapter, { "general.type": "model" }), "bad_value"],
    ["another kind of adapter", () => gguf(adapter, { "adapter.type": "control_vector" }), "bad_value"],
    ["for another architecture", () => gguf(adapter, {}, "qwen2"), "unsupported_architecture"],
    ["an activated one", () => gguf(adapter, { "adapter.alora.invocation_tokens": 1 }), "unsupported_architecture"],
    ["an alpha that is no number", () => gguf({ ...adapter, alpha: Number.NaN }), "bad_value"],
    ["a layer too many", () => gguf(reshaped("blk.9.attn_q.weight", "a", [4, 192])), "missing_tensor"],
    ["a norm", () => gguf(reshaped("blk.0.attn_norm.weight", "a", [4, 192])), "missing_tensor"],
    ["the embedding", () => gguf(reshaped("token_embd.weight", "a", [4, 192])), "unsupported_architecture"],
    ["other ranks", () => gguf(reshaped(QUERY, "a", [5, 192])), "bad_shape"],
    ["other columns", () => gguf(reshaped(QUERY, "a", [4, 128])), "bad_shape"],
    ["other rows", () => gguf(reshaped(QUERY, "b", [128, 4])), "bad_shape"],
    ["a rank beyond all", () => gguf(reshaped(QUERY, "a", [4097, 192])), "bad_shape"],
    ["no tensors", () => gguf({ ...adapter, products: new Map() }), "missing_tensor"],
  ])("%s: %s", async (_, run, code) => {
    expect(await run()).toBe(code);
  });

  it("weights that are not finite", async () => {
    const broken = randomAdapter(base, [QUERY], 4, 2);
    broken.products.get(QUERY)!.b.data[3] = Number.POSITIVE_INFINITY;
    expect(await gguf(broken, {}, "llama", "F32")).toBe("bad_weights");
  });

  it("half of a product, another name, another type", async () => {
    const bytes = await ggufAdapter(adapter, "llama");
    const edited = (from: string, to: string) => {
      const at = Buffer.from(bytes).indexOf(from);
      const copy = bytes.slice();
      copy.set(new TextEncoder().encode(to), at);
      return load({ file: bytesSource(copy) });
    };
    expect(await edited("ffn_down.weight.lora_b", "ffn_gate.weight.lora_b")).toBe("missing_tensor");
    expect(await edited("attn_q.weight.lora_a", "attn_q.weight.loha_a")).toBe("unsupported_architecture");
  });

  it("bytes that are broken anywhere: a typed error, and the file is closed", async () => {
    const bytes = await ggufAdapter(adapter, "llama");
    const random = new Random("broken adapters");
    for (let i = 0; i < 300; i++) {
      const copy = bytes.slice(0, i % 3 === 0 ? random.integer(0, bytes.length) : bytes.length);
      for (let n = random.integer(0, 3); n > 0 && copy.length > 0; n--)
        copy[random.integer(0, Math.min(copy.length, 600) - 1)] = random.integer(0, 255);
      const file = recordingSource(copy);
      try {
        const read = await readAdapter({ file }, base);
        await read.close();
      } catch (error) {
        expect(error).toBeInstanceOf(NibbleError);
      }
      expect(file.closed).toBe(1);
    }
  });
});

describe("PEFT", () => {
  const peft = (config: Record<string, unknown>) => load({ files: peftFiles(adapter, config) });

  it.each<[string, Record<string, unknown>, string]>([
    ["a good one", {}, "loaded"],
    ["another method", { peft_type: "IA3" }, "unsupported_architecture"],
    ["no method", { peft_type: null }, "missing_key"],
    ["DoRA", { use_dora: true }, "unsupported_architecture"],
    ["transposed", { fan_in_fan_out: true }, "unsupported_architecture"],
    ["biases", { bias: "lora_only" }, "unsupported_architecture"],
    ["whole modules", { modules_to_save: ["lm_head"] }, "unsupported_architecture"],
    ["copied layers", { layer_replication: [[0, 1]] }, "unsupported_architecture"],
    ["null for nothing", { modules_to_save: null, layer_replication: null, alpha_pattern: {} }, "loaded"],
    ["an alpha that is no number", { lora_alpha: "16" }, "bad_type"],
    ["patterns that are expressions", { alpha_pattern: { "(a+)+$": 1 } }, "unsupported_architecture"],
    ["a pattern that is none", { alpha_pattern: 5 }, "bad_type"],
  ])("%s", async (_, config, code) => {
    expect(await peft(config)).toBe(code);
  });

  const zeros = (name: string, shape: number[], dtype = "F32") => {
    const bytes = new Uint8Array(shape.reduce((a, b) => a * b, 1) * (dtype === "F32" ? 4 : 8));
    return { name: `base_model.model.${name}`, dtype, shape, bytes };
  };
  const query = "model.layers.0.self_attn.q_proj";
  it.each<[string, ReturnType<typeof zeros>[], string]>([
    ["no tensors", [], "missing_tensor"],
    ["half of a product", [zeros(`${query}.lora_A.weight`, [4, 192])], "missing_tensor"],
    ["a magnitude", [zeros(`${query}.lora_magnitude_vector`, [192])], "unsupported_architecture"],
    ["another module", [zeros("model.layers.0.mlp.experts.lora_A.weight", [4, 192])], "unsupported_architecture"],
    [
      "a type without a kernel",
      [zeros(`${query}.lora_A.weight`, [4, 192], "F64"), zeros(`${query}.lora_B.weight`, [192, 4], "F64")],
      "unsupported_type",
    ],
    [
      "a head that is the embedding",
      [zeros("lm_head.lora_A.weight", [4, 192]), zeros("lm_head.lora_B.weight", [320, 4])],
      "missing_tensor",
    ],
    [
      "q rows that are no heads",
      [zeros(`${query}.lora_A.weight`, [4, 192]), zeros(`${query}.lora_B.weight`, [191, 4])],
      "bad_shape",
    ],
  ])("%s", async (_, tensors, code) => {
    const files = memoryFiles({
      "adapter_config.json": JSON.stringify({ peft_type: "LORA", lora_alpha: 8 }),
      "adapter_model.safetensors": safetensors(tensors),
    });
    expect(await load({ files })).toBe(code);
    for (const { closed } of files.opened.values()) expect(closed).toBe(1);
  });

  it("files that are missing", async () => {
    const config = JSON.stringify({ peft_type: "LORA" });
    expect(await load({ files: memoryFiles({ "adapter_model.safetensors": safetensors([]) }) })).toBe("missing_file");
    expect(await load({ files: memoryFiles({ "adapter_config.json": config }) })).toBe("missing_file");
    const unknown: Checkpoint = { ...base, architecture: "nothing" };
    expect(await codeOf(readAdapter({ files: peftFiles(adapter) }, unknown))).toBe("unsupported_architecture");
  });
});
