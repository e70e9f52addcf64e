/**
 * The records that the host writes and the interpreter reads: the fields of each operation and of a batch's header, in
 * the order in which they lie in memory, a 32-bit word each. `assembly/operations.ts` says what each field means;
 * `test/kernels/operations.test.ts` compares the offsets of both sides.
 * @module
 */

/**
 * The token rows that a value has, or that an operation runs over: all rows of the batch, or only those whose logits
 * are wanted.
 */
export type RowSet = "all" | "outputs";

/** The fields that every operation begins with. */
export const OPERATION_FIELDS = ["code", "rowSet", "barrier", "perThread"] as const;

/**
 * `rowLocal`: a row of the result depends on the same row of the operands alone, so the next operation over the same
 * rows needs no barrier.
 */
export const OPERATIONS = {
  embed: { code: 1, rowLocal: true, fields: ["dst", "dstStride", "weights", "type", "columns", "source"] },
  selectOutputs: { code: 2, rowLocal: false, fields: ["dst", "dstStride", "src", "srcStride", "rowBytes"] },
  rmsNorm: { code: 3, rowLocal: true, fields: ["dst", "dstStride", "src", "srcStride", "weight", "n", "parts", "eps"] },
  quantize: { code: 4, rowLocal: true, fields: ["dst", "dstStride", "src", "srcStride", "columns", "wide"] },
  matmul: {
    code: 5,
    rowLocal: false,
    fields: [
      "dst",
      "dstStride",
      "src",
      "srcStride",
      "weights",
      "type",
      "columns",
      "groups",
      "packed",
      "scratch",
      "scratchBytes",
    ],
  },
  ropeTable: { code: 6, rowLocal: true, fields: ["dst", "dstStride", "frequencies", "pairs"] },
  rope: {
    code: 7,
    rowLocal: true,
    fields: ["dst", "dstStride", "heads", "headDim", "table", "tableStride", "pairs", "interleaved"],
  },
  kvStore: {
    code: 8,
    rowLocal: true,
    fields: [
      "keys",
      "keyStride",
      "values",
      "valueStride",
      "kvHeads",
      "headDim",
      "kvType",
      "pages",
      "headStride",
      "scratch",
      "scratchBytes",
    ],
  },
  attention: {
    code: 9,
    rowLocal: false,
    fields: [
      "dst",
      "dstStride",
      "src",
      "srcStride",
      "heads",
      "kvHeads",
      "headDim",
      "kvType",
      "pages",
      "headStride",
      "scale",
      "window",
      "softcap",
      "bidirectional",
      "scratch",
      "scratchBytes",
    ],
  },
  siluMul: { code: 10, rowLocal: true, fields: ["dst", "dstStride", "gate", "gateStride", "up", "upStride", "n"] },
  add: { code: 11, rowLocal: true, fields: ["dst", "dstStride", "src", "srcStride", "n"] },
  geluMul: { code: 12, rowLocal: true, fields: ["dst", "dstStride", "gate", "gateStride", "up", "upStride", "n"] },
  scale: { code: 13, rowLocal: true, fields: ["dst", "dstStride", "n", "factor"] },
  softcap: { code: 14, rowLocal: true, fields: ["dst", "dstStride", "n", "cap"] },
  lora: {
    code: 15,
    rowLocal: true,
    fields: [
      "dst",
      "dstStride",
      "src",
      "srcStride",
      "a",
      "aType",
      "columns",
      "rank",
      "b",
      "bType",
      "groups",
      "scale",
      "rowScales",
      "scratch",
      "scratchBytes",
    ],
  },
  scaleByPosition: { code: 16, rowLocal: true, fields: ["dst", "dstStride", "n", "beta", "length", "offset"] },
  layerNorm: {
    code: 17,
    rowLocal: true,
    fields: ["dst", "dstStride", "src", "srcStride", "weight", "bias", "n", "eps"],
  },
  geluErf: { code: 18, rowLocal: true, fields: ["dst", "dstStride", "n"] },
  copy: { code: 19, rowLocal: true, fields: ["dst", "dstStride", "src", "srcStride", "rowBytes"] },
  sigmoidMul: { code: 20, rowLocal: true, fields: ["dst", "dstStride", "gate", "gateStride", "up", "upStride", "n"] },
  mul: { code: 21, rowLocal: true, fields: ["dst", "dstStride", "gate", "gateStride", "up", "upStride", "n"] },
  sigmoid: { code: 22, rowLocal: true, fields: ["dst", "dstStride", "n"] },
  decay: { code: 23, rowLocal: true, fields: ["dst", "dstStride", "n", "bias", "rate"] },
  splitHeads: {
    code: 24,
    rowLocal: true,
    fields: ["dst", "dstStride", "src", "srcStride", "heads", "parts", "partBytes"],
  },
  shortConv: {
    code: 25,
    rowLocal: false,
    fields: ["dst", "dstStride", "src", "srcStride", "weights", "taps", "channels", "silu", "state"],
  },
  deltaRule: {
    code: 26,
    rowLocal: false,
    fields: [
      "dst",
      "dstStride",
      "src",
      "srcStride",
      "values",
      "valueStride",
      "decays",
      "decayStride",
      "betas",
      "betaStride",
      "keyHeads",
      "valueHeads",
      "keyDim",
      "valueDim",
      "tiled",
      "scale",
      "state",
    ],
  },
} as const;

