import { addRound, maxAbsF32x4, roundedI16 } from "../../lanes";
import { PAGE_TOKENS } from "../../layout";
import { SMALLEST_AMAX } from "../quantize";
import { CODE_STEP, Four, has, One, PairOf, QueryState, Three } from "./queries";

// Scores of queries with the 32 tokens of a page (kernels/kv-store.ts has the order of the keys). A score is q . key *
// scale. Tokens that the page does not hold yet may give anything.

/**
 * The largest query code. The sum over a head fits i32: 8191 * 127 * 256 < 2^28, and 1,048,000 * 2047 < 2^31 for keys of
 * 12 bits. 14 bits are enough, because a key has 12 at most.
 */
export function queryLimit(headDim: i32): f32 {
  return <f32>min(8191, 1048000 / headDim);
}

/**
 * Stores q as i16, in pairs of dims that are CODE_STEP apart; returns the codes' scale.
 * @param codes where the query's first pair lies
 */
export function quantizeQuery(codes: usize, q: usize, headDim: i32): f32 {
  let top = f32x4.splat(0);
  const end = q + ((<usize>headDim) << 2);
  for (let at = q; at < end; at += 16) top = i32x4.max_s(top, f32x4.abs(v128.load(at)));
  const amax = maxAbsF32x4(top);
  const zero = amax < SMALLEST_AMAX;
  const limit = queryLimit(headDim);
  const inverse = f32x4.splat(zero ? 0 : limit / amax);
  for (let at = q; at < end; at += 32) {
    const low = addRound(f32x4.mul(v128.load(at), inverse));
    const high = addRound(f32x4.mul(v128.load(at, 16), inverse));
    storePairs(codes, roundedI16(low, high));
    codes += 4 * CODE_STEP;
  }
  return zero ? 0 : amax / limit;
}

/** Stores four pairs of i16, CODE_STEP apart. */
export function storePairs(at: usize, pairs: v128): void {
  v128.store32_lane(at, pairs, 0);
  v128.store32_lane(at, pairs, 1, CODE_STEP);
  v128.store32_lane(at, pairs, 2, 2 * CODE_STEP);
  v128.store32_lane(at, pairs, 3, 3 * CODE_STEP);
}

/** Scores of one query with f32 keys. Products are summed in f32, even and odd dims apart, each in order. */
export function scoresF32(scores: usize, q: usize, keys: usize, headDim: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = q + ((<usize>headDim) << 2);
  for (let quad = 0; quad < PAGE_TOKENS / 4; quad++) {
    let even = f32x4.splat(0);
    let odd = f32x4.splat(0);
    let key = keys;
    for (let at = q; at < end; at += 8) {
      even = f32x4.add(even, f32x4.mul(v128.load(key), v128.load32_splat(at)));
      odd = f32x4.add(odd, f32x4.mul(v128.load(key, 128), v128.load32_splat(at, 4)));
      key += 256;
    }
    v128.store(scores, f32x4.mul(f32x4.add(even, odd), factor));
    scores += 16;
    keys += 16;
  }
}

/**
 * Scores of `count` queries with keys of codes, where K is i8 or i16. The sum of products of codes is exact in i32; a
 * score is sum * (key scale * scale).
 * @param scores f32[count][32]   @param codes where the first pair of the first query lies
 * @param states of the queries, `step` bytes apart
 */
export function scoresOfCodes<K>(
  scores: usize,
  codes: usize,
  keys: usize,
  headDim: i32,
  states: usize,
  step: usize,
  count: i32,
): void {
  for (; count >= 4; count -= 4) {
    scoreTile<K, Four>(scores, codes, keys, headDim, states, step);
    scores += 4 * PAGE_TOKENS * 4;
    codes += 16;
    states += 4 * step;
  }
  if (count == 3) scoreTile<K, Three>(scores, codes, keys, headDim, states, step);
  else if (count == 2) scoreTile<K, PairOf>(scores, codes, keys, headDim, states, step);
  else if (count == 1) scoreTile<K, One>(scores, codes, keys, headDim, states, step);
}

/**
 * Scores of one to four queries (Q). Eight tokens at a time: two vectors of keys and the queries' sums fit the registers,
 * so each load of a key serves all queries. The two sums of a query are stored side by side, and nothing stands between
 * the loads, so that V8's revectorizer packs them (docs/kernels.md, "256 bits").
 */
function scoreTile<K, Q>(scores: usize, codes: usize, keys: usize, headDim: i32, states: usize, step: usize): void {
  const keyStep = <usize>(2 * PAGE_TOKENS) * sizeof<K>(); // bytes from one pair of dims to the next
  const bytes = keyStep * <usize>(headDim >> 1);
  const state0 = changetype<QueryState>(states);
  const state1 = changetype<QueryState>(states + step);
  const state2 = changetype<QueryState>(states + 2 * step);
  const state3 = changetype<QueryState>(states + 3 * step);
  for (let token: usize = 0; token < <usize>PAGE_TOKENS; token += 8) {
    let key = keys + PAGE_TOKENS * 4 + 2 * token * sizeof<K>();
    const end = key + bytes;
    let pair = codes;
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    while (key < end) {
      const k0 = sizeof<K>() == 1 ? v128.load8x8_s(key) : v128.load(key);
      const k1 = sizeof<K>() == 1 ? v128.load8x8_s(key, 8) : v128.load(key, 16);
      const qa = v128.load32_splat(pair);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(qa, k0));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(qa, k1));
      if (has<Q>(2)) {
        const qb = v128.load32_splat(pair, 4);
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(qb, k0));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(qb, k1));
      }
      if (has<Q>(3)) {
        const qc = v128.load32_splat(pair, 8);
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(qc, k0));
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(qc, k1));
      }
      if (has<Q>(4)) {
        const qd = v128.load32_splat(pair, 12);
        d0 = i32x4.add(d0, i32x4.dot_i16x8_s(qd, k0));
        d1 = i32x4.add(d1, i32x4.dot_i16x8_s(qd, k1));
      }
      key += keyStep;
      pair += CODE_STEP;
    }
    const at = scores + 4 * token;
    const keyScales = keys + 4 * token;
    storeScores(at, keyScales, state0, a0, a1);
    if (has<Q>(2)) storeScores(at + PAGE_TOKENS * 4, keyScales, state1, b0, b1);
    if (has<Q>(3)) storeScores(at + PAGE_TOKENS * 8, keyScales, state2, c0, c1);
    if (has<Q>(4)) storeScores(at + PAGE_TOKENS * 12, keyScales, state3, d0, d1);
  }
}

/** Stores the scores of eight tokens. */
function storeScores(at: usize, keyScales: usize, state: QueryState, s0: v128, s1: v128): void {
  const factor = v128.load32_splat(changetype<usize>(state), offsetof<QueryState>("scale"));
  const r0 = f32x4.mul(f32x4.convert_i32x4_s(s0), f32x4.mul(v128.load(keyScales), factor));
  const r1 = f32x4.mul(f32x4.convert_i32x4_s(s1), f32x4.mul(v128.load(keyScales, 16), factor));
  v128.store(at, r0);
  v128.store(at, r1, 16);
}
