/**
 * Writes models of random weights in the shapes of MobileLLM-R1. Their architecture is `llama`, so that the peers load them
 * too. Their text makes no sense, and they are as fast as the real models.
 *
 *   node bench/synthetic-model.ts 140m q4_0      # prints the path: .cache/synthetic/140m-q4_0.gguf
 * @module
 */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { MetadataValue } from "../src/formats/checkpoint.ts";
import { f32ToF16 } from "../src/formats/float16.ts";
import { rowBytes, type TensorType } from "../src/formats/tensor-types.ts";
import { writeFileAtomically } from "../weights-tools/atomic-file.ts";
import { type GgufTensor, writeGguf } from "../weights-tools/gguf/writer.ts";
import { fileType } from "../weights-tools/types/weight-types.ts";
import { isMain } from "./machine.ts";

export interface Shape {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly hidden: number;
  readonly feedForward: number;
  readonly vocabulary: number;
}

export type ShapeName = "140m" | "360m" | "950m";
/** facebookresearch/MobileLLM-R1, README; the embedding is the head too. */
export const SHAPES: Readonly<Record<ShapeName, Shape>> = {
  "140m": { layers: 15, heads: 9, kvHeads: 3, hidden: 576, feedForward: 2048, vocabulary: 128_256 },
  "360m": { layers: 15, heads: 16, kvHeads: 4, hidden: 1024, feedForward: 4096, vocabulary: 128_256 },
  "950m": { layers: 22, heads: 24, kvHeads: 6, hidden: 1536, feedForward: 6144, vocabulary: 128_256 },
};

const HEAD = 64;
/** The standard deviation of a uniformly distributed code. */
const CODES = { Q4_0: 4.6, Q4_1: 4.6, Q8_0: 74 } as const;
export type SyntheticType = keyof typeof CODES;

/** The path of the model in the cache folder; it is written first if it is missing, which takes some seconds. */
export async function syntheticModel(shape: ShapeName, type: SyntheticType): Promise<string> {
  const path = fileURLToPath(new URL(`../.cache/synthetic/${shape}-${type.toLowerCase()}.gguf`, import.meta.url));
  if (!existsSync(path)) await writeSyntheticModel(path, SHAPES[shape], type);
  return path;
}

/**
 * Writes a model: matrices in `type`, norms of ones. The same arguments give the same bytes.
 * @param more metadata that replaces the default, such as a tokenizer
 */
export async function writeSyntheticModel(
  path: string,
  shape: Shape,
  type: SyntheticType,
  more: ReadonlyMap<string, MetadataValue> = new Map(),
): Promise<void> {
  const random = xorshift32(1);
  async function* data(tensor: GgufTensor): AsyncGenerator<Uint8Array> {
    const [rows, columns] = tensor.shape as [number, number?];
    if (columns === undefined) return yield new Uint8Array(new Float32Array(rows).fill(1).buffer);
    for (let row = 0; row < rows; row += 1024) yield randomRows(type, Math.min(1024, rows - row), columns, random);
  }
  const facts = new Map([...metadata(shape, type), ...more]);
  mkdirSync(dirname(path), { recursive: true });
  await writeFileAtomically(path, (sink) => writeGguf(sink, facts, tensors(shape, type), data));
}

