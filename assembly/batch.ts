// The header of a batch of token rows. It is a record as those of operations are (operations.ts).

/**
 * A batch of token rows. Its arrays have an element per row; buffers of output rows are compact, so that row i of an
 * operation over the output rows stands for batch row outputs[i].
 */
@unmanaged
export class Batch {
  rows: i32;
  outputRows: i32;
  /** i32[rows]: token ids. */
  tokens: usize;
  /** i32[rows]: positions in their sequences. */
  positions: usize;
  /** usize[rows]: addresses of the page tables of their sequences, each of i32 page numbers. */
  pageTables: usize;
  /** i32[outputRows]: the batch row that each output row stands for. */
  outputs: usize;
  /** f32[adapters][most rows of a batch]: how strongly an adapter is applied to a row. */
  loraScales: usize;
  /** i32[rows]: token types, such as 0 for a question and 1 for the text that may answer it (BERT). */
  types: usize;
  /** usize[rows]: addresses of the states of their sequences (recurrent-operations.ts). */
  states: usize;
  /** usize[rows]: where the state after the row is copied to; 0 for nowhere. */
  snapshots: usize;
  /** Operations that the helping threads run. */
  operations: i32;
  /** 1 where the rows of the batch are split among the threads; 0 where each thread keeps all rows for itself. */
  split: i32;
  /** Barriers that thread 0 has passed, and its turns of the waiting loop there, since the host last took them. */
  barriers: i32;
  spins: i32;

  /** Rows of a row set. */
  rowsOf(rowSet: i32): i32 {
    return rowSet ? this.outputRows : this.rows;
  }

  /** The batch row that row `i` of a row set stands for. */
  batchRow(rowSet: i32, i: i32): i32 {
    return rowSet ? load<i32>(this.outputs + ((<usize>i) << 2)) : i;
  }

  position(row: i32): i32 {
    return load<i32>(this.positions + ((<usize>row) << 2));
  }

  pageTable(row: i32): usize {
    return load<usize>(this.pageTables + ((<usize>row) << 2));
  }

  state(row: i32): usize {
    return load<usize>(this.states + ((<usize>row) << 2));
  }

  snapshot(row: i32): usize {
    return load<usize>(this.snapshots + ((<usize>row) << 2));
  }

  /** What names row `row` in a table of embeddings: its token (0), its position (1) or its token type (2). */
  index(source: i32, row: i32): i32 {
    const array = source == 0 ? this.tokens : source == 1 ? this.positions : this.types;
    return load<i32>(array + ((<usize>row) << 2));
  }

  /** The position of the last row that the batch has of the sequence of row `row`. The rows of a sequence are neighbours. */
  lastPosition(row: i32): i32 {
    const table = this.pageTable(row);
    while (row + 1 < this.rows && this.pageTable(row + 1) == table) row++;
    return this.position(row);
  }

  /** How strongly the adapter whose scales begin `rowScales` bytes into all of them is applied to batch row `row`. */
  loraScale(rowScales: i32, row: i32): f32 {
    return load<f32>(this.loraScales + <usize>rowScales + ((<usize>row) << 2));
  }
}

// The words that threads synchronise with (barrier.ts) follow the header of a batch. Those that are written at different
// moments lie on different cache lines of 64 bytes, so that a thread that waits does not slow the others down.

/** Threads that wait at the current barrier. */
export const ARRIVED: usize = 64;
/** Threads that sleep, at a barrier or between runs. */
export const SLEEPERS: usize = 68;
/** Barriers that have opened. */
export const GENERATION: usize = 128;
/** 1 when a thread has trapped or was missed. */
export const FAILED: usize = 132;
/** Calls of `run` so far. */
export const RUNS: usize = 192;
/** 1 when helping threads must leave `serve`. */
export const STOP: usize = 196;
