// The interpreter: executes a flat program over a batch of token rows. `src/runtime/program.ts` writes it.
//
// An operation is 32 words of 32 bits: the code, then operands (addresses, strides in bytes, dimensions). A row set says
// which rows an operation runs over: all rows of the batch, or only the output rows, those whose logits are wanted.
// Buffers of output rows are compact: row i belongs to batch row outputs[i].
//
// Every thread runs the same program. Products split their groups of weight rows among the threads, attention its rows and
// heads, all others their token rows, never a sum. Operations on the same token rows follow each other without a barrier.
import { awaitStart, barrier, start } from "./barrier";
import { ATTENTION_QUERIES, attention } from "./kernels/attention";
import { addTo, geluMul, scaleBy, siluMul, softcap } from "./kernels/elementwise";
import { embedRow } from "./kernels/embed";
import { kvStore } from "./kernels/kv-store";
import { addLowRank } from "./kernels/lora";
import { matmul } from "./kernels/matmul";
import { clearSlot, quantizeRow } from "./kernels/quantize";
import { rmsNorm } from "./kernels/rms-norm";
import { ropeHead, ropeTable } from "./kernels/rope";
import { keyBytes, PAGE_TOKENS, TILE_TOKENS, valueBytes } from "./layout";

export const OP_EMBED: i32 = 1;
export const OP_SELECT: i32 = 2;
export const OP_RMS_NORM: i32 = 3;
export const OP_QUANTIZE: i32 = 4;
export const OP_MATMUL: i32 = 5;
export const OP_ROPE_TABLE: i32 = 6;
export const OP_ROPE: i32 = 7;
export const OP_KV_STORE: i32 = 8;
export const OP_ATTENTION: i32 = 9;
export const OP_SILU_MUL: i32 = 10;
export const OP_ADD: i32 = 11;
export const OP_GELU_MUL: i32 = 12;
export const OP_SCALE: i32 = 13;
export const OP_SOFTCAP: i32 = 14;
export const OP_LOW_RANK: i32 = 15;
const OP_BYTES: usize = 128;
/** Operand 31 of every operation: 1 where the next one may read what another thread writes. */
const OP_BARRIER: i32 = 31;

/** Operand `i` of the operation at `op`. */
function word(op: usize, i: i32): i32 {
  return load<i32>(op + ((<usize>i) << 2));
}

function address(op: usize, i: i32): usize {
  return load<u32>(op + ((<usize>i) << 2));
}

function float(op: usize, i: i32): f32 {
  return load<f32>(op + ((<usize>i) << 2));
}

// The batch: u32 rows | output rows | then addresses of i32 arrays: tokens, positions, page tables (an address a row),
// outputs (a batch row each), scales (f32, one a row for each adapter). Then, at word 7, how many operations helping
// threads run. The control words of barrier.ts
// stand behind them in the header.
function batchTokens(batch: usize): usize {
  return load<u32>(batch, 8);
}
function batchPositions(batch: usize): usize {
  return load<u32>(batch, 12);
}
function batchPages(batch: usize): usize {
  return load<u32>(batch, 16);
}
function batchOutputs(batch: usize): usize {
  return load<u32>(batch, 20);
}
/** How strongly an adapter is applied to batch row `row`; an adapter's scales begin `offset` bytes into all of them. */
function batchScale(batch: usize, offset: i32, row: i32): f32 {
  return load<f32>(<usize>load<u32>(batch, 24) + <usize>offset + ((<usize>row) << 2));
}
function batchOperations(batch: usize): i32 {
  return load<i32>(batch, 28);
}

/** Rows of a set: 0 = all, 1 = output rows. */
function setRows(batch: usize, set: i32): i32 {
  return load<i32>(batch + (set ? 4 : 0));
}

/** The batch row that row `i` of a set stands for. */
function batchRow(batch: usize, set: i32, i: i32): i32 {
  return set ? load<i32>(batchOutputs(batch) + ((<usize>i) << 2)) : i;
}

/** First unit of thread `thread` when `units` are shared out. */
function share(units: i32, thread: i32, threads: i32): i32 {
  return <i32>((<i64>units * thread) / threads);
}

