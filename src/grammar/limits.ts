/**
 * Limits on the cost of grammars, schemas and patterns. They come with requests, so they are untrusted.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

/** UTF-16 code units of a grammar or pattern. */
export const MAX_SOURCE: number = 1 << 16;
/** How deep groups, schemas and values may be nested. */
export const MAX_DEPTH = 64;
export const MAX_RULES = 4096;
/** Alternatives of one choice. */
export const MAX_ALTERNATIVES = 4096;
/** The largest finite number of repetitions. */
export const MAX_REPEAT = 2000;
/** Nodes and edges of a compiled grammar. They take about 40 and 16 bytes each. */
export const MAX_NODES = 60_000;
export const MAX_EDGES = 400_000;
/** States of one deterministic automaton over characters. */
export const MAX_DFA_STATES = 4096;
/** The number of ways in which a text may be read. A grammar that exceeds it at some text is refused there. */
export const MAX_ITEMS = 10_000;

/** Steps of one compilation, 0.4 us each: this limits its time to about 100 ms. Most steps are an edge of an automaton. */
const MAX_WORK = 250_000;
/**
 * Steps of the matcher for one token's mask, besides the walk over the vocabulary: this limits their time to about 250 ms.
 * The grammar of all JSON takes 30,000; keys of up to four letters of any script (`^\p{L}{1,4}$`) take 301,000.
 */
export const MAX_TOKEN_WORK = 500_000;

/** The steps of the compilation in progress. A compilation is synchronous, so one counter is enough. */
let work = 0;

/** Begins a compilation. */
export function startWork(): void {
  work = 0;
}

/** @throws NibbleError `invalid_argument` if a compilation takes too many steps */
export function spend(steps: number): void {
  work += steps;
  if (work > MAX_WORK) throw grammarError("grammar: this takes too long to compile; write a simpler one");
}

/** The error of this folder. */
export function grammarError(message: string, cause?: unknown): NibbleError {
  return new NibbleError("invalid_argument", message, { cause });
}

/** @throws NibbleError `invalid_argument` if `value` is above `limit` */
export function checkLimit(what: string, value: number, limit: number): void {
  if (value > limit) throw grammarError(`${what}: expected at most ${limit}, got ${value}`);
}
