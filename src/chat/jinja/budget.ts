/**
 * The limits of a template's work. A template comes with a downloaded model file, so it is untrusted code. It may use a
 * number of steps, and its strings, lists and integers have maximal sizes. Every check runs before the work it limits.
 * @module
 */
import { fail } from "./errors.ts";

/** Most characters of a template. The largest public templates (with tools and many roles) have about 20,000. */
export const MAX_SOURCE: number = 128 * 1024;
/** Most UTF-16 units of a string, and of the rendered prompt. */
const MAX_STRING: number = 4 * 1024 * 1024;
/** Most elements of a list, and of a `range()`, for which Jinja2's sandbox has the same limit. */
export const MAX_LIST = 100_000;
/** Most steps of one rendering. A step is an evaluated node, an element, or 64 characters. */
const MAX_STEPS = 1_000_000;
/**
 * Most levels of expressions, blocks, macro calls and values inside of each other. Measured: the stacks of Node 20 and 24
 * overflow at 1,135 levels or more.
 */
export const MAX_DEPTH = 400;
/** Most decimal digits of an integer. CPython refuses to print longer ones. */
export const MAX_DIGITS = 4300;
const MAX_BITS = 14_284; // 10 ** 4300

export class Budget {
  #steps = MAX_STEPS;
  #depth = 0;

  spend(steps: number): void {
    this.#steps -= steps;
    if (!(this.#steps >= 0)) fail(`takes more than ${MAX_STEPS} steps`);
  }

  /** Charges for a new string. */
  string(length: number): void {
    if (length > MAX_STRING) fail(`a string grows beyond ${MAX_STRING} characters`);
    this.spend(length / 64);
  }

  /** Charges for a new part of a string, which then has `length` characters. */
  grow(length: number, part: number): void {
    if (length > MAX_STRING) fail(`a string grows beyond ${MAX_STRING} characters`);
    this.spend(1 + part / 64);
  }

  /** Charges for a new list. */
  list(length: number): void {
    if (length > MAX_LIST) fail(`a list grows beyond ${MAX_LIST} elements`);
    this.spend(length);
  }

  /** Charges for a new integer. */
  integer(bits: number): void {
    if (bits > MAX_BITS) fail(`an integer grows beyond ${MAX_DIGITS} digits`);
    this.spend((bits * bits) / 1e6);
  }

  /** Charges for a search, which in the worst case compares `part` at every place of `text`. */
  search(text: string, part: string): void {
    this.spend(text.length / 64 + (part.length <= text.length ? (text.length * part.length) / 1024 : 0));
  }

  /** Begins a level. After an error the rendering is over, so `leave` needs no `finally`. */
  enter(): void {
    if (++this.#depth > MAX_DEPTH) fail(`nests deeper than ${MAX_DEPTH} levels`);
    this.spend(1);
  }

  leave(): void {
    this.#depth--;
  }
}
