/**
 * Writes a GGUF with random weights in the shape of a MobileLLM-R1 model, architecture `llama`, so that the peers load it too.
 *
 *   node bench/synthetic-model.ts 140m q4_0 OUT.gguf
 * @module
 */
import { realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { bytesSource } from "../src/formats/sources.ts";
import { rowBytes, type TensorType } from "../src/formats/tensor-types.ts";
import type { MetadataValue, TensorInfo } from "../src/formats/types.ts";
import { writeGguf } from "../weights-tools/gguf-writer.ts";
import { writeFileAtomically } from "../weights-tools/node-files.ts";
import { weightType } from "../weights-tools/weight-types.ts";

/** Layers, query heads, kv heads, hidden, ffn (facebookresearch/MobileLLM-R1, README). */
const SHAPES = {
  "140m": [15, 9, 3, 576, 2048],
  "360m": [15, 16, 4, 1024, 4096],
  "950m": [22, 24, 6, 1536, 6144],
} as const;
export type Shape = keyof typeof SHAPES;

const VOCABULARY = 128_256;
const HEAD = 64;

/** Bytes of `rows` rows: random codes, scales that keep activations near 1 (denormals would halve every figure). */
function randomRows(type: TensorType, rows: number, columns: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(rows * rowBytes(type, columns));
  let state = seed | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    return (state ^= state << 5) >>> 0;
  };
  const words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = next();
  const view = new DataView(bytes.buffer);
  const step = rowBytes(type, 32);
  // A uniform code has a standard deviation of 4.6 (int4) or 74 (int8) steps.
  const deviation = 1 / Math.sqrt(columns) / (type === "Q8_0" ? 74 : 4.6);
  for (let at = 0; at < bytes.length; at += step) {
    const scale = deviation * (0.75 + next() / 2 ** 33);
    if (type === "F32" || type === "F16") throw new Error(`no random rows of ${type}`);
    view.setUint16(at, half(scale), true);
    if (type === "Q4_1") view.setUint16(at + 2, half(-7.5 * scale), true);
  }
  return bytes;
}

/** f16 of a normal number, truncated. */
function half(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  return ((bits >>> 16) & 0x8000) | (((bits >>> 13) & 0x3ffff) - (112 << 10));
}

export async function writeSynthetic(shape: Shape, typeName: string, path: string): Promise<void> {
  const [layers, heads, kvHeads, hidden, ffn] = SHAPES[shape];
  const type = weightType(typeName).toUpperCase() as TensorType;
  const tensors: TensorInfo[] = [];
  const matrix = (name: string, rows: number, columns: number): void => {
    const byteLength = rows * rowBytes(type, columns);
    tensors.push({ name, type, shape: [rows, columns], source: bytesSource(new Uint8Array()), offset: 0, byteLength });
  };
  const norm = (name: string): void => {
    tensors.push({ name, type: "F32", shape: [hidden], source: bytesSource(new Uint8Array()), offset: 0, byteLength: hidden * 4 });
  };
  matrix("token_embd.weight", VOCABULARY, hidden);
  norm("output_norm.weight");
  for (let i = 0; i < layers; i++) {
    norm(`blk.${i}.attn_norm.weight`);
    matrix(`blk.${i}.attn_q.weight`, heads * HEAD, hidden);
    matrix(`blk.${i}.attn_k.weight`, kvHeads * HEAD, hidden);
    matrix(`blk.${i}.attn_v.weight`, kvHeads * HEAD, hidden);
    matrix(`blk.${i}.attn_output.weight`, hidden, heads * HEAD);
    norm(`blk.${i}.ffn_norm.weight`);
    matrix(`blk.${i}.ffn_gate.weight`, ffn, hidden);
    matrix(`blk.${i}.ffn_up.weight`, ffn, hidden);
    matrix(`blk.${i}.ffn_down.weight`, hidden, ffn);
  }
  const byteTokens = Array.from({ length: 256 }, (_, i) =>
    String.fromCodePoint(i >= 33 && i <= 126 ? i : 256 + i),
  );
  const tokens = Array.from({ length: VOCABULARY }, (_, i) => byteTokens[i] ?? `t${i}`);
  const metadata = new Map<string, MetadataValue>([
    ["general.architecture", "llama"],
    ["general.name", `synthetic ${shape}`],
    ["llama.block_count", layers],
    ["llama.context_length", 32768],
    ["llama.embedding_length", hidden],
    ["llama.feed_forward_length", ffn],
    ["llama.attention.head_count", heads],
    ["llama.attention.head_count_kv", kvHeads],
    ["llama.attention.layer_norm_rms_epsilon", Math.fround(1e-5)],
    ["llama.rope.freq_base", 500000],
    ["llama.rope.dimension_count", HEAD],
    ["llama.vocab_size", VOCABULARY],
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.pre", "llama-bpe"],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.token_type", new Int32Array(VOCABULARY).fill(1)],
    ["tokenizer.ggml.merges", ["t h"]],
    ["tokenizer.ggml.bos_token_id", 0],
    ["tokenizer.ggml.eos_token_id", 1],
    ["tokenizer.ggml.add_bos_token", false],
    ["general.quantization_version", 2],
  ]);
  async function* data(tensor: TensorInfo): AsyncGenerator<Uint8Array> {
    if (tensor.type === "F32") {
      yield new Uint8Array(new Float32Array(hidden).fill(1).buffer);
      return;
    }
    const [rows, columns] = tensor.shape as [number, number];
    for (let row = 0; row < rows; row += 1024)
      yield randomRows(type, Math.min(1024, rows - row), columns, row + tensor.name.length * 7919 + 1);
  }
  await writeFileAtomically(path, (sink) => writeGguf(sink, metadata, tensors, data));
}

if (process.argv[1] !== undefined && pathToFileURL(realpathSync(process.argv[1])).href === import.meta.url) {
  const [shape = "140m", type = "q4_0", out = `synthetic-${shape}-${type}.gguf`] = process.argv.slice(2);
  if (!Object.hasOwn(SHAPES, shape)) throw new Error(`expected a shape of ${Object.keys(SHAPES)}, got ${shape}`);
  await writeSynthetic(shape as Shape, type, out);
}
