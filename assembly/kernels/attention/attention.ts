import { KV_F32, KV_MIXED, keyBytes, PAGE_TOKENS, valueBytes } from "../../layout";
import { Attention } from "../../operations";
import { softcap } from "../elementwise";
import { hadamard, hadamardBlock } from "../hadamard";
import { ATTENTION_QUERIES, CODE_STEP, QueryState, stateBytes } from "./queries";
import { quantizeQuery, scoresF32, scoresOfCodes } from "./scores";
import { exponentiate, quantizeWeights } from "./softmax";
import { addValuesF32, addValuesI8 } from "./values";

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

// Scratch: scores or weights f32[16 queries][32], codes of the weights i16[16 pairs of tokens][16 queries][2], codes of
// the queries i16[pairs of dims][16 queries][2], states of the queries.
const WEIGHTS: usize = ATTENTION_QUERIES * PAGE_TOKENS * 4;
const CODES: usize = WEIGHTS + <usize>(PAGE_TOKENS / 2) * CODE_STEP;

function statesAt(headDim: i32): usize {
  return CODES + <usize>(headDim >> 1) * CODE_STEP;
}

/** Bytes of scratch that one call needs. */
export function attentionScratchBytes(headDim: i32): i32 {
  return <i32>statesAt(headDim) + ATTENTION_QUERIES * stateBytes(headDim);
}

/**
 * Attention of a block of token rows and of the query heads that share kv head `kvHead`, each query over the tokens
 * 0..position of its row (0..last with `bidirectional`), or those of them that its window holds. It goes page by page,
 * so that all queries read a page while it is in L1, each query with a running maximum (Milakov and Gimelshein 2018; the order of FlashAttention). Pages begin
 * at multiples of 32 of the absolute position, and the sums of a query do not depend on the other queries. Per page:
 *
 *   m' = max(m, the page's scores), w = exp(s - m'), l = l exp(m - m') + sum(w), o = o exp(m - m') + sum(w v)
 *
 * and the result is o / l, in f32. scores.ts, softmax.ts and values.ts define the order of the other sums.
 *
 * With int8 and mixed caches keys and values are rotated (hadamard.ts), so the query is rotated too, and so is o at the
 * end. The query becomes i16, and so do the weights times the value scales of a page. Both products are exact in i32
 * (`queryLimit`; 16383 * 127 * 32 < 2^26 for values).
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
  const headBytes = (<usize>headDim) << 2;
  const firstHead = <usize>(kvHead * queryHeads) * headBytes;
  const src = op.src + <usize>(block.row * op.srcStride) + firstHead;
  const dst = op.dst + <usize>(block.row * op.dstStride) + firstHead;
  const queries = block.rows * queryHeads;
  for (let i = 0; i < queries; i++) begin(op, queryAt(src, op.srcStride, i, op), i, scratch);
  const pageBytes = <usize>(keyBytes(op.kvType, headDim) + valueBytes(op.kvType, headDim));
  const pages = op.pages + <usize>kvHead * op.headStride;
  const last = lastVisible(block.position(block.rows - 1), op, block);
  let begins = 0;
  let ends = 0; // rows begins..ends see the page
  for (let first = firstVisible(block.position(0), op.window) & -PAGE_TOKENS; first <= last; first += PAGE_TOKENS) {
    const page = pages + <usize>load<u32>(block.pageTable + ((<usize>(first >> 5)) << 2)) * pageBytes;
    while (lastVisible(block.position(begins), op, block) < first) begins++;
    while (ends < block.rows && firstVisible(block.position(ends), op.window) < first + PAGE_TOKENS) ends++;
    if (op.kvType == KV_F32) addPageF32(op, block, begins, ends, first, src, page, scratch);
    else addPage(op, block, begins, ends, first, page, scratch);
  }
  for (let i = 0; i < queries; i++) finish(op, queryAt(dst, op.dstStride, i, op), stateOf(op, i, scratch));
}

/** The address of query `i` of a block whose first query lies at `buffer`. */
function queryAt(buffer: usize, stride: i32, i: i32, op: Attention): usize {
  const queryHeads = op.heads / op.kvHeads;
  return buffer + <usize>((i / queryHeads) * stride + (i % queryHeads) * op.headDim * 4);
}

