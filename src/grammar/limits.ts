/**
 * What a grammar, schema or pattern may cost. They come with requests, so nobody is trusted (reliability.md E4).
 * @module
 */
import { NibbleError } from "../base/errors.ts";

/** UTF-16 units of a grammar or pattern. */
export const MAX_SOURCE: number = 1 << 16;
/** Nested groups, schemas, values. */
export const MAX_DEPTH = 64;
export const MAX_RULES = 4096;
/** Alternatives of one choice. */
export const MAX_ALTERNATIVES = 4096;
/** A finite number of repetitions. */
export const MAX_REPEAT = 2000;
/** Nodes of a compiled grammar, and its edges. About 40 and 16 bytes each. */
export const MAX_NODES = 60_000;
export const MAX_EDGES = 400_000;
/** States of one deterministic automaton over characters. */
export const MAX_DFA_STATES = 4096;
/** Ways that a text can be read at one place: grammars that are more ambiguous are refused when it happens. */
export const MAX_ITEMS = 10_000;

/** Steps (an edge of an automaton, mostly) of one compilation, 0.4 us each: bounds its time to about 100 ms. */
const MAX_WORK = 250_000;
/** Steps of the machine for one token's mask, besides its walk: about 150 ms. JSON of any kind takes 30,000. */
export const MAX_TOKEN_WORK = 300_000;

/** A compilation never waits in the middle, so one count serves all. */
let work = 0;

/** Begins a compilation. */
export function startWork(): void {
  work = 0;
}

/** @throws NibbleError `invalid_argument` when a compilation takes too long */
export function spend(steps: number): void {
  work += steps;
  if (work > MAX_WORK) throw grammarError("grammar: expected a simpler one, got one that takes too long to compile");
}

/** The error of this folder. The message says what was expected and what came. */
export function grammarError(message: string): NibbleError {
  return new NibbleError("invalid_argument", message);
}

/** @throws NibbleError `invalid_argument` if `value` is above `limit` */
export function checkLimit(what: string, value: number, limit: number): void {
  if (value > limit) throw grammarError(`${what}: expected at most ${limit}, got ${value}`);
}
