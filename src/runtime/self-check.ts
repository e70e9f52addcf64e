/**
 * Runs the hot kernels of a module on known data. Its results are the same in every build and on every engine, so a
 * recorded checksum shows whether the engine compiled them correctly.
 * @module
 */
import type { TensorType } from "../formats/tensor-types.ts";
import { tensorTypeFacts } from "../formats/tensor-types.ts";
import { type Instance, instantiate, RESERVED_BYTES } from "./kernels.ts";
import {
  attentionScratchBytes,
  groupBytes,
  KV_TYPES,
  kvHeadBytes,
  kvStoreScratchBytes,
  matmulScratchBytes,
  quantizedRowBytes,
  TILE_TOKENS,
} from "./layout.ts";
import { OPERATION_WORDS, writeOperation } from "./operations.ts";
import { isQuantized, takesWide } from "./weight-types.ts";

/** One tensor type per specialised matmul: scales in tiles or before them, minima, high bits, sub-blocks, levels. */
const TYPES: readonly TensorType[] = ["Q4_0", "Q4_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K", "Q3_K", "IQ4_XS", "F16"];
const COLUMNS = 512;
/** Groups of weight rows: a pair, and one without a partner. */
const GROUPS = 3;
/** Token rows of the runs, and the field `packed`: one row, and a whole tile followed by one with three used rows. */
const RUNS = [
  [1, 0],
  [1, 1],
  [TILE_TOKENS + 3, 0],
  [TILE_TOKENS + 3, 1],
] as const;
const HEAD_DIM = 64;
/** Tokens in the page that attention reads. */
const TOKENS = 27;
const BYTES = 1 << 20;

/** The checksum that every build gives on every engine (`test/runtime/revectorize.test.ts`). */
export const SELF_CHECK = 311850774;

type Kernel = (...args: number[]) => void;

/** Makes an instance, and returns a function that runs its hot kernels and returns the checksum of all results. */
export async function selfCheck(module: WebAssembly.Module, shared: boolean): Promise<() => number> {
  const check = new SelfCheck(await instantiate(module, BYTES, shared));
  return () => {
    for (const type of TYPES) for (const [rows, packed] of RUNS) check.matmul(type, rows, packed);
    for (const kvType of Object.values(KV_TYPES)) check.attention(kvType);
    return check.sum >>> 0;
  };
}

class SelfCheck {
  /** FNV-1a over the words of all results. */
  sum = 0x811c9dc5;
  private readonly kernels: Readonly<Record<string, Kernel>>;
  private readonly words: Int32Array;
  private readonly floats: Float32Array;
  private top = RESERVED_BYTES;
  private state = 1;

  constructor({ kernels, memory }: Instance) {
    this.kernels = kernels as unknown as Readonly<Record<string, Kernel>>;
    this.words = new Int32Array(memory.buffer);
    this.floats = new Float32Array(memory.buffer);
  }

  matmul(type: TensorType, rows: number, packed: number): void {
    this.top = RESERVED_BYTES;
    const quantized = isQuantized(type);
    const width = rows === 1 ? 1 : TILE_TOKENS;
    const srcStride = quantized ? quantizedRowBytes(COLUMNS) : 4 * COLUMNS;
    const src = this.reserve(Math.ceil(rows / width) * width * srcStride);
    for (let r = 0; r < rows; r++) {
      const values = this.values(COLUMNS, quantized ? undefined : src + r * srcStride);
      const tile = src + (r - (r % width)) * srcStride;
      if (quantized) this.kernels.quantizeRow!(tile, values, COLUMNS, takesWide(type) ? 1 : 0, width, r % width);
    }
    const weights = this.random(GROUPS * groupBytes(type, COLUMNS));
    const dst = this.reserve(64 * GROUPS * rows);
    const strides = { dstStride: 64 * GROUPS, srcStride };
    const fields = { dst, src, ...strides, weights, type: tensorTypeFacts(type).id, columns: COLUMNS, packed };
    const scratch = this.reserve(matmulScratchBytes(COLUMNS));
    this.kernels.matmul!(this.operation("matmul", fields), rows, 0, GROUPS, scratch);
    this.add(dst, 16 * GROUPS * rows);
  }

  attention(kvType: number): void {
    this.top = RESERVED_BYTES;
    const name = Object.keys(KV_TYPES).find((key) => KV_TYPES[key as keyof typeof KV_TYPES] === kvType)!;
    const headStride = kvHeadBytes(name as keyof typeof KV_TYPES, HEAD_DIM);
    const pages = this.reserve(headStride);
    const head = this.reserve(kvStoreScratchBytes(HEAD_DIM));
    for (let token = 0; token < TOKENS; token++)
      this.kernels.kvStore!(pages, token, this.values(HEAD_DIM), this.values(HEAD_DIM), HEAD_DIM, kvType, head);
    const src = this.values(2 * HEAD_DIM);
    const dst = this.reserve(8 * HEAD_DIM);
    const strides = { dstStride: 8 * HEAD_DIM, srcStride: 8 * HEAD_DIM };
    const shape = { heads: 2, kvHeads: 1, headDim: HEAD_DIM, kvType, pages, headStride, scale: 0.125 };
    const op = this.operation("attention", { dst, src, ...strides, ...shape });
    const block = this.reserve(64);
    this.words.set([0, 1, this.reserve(4), 0, TOKENS - 1], block >> 2);
    this.kernels.attention!(op, block, 0, this.reserve(attentionScratchBytes(HEAD_DIM)));
    this.add(dst, 2 * HEAD_DIM);
  }

  /** The address of a record. Fields that a kernel does not read are 0. */
  private operation(name: "matmul" | "attention", fields: Readonly<Record<string, number>>): number {
    const at = this.reserve(4 * OPERATION_WORDS);
    writeOperation(this.words.subarray(at >> 2, (at >> 2) + OPERATION_WORDS), {
      name,
      rows: "all",
      barrier: "never",
      perThread: false,
      fields,
    });
    return at;
  }

  private add(at: number, count: number): void {
    for (const word of this.words.subarray(at >> 2, (at >> 2) + count))
      this.sum = Math.imul(this.sum ^ word, 0x01000193);
  }

  /** The address of `bytes` zeros. */
  private reserve(bytes: number): number {
    const at = this.top;
    this.top = Math.ceil((at + bytes) / 64) * 64;
    this.words.fill(0, at >> 2, this.top >> 2);
    return at;
  }

  /**
   * Random bytes. They may also be scales, because the kernels read f16 patterns of infinity and NaN as finite numbers.
   */
  private random(bytes: number): number {
    const at = this.reserve(bytes);
    for (let i = at >> 2; i < (at + bytes) >> 2; i++) this.words[i] = this.next();
    return at;
  }

  /** Numbers from -1 to 1; one block of 32 in eight is eight times as large, so that it gets second digits. */
  private values(count: number, at = this.reserve(4 * count)): number {
    for (let i = 0; i < count; i++) this.floats[(at >> 2) + i] = (this.next() / 2 ** 31) * ((i >> 5) % 8 === 5 ? 8 : 1);
    return at;
  }

  /** Marsaglia, Xorshift RNGs, 2003. */
  private next(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state;
  }
}
