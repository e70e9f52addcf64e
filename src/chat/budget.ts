/**
 * What a render may cost: a number of steps, and bounds on strings and lists.
 * Every check runs before the operation it is about.
 * @module
 */
import type { Value } from "./jinja.ts";
import { MAX_LIST, MAX_STEPS, MAX_STRING, templateError } from "./limits.ts";
import { elements, type Size, sizeOf } from "./sizes.ts";

/** Comparisons per element of a sort of MAX_LIST elements. */
export const SORT = 16;

export class Budget {
  #steps: number = MAX_STEPS;

  /** @throws NibbleError `template_error` when no steps are left. */
  spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw templateError(`takes more than ${MAX_STEPS} steps`);
  }

  /** A string of that length is about to be made. */
  string(length: number): void {
    if (length > MAX_STRING) throw templateError(`a string grows beyond ${MAX_STRING} characters`);
  }

  /** A list of that many elements is about to be made. */
  list(length: number): void {
    if (length > MAX_LIST) throw templateError(`a list grows beyond ${MAX_LIST} elements`);
  }

  /** All of a nested value is about to be written out. */
  deep(value: Value): Size {
    const size = sizeOf(value);
    this.list(size.nodes);
    this.string(size.chars);
    this.spend(size.nodes + (size.chars >> 6));
    return size;
  }

  /** `part` is about to be searched in `text`: engines fall back to comparing at every place. */
  find(text: string, part: string): void {
    if (part.length <= text.length) this.spend((text.length * part.length) / 1024);
  }

  split(text: string, separator: unknown): void {
    let parts = 1;
    if (typeof separator === "string" && separator !== "") {
      parts += this.#occurrences(text, separator);
    } else {
      this.spend(text.length >> 4);
      for (const _ of text.matchAll(/\S+/g)) if (++parts > MAX_LIST) break;
    }
    this.list(parts);
    this.spend(parts);
  }

  replace(text: string, old: unknown, replacement: unknown): void {
    if (typeof old !== "string" || typeof replacement !== "string") return; // the library says what is wrong
    this.spend(old.length); // the library makes a regular expression of it
    const count = old === "" ? text.length + 1 : this.#occurrences(text, old);
    this.spend(count);
    this.string(text.length + count * (replacement.length - old.length));
  }

  filter(name: string, operand: Value, args: readonly Value[]): void {
    const { value } = operand;
    switch (name) {
      case "default":
      case "first":
      case "last":
      case "length":
      case "safe":
        break;
      case "tojson":
        this.#json(this.deep(operand), args);
        break;
      case "join":
        this.#join(operand, args);
        break;
      case "indent":
        if (typeof value === "string") this.#indent(value, args);
        break;
      case "replace":
        if (typeof value === "string") this.replace(value, args[0]?.value, args[1]?.value);
        break;
      case "string":
        if (typeof value === "object" && value !== null) this.deep(operand);
        break;
      case "sort":
      case "dictsort":
        this.spend((elements(operand) + (this.deep(operand).chars >> 6)) * SORT * pathCost(args));
        break;
      default:
        this.spend(elements(operand) * pathCost(args));
    }
  }

  #json({ nodes, chars, depth }: Size, args: readonly Value[]): void {
    let perNode = 8;
    for (const { value } of args) {
      if (typeof value === "number") perNode += Math.max(0, value) * (depth + 1);
      if (Array.isArray(value)) for (const item of value as Value[]) perNode += String(item.value).length;
    }
    const bound = nodes * perNode + 6 * chars; // a control character becomes six
    this.string(bound / 8);
    this.spend(bound / 64);
  }

  #join(operand: Value, args: readonly Value[]): void {
    const separator = args.reduce((sum, { value }) => sum + (typeof value === "string" ? value.length : 0), 0);
    if (typeof operand.value === "string") {
      this.spend(operand.value.length >> 2);
      this.string(operand.value.length * (1 + separator));
    } else {
      this.string(this.deep(operand).chars + elements(operand) * separator);
    }
  }

  #indent(text: string, args: readonly Value[]): void {
    const lines = this.#occurrences(text, "\n") + 1;
    const width = args.reduce((sum, { value }) => sum + (typeof value === "number" ? Math.max(0, value) : 0), 4);
    this.list(lines);
    this.spend(lines);
    this.string(text.length + lines * width);
  }

  #occurrences(text: string, part: string): number {
    this.find(text, part);
    let count = 0;
    for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
    return count;
  }
}

/** `map`, `sort` and `selectattr` split an attribute path at its dots, for every element. */
function pathCost(args: readonly Value[]): number {
  return args.reduce((cost, { value }) => cost + (typeof value === "string" ? value.length >> 5 : 0), 1);
}