function tensors({ layers, heads, kvHeads, hidden, feedForward, vocabulary }: Shape, type: TensorType): GgufTensor[] {
  const matrix = (name: string, rows: number, columns: number): GgufTensor => ({ name, type, shape: [rows, columns] });
  const norm = (name: string): GgufTensor => ({ name, type: "F32", shape: [hidden] });
  const layer = (_: unknown, i: number): GgufTensor[] => [
    norm(`blk.${i}.attn_norm.weight`),
    matrix(`blk.${i}.attn_q.weight`, heads * HEAD, hidden),
    matrix(`blk.${i}.attn_k.weight`, kvHeads * HEAD, hidden),
    matrix(`blk.${i}.attn_v.weight`, kvHeads * HEAD, hidden),
    matrix(`blk.${i}.attn_output.weight`, hidden, heads * HEAD),
    norm(`blk.${i}.ffn_norm.weight`),
    matrix(`blk.${i}.ffn_gate.weight`, feedForward, hidden),
    matrix(`blk.${i}.ffn_up.weight`, feedForward, hidden),
    matrix(`blk.${i}.ffn_down.weight`, hidden, feedForward),
  ];
  const blocks = Array.from({ length: layers }, layer).flat();
  return [matrix("token_embd.weight", vocabulary, hidden), norm("output_norm.weight"), ...blocks];
}

/** The metadata that loaders require. The vocabulary is the 256 bytes in GPT-2's spelling, and names without meaning. */
function metadata(shape: Shape, type: SyntheticType): Map<string, MetadataValue> {
  const { layers, heads, kvHeads, hidden, feedForward, vocabulary } = shape;
  const byte = (i: number): string => String.fromCodePoint(i >= 33 && i <= 126 ? i : 256 + i);
  return new Map<string, MetadataValue>([
    ["general.architecture", "llama"],
    ["general.name", `synthetic, ${layers} layers of ${hidden}`],
    ["general.file_type", fileType(type.toLowerCase() as "q4_0")],
    ["general.quantization_version", 2],
    ["llama.block_count", layers],
    ["llama.context_length", 32768],
    ["llama.embedding_length", hidden],
    ["llama.feed_forward_length", feedForward],
    ["llama.attention.head_count", heads],
    ["llama.attention.head_count_kv", kvHeads],
    ["llama.attention.layer_norm_rms_epsilon", Math.fround(1e-5)],
    ["llama.rope.freq_base", 500000],
    ["llama.rope.dimension_count", HEAD],
    ["llama.vocab_size", vocabulary],
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.pre", "llama-bpe"],
    [
      "tokenizer.ggml.tokens",
      Array.from({ length: vocabulary }, (_, i) => (i < 256 ? byte(i) : i === 256 ? "th" : `t${i}`)),
    ],
    ["tokenizer.ggml.token_type", new Int32Array(vocabulary).fill(1)],
    ["tokenizer.ggml.merges", ["t h"]],
    ["tokenizer.ggml.bos_token_id", 0],
    ["tokenizer.ggml.eos_token_id", 1],
    ["tokenizer.ggml.add_bos_token", false],
  ]);
}

/** Random codes, with scales that keep activations near 1: infinities and denormals would distort the timing. */
function randomRows(type: SyntheticType, rows: number, columns: number, random: () => number): Uint8Array {
  const bytes = new Uint8Array(rows * rowBytes(type, columns));
  const view = new DataView(bytes.buffer);
  const words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = random();
  const deviation = 1 / Math.sqrt(columns) / CODES[type];
  for (let block = 0; block < bytes.length; block += rowBytes(type, 32)) {
    const scale = deviation * (0.75 + random() / 2 ** 33);
    view.setUint16(block, f32ToF16(scale), true);
    if (type === "Q4_1") view.setUint16(block + 2, f32ToF16(-7.5 * scale), true);
  }
  return bytes;
}

/** Marsaglia, Xorshift RNGs, 2003. */
function xorshift32(state: number): () => number {
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}

if (isMain(import.meta.url)) {
  const [shape = "140m", type = "q4_0"] = process.argv.slice(2);
  if (!Object.hasOwn(SHAPES, shape))
    throw new Error(`shape: expected one of ${Object.keys(SHAPES).join(", ")}, got ${shape}`);
  if (!Object.hasOwn(CODES, type.toUpperCase()))
    throw new Error(`type: expected one of ${Object.keys(CODES).join(", ")}, got ${type}`);
  console.log(await syntheticModel(shape as ShapeName, type.toUpperCase() as SyntheticType));
}
