import { describe, expect, it } from "vitest";
import { PromptLookup } from "../../src/engine/prompt-lookup.ts";

const VOCAB = 3000;
const CHEAP = 0.01;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Feeds `answer` as a model would; gives the steps and how long each draft was. */
function run(tokens: number[], answer: readonly number[], { max = 16, limit = Infinity, cost = 1 / 3 } = {}) {
  const lookup = new PromptLookup(tokens, VOCAB, max);
  const drafts: number[] = [];
  for (let at = 0; at < answer.length; ) {
    const draft = lookup.propose(Math.min(limit, answer.length - at - 1), cost);
    drafts.push(draft.length);
    for (let i = 0; i <= draft.length; i++) {
      const id = answer[at++]!;
      tokens.push(id);
      lookup.confirm(id);
      if (id !== draft[i]) break;
    }
  }
  return { lookup, drafts, steps: drafts.length };
}

describe("drafts", () => {
  it("go on where the last tokens stood before, shorter than what matches", () => {
    const propose = (tokens: number[], limit = 16, max = 16) =>
      new PromptLookup(tokens, VOCAB, max).propose(limit, CHEAP);
    expect(propose([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4])).toEqual([5, 6, 7]);
    expect(propose([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4], 2)).toEqual([5, 6]);
    expect(propose([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4], 16, 1)).toEqual([5]);
    expect(propose([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4], 0)).toEqual([]);
    expect(propose([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4], -1)).toEqual([]);
    expect(propose([...range(0, 50), ...range(0, 30)])).toEqual(range(30, 46));
    expect(propose([1, 2, 3, 9, 2])).toEqual([]); // one token is no match
    for (const none of [[], [1], [1, 1], [1, 2], [1, 2, 3]]) expect(propose(none)).toEqual([]);
  });

  it("after the longest match, of equals the latest", () => {
    const propose = (tokens: number[]) => new PromptLookup(tokens, VOCAB, 16).propose(16, CHEAP);
    expect(propose([7, 8, 9, 1, 8, 9, 2, 7, 8, 9])).toEqual([1, 8]);
    expect(propose([8, 9, 1, 8, 9, 2, 8, 9])).toEqual([2]);
  });

  it("read what they wrote where they reach the end", () => {
    const tokens = [1, ...range(0, 20).flatMap(() => [5, 6])];
    expect(new PromptLookup(tokens, VOCAB, 16).propose(16, CHEAP)).toEqual(range(0, 8).flatMap(() => [5, 6]));
  });

  it("look at a bounded number of places: 100,000 equal tokens take no time", () => {
    const tokens = new Array<number>(100_000).fill(3);
    const start = performance.now();
    const { lookup } = run(tokens, new Array<number>(20_000).fill(3));
    expect(lookup.accepted).toBeGreaterThan(18_000);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe("the purse", () => {
  it("grows with what comes true: a copy soon takes steps of 17 tokens", () => {
    const { drafts, lookup, steps } = run([...range(0, 300), 0, 1], range(2, 300));
    expect(drafts[0]).toBe(1);
    expect(Math.max(...drafts)).toBe(16 - 4); // the purse holds 4 steps at 1/3 each
    expect(steps).toBeLessThan(40);
    expect(lookup.drafted).toBe(lookup.accepted);
    expect(lookup.accepted).toBe(298 - steps);
    expect(run([...range(0, 300), 0, 1], range(2, 300), { cost: 0.2 }).steps).toBeLessThan(30);
  });

  it("runs out where drafts are wrong: at most half a step and 1 % are lost", () => {
    const unique = range(0, 2000).map((i) => (i % 3 ? i % 3 : 10 + i)); // 1 2 x, 1 2 y, 1 2 z
    const random = range(0, 2000).map((i) => (Math.imul(i + 1, 0x9e3779b1) >>> 16) % 9);
    for (const cost of [0.1, 1 / 3, 0.8]) {
      for (const answer of [unique, random]) {
        const { lookup, steps } = run([], answer, { cost });
        expect(lookup.drafted).toBeGreaterThan(10);
        expect(lookup.drafted * cost).toBeLessThanOrEqual(0.5 + 0.01 * steps + lookup.accepted);
        expect(steps).toBe(answer.length - lookup.accepted);
        if (answer === unique) expect(lookup.accepted).toBe(0);
        else expect(lookup.accepted).toBeGreaterThan(0);
      }
    }
  });

  it("recovers where text begins to repeat", () => {
    const tokens = [...range(100, 400)];
    const noise = range(0, 300).flatMap((i) => [1, 2, 500 + i]);
    const { lookup, steps } = run(tokens, [...noise, ...range(100, 400)]);
    expect(lookup.accepted).toBeGreaterThan(240);
    expect(steps).toBeLessThan(noise.length + 60);
  });

  it("never more than asked, and nothing with 0", () => {
    expect(Math.max(...run([...range(0, 300), 0, 1], range(2, 300), { limit: 2 }).drafts)).toBe(2);
    const { lookup } = run([...range(0, 300), 0, 1], range(2, 300), { max: 0 });
    expect([lookup.drafted, lookup.accepted]).toEqual([0, 0]);
  });
});