/**
 * Executes `count` operations on all `threads`; the caller is thread 0, the others are in `serve`.
 * @param program the first operation   @param batch see above
 */
export function run(program: usize, count: i32, batch: usize, threads: i32): void {
  store<i32>(batch, count, 28);
  if (threads > 1) start(batch);
  execute(program, count, batch, 0, threads);
}

/** A helping thread: executes whatever `run` starts, until stopped. */
export function serve(program: usize, batch: usize, thread: i32, threads: i32): void {
  let seen = awaitStart(batch, 0);
  while (seen >= 0) {
    execute(program, batchOperations(batch), batch, thread, threads);
    seen = awaitStart(batch, seen);
  }
}

/** One thread's share of every operation. */
export function execute(program: usize, count: i32, batch: usize, thread: i32, threads: i32): void {
  for (let i = 0; i < count; i++) {
    const op = program + <usize>i * OP_BYTES;
    switch (word(op, 0)) {
      case OP_EMBED:
        embed(op, batch, thread, threads);
        break;
      case OP_SELECT:
        select(op, batch, thread, threads);
        break;
      case OP_RMS_NORM:
        norm(op, batch, thread, threads);
        break;
      case OP_QUANTIZE:
        quantize(op, batch, thread, threads);
        break;
      case OP_MATMUL:
        product(op, batch, thread, threads);
        break;
      case OP_LOW_RANK:
        lowRank(op, batch, thread, threads);
        break;
      case OP_ROPE_TABLE:
        rotations(op, batch, thread, threads);
        break;
      case OP_ROPE:
        rope(op, batch, thread, threads);
        break;
      case OP_KV_STORE:
        cache(op, batch, thread, threads);
        break;
      case OP_ATTENTION:
        attend(op, batch, thread, threads);
        break;
      case OP_SILU_MUL:
      case OP_GELU_MUL:
        gate(op, batch, thread, threads);
        break;
      case OP_ADD:
        add(op, batch, thread, threads);
        break;
      case OP_SCALE:
      case OP_SOFTCAP:
        adjust(op, batch, thread, threads);
        break;
      default:
        unreachable();
    }
    if (threads > 1 && word(op, OP_BARRIER)) barrier(batch, threads);
  }
}

/** 1 dst, 2 stride, 3 table, 4 type, 5 columns */
function embed(op: usize, batch: usize, thread: i32, threads: i32): void {
  const rows = setRows(batch, 0);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const token = load<i32>(batchTokens(batch) + ((<usize>r) << 2));
    embedRow(address(op, 1) + <usize>(r * word(op, 2)), address(op, 3), word(op, 4), word(op, 5), token);
  }
}

/** 1 dst, 2 stride, 3 src, 4 stride, 5 bytes: copies the output rows together */
function select(op: usize, batch: usize, thread: i32, threads: i32): void {
  const rows = setRows(batch, 1);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const from = address(op, 3) + <usize>(batchRow(batch, 1, r) * word(op, 4));
    memory.copy(address(op, 1) + <usize>(r * word(op, 2)), from, word(op, 5));
  }
}

/** 1 set, 2 dst, 3 stride, 4 src, 5 stride, 6 weight or 0, 7 n, 8 groups a row, 9 eps */
function norm(op: usize, batch: usize, thread: i32, threads: i32): void {
  const n = word(op, 7);
  const groups = word(op, 8);
  const rows = setRows(batch, word(op, 1));
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    for (let g = 0; g < groups; g++) {
      const within = (<usize>(g * n)) << 2;
      const dst = address(op, 2) + <usize>(r * word(op, 3)) + within;
      const src = address(op, 4) + <usize>(r * word(op, 5)) + within;
      rmsNorm(dst, src, address(op, 6), n, float(op, 9));
    }
  }
}