function stateOf(op: Attention, i: i32, scratch: usize): QueryState {
  return changetype<QueryState>(scratch + statesAt(op.headDim) + <usize>(i * stateBytes(op.headDim)));
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

/** The state of query `i`, which lies at q, before its first page. */
function begin(op: Attention, q: usize, i: i32, scratch: usize): void {
  const headDim = op.headDim;
  const state = stateOf(op, i, scratch);
  state.top = -Infinity;
  state.total = 0;
  state.scale = op.scale;
  if (op.kvType != KV_F32) {
    hadamard(state.sums, q, headDim);
    const unit = quantizeQuery(scratch + CODES + ((<usize>i) << 2), state.sums, headDim);
    state.scale = unit * (op.scale / <f32>hadamardBlock(headDim));
  }
  memory.fill(state.sums, 0, (<usize>headDim) << 2);
}

/** Adds a page of codes, whose first token is number `first`, to the queries of rows begins..ends. */
function addPage(
  op: Attention,
  block: QueryBlock,
  begins: i32,
  ends: i32,
  first: i32,
  keys: usize,
  scratch: usize,
): void {
  const headDim = op.headDim;
  const queryHeads = op.heads / op.kvHeads;
  const firstQuery = begins * queryHeads;
  const count = ends * queryHeads - firstQuery;
  const step = <usize>stateBytes(headDim);
  const states = changetype<usize>(stateOf(op, firstQuery, scratch));
  const scores = scratch + <usize>(firstQuery * PAGE_TOKENS * 4);
  const codes = scratch + CODES + ((<usize>firstQuery) << 2);
  const weights = scratch + WEIGHTS + ((<usize>firstQuery) << 2);
  const values = keys + <usize>keyBytes(op.kvType, headDim);
  if (op.kvType == KV_MIXED) scoresOfCodes<i16>(scores, codes, keys, headDim, states, step, count);
  else scoresOfCodes<i8>(scores, codes, keys, headDim, states, step, count);
  if (op.softcap > 0) softcap(scores, count * PAGE_TOKENS, op.softcap);
  for (let i = 0; i < count; i++) {
    const position = block.position(begins + i / queryHeads);
    const state = changetype<QueryState>(states + <usize>i * step);
    const row = scores + <usize>(i * PAGE_TOKENS * 4);
    exponentiate(state, row, firstVisible(position, op.window) - first, lastVisible(position, op, block) + 1 - first);
    quantizeWeights(state, weights + ((<usize>i) << 2), row, values);
  }
  addValuesI8(states, step, weights, values, headDim, count);
}

/** Does the same with a page of f32, one query after the other. @param src the block's first query */
function addPageF32(
  op: Attention,
  block: QueryBlock,
  begins: i32,
  ends: i32,
  first: i32,
  src: usize,
  keys: usize,
  scratch: usize,
): void {
  const headDim = op.headDim;
  const queryHeads = op.heads / op.kvHeads;
  const values = keys + <usize>keyBytes(KV_F32, headDim);
  for (let i = begins * queryHeads; i < ends * queryHeads; i++) {
    const position = block.position(i / queryHeads);
    const from = max(0, firstVisible(position, op.window) - first);
    const count = min(PAGE_TOKENS, lastVisible(position, op, block) + 1 - first);
    const state = stateOf(op, i, scratch);
    scoresF32(scratch, queryAt(src, op.srcStride, i, op), keys, headDim, state.scale);
    if (op.softcap > 0) softcap(scratch, PAGE_TOKENS, op.softcap);
    exponentiate(state, scratch, from, count);
    addValuesF32(state, scratch, values, headDim, from, count);
  }
}

/** dst = sums / total, rotated back where the values were rotated. */
function finish(op: Attention, dst: usize, state: QueryState): void {
  const headDim = op.headDim;
  const sums = state.sums;
  let total = state.total;
  if (op.kvType != KV_F32) {
    hadamard(sums, sums, headDim);
    total *= <f32>hadamardBlock(headDim);
  }
  const divisor = f32x4.splat(total);
  for (let at: usize = 0; at < (<usize>headDim) << 2; at += 16) {
    v128.store(dst + at, f32x4.div(v128.load(sums + at), divisor));
  }
}
