import { maxF32x4, sumF32x4 } from "../../lanes";
import { KV_F32, KV_MIXED, keyBytes, PAGE_TOKENS, valueBytes } from "../../layout";
import { expF32, expF32x4 } from "../../math";
import { Attention } from "../../operations";
import { softcap } from "../elementwise";
import { quantizeQuery, queryLimit, scoresF32, scoresOfCodes } from "./scores";
import { addValuesF32, addValuesI8 } from "./values";

/** Most queries of one call. The sums of more queries would not fit L1. */
export const ATTENTION_QUERIES: i32 = 16;

/**
 * Neighbouring rows of one sequence whose queries are taken together. The positions of its rows follow it, i32 each.
 */
@unmanaged
export class QueryBlock {
  /** The first of the operation's rows. */
  row: i32;
  rows: i32;
  /** The sequence's page table: i32 page numbers. */
  pageTable: usize;
  /** The position of the last token that bidirectional attention may see. */
  last: i32;

  position(row: i32): i32 {
    return load<i32>(changetype<usize>(this) + ((<usize>row) << 2), offsetof<QueryBlock>());
  }

  setPosition(row: i32, position: i32): void {
    store<i32>(changetype<usize>(this) + ((<usize>row) << 2), position, offsetof<QueryBlock>());
  }
}

/** Bytes of a QueryBlock with the positions of the most rows that it can have: a multiple of 16. */
export const QUERY_BLOCK_BYTES: usize = offsetof<QueryBlock>() + 4 * ATTENTION_QUERIES;

/**
 * The state of a query between two pages. Its sums over the values, f32[headDim], and its codes, i16[headDim], follow
 * it.
 */
@unmanaged
class QueryState {
  /** The largest score so far. */
  top: f32;
  /** The sum of exp(score - top). */
  total: f32;
  /** Factor of the scores: the softmax scale times the scale of the query's codes. */
  scale: f32;
  unused: f32;

  get sums(): usize {
    return changetype<usize>(this) + offsetof<QueryState>();
  }
}

/** Bytes from one query's state to the next one's. */
function stateBytes(headDim: i32): i32 {
  return <i32>offsetof<QueryState>() + headDim * 6;
}

/** Bytes of scratch that one call needs: 32 scores or weights f32, 32 weights i16, the states of the queries. */
export function attentionScratchBytes(headDim: i32): i32 {
  return PAGE_TOKENS * 6 + ATTENTION_QUERIES * stateBytes(headDim);
}

/**
 * Attention of a block of token rows and of the query heads that share kv head `kvHead`, each query over the tokens
 * 0..position of its row (0..last with `bidirectional`), or those of them that its window holds. It goes page by page, so that all queries read a page while it
 * is in L1, each query with a running maximum (Milakov and Gimelshein 2018; the order of FlashAttention). Pages begin
 * at multiples of 32 of the absolute position, and the sums of a query do not depend on the other queries. Per page:
 *
 *   m' = max(m, the page's scores), w = exp(s - m'), l = l exp(m - m') + sum(w), o = o exp(m - m') + sum(w v)
 *
 * and the result is o / l, in f32. sum(w) has four lanes: token t of the page belongs to lane t mod 4, each lane is summed in
 * order, and the result is (0 + 1) + (2 + 3). scores.ts and values.ts define the order of the other sums.
 *
 * With int8 and mixed caches the query becomes i16, and so do the weights times the value scales of a page. Both products
 * are exact in i32: at most 32767 * 127 * headDim < 2^30 or 1,048,000 * 2047 < 2^31 for scores, and
 * 32767 * 127 * 32 < 2^28 for values.
 *
 * @param op src and dst are f32[heads * headDim] per row; src is not scaled; headDim is a multiple of 8 up to 256
 * @param block at most ATTENTION_QUERIES queries: its rows times the query heads per kv head; its positions do not
 *   decrease. Pages before the first row's window are not read
 * @param scratch attentionScratchBytes, 16-byte aligned
 */
