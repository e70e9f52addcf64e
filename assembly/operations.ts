// The records that the host writes and the interpreter reads, one per operation. batch.ts has the header of a batch.
//
// A record is an `@unmanaged` class laid over linear memory. A field is a 32-bit word: an address or a count of bytes
// (usize), an integer (i32) or a float (f32). Reading a field is one load with a constant offset. The host writes the
// same fields by name (`src/runtime/operations.ts`); `test/kernels/operations.test.ts` compares the offsets of both
// sides, which `offsets.ts` exports from the debug build.
//
// Field names have one meaning in every record:
//   dst, dstStride   the first row that is written, and the bytes from one row to the next
//   src, srcStride   the same of the rows that are read
//   type, columns    GGML's id of a weight type (layout.ts), and the columns of the weight matrix
//   scratch, scratchBytes   thread 0's scratch, and the bytes from one thread's scratch to the next thread's

/** The values of an operation's `code`. */
export enum OpCode {
  EMBED = 1,
  SELECT_OUTPUTS = 2,
  RMS_NORM = 3,
  QUANTIZE = 4,
  MATMUL = 5,
  ROPE_TABLE = 6,
  ROPE = 7,
  KV_STORE = 8,
  ATTENTION = 9,
  SILU_MUL = 10,
  ADD = 11,
  GELU_MUL = 12,
  SCALE = 13,
  SOFTCAP = 14,
  LORA = 15,
  SCALE_BY_POSITION = 16,
  LAYER_NORM = 17,
  GELU_ERF = 18,
  COPY = 19,
  SIGMOID_MUL = 20,
  MUL = 21,
  SIGMOID = 22,
  DECAY = 23,
  SPLIT_HEADS = 24,
  SHORT_CONV = 25,
  DELTA_RULE = 26,
}

/** Bytes from one operation of a program to the next. */
export const OPERATION_BYTES: usize = 128;

/** The fields that every operation begins with. */
@unmanaged
export class Operation {
  code: OpCode;
  /** The rows that the operation runs over: 0 for all rows of the batch, 1 for its output rows. */
  rowSet: i32;
  /** Whether threads must meet after the operation: 0 no, 1 where rows are split among them, 2 always. */
  barrier: i32;
  /** 1 if every thread runs the operation for all rows of a batch that is not split, in buffers of its own. */
  perThread: i32;
}

/** dst[row] = the row of a table of embeddings that the row's token, position or token type names. */
@unmanaged
export class Embed extends Operation {
  dst: usize;
  dstStride: i32;
  weights: usize;
  type: i32;
  columns: i32;
  /** 0: the token; 1: the position; 2: the token type. */
  source: i32;
}

/** dst[i] = src[outputs[i]]: copies the output rows together. */
@unmanaged
export class SelectOutputs extends Operation {
  dst: usize;
  dstStride: i32;
  src: usize;
  srcStride: i32;
  /** Bytes per row that are copied. */
  rowBytes: i32;
}

/** dst = src: a copy that a thread may change in place. */
@unmanaged
export class Copy extends Operation {
  dst: usize;
  dstStride: i32;
  src: usize;
  srcStride: i32;
  /** Bytes per row that are copied. */
  rowBytes: i32;
}

/** RMSNorm of `parts` neighbouring parts of `n` values in each row (1 part: the whole row; else one per head). */
@unmanaged
export class RmsNorm extends Operation {
  dst: usize;
  dstStride: i32;
  src: usize;
  srcStride: i32;
  /** f32[n], or 0 for none. */
  weight: usize;
  n: i32;
  parts: i32;
  eps: f32;
}

/** LayerNorm of each row. */
@unmanaged
export class LayerNorm extends Operation {
  dst: usize;
  dstStride: i32;
  src: usize;
  srcStride: i32;
  /** f32[n]. */
  weight: usize;
  /** f32[n]. */
  bias: usize;
  n: i32;
  eps: f32;
}

/** dst = the quantised rows of src, in tiles (layout.ts). */
@unmanaged
export class Quantize extends Operation {
  dst: usize;
  dstStride: i32;
  src: usize;
  srcStride: i32;
  columns: i32;
  /** 1: codes of 16 bits; 0: one or two int8 digits. */
  wide: i32;
}