/** 1 set, 2 dst, 3 stride, 4 src, 5 stride, 6 columns, 7 wide */
function quantize(op: usize, batch: usize, thread: i32, threads: i32): void {
  const rows = setRows(batch, word(op, 1));
  const width = rows == 1 ? 1 : TILE_TOKENS;
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const slot = r % width;
    quantizeRow(
      address(op, 2) + <usize>((r - slot) * word(op, 3)),
      address(op, 4) + <usize>(r * word(op, 5)),
      word(op, 6),
      word(op, 7),
      width,
      slot,
    );
  }
  if (end < rows) return;
  const last = address(op, 2) + <usize>((rows - 1 - ((rows - 1) % width)) * word(op, 3));
  for (let slot = ((rows - 1) % width) + 1; slot < width; slot++) clearSlot(last, word(op, 6), width, slot);
}

/** 1 set, 2 dst, 3 stride, 4 x, 5 stride, 6 weights, 7 type, 8 columns, 9 row groups, 10 scratch, 11 bytes of scratch a thread */
function product(op: usize, batch: usize, thread: i32, threads: i32): void {
  const rows = setRows(batch, word(op, 1));
  const groups = word(op, 9);
  const begin = share(groups, thread, threads);
  const end = share(groups, thread + 1, threads);
  matmul(
    address(op, 2),
    word(op, 3),
    address(op, 4),
    word(op, 5),
    rows,
    address(op, 6),
    word(op, 7),
    word(op, 8),
    begin,
    end,
    address(op, 10) + <usize>(thread * word(op, 11)),
  );
}

/**
 * 1 set, 2 dst, 3 stride, 4 x, 5 stride, 6 A, 7 type, 8 columns, 9 rank, 10 B, 11 type, 12 row groups, 13 adapter's scale,
 * 14 where the rows' scales begin, 15 scratch, 16 bytes of scratch a thread. Rows without the adapter stay as they are.
 */
function lowRank(op: usize, batch: usize, thread: i32, threads: i32): void {
  const set = word(op, 1);
  const rows = setRows(batch, set);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const strength = batchScale(batch, word(op, 14), batchRow(batch, set, r));
    if (strength == 0) continue;
    addLowRank(
      address(op, 2) + <usize>(r * word(op, 3)),
      address(op, 4) + <usize>(r * word(op, 5)),
      address(op, 6),
      word(op, 7),
      word(op, 8),
      word(op, 9),
      address(op, 10),
      word(op, 11),
      word(op, 12),
      strength * float(op, 13),
      address(op, 15) + <usize>(thread * word(op, 16)),
    );
  }
}

/** 1 dst, 2 stride, 3 frequencies, 4 half */
function rotations(op: usize, batch: usize, thread: i32, threads: i32): void {
  const rows = setRows(batch, 0);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const position = load<i32>(batchPositions(batch) + ((<usize>r) << 2));
    ropeTable(address(op, 1) + <usize>(r * word(op, 2)), address(op, 3), word(op, 4), position);
  }
}

/** 1 set, 2 x, 3 stride, 4 heads, 5 head dim, 6 table, 7 stride, 8 half, 9 interleaved */
function rope(op: usize, batch: usize, thread: i32, threads: i32): void {
  const set = word(op, 1);
  const headBytes = <usize>(word(op, 5) * 4);
  const rows = setRows(batch, set);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const table = address(op, 6) + <usize>(batchRow(batch, set, r) * word(op, 7));
    let x = address(op, 2) + <usize>(r * word(op, 3));
    for (let head = word(op, 4); head > 0; head--) {
      ropeHead(x, table, word(op, 8), word(op, 9));
      x += headBytes;
    }
  }
}

/** The page table of batch row `row`. */
function pageTable(batch: usize, row: i32): usize {
  return load<u32>(batchPages(batch) + ((<usize>row) << 2));
}

/** 1 k, 2 stride, 3 v, 4 stride, 5 kv heads, 6 head dim, 7 layer's pages, 8 kv type, 9 bytes of all pages of a head */
function cache(op: usize, batch: usize, thread: i32, threads: i32): void {
  const headDim = word(op, 6);
  const pageBytes = <usize>(keyBytes(word(op, 8), headDim) + valueBytes(word(op, 8), headDim));
  const rows = setRows(batch, 0);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const position = load<i32>(batchPositions(batch) + ((<usize>r) << 2));
    const page = load<u32>(pageTable(batch, r) + ((<usize>(position / PAGE_TOKENS)) << 2));
    const place = address(op, 7) + <usize>page * pageBytes;
    for (let head = 0; head < word(op, 5); head++) {
      const within = (<usize>(head * headDim)) << 2;
      const key = address(op, 1) + <usize>(r * word(op, 2)) + within;
      const value = address(op, 3) + <usize>(r * word(op, 4)) + within;
      kvStore(place + <usize>head * address(op, 9), position % PAGE_TOKENS, key, value, headDim, word(op, 8));
    }
  }
}

