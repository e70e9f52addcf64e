// What the parts of attention share: the state of a query between two pages, and how queries are taken together.

/** Most queries of one call. The sums of more queries would not fit L1. */
export const ATTENTION_QUERIES: i32 = 16;

/**
 * Bytes from a pair of i16 codes of a query (or of its weights) to the next pair. The pairs of all queries lie side by
 * side, so that one pointer with constant offsets serves a tile of queries.
 */
export const CODE_STEP: usize = 4 * ATTENTION_QUERIES;

/** The state of a query between two pages. Its sums over the values, f32[headDim], follow it. */
@unmanaged
export class QueryState {
  /** The largest score so far. */
  top: f32;
  /** The sum of exp(score - top). */
  total: f32;
  /** Factor of the scores: the softmax scale times the scale of the query's codes. */
  scale: f32;
  /** For the current page: the factor of the sums so far, and the scale of the weights' codes. */
  correction: f32;
  weightScale: f32;
  // A multiple of 16 bytes.
  unused0: f32;
  unused1: f32;
  unused2: f32;

  get sums(): usize {
    return changetype<usize>(this) + offsetof<QueryState>();
  }
}

/** Bytes from one query's state to the next one's. */
export function stateBytes(headDim: i32): i32 {
  return <i32>offsetof<QueryState>() + headDim * 4;
}

// The number of queries that a tile is compiled for.
export class One {}
export class PairOf {}
export class Three {}
export class Four {}

/** Whether a tile of Q queries has a query number `n`, 2 to 4. */
export function has<Q>(n: i32): bool {
  if (idof<Q>() == idof<Four>()) return true;
  if (idof<Q>() == idof<Three>()) return n <= 3;
  return idof<Q>() == idof<PairOf>() && n <= 2;
}
