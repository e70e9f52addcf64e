/**
 * A linked program has no data races between threads: between two barriers, no operation writes memory from which
 * another one reads other rows.
 */
import { describe, expect, it } from "vitest";
import type { Checkpoint, TensorInfo } from "../../src/formats/checkpoint.ts";
import { rowBytes, type TensorType } from "../../src/formats/tensor-types.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { describeModel } from "../../src/models/index.ts";
import { OPERATION_WORDS, OPERATIONS, type OperationName, operationWord } from "../../src/runtime/operations.ts";

interface Shape {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly hidden: number;
  readonly ffn: number;
}

/** The header of a llama model without a byte of data. */
function header({ layers, heads, kvHeads, hidden, ffn }: Shape, type: TensorType): Checkpoint {
  const tensors = new Map<string, TensorInfo>();
  const put = (name: string, kind: TensorType, ...shape: number[]): void => {
    const byteLength = (shape.length > 1 ? shape[0]! : 1) * rowBytes(kind, shape.at(-1)!);
    tensors.set(name, { name, type: kind, shape, source: bytesSource(new Uint8Array()), offset: 0, byteLength });
  };
  const head = hidden / heads;
  put("token_embd.weight", "Q8_0", 1024, hidden);
  put("output_norm.weight", "F32", hidden);
  for (let i = 0; i < layers; i++) {
    put(`blk.${i}.attn_norm.weight`, "F32", hidden);
    put(`blk.${i}.attn_q.weight`, type, heads * head, hidden);
    put(`blk.${i}.attn_k.weight`, type, kvHeads * head, hidden);
    put(`blk.${i}.attn_v.weight`, type, kvHeads * head, hidden);
    put(`blk.${i}.attn_output.weight`, type, hidden, heads * head);
    put(`blk.${i}.ffn_norm.weight`, "F32", hidden);
    put(`blk.${i}.ffn_gate.weight`, type, ffn, hidden);
    put(`blk.${i}.ffn_up.weight`, type, ffn, hidden);
    put(`blk.${i}.ffn_down.weight`, type, hidden, ffn);
  }
  const metadata = new Map<string, number>([
    ["llama.block_count", layers],
    ["llama.embedding_length", hidden],
    ["llama.feed_forward_length", ffn],
    ["llama.attention.head_count", heads],
    ["llama.attention.head_count_kv", kvHeads],
    ["llama.attention.layer_norm_rms_epsilon", 1e-5],
    ["llama.context_length", 1024],
  ]);
  const close = async (): Promise<void> => {};
  return { format: "gguf", architecture: "llama", metadata, tensors, permutedQK: true, headerBytes: 0, close };
}

const DST = ["dst", "dstStride"] as const;
const SRC = ["src", "srcStride"] as const;

/** The fields of each operation that are buffers of token rows, with the fields of their strides. */
const ROWS: Readonly<Partial<Record<OperationName, readonly (readonly [address: string, stride: string])[]>>> = {
  embed: [DST],
  rmsNorm: [DST, SRC],
  layerNorm: [DST, SRC],
  quantize: [DST, SRC],
  ropeTable: [DST],
  rope: [DST, ["table", "tableStride"]],
  kvStore: [
    ["keys", "keyStride"],
    ["values", "valueStride"],
  ],
  siluMul: [DST, ["gate", "srcStride"], ["up", "srcStride"]],
  add: [DST, SRC],
};

const NAMES = Object.keys(OPERATIONS) as OperationName[];
const BATCH = 128;
const OUTPUTS = 64;
const shapes: [name: string, shape: Shape][] = [
  ["SmolLM2-135M", { layers: 3, heads: 9, kvHeads: 3, hidden: 576, ffn: 1536 }],
  ["crumb", { layers: 3, heads: 3, kvHeads: 1, hidden: 192, ffn: 512 }],
  ["950M", { layers: 3, heads: 24, kvHeads: 6, hidden: 1536, ffn: 6144 }],
];

describe.each(shapes)("%s", (_, shape) => {
  it.each(["Q4_1", "Q8_0", "F16"] as const)("%s: buffers of a stretch are apart, or the same", async (type) => {
    const model = await describeModel(header(shape, type));
    const options = { maxBatchTokens: BATCH, maxLogitRows: OUTPUTS, kvType: "mixed", threads: 2 } as const;
    const program = model.describe(options);
    const bases = { frequencies: 0, activations: 2 ** 24, pages: 0, weights: 0 };
    const words = program.link(bases, { pageCount: 8 });
    const wrong: string[] = [];
    let barriers = 0;
    let stretch: { op: number; begin: number; end: number; stride: number }[] = [];
    for (let op = 0; op < program.operations; op++) {
      const record = words.subarray(op * OPERATION_WORDS, (op + 1) * OPERATION_WORDS);
      const name = NAMES.find((each) => OPERATIONS[each].code === record[0])!;
      const field = (field: string): number => record[operationWord(name, field)]!;
      for (const [address, strideField] of ROWS[name] ?? []) {
        const begin = field(address);
        const stride = field(strideField);
        const rows = field("rowSet") === 1 && address !== "table" ? OUTPUTS : BATCH; // RoPE's table has all rows
        const end = begin + stride * (rows - 1) + 4; // at least the first value of the last row
        for (const other of stretch) {
          const sameRows = other.stride === stride && Math.abs(other.begin - begin) < stride;
          if (other.op !== op && !sameRows && begin < other.end && other.begin < end)
            wrong.push(`operations ${other.op} and ${op}: [${other.begin}, ${other.end}) and [${begin}, ${end})`);
        }
        stretch.push({ op, begin, end, stride });
      }
      if (field("barrier") === 1) {
        stretch = [];
        barriers++;
      }
    }
    // There is a barrier before and after attention and each matmul of a layer.
    expect(barriers).toBeGreaterThan(5 * shape.layers);
    expect(wrong).toEqual([]);
  });
});