/**
 * 1 set, 2 dst, 3 stride, 4 q, 5 stride, 6 layer's pages, 7 heads, 8 kv heads, 9 head dim, 10 kv type, 11 scale, 12 scratch,
 * 13 bytes of scratch a thread, 14 bytes of all pages of a head, 15 window or 0, 16 softcap or 0.
 * Neighbouring rows of one sequence are taken together, and dealt out by turns: later rows have more to read.
 */
function attend(op: usize, batch: usize, thread: i32, threads: i32): void {
  const set = word(op, 1);
  const kvHeads = word(op, 8);
  const group = word(op, 7) / kvHeads;
  const headDim = word(op, 9);
  // The rows' positions stand first in the scratch: output rows are not neighbours in the batch.
  const positions = address(op, 12) + <usize>(thread * word(op, 13));
  const scratch = positions + ((<usize>ATTENTION_QUERIES) << 2);
  const rows = setRows(batch, set);
  const most = max(1, ATTENTION_QUERIES / group);
  let unit = 0;
  let row = 0;
  while (row < rows) {
    const pages = pageTable(batch, batchRow(batch, set, row));
    let count = 0;
    let last = -1;
    while (count < most && row + count < rows) {
      const r = batchRow(batch, set, row + count);
      const position = load<i32>(batchPositions(batch) + ((<usize>r) << 2));
      if (pageTable(batch, r) != pages || position <= last) break;
      store<i32>(positions + ((<usize>count) << 2), position);
      last = position;
      count++;
    }
    for (let head = 0; head < kvHeads; head++) {
      if (unit++ % threads != thread) continue;
      const within = (<usize>(head * group * headDim)) << 2;
      attention(
        address(op, 2) + <usize>(row * word(op, 3)) + within,
        word(op, 3),
        address(op, 4) + <usize>(row * word(op, 5)) + within,
        word(op, 5),
        count,
        group,
        positions,
        pages,
        address(op, 6) + <usize>head * address(op, 14),
        headDim,
        float(op, 11),
        word(op, 10),
        scratch,
        word(op, 15),
        float(op, 16),
      );
    }
    row += count;
  }
}

/** 1 set, 2 dst, 3 stride, 4 gate, 5 up, 6 n; gate and up share the stride of dst's buffer, 7. OP_SILU_MUL, OP_GELU_MUL */
function gate(op: usize, batch: usize, thread: i32, threads: i32): void {
  const rows = setRows(batch, word(op, 1));
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const from = <usize>(r * word(op, 7));
    const dst = address(op, 2) + <usize>(r * word(op, 3));
    if (word(op, 0) == OP_SILU_MUL) siluMul(dst, address(op, 4) + from, address(op, 5) + from, word(op, 6));
    else geluMul(dst, address(op, 4) + from, address(op, 5) + from, word(op, 6));
  }
}

/** 1 set, 2 dst, 3 stride, 4 x, 5 stride (0: the same vector for every row), 6 n: dst += x */
function add(op: usize, batch: usize, thread: i32, threads: i32): void {
  const rows = setRows(batch, word(op, 1));
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    addTo(address(op, 2) + <usize>(r * word(op, 3)), address(op, 4) + <usize>(r * word(op, 5)), word(op, 6));
  }
}

/** 1 set, 2 x, 3 stride, 4 n, 5 factor or cap: in place. OP_SCALE, OP_SOFTCAP */
function adjust(op: usize, batch: usize, thread: i32, threads: i32): void {
  const rows = setRows(batch, word(op, 1));
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const x = address(op, 2) + <usize>(r * word(op, 3));
    if (word(op, 0) == OP_SCALE) scaleBy(x, word(op, 4), float(op, 5));
    else softcap(x, word(op, 4), float(op, 5));
  }
}
