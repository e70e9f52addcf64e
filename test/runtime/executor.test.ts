/** Batches that are refused, and calls after dispose. */
import { describe, expect, it } from "vitest";
import type { Sequence } from "../../src/runtime/types.ts";
import { append, executor, fresh, PAGES, tokens } from "../helpers/small-executor.ts";

describe("a batch that is refused changes nothing", () => {
  const refusals: [name: string, code: string, run: (sequence: Sequence) => void][] = [
    [
      "token id beyond the vocabulary",
      "invalid_argument",
      (sequence) => executor.forward([{ sequence, tokens: [320], logits: "last" }]),
    ],
    [
      "negative token id",
      "invalid_argument",
      (sequence) => executor.forward([{ sequence, tokens: [-1], logits: "last" }]),
    ],
    [
      "too many tokens",
      "invalid_argument",
      (sequence) => executor.forward([{ sequence, tokens: tokens(65), logits: "last" }]),
    ],
    [
      "too many rows with logits",
      "invalid_argument",
      (sequence) => executor.forward([{ sequence, tokens: tokens(17), logits: "all" }]),
    ],
    [
      "a sequence twice",
      "invalid_argument",
      (sequence) =>
        executor.forward([
          { sequence, tokens: [1], logits: "last" },
          { sequence, tokens: [2], logits: "last" },
        ]),
    ],
    [
      "one good item, one bad",
      "invalid_argument",
      (sequence) =>
        executor.forward([
          { sequence, tokens: [1], logits: "last" },
          { sequence: executor.createSequence(), tokens: [999], logits: "last" },
        ]),
    ],
    [
      "beyond the context",
      "context_full",
      (sequence) => {
        append(sequence, tokens(246));
        try {
          append(sequence, tokens(1));
        } finally {
          sequence.truncate(10);
        }
      },
    ],
  ];
  it.each(refusals)("%s", (_, code, run) => {
    const sequence = executor.createSequence();
    append(sequence, tokens(10));
    expect(() => run(sequence)).toThrow(expect.objectContaining({ code }));
    expect(sequence.length).toBe(10);
    expect(executor.freePages).toBe(PAGES - 1);
    expect(append(sequence, [5])).toEqual(fresh([...tokens(10), 5]));
  });

  it("no pages left", () => {
    const first = executor.createSequence();
    const second = executor.createSequence();
    append(first, tokens(256));
    append(second, tokens(224));
    const third = executor.createSequence();
    append(third, tokens(32));
    expect(executor.freePages).toBe(0);
    expect(() => executor.forward([{ sequence: third, tokens: [1], logits: "last" }])).toThrow(
      expect.objectContaining({ code: "context_full", message: expect.stringContaining("more cacheTokens") }),
    );
    expect(third.length).toBe(32);
    first.dispose();
    expect(append(third, [1])).toEqual(fresh([...tokens(32), 1]));
  });

  it("too many sequences", () => {
    for (let i = 0; i < 4; i++) executor.createSequence();
    expect(() => executor.createSequence()).toThrow(
      expect.objectContaining({ code: "context_full", message: expect.stringContaining("more maxSequences") }),
    );
  });
});

describe("after dispose", () => {
  it("a sequence", () => {
    const sequence = executor.createSequence();
    sequence.dispose();
    sequence.dispose();
    for (const call of [
      () => executor.forward([{ sequence, tokens: [1], logits: "last" }]),
      () => sequence.fork(),
      () => sequence.truncate(0),
    ])
      expect(call).toThrow(expect.objectContaining({ code: "disposed" }));
  });

  it("the model", () => {
    executor.dispose();
    expect(() => executor.createSequence()).toThrow(expect.objectContaining({ code: "disposed" }));
  });
});
