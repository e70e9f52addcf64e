/** Sequences: forking, truncating, and the pages that they take. */
import { describe, expect, it } from "vitest";
import { append, executor, fresh, PAGES, tokens } from "../helpers/small-executor.ts";

describe("fork", () => {
  it.each([1, 31, 32, 33, 64, 100])("at length %i: both go on alone, with the bits of a fresh sequence", (length) => {
    const prompt = tokens(length);
    const parent = executor.createSequence();
    append(parent, prompt);
    const child = parent.fork();
    const ofParent = append(parent, tokens(5, 2));
    const ofChild = append(child, tokens(7, 3));
    const again = append(parent, [1]);
    expect(ofParent).toEqual(fresh([...prompt, ...tokens(5, 2)]));
    expect(ofChild).toEqual(fresh([...prompt, ...tokens(7, 3)]));
    expect(again).toEqual(fresh([...prompt, ...tokens(5, 2), 1]));
    parent.dispose();
    child.dispose();
    expect(executor.freePages).toBe(PAGES);
  });

  it("shares full pages, and copies a partial one only when it is written", () => {
    const parent = executor.createSequence();
    append(parent, tokens(40));
    expect(executor.freePages).toBe(PAGES - 2);
    const child = parent.fork();
    expect(executor.freePages).toBe(PAGES - 2);
    append(child, [1]);
    expect(executor.freePages).toBe(PAGES - 3);
    append(parent, [1]); // nobody else has that page any more
    expect(executor.freePages).toBe(PAGES - 3);
  });
});

describe("truncate", () => {
  it.each([0, 1, 32, 40, 63])("to %i: goes on with the bits of a fresh sequence", (length) => {
    const prompt = tokens(80);
    const sequence = executor.createSequence();
    append(sequence, prompt);
    sequence.truncate(length);
    expect(sequence.length).toBe(length);
    expect(executor.freePages).toBe(PAGES - Math.ceil(length / 32));
    expect(append(sequence, tokens(3, 5))).toEqual(fresh([...prompt.slice(0, length), ...tokens(3, 5)]));
  });

  it.each([-1, 81, 1.5, Number.NaN])("to %f is refused", (length) => {
    const sequence = executor.createSequence();
    append(sequence, tokens(80));
    expect(() => sequence.truncate(length)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });
});
