// The interpreter runs a program, which is a flat list of operations (operations.ts), over a batch of token rows.
//
// Every thread runs the same operations. A matmul splits its groups of weight rows among the threads, attention its rows
// and heads, and all other operations their token rows; no sum is ever split. In a small batch each thread runs these
// other operations for all rows instead, in buffers of its own, so that they need no barrier: a thread then runs a
// program of its own, with other addresses. `src/runtime/barriers.ts` decides where threads must meet.
import { awaitRun, barrier, startRun } from "./barrier";
import { Batch } from "./batch";
import { attention, QUERY_BLOCK_BYTES, QueryBlock } from "./kernels/attention/attention";
import { ATTENTION_QUERIES } from "./kernels/attention/queries";
import { embedRow } from "./kernels/embed";
import { kvStore } from "./kernels/kv-store";
import { lora } from "./kernels/lora";
import { matmul } from "./kernels/matmul/matmul";
import { clearTileRow, quantizeRow } from "./kernels/quantize";
import { ropeHead, ropeTable } from "./kernels/rope";
import { keyBytes, PAGE_TOKENS, TILE_TOKENS, valueBytes } from "./layout";
import {
  Add,
  Attention,
  Copy,
  Embed,
  GatedMul,
  GeluErf,
  KvStore,
  LayerNorm,
  Lora,
  Matmul,
  OPERATION_BYTES,
  OpCode,
  Operation,
  Quantize,
  RmsNorm,
  Rope,
  RopeTable,
  Scale,
  ScaleByPosition,
  SelectOutputs,
  Softcap,
} from "./operations";
import {
  rowAt,
  runAdd,
  runGatedMul,
  runGeluErf,
  runLayerNorm,
  runRmsNorm,
  runScale,
  runScaleByPosition,
  runSoftcap,
  share,
} from "./row-operations";
import { runRecurrent } from "./run-recurrent";

/**
 * Runs `count` operations on all `threads`; the caller is thread 0, the others are in `serve`.
 * @param program the first operation
 */
export function run(program: usize, count: i32, batch: Batch, threads: i32): void {
  batch.operations = count;
  if (threads > 1) startRun(batch);
  execute(program, count, batch, 0, threads);
}

/**
 * The loop of a helping thread, which runs every batch that `run` starts until it is stopped.
 * @param program the first operation of thread 0, which all threads run if the rows of a batch are split
 * @param own the first operation of this thread's own program
 */
export function serve(program: usize, own: usize, batch: Batch, thread: i32, threads: i32): void {
  let seen = awaitRun(batch, 0);
  while (seen >= 0) {
    execute(batch.split ? program : own, batch.operations, batch, thread, threads);
    seen = awaitRun(batch, seen);
  }
}

/** Runs one thread's share of every operation. */
export function execute(program: usize, count: i32, batch: Batch, thread: i32, threads: i32): void {
  const meets = batch.split ? 1 : 2;
  for (let i = 0; i < count; i++) {
    const at = program + <usize>i * OPERATION_BYTES;
    const operation = changetype<Operation>(at);
    if (operation.perThread && !batch.split) runOperation(at, batch, 0, 1);
    else runOperation(at, batch, thread, threads);
    // After the last operation the caller reads the results, and may write the next batch.
    if (operation.barrier >= meets || i + 1 == count) barrier(batch, thread, threads);
  }
}