export function attention(op: Attention, block: QueryBlock, kvHead: i32, scratch: usize): void {
  const headDim = op.headDim;
  const queryHeads = op.heads / op.kvHeads; // per kv head
  assert(headDim > 0 && headDim % 8 == 0 && headDim <= 256, "attention: headDim must be a multiple of 8 up to 256");
  assert(block.rows > 0 && block.rows * queryHeads <= ATTENTION_QUERIES, "attention: at most 16 queries");
  const states = scratch + PAGE_TOKENS * 6;
  const step = <usize>stateBytes(headDim);
  const headBytes = (<usize>headDim) << 2;
  const firstHead = <usize>(kvHead * queryHeads) * headBytes;
  const src = op.src + <usize>(block.row * op.srcStride) + firstHead;
  for (let r = 0; r < block.rows; r++) {
    for (let h = 0; h < queryHeads; h++) {
      const state = changetype<QueryState>(states + <usize>(r * queryHeads + h) * step);
      begin(state, op, src + <usize>(r * op.srcStride) + <usize>h * headBytes);
    }
  }
  const pageBytes = <usize>(keyBytes(op.kvType, headDim) + valueBytes(op.kvType, headDim));
  const pages = op.pages + <usize>kvHead * op.headStride;
  const last = lastVisible(block.position(block.rows - 1), op, block);
  for (let first = firstVisible(block.position(0), op.window) & -PAGE_TOKENS; first <= last; first += PAGE_TOKENS) {
    const page = pages + <usize>load<u32>(block.pageTable + ((<usize>(first >> 5)) << 2)) * pageBytes;
    for (let r = 0; r < block.rows; r++) {
      const position = block.position(r);
      const count = min(PAGE_TOKENS, lastVisible(position, op, block) + 1 - first);
      const from = max(0, firstVisible(position, op.window) - first);
      if (from >= count) continue;
      for (let h = 0; h < queryHeads; h++) {
        const state = changetype<QueryState>(states + <usize>(r * queryHeads + h) * step);
        addPage(state, op, src + <usize>(r * op.srcStride) + <usize>h * headBytes, page, from, count, scratch);
      }
    }
  }
  const dst = op.dst + <usize>(block.row * op.dstStride) + firstHead;
  for (let r = 0; r < block.rows; r++) {
    for (let h = 0; h < queryHeads; h++) {
      const state = changetype<QueryState>(states + <usize>(r * queryHeads + h) * step);
      divide(dst + <usize>(r * op.dstStride) + <usize>h * headBytes, state, headDim);
    }
  }
}

/** The first token that a query at `position` sees. */
function firstVisible(position: i32, window: i32): i32 {
  return window == 0 ? 0 : max(0, position + 1 - window);
}

/** The last token that a query at `position` sees. */
function lastVisible(position: i32, op: Attention, block: QueryBlock): i32 {
  if (!op.bidirectional) return position;
  return op.window == 0 ? block.last : min(block.last, position + op.window - 1);
}

/** The state of query q before its first page. */
function begin(state: QueryState, op: Attention, q: usize): void {
  const headDim = op.headDim;
  const sumsBytes = (<usize>headDim) << 2;
  state.top = -Infinity;
  state.total = 0;
  state.scale =
    op.kvType == KV_F32
      ? op.scale
      : quantizeQuery(state.sums + sumsBytes, q, headDim, queryLimit(op.kvType, headDim)) * op.scale;
  memory.fill(state.sums, 0, sumsBytes);
}

/**
 * Adds tokens [from, count) of a page to the state of query q. The page's keys are at `keys`, and its values follow
 * them.
 */
function addPage(state: QueryState, op: Attention, q: usize, keys: usize, from: i32, count: i32, scratch: usize): void {
  const headDim = op.headDim;
  const kvType = op.kvType;
  const weights = scratch;
  const codes = state.sums + ((<usize>headDim) << 2);
  if (kvType == KV_F32) scoresF32(weights, q, keys, headDim, state.scale);
  else if (kvType == KV_MIXED) scoresOfCodes<i16>(weights, codes, keys, headDim, state.scale);
  else scoresOfCodes<i8>(weights, codes, keys, headDim, state.scale);
  if (op.softcap > 0) softcap(weights, PAGE_TOKENS, op.softcap);
  for (let t = 0; t < from; t++) store<f32>(weights + ((<usize>t) << 2), -Infinity);
  for (let t = count; t < PAGE_TOKENS; t++) store<f32>(weights + ((<usize>t) << 2), -Infinity);
  const correction = exponentiate(state, weights);
  const values = keys + <usize>keyBytes(kvType, headDim);
  if (kvType == KV_F32) addValuesF32(state.sums, weights, values, headDim, from, count, correction);
  else addValuesI8(state.sums, weights, weights + PAGE_TOKENS * 4, values, headDim, from, count, correction);
}

/**
 * Replaces scores by weights exp(score - top) and adds these to `total`. Returns the factor by which the sums so far
 * must be multiplied.
 */
function exponentiate(state: QueryState, weights: usize): f32 {
  let best = v128.load(weights);
  // pmax may lose a NaN. The total becomes NaN then.
  for (let i: usize = 16; i < 128; i += 16) best = f32x4.pmax(best, v128.load(weights + i));
  const newTop = max<f32>(state.top, maxF32x4(best));
  const correction = expF32(state.top - newTop);
  const shift = f32x4.splat(newTop);
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const w = expF32x4(f32x4.sub(v128.load(weights + i), shift));
    v128.store(weights + i, w);
    sum = f32x4.add(sum, w);
  }
  state.top = newTop;
  state.total = state.total * correction + sumF32x4(sum);
  return correction;
}

/** dst = sums / total. */
function divide(dst: usize, state: QueryState, headDim: i32): void {
  const divisor = f32x4.splat(state.total);
  const end = state.sums + ((<usize>headDim) << 2);
  for (let at = state.sums; at < end; at += 16) {
    v128.store(dst, f32x4.div(v128.load(at), divisor));
    dst += 16;
  }
}
