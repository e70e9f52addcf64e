// What the interpreter does for the operations of recurrent layers. Those that keep a state run over the rows of each
// sequence in their order: threads share the channels, or the heads and their columns, and every thread passes over all
// rows. So no sum is split, and the bits depend neither on the threads nor on how a prompt is cut.
import { Batch } from "./batch";
import { deltaRule, stripColumns } from "./kernels/recurrent/delta-rule";
import { decay, sigmoid } from "./kernels/recurrent/gates";
import { shortConv, shortConvState } from "./kernels/recurrent/short-conv";
import { OpCode, Operation } from "./operations";
import { Decay, DeltaRule, ShortConv, Sigmoid, SplitHeads } from "./recurrent-operations";
import { rowAt, share } from "./row-operations";

/** Runs the share of thread `thread` of the operation at `at`. */
export function runRecurrent(at: usize, batch: Batch, thread: i32, threads: i32): void {
  switch (changetype<Operation>(at).code) {
    case OpCode.SIGMOID:
      runSigmoid(changetype<Sigmoid>(at), batch, thread, threads);
      break;
    case OpCode.DECAY:
      runDecay(changetype<Decay>(at), batch, thread, threads);
      break;
    case OpCode.SPLIT_HEADS:
      runSplitHeads(changetype<SplitHeads>(at), batch, thread, threads);
      break;
    case OpCode.SHORT_CONV:
      runShortConv(changetype<ShortConv>(at), batch, thread, threads);
      break;
    case OpCode.DELTA_RULE:
      runDeltaRule(changetype<DeltaRule>(at), batch, thread, threads);
      break;
    default:
      unreachable();
  }
}

function runSigmoid(op: Sigmoid, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) sigmoid(rowAt(op.dst, op.dstStride, r), op.n);
}

function runDecay(op: Decay, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    decay(rowAt(op.dst, op.dstStride, r), op.bias, op.rate, op.n);
  }
}

function runSplitHeads(op: SplitHeads, batch: Batch, thread: i32, threads: i32): void {
  const bytes = <usize>op.partBytes;
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    let src = rowAt(op.src, op.srcStride, r);
    const dst = rowAt(op.dst, op.dstStride, r);
    for (let head = 0; head < op.heads; head++) {
      for (let part = 0; part < op.parts; part++) {
        memory.copy(dst + <usize>(part * op.heads + head) * bytes, src, bytes);
        src += bytes;
      }
    }
  }
}

/** The first row after `row` that belongs to another sequence. */
function sequenceEnd(batch: Batch, row: i32): i32 {
  const state = batch.state(row);
  while (row < batch.rows && batch.state(row) == state) row++;
  return row;
}

/** Channels are shared out in cache lines of 16. */
function runShortConv(op: ShortConv, batch: Batch, thread: i32, threads: i32): void {
  const lines = (op.channels + 15) / 16;
  const from = 16 * share(lines, thread, threads);
  const to = min(op.channels, 16 * share(lines, thread + 1, threads));
  if (from >= to) return;
  let end = 0;
  for (let first = 0; first < batch.rows; first = end) {
    end = sequenceEnd(batch, first);
    const state = batch.state(first) + op.state;
    shortConv(op, first, end - first, state, from, to);
    for (let row = first; row < end; row++) {
      const snapshot = batch.snapshot(row);
      if (snapshot) shortConvState(op, first, row + 1 - first, state, snapshot + op.state, from, to);
    }
    shortConvState(op, first, end - first, state, state, from, to);
  }
}

/** Threads take the strips of all heads by turns. */
function runDeltaRule(op: DeltaRule, batch: Batch, thread: i32, threads: i32): void {
  let unit = 0;
  let end = 0;
  for (let first = 0; first < batch.rows; first = end) {
    end = sequenceEnd(batch, first);
    const state = batch.state(first);
    let strip = op.state;
    for (let head = 0; head < op.valueHeads; head++) {
      for (let column = 0; column < op.valueDim; ) {
        const columns = stripColumns(op.valueDim, column);
        const bytes = (<usize>(op.keyDim * columns)) << 2;
        if (unit++ % threads == thread) {
          for (let row = first; row < end; row++) {
            deltaRule(op, row, head, column, state + strip);
            const snapshot = batch.snapshot(row);
            if (snapshot) memory.copy(snapshot + strip, state + strip, bytes);
          }
        }
        strip += bytes;
        column += columns;
      }
    }
  }
}