/** Runs the share of thread `thread` of the operation at `at`. */
function runOperation(at: usize, batch: Batch, thread: i32, threads: i32): void {
  switch (changetype<Operation>(at).code) {
    case OpCode.EMBED:
      runEmbed(changetype<Embed>(at), batch, thread, threads);
      break;
    case OpCode.SELECT_OUTPUTS:
      runSelectOutputs(changetype<SelectOutputs>(at), batch, thread, threads);
      break;
    case OpCode.RMS_NORM:
      runRmsNorm(changetype<RmsNorm>(at), batch, thread, threads);
      break;
    case OpCode.LAYER_NORM:
      runLayerNorm(changetype<LayerNorm>(at), batch, thread, threads);
      break;
    case OpCode.QUANTIZE:
      runQuantize(changetype<Quantize>(at), batch, thread, threads);
      break;
    case OpCode.MATMUL:
      runMatmul(changetype<Matmul>(at), batch, thread, threads);
      break;
    case OpCode.LORA:
      runLora(changetype<Lora>(at), batch, thread, threads);
      break;
    case OpCode.ROPE_TABLE:
      runRopeTable(changetype<RopeTable>(at), batch, thread, threads);
      break;
    case OpCode.ROPE:
      runRope(changetype<Rope>(at), batch, thread, threads);
      break;
    case OpCode.KV_STORE:
      runKvStore(changetype<KvStore>(at), batch, thread, threads);
      break;
    case OpCode.ATTENTION:
      runAttention(changetype<Attention>(at), batch, thread, threads);
      break;
    case OpCode.SILU_MUL:
    case OpCode.GELU_MUL:
    case OpCode.SIGMOID_MUL:
    case OpCode.MUL:
      runGatedMul(changetype<GatedMul>(at), batch, thread, threads);
      break;
    case OpCode.ADD:
      runAdd(changetype<Add>(at), batch, thread, threads);
      break;
    case OpCode.SCALE:
      runScale(changetype<Scale>(at), batch, thread, threads);
      break;
    case OpCode.SCALE_BY_POSITION:
      runScaleByPosition(changetype<ScaleByPosition>(at), batch, thread, threads);
      break;
    case OpCode.SOFTCAP:
      runSoftcap(changetype<Softcap>(at), batch, thread, threads);
      break;
    case OpCode.GELU_ERF:
      runGeluErf(changetype<GeluErf>(at), batch, thread, threads);
      break;
    case OpCode.COPY:
      runCopy(changetype<Copy>(at), batch, thread, threads);
      break;
    default:
      runRecurrent(at, batch, thread, threads);
  }
}

function runEmbed(op: Embed, batch: Batch, thread: i32, threads: i32): void {
  const end = share(batch.rows, thread + 1, threads);
  for (let r = share(batch.rows, thread, threads); r < end; r++) {
    embedRow(rowAt(op.dst, op.dstStride, r), op.weights, op.type, op.columns, batch.index(op.source, r));
  }
}

function runSelectOutputs(op: SelectOutputs, batch: Batch, thread: i32, threads: i32): void {
  const end = share(batch.outputRows, thread + 1, threads);
  for (let r = share(batch.outputRows, thread, threads); r < end; r++) {
    const src = rowAt(op.src, op.srcStride, batch.batchRow(1, r));
    memory.copy(rowAt(op.dst, op.dstStride, r), src, op.rowBytes);
  }
}

function runCopy(op: Copy, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    memory.copy(rowAt(op.dst, op.dstStride, r), rowAt(op.src, op.srcStride, r), op.rowBytes);
  }
}

/** Quantises rows. The thread that has the last row also clears the unused rows of its tile. */
function runQuantize(op: Quantize, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const width = rows == 1 ? 1 : TILE_TOKENS;
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const tile = rowAt(op.dst, op.dstStride, r - (r % width));
    quantizeRow(tile, rowAt(op.src, op.srcStride, r), op.columns, op.wide, width, r % width);
  }
  if (end < rows) return;
  const last = (rows - 1) % width;
  const tile = rowAt(op.dst, op.dstStride, rows - 1 - last);
  for (let tileRow = last + 1; tileRow < width; tileRow++) clearTileRow(tile, op.columns, width, tileRow);
}

function runMatmul(op: Matmul, batch: Batch, thread: i32, threads: i32): void {
  const begin = share(op.groups, thread, threads);
  const end = share(op.groups, thread + 1, threads);
  const scratch = rowAt(op.scratch, op.scratchBytes, thread);
  matmul(op, batch.rowsOf(op.rowSet), begin, end, scratch);
}