export type OperationName = keyof typeof OPERATIONS;
/** The names of an operation's own fields. */
export type FieldOf<Name extends OperationName> = (typeof OPERATIONS)[Name]["fields"][number];

/** Bytes from one operation of a program to the next. */
export const OPERATION_BYTES = 128;
export const OPERATION_WORDS: number = OPERATION_BYTES / 4;

/** The fields, of whatever operation, that are f32; all others are integers. */
const FLOAT_FIELDS: ReadonlySet<string> = new Set(["eps", "scale", "softcap", "factor", "cap", "beta"]);

/** Which word of an operation holds a field. */
export function operationWord(name: OperationName, field: string): number {
  const common = (OPERATION_FIELDS as readonly string[]).indexOf(field);
  if (common >= 0) return common;
  return OPERATION_FIELDS.length + (OPERATIONS[name].fields as readonly string[]).indexOf(field);
}

/** When threads meet after an operation: never, in batches whose rows are split among them, or always. */
export const BARRIERS = ["never", "split", "always"] as const;
export type BarrierAfter = (typeof BARRIERS)[number];

/** An operation: its kind, its rows, when threads meet after it, and its own fields. */
export interface OperationRecord {
  readonly name: OperationName;
  readonly rows: RowSet;
  readonly barrier: BarrierAfter;
  /** Whether every thread runs it for all rows of a small batch. */
  readonly perThread: boolean;
  readonly fields: Readonly<Record<string, number>>;
}

/** Writes an operation into OPERATION_WORDS words. */
export function writeOperation(words: Int32Array, { name, rows, fields, ...record }: OperationRecord): void {
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  words[operationWord(name, "code")] = OPERATIONS[name].code;
  words[operationWord(name, "rowSet")] = rows === "all" ? 0 : 1;
  words[operationWord(name, "barrier")] = BARRIERS.indexOf(record.barrier);
  words[operationWord(name, "perThread")] = record.perThread ? 1 : 0;
  for (const [field, value] of Object.entries(fields))
    (FLOAT_FIELDS.has(field) ? floats : words)[operationWord(name, field)] = value;
}

/** The fields of a batch's header. */
export const BATCH_FIELDS = [
  "rows",
  "outputRows",
  "tokens",
  "positions",
  "pageTables",
  "outputs",
  "loraScales",
  "types",
  "states",
  "snapshots",
  "operations",
  "split",
  "barriers",
  "spins",
] as const;

/** The words that threads synchronise with; words that are written at different moments lie on different cache lines. */
const SHARED_WORDS = { arrived: 16, sleepers: 17, generation: 32, failed: 33, runs: 48, stop: 49 } as const;

export type BatchWord = (typeof BATCH_FIELDS)[number] | keyof typeof SHARED_WORDS;
/** All words of a batch before its arrays. */
export const BATCH_WORDS: Readonly<Record<BatchWord, number>> = {
  ...(Object.fromEntries(BATCH_FIELDS.map((field, i) => [field, i])) as Record<(typeof BATCH_FIELDS)[number], number>),
  ...SHARED_WORDS,
};

/** Which word of the batch a field is. */
export function batchWord(field: BatchWord): number {
  return BATCH_WORDS[field];
}

/** Bytes of a batch's header and of the words that threads share; its arrays follow. */
export const BATCH_HEADER_BYTES = 256;

/** Bytes of a batch's header and arrays: seven words per row, and one per row and adapter. */
export function batchBytes({ maxBatchTokens }: { readonly maxBatchTokens: number }, adapters: number): number {
  return BATCH_HEADER_BYTES + 4 * (7 + adapters) * maxBatchTokens;
}
