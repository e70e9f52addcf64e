/**
 * A linked program has no data races between threads: between two barriers, no operation writes memory from which
 * another one reads other rows, or another thread anything. It has as few barriers as that allows.
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
  selectOutputs: [DST, SRC],
  rmsNorm: [DST, SRC],
  layerNorm: [DST, SRC],
  quantize: [DST, SRC],
  matmul: [DST, SRC],
  ropeTable: [DST],
  rope: [DST, ["table", "tableStride"]],
  kvStore: [
    ["keys", "keyStride"],
    ["values", "valueStride"],
  ],
  attention: [DST, SRC],
  siluMul: [DST, ["gate", "gateStride"], ["up", "upStride"]],
  add: [DST, SRC],
  copy: [DST, SRC],
};

const NAMES = Object.keys(OPERATIONS) as OperationName[];
const BATCH = 128;
const OUTPUTS = 64;
const THREADS = 3;
const shapes: [name: string, shape: Shape][] = [
  ["SmolLM2-135M", { layers: 3, heads: 9, kvHeads: 3, hidden: 576, ffn: 1536 }],
  ["crumb", { layers: 3, heads: 3, kvHeads: 1, hidden: 192, ffn: 512 }],
  ["950M", { layers: 3, heads: 24, kvHeads: 6, hidden: 1536, ffn: 6144 }],
];

interface Linked {
  readonly name: OperationName;
  readonly barrier: number;
  readonly perThread: boolean;
  readonly outputs: boolean;
  readonly accesses: readonly { begin: number; stride: number; writes: boolean; rows: "own" | "all" }[];
}

/** The programs of all threads. */
async function link(shape: Shape, type: TensorType, threads = THREADS): Promise<Linked[][]> {
  const model = await describeModel(header(shape, type));
  const program = model.describe({ maxBatchTokens: BATCH, maxLogitRows: OUTPUTS, kvType: "mixed", threads });
  const words = program.link({ frequencies: 0, activations: 2 ** 24, pages: 0, weights: 0 }, { pageCount: 8 });
  return Array.from({ length: threads }, (_, thread) =>
    Array.from({ length: program.operations }, (_, i) => {
      const at = (thread * program.operations + i) * OPERATION_WORDS;
      return linked(words.subarray(at, at + OPERATION_WORDS));
    }),
  );
}

function linked(record: Int32Array): Linked {
  const name = NAMES.find((each) => OPERATIONS[each].code === record[0])!;
  const field = (field: string): number => record[operationWord(name, field)]!;
  return {
    name,
    barrier: field("barrier"),
    perThread: field("perThread") === 1,
    outputs: field("rowSet") === 1,
    accesses: (ROWS[name] ?? []).map(([address, stride]) => ({
      begin: field(address),
      stride: field(stride),
      writes: address === "dst",
      // RoPE's table and what selectOutputs reads have all rows of the batch.
      rows: address === "table" || (name === "selectOutputs" && address === "src") ? "all" : "own",
    })),
  };
}

describe.each(shapes)("%s", (_, shape) => {
  it.each(["Q4_1", "Q8_0", "F16"] as const)(
    "%s: rows that are split: buffers of a stretch are apart, or the same",
    async (type) => {
      const [operations] = await link(shape, type);
      const wrong: string[] = [];
      let stretch: { op: number; begin: number; end: number; stride: number; writes: boolean }[] = [];
      for (const [op, { accesses, barrier, outputs }] of operations!.entries()) {
        for (const { begin, stride, writes, rows: set } of accesses) {
          const rows = outputs && set === "own" ? OUTPUTS : BATCH;
          const end = begin + stride * (rows - 1) + 4; // at least the first value of the last row
          for (const other of stretch) {
            const sameRows = other.stride === stride && Math.abs(other.begin - begin) < stride;
            const clash = other.op !== op && (writes || other.writes) && !sameRows;
            if (clash && begin < other.end && other.begin < end)
              wrong.push(`operations ${other.op} and ${op}: [${other.begin}, ${other.end}) and [${begin}, ${end})`);
          }
          stretch.push({ op, begin, end, stride, writes });
        }
        if (barrier > 0) stretch = [];
      }
      expect(wrong).toEqual([]);
    },
  );

  it.each(["Q4_1", "Q8_0", "F16"] as const)(
    "%s: a small batch: no thread writes what another one touches",
    async (type) => {
      const programs = await link(shape, type);
      const wrong: string[] = [];
      let stretch: { op: number; thread: number; begin: number; end: number; writes: boolean }[] = [];
      for (const op of programs[0]!.keys()) {
        for (const [thread, program] of programs.entries())
          for (const { begin, stride, writes } of program[op]!.accesses) {
            const end = begin + stride;
            // Threads compute different parts of the rows that a matmul or attention writes.
            for (const other of stretch)
              if (
                other.thread !== thread &&
                other.op !== op &&
                (writes || other.writes) &&
                begin < other.end &&
                other.begin < end
              )
                wrong.push(`operation ${other.op} of thread ${other.thread} and operation ${op} of thread ${thread}`);
            stretch.push({ op, thread, begin, end, writes });
          }
        if (programs[0]![op]!.barrier === 2) stretch = [];
      }
      expect(wrong).toEqual([]);
    },
  );

  it("a token meets five barriers per layer", async () => {
    const [operations] = await link(shape, "Q4_0");
    // After the LM head, threads meet at the end of the run.
    expect(operations!.filter(({ barrier }) => barrier === 2).length).toBe(5 * shape.layers);
    const split = operations!.filter(({ name, perThread }) => !perThread && name !== "matmul" && name !== "attention");
    expect(split).toEqual([]);
  });

  it("one thread copies nothing", async () => {
    const [operations] = await link(shape, "Q4_0", 1);
    expect(operations!.map(({ name }) => name)).not.toContain("copy");
  });
});
