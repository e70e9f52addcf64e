/**
 * What a template may cost. A template comes with a downloaded model file, so it is untrusted code: it may use a
 * number of steps, and its strings, lists and integers have bounds. Every check runs before the work it is about.
 * @module
 */
import { fail } from "./errors.ts";

/** Characters of a template. The largest public templates (tool use, many roles) have about 20,000. */
export const MAX_SOURCE: number = 128 * 1024;
/** UTF-16 units of a string, and of the rendered prompt. */
const MAX_STRING: number = 4 * 1024 * 1024;
/** Elements of a list, and of a `range()`, where Jinja2's sandbox has the same bound. */
export const MAX_LIST = 100_000;
/** Steps of one rendering: one per evaluated node, element, and 64 characters. A step takes about 0.1 us. */
const MAX_STEPS = 1_000_000;
/** Levels of nested expressions, blocks, macro calls and values together; 1,500 would overflow the stack of Node 20. */
export const MAX_DEPTH = 400;
/** Decimal digits of an integer: CPython prints no longer one either. */
export const MAX_DIGITS = 4300;
const MAX_BITS = 14_284; // 10 ** 4300

export class Budget {
  #steps = MAX_STEPS;
  #depth = 0;

  spend(steps: number): void {
    this.#steps -= steps;
    if (!(this.#steps >= 0)) fail(`takes more than ${MAX_STEPS} steps`);
  }

  /** A string of that length is about to be made. */
  string(length: number): void {
    if (length > MAX_STRING) fail(`a string grows beyond ${MAX_STRING} characters`);
    this.spend(length / 64);
  }

  /** A string has reached that length, with a new part of it. */
  grow(length: number, part: number): void {
    if (length > MAX_STRING) fail(`a string grows beyond ${MAX_STRING} characters`);
    this.spend(1 + part / 64);
  }

  /** A list of that many elements is about to be made. */
  list(length: number): void {
    if (length > MAX_LIST) fail(`a list grows beyond ${MAX_LIST} elements`);
    this.spend(length);
  }

  /** An integer of that many bits is about to be made. */
  integer(bits: number): void {
    if (bits > MAX_BITS) fail(`an integer grows beyond ${MAX_DIGITS} digits`);
    this.spend((bits * bits) / 1e6);
  }

  /** `part` is about to be searched in `text`: at worst it is compared at every place. */
  search(text: string, part: string): void {
    this.spend(text.length / 64 + (part.length <= text.length ? (text.length * part.length) / 1024 : 0));
  }

  /** One level deeper. An error ends the rendering, so `leave` needs no `finally`. */
  enter(): void {
    if (++this.#depth > MAX_DEPTH) fail(`nests deeper than ${MAX_DEPTH} levels`);
    this.spend(1);
  }

  leave(): void {
    this.#depth--;
  }
}
