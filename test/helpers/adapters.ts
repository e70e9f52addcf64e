/** Random adapters for the fixture models, in both containers, and the same merged into a model's weights. */
import type { Checkpoint, TensorInfo } from "../../src/formats/checkpoint.ts";
import { f32ToF16 } from "../../src/formats/float16.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { writeGguf } from "../../weights-tools/gguf/writer.ts";
import { memoryFiles } from "../formats/helpers.ts";
import { values } from "../weights-tools/helpers.ts";
import { Random } from "./random.ts";

export interface Half {
  readonly shape: readonly [rows: number, columns: number];
  readonly data: Float32Array;
}

export interface TestAdapter {
  readonly alpha: number;
  readonly products: ReadonlyMap<string, { readonly a: Half; readonly b: Half }>;
}

/** Large enough to change every logit. Values are halves, so that F16 holds them. */
export function randomAdapter(base: Checkpoint, names: readonly string[], rank: number, seed: number): TestAdapter {
  const random = new Random(`adapter ${seed}`);
  const half = (rows: number, columns: number): Half => ({
    shape: [rows, columns],
    data: random.normals(rows * columns).map((x) => Math.round(x * 64) / 512),
  });
  const products = new Map(
    names.map((name) => {
      const [rows, columns] = base.tensors.get(name)!.shape as [number, number];
      return [name, { a: half(rank, columns), b: half(rows, rank) }];
    }),
  );
  return { alpha: 2 * rank, products };
}

/** The base with W + scale alpha / rank B A in place of W, as float32. */
export async function merged(base: Checkpoint, adapters: readonly [TestAdapter, number][]): Promise<Checkpoint> {
  const tensors = new Map<string, TensorInfo>();
  for (const info of base.tensors.values()) {
    const sum = Float64Array.from(await values(info));
    for (const [{ alpha, products }, scale] of adapters) {
      const product = products.get(info.name);
      if (!product) continue;
      const { a, b } = product;
      const [rank, columns] = a.shape;
      for (let i = 0; i < sum.length; i++) {
        const [row, column] = [Math.floor(i / columns), i % columns];
        let dot = 0;
        for (let r = 0; r < rank; r++) dot += b.data[row * rank + r]! * a.data[r * columns + column]!;
        sum[i]! += ((scale * alpha) / rank) * dot;
      }
    }
    const bytes = new Uint8Array(Float32Array.from(sum).buffer);
    tensors.set(info.name, { ...info, type: "F32", source: bytesSource(bytes), offset: 0, byteLength: bytes.length });
  }
  return { ...base, tensors };
}

function encode({ data }: Half, type: "F32" | "F16"): Uint8Array {
  return new Uint8Array((type === "F32" ? data : Uint16Array.from(data, f32ToF16)).buffer);
}

/** The adapter as llama.cpp's convert_lora_to_gguf.py writes it. */
export async function ggufAdapter(
  adapter: TestAdapter,
  architecture: string,
  type: "F32" | "F16" = "F16",
  metadata: Record<string, string | number> = {},
): Promise<Uint8Array> {
  const halves = [...adapter.products].flatMap(([name, { a, b }]) => [
    { name: `${name}.lora_a`, type, shape: a.shape, half: a },
    { name: `${name}.lora_b`, type, shape: b.shape, half: b },
  ]);
  const chunks: Uint8Array[] = [];
  const sink = { write: async (bytes: Uint8Array) => void chunks.push(bytes.slice()) };
  const header = new Map<string, string | number>([
    ["general.type", "adapter"],
    ["general.architecture", architecture],
    ["adapter.type", "lora"],
    ["adapter.lora.alpha", adapter.alpha],
    ...Object.entries(metadata),
  ]);
  await writeGguf(sink, header, halves, async function* ({ half }) {
    yield encode(half, type);
  });
  return new Uint8Array(Buffer.concat(chunks));
}

export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export function safetensors(tensors: readonly SafetensorsEntry[]): Uint8Array {
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const { name, dtype, shape, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer);
  return new Uint8Array(Buffer.concat([length, json, ...tensors.map(({ bytes }) => bytes)]));
}

const MODULES: Readonly<Record<string, string>> = {
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

/** The adapter as PEFT saves it. The names are those of a `llama` model's layers. */
export function peftFiles(adapter: TestAdapter, config: Record<string, unknown> = {}): ReturnType<typeof memoryFiles> {
  const entries = [...adapter.products].flatMap(([name, { a, b }]) => {
    const [, layer, part] = /^blk\.(\d+)\.(.+)\.weight$/.exec(name)!;
    const module = `base_model.model.model.layers.${layer}.${MODULES[part!]}`;
    const entry = (half: Half, letter: string) => ({
      name: `${module}.lora_${letter}.weight`,
      dtype: "F32",
      shape: half.shape,
      bytes: encode(half, "F32"),
    });
    return [entry(a, "A"), entry(b, "B")];
  });
  const rank = [...adapter.products.values()][0]!.a.shape[0];
  const settings = { peft_type: "LORA", r: rank, lora_alpha: adapter.alpha, bias: "none", ...config };
  return memoryFiles({
    "adapter_config.json": JSON.stringify(settings),
    "adapter_model.safetensors": safetensors(entries),
  });
}
