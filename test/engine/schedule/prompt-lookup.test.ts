import { describe, expect, it } from "vitest";
import { PromptLookup } from "../../../src/engine/schedule/prompt-lookup.ts";
import { stopwatch } from "../../helpers/stopwatch.ts";

const VOCAB = 3000;
const each = (cost: number) => (count: number) => count * cost;
const CHEAP = each(0.01);
/** The price of tiles of four rows: three more rows cost half a step. */
const tiles = (count: number) => (count === 0 ? 0 : 0.7 * Math.ceil((1 + count) / 4) - 0.2);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Feeds `answer` as a model would. Returns the number of steps and the length of each draft. */
function run(tokens: number[], answer: readonly number[], { max = 16, limit = Infinity, price = each(1 / 3) } = {}) {
  const lookup = new PromptLookup(tokens, VOCAB, { max });
  const drafts: number[] = [];
  for (let at = 0; at < answer.length; ) {
    const draft = lookup.propose(Math.min(limit, answer.length - at - 1), price);
    drafts.push(draft.length);
    for (let i = 0; i <= draft.length; i++) {
      const id = answer[at++]!;
      tokens.push(id);
      lookup.account.confirm(id);
      if (id !== draft[i]) break;
    }
  }
  return { lookup, drafts, steps: drafts.length };
}

describe("drafts", () => {
  it("go on where the last tokens stood before, shorter than what matches", () => {
    const propose = (tokens: number[], limit = 16, max = 16) =>
      new PromptLookup(tokens, VOCAB, { max }).propose(limit, CHEAP);
    expect(propose([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4])).toEqual([5, 6, 7]);
    expect(propose([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4], 2)).toEqual([5, 6]);
    expect(propose([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4], 16, 1)).toEqual([5]);
    expect(propose([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4], 0)).toEqual([]);
    expect(propose([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4], -1)).toEqual([]);
    expect(propose([...range(0, 50), ...range(0, 30)])).toEqual(range(30, 46));
    expect(propose([1, 2, 3, 9, 1, 2, 3])).toEqual([]); // three tokens are no match
    for (const none of [[], [1], [1, 1], [1, 2], [1, 2, 3], [1, 1, 1, 1]]) expect(propose(none)).toEqual([]);
  });

  it("after the longest match, of equals the latest", () => {
    const propose = (tokens: number[]) => new PromptLookup(tokens, VOCAB, { max: 16 }).propose(16, CHEAP);
    expect(propose([5, 6, 7, 8, 9, 1, 2, 3, 4, 6, 7, 8, 9, 2, 5, 6, 7, 8, 9])).toEqual([1, 2, 3, 4]);
    expect(propose([6, 7, 8, 9, 1, 1, 1, 6, 7, 8, 9, 2, 2, 2, 6, 7, 8, 9])).toEqual([2, 2, 2]);
  });

  it("add tokens as long as the price stays the same", () => {
    const tokens = [...range(0, 50), 900, ...range(20, 24)];
    expect(new PromptLookup(tokens, VOCAB, { max: 16 }).propose(16, CHEAP)).toEqual(range(24, 27));
    expect(new PromptLookup(tokens, VOCAB, { max: 16 }).propose(16, (count) => 0.1 * Math.ceil(count / 5))).toEqual(
      range(24, 29),
    );
    expect(new PromptLookup(tokens, VOCAB, { max: 16 }).propose(4, (count) => 0.1 * Math.ceil(count / 5))).toEqual(
      range(24, 28),
    );
    expect(new PromptLookup(tokens, VOCAB, { max: 16 }).propose(16, tiles)).toEqual(range(24, 27));
    expect(new PromptLookup(tokens, VOCAB, { max: 16 }).propose(16, (count) => (count > 0 ? 1 : 0))).toEqual([]); // too expensive
  });

  it("continue with their own output at the end of the text", () => {
    const tokens = [1, ...range(0, 20).flatMap(() => [5, 6])];
    expect(new PromptLookup(tokens, VOCAB, { max: 16 }).propose(16, CHEAP)).toEqual(range(0, 8).flatMap(() => [5, 6]));
  });

  it("look at a bounded number of places: 100,000 equal tokens take no time", () => {
    const tokens = new Array<number>(100_000).fill(3);
    const seconds = stopwatch();
    const { lookup } = run(tokens, new Array<number>(20_000).fill(3));
    expect(lookup.account.accepted).toBeGreaterThan(18_000);
    expect(seconds()).toBeLessThan(2);
  });
});

describe("the purse", () => {
  it("grows with correct drafts: a copy soon takes steps of 17 tokens", () => {
    const { drafts, lookup, steps } = run([...range(0, 300), ...range(0, 4)], range(4, 300), { price: tiles });
    expect(drafts[0]).toBe(3);
    expect(Math.max(...drafts)).toBe(16);
    expect(steps).toBeLessThan(25);
    expect(lookup.account.drafted).toBe(lookup.account.accepted);
    expect(lookup.account.accepted).toBe(296 - steps);
    const dear = run([...range(0, 300), ...range(0, 4)], range(4, 300), { price: each(1 / 3) });
    expect(dear.drafts[0]).toBe(1);
    expect(Math.max(...dear.drafts)).toBe(12); // the budget holds 4 steps
  });

  it("runs out where drafts are wrong: at most 0.6 steps and 1 % are lost", () => {
    const unique = range(0, 2000).map((i) => (i % 5 ? i % 5 : 10 + i)); // 1 2 3 4 x, 1 2 3 4 y
    const random = range(0, 2000).map((i) => (Math.imul(i + 1, 0x9e3779b1) >>> 16) % 3);
    for (const price of [each(0.1), each(1 / 3), each(0.8), tiles]) {
      for (const answer of [unique, random]) {
        const { lookup, drafts, steps } = run([], answer, { price });
        expect(lookup.account.drafted).toBeGreaterThan(10);
        const paid = drafts.reduce((sum, count) => sum + price(count), 0);
        expect(paid).toBeLessThanOrEqual(0.6 + 0.01 * steps + lookup.account.accepted);
        expect(steps).toBe(answer.length - lookup.account.accepted);
        if (answer === unique) expect(lookup.account.accepted).toBe(0);
        else expect(lookup.account.accepted).toBeGreaterThan(0);
      }
    }
  });

  it("recovers where text begins to repeat", () => {
    const tokens = [...range(100, 400)];
    const noise = range(0, 300).flatMap((i) => [1, 2, 3, 4, 500 + i]);
    const { lookup, steps } = run(tokens, [...noise, ...range(100, 400)]);
    expect(lookup.account.accepted).toBeGreaterThan(240);
    expect(steps).toBeLessThan(noise.length + 60);
  });

  it("never more than asked, and nothing with 0", () => {
    expect(Math.max(...run([...range(0, 300), ...range(0, 4)], range(4, 300), { limit: 2, price: tiles }).drafts)).toBe(
      2,
    );
    const { lookup } = run([...range(0, 300), ...range(0, 4)], range(4, 300), { max: 0 });
    expect([lookup.account.drafted, lookup.account.accepted]).toEqual([0, 0]);
  });
});