function runLora(op: Lora, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const rowScale = batch.loraScale(op.rowScales, batch.batchRow(op.rowSet, r));
    if (rowScale != 0) lora(op, r, rowScale, rowAt(op.scratch, op.scratchBytes, thread));
  }
}

function runRopeTable(op: RopeTable, batch: Batch, thread: i32, threads: i32): void {
  const end = share(batch.rows, thread + 1, threads);
  for (let r = share(batch.rows, thread, threads); r < end; r++) {
    ropeTable(rowAt(op.dst, op.dstStride, r), op.frequencies, op.pairs, batch.position(r));
  }
}

function runRope(op: Rope, batch: Batch, thread: i32, threads: i32): void {
  const headBytes = (<usize>op.headDim) << 2;
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const table = rowAt(op.table, op.tableStride, batch.batchRow(op.rowSet, r));
    let x = rowAt(op.dst, op.dstStride, r);
    for (let head = op.heads; head > 0; head--) {
      ropeHead(x, table, op.pairs, op.interleaved);
      x += headBytes;
    }
  }
}

function runKvStore(op: KvStore, batch: Batch, thread: i32, threads: i32): void {
  const headDim = op.headDim;
  const kvType = op.kvType;
  const pageBytes = <usize>(keyBytes(kvType, headDim) + valueBytes(kvType, headDim));
  const scratch = rowAt(op.scratch, op.scratchBytes, thread);
  const end = share(batch.rows, thread + 1, threads);
  for (let r = share(batch.rows, thread, threads); r < end; r++) {
    const position = batch.position(r);
    const page = load<u32>(batch.pageTable(r) + ((<usize>(position / PAGE_TOKENS)) << 2));
    let place = op.pages + <usize>page * pageBytes;
    for (let head = 0; head < op.kvHeads; head++) {
      const within = (<usize>(head * headDim)) << 2;
      const key = rowAt(op.keys, op.keyStride, r) + within;
      const value = rowAt(op.values, op.valueStride, r) + within;
      kvStore(place, position % PAGE_TOKENS, key, value, headDim, kvType, scratch);
      place += op.headStride;
    }
  }
}

/**
 * Neighbouring rows of one sequence are taken together. Threads take the blocks of rows by turns, because later rows
 * have more to read.
 */
function runAttention(op: Attention, batch: Batch, thread: i32, threads: i32): void {
  const at = rowAt(op.scratch, op.scratchBytes, thread);
  const block = changetype<QueryBlock>(at);
  const rows = batch.rowsOf(op.rowSet);
  const most = max(1, ATTENTION_QUERIES / (op.heads / op.kvHeads));
  let unit = 0;
  block.row = 0;
  block.rows = 0;
  while (nextQueryBlock(block, op.rowSet, batch, rows, most)) {
    for (let head = 0; head < op.kvHeads; head++) {
      if (unit++ % threads == thread) attention(op, block, head, at + QUERY_BLOCK_BYTES);
    }
  }
}

/** Moves `block` to the next rows: at most `most` neighbours of one sequence. Returns false where none are left. */
function nextQueryBlock(block: QueryBlock, rowSet: i32, batch: Batch, rows: i32, most: i32): bool {
  block.row += block.rows;
  block.rows = 0;
  let last = -1;
  while (block.rows < most && block.row + block.rows < rows) {
    const row = batch.batchRow(rowSet, block.row + block.rows);
    const position = batch.position(row);
    if (!block.rows) {
      block.pageTable = batch.pageTable(row);
      block.last = batch.lastPosition(row);
    } else if (batch.pageTable(row) != block.pageTable || position <= last) break;
    block.setPosition(block.rows++, position);
    last = position;
  }
  return block.rows > 0;
}