/** dst = W src. */
@unmanaged
export class Matmul extends Operation {
  dst: usize;
  dstStride: i32;
  /** Rows of f32 for float weights; else quantised rows, in tiles where the operation has more than one row. */
  src: usize;
  srcStride: i32;
  weights: usize;
  type: i32;
  columns: i32;
  /** Groups of 16 weight rows. */
  groups: i32;
  /**
   * 1: the engine packs vectors of 256 bits, so four token rows are multiplied at once instead of two, and
   * one token row of Q4_0 or Q4_1 with two groups at once.
   */
  packed: i32;
  scratch: usize;
  scratchBytes: i32;
}

/** dst += scale * rowScale * B (A src), for the rows whose rowScale is not 0. */
@unmanaged
export class Lora extends Operation {
  dst: usize;
  dstStride: i32;
  src: usize;
  srcStride: i32;
  a: usize;
  aType: i32;
  /** Columns of A. */
  columns: i32;
  /** Rows of A, columns of B. */
  rank: i32;
  b: usize;
  bType: i32;
  /** Groups of 16 rows of B. */
  groups: i32;
  /** The adapter's own scale. */
  scale: f32;
  /** Bytes from the batch's `loraScales` to this adapter's, which has one f32 per batch row. */
  rowScales: i32;
  scratch: usize;
  scratchBytes: i32;
}

/** dst[row] = cosines and sines of the row's position. */
@unmanaged
export class RopeTable extends Operation {
  dst: usize;
  dstStride: i32;
  /** f32[pairs]. */
  frequencies: usize;
  pairs: i32;
}

/** Rotates the heads of each row of dst, in place. */
@unmanaged
export class Rope extends Operation {
  dst: usize;
  dstStride: i32;
  heads: i32;
  headDim: i32;
  /** The rows that RopeTable wrote, one per batch row. */
  table: usize;
  tableStride: i32;
  /** Pairs of values that are rotated in each head. */
  pairs: i32;
  /** 1: pairs are (2j, 2j + 1); 0: (j, j + pairs). */
  interleaved: i32;
}

/** Puts the keys and values of every row into the pages of its sequence. */
@unmanaged
export class KvStore extends Operation {
  keys: usize;
  keyStride: i32;
  values: usize;
  valueStride: i32;
  kvHeads: i32;
  headDim: i32;
  kvType: i32;
  /** Where the pages of the layer's first kv head begin; those of its other heads follow, `headStride` apart. */
  pages: usize;
  headStride: usize;
  scratch: usize;
  scratchBytes: i32;
}

/** dst = attention of the queries src over the cached tokens of each row's sequence. */
@unmanaged
export class Attention extends Operation {
  dst: usize;
  dstStride: i32;
  src: usize;
  srcStride: i32;
  heads: i32;
  kvHeads: i32;
  headDim: i32;
  kvType: i32;
  /** The same address as in KvStore. */
  pages: usize;
  headStride: usize;
  /** Factor of the scores. */
  scale: f32;
  /**
   * Tokens that a token attends to: itself and the window - 1 before it, with `bidirectional` also the window - 1 after
   * it. 0 stands for all.
   */
  window: i32;
  /** Softcap of the scores, which become cap tanh(score / cap). 0 leaves them as they are. */
  softcap: f32;
  /** 1: a token also attends to the tokens after it, up to the last one that the batch has of its sequence. */
  bidirectional: i32;
  scratch: usize;
  scratchBytes: i32;
}

/** dst = f(gate) * up; f is silu (SILU_MUL), gelu (GELU_MUL), the sigmoid (SIGMOID_MUL) or nothing (MUL). */
@unmanaged
export class GatedMul extends Operation {
  dst: usize;
  dstStride: i32;
  gate: usize;
  gateStride: i32;
  up: usize;
  upStride: i32;
  n: i32;
}

/** dst += src. A srcStride of 0 adds the same vector to every row. */
@unmanaged
export class Add extends Operation {
  dst: usize;
  dstStride: i32;
  src: usize;
  srcStride: i32;
  n: i32;
}

/** dst *= factor. */
@unmanaged
export class Scale extends Operation {
  dst: usize;
  dstStride: i32;
  n: i32;
  factor: f32;
}

/** dst *= 1 + beta ln(1 + floor((position + offset) / length)), by the position of each row. */
@unmanaged
export class ScaleByPosition extends Operation {
  dst: usize;
  dstStride: i32;
  n: i32;
  beta: f32;
  length: i32;
  offset: i32;
}

/** dst = cap tanh(dst / cap). */
@unmanaged
export class Softcap extends Operation {
  dst: usize;
  dstStride: i32;
  n: i32;
  cap: f32;
}

/** dst = gelu(dst), in the exact form with erf. */
@unmanaged
export class GeluErf extends Operation {
  dst: usize;
  dstStride: i32;
  n: i32;
}
