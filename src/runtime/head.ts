/**
 * The LM head for some tokens: the last product of a program, for a part of its rows. Each logit is a sum of its own, so its
 * bits are those of the whole product. Weights lie in groups of rows, and whole groups are computed.
 * @module
 */
import { GROUP_ROWS } from "./layout.ts";
import { OPERATION_WORDS, OPERATIONS, operationWord } from "./operations.ts";
import type { Program } from "./program.ts";

/** Groups from `from` to `to`, which lie one after the other. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** Above this share of the groups the whole product runs, on all threads. */
const MOST = 1 / 4;

export class Head {
  /** The operations of the head but the last one, which is the product. */
  private readonly first: number;
  private readonly last: number;
  private readonly words: Int32Array;
  private readonly groups: number;
  private readonly groupBytes: number;

  /** @param words the operations of the first thread, as they lie in memory */
  private constructor(program: Program, words: Int32Array) {
    this.first = program.hidden.operations;
    this.last = program.operations - 1;
    this.words = words.subarray(this.last * OPERATION_WORDS, program.operations * OPERATION_WORDS);
    this.groups = this.words[operationWord("matmul", "groups")]!;
    const [weight] = program.inputs.at(-1)!.weights;
    this.groupBytes = program.weights.placement(weight!).bytes / this.groups;
  }

  /** Undefined if something follows the product, such as an adapter of the head. */
  static of(program: Program, words: Int32Array): Head | undefined {
    const codes = Array.from(
      { length: program.operations - program.hidden.operations },
      (_, i) => words[(program.hidden.operations + i) * OPERATION_WORDS + operationWord("matmul", "code")],
    );
    const isProduct = codes.pop() === OPERATIONS.matmul.code && program.inputs.at(-1)!.weights.length === 1;
    const prepares = codes.every((code) => code === OPERATIONS.quantize.code);
    return program.generates && isProduct && prepares ? new Head(program, words) : undefined;
  }

  /** The groups of some tokens, neighbours together; undefined if they are too many to gain anything. */
  ranges(tokens: readonly number[]): readonly Range[] | undefined {
    const groups = [...new Set(tokens.map((id) => Math.floor(id / GROUP_ROWS)))].sort((a, b) => a - b);
    if (groups.length > MOST * this.groups) return undefined;
    const ranges: Range[] = [];
    for (const group of groups) {
      const before = ranges.at(-1);
      if (before?.to === group) ranges[ranges.length - 1] = { from: before.from, to: group + 1 };
      else ranges.push({ from: group, to: group + 1 });
    }
    return ranges;
  }

  /** Runs the head for these groups. @param run runs some operations, on one thread */
  run(ranges: readonly Range[], run: (from: number, to: number) => void): void {
    const { words } = this;
    const [dst, weights, groups] = (["dst", "weights", "groups"] as const).map((field) =>
      operationWord("matmul", field),
    );
    const whole = words.slice();
    run(this.first, this.last);
    try {
      for (const { from, to } of ranges) {
        words[dst!] = whole[dst!]! + from * GROUP_ROWS * 4;
        words[weights!] = whole[weights!]! + from * this.groupBytes;
        words[groups!] = to - from;
        run(this.last, this.last + 1);
      }
    } finally {
      words.set(whole);
    }
  }
}
