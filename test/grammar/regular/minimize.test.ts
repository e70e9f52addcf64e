/** The smallest automaton accepts the same texts, and no two of its states agree. */
import { describe, expect, it } from "vitest";
import { matches } from "../../../src/grammar/regular/dfa.ts";
import { minimize } from "../../../src/grammar/regular/minimize.ts";
import { subtractDfa, textsDfa } from "../../../src/grammar/regular/operations.ts";
import { parsePattern } from "../../../src/grammar/regular/pattern.ts";
import { patternDfa } from "../../../src/grammar/regular/pattern-dfa.ts";
import { formatDfa } from "../../../src/grammar/schema/formats.ts";

describe("minimize", () => {
  it.each([
    ["(a|b)*abb", 4],
    ["(x|xx|xxx)*", 1],
    ["[a-z]+(-[a-z]+)*", 2],
    ["foo|bar|baz|boo", 6],
    ["\\p{L}+|[0-9]+", 3],
  ])("%s has %i states", (pattern, states) => {
    const dfa = patternDfa(parsePattern(pattern));
    const smallest = minimize(dfa);
    expect(smallest.accepts.length).toBe(states);
    expect(subtractDfa(dfa, smallest).accepts).toEqual([]);
    expect(subtractDfa(smallest, dfa).accepts).toEqual([]);
  });

  it("formats keep their texts", () => {
    const dfa = formatDfa("uri")!;
    const smallest = minimize(dfa);
    expect(smallest.accepts.length).toBeLessThan(dfa.accepts.length / 2);
    for (const text of ["https://a.b/c?d#e", "mailto:a@b.c", "http://", "/a", "urn:x:y"])
      expect(matches(smallest, text), text).toBe(matches(dfa, text));
  });

  it("the empty language and large automata stay as they are", () => {
    const none = textsDfa([]);
    expect(minimize(none)).toBe(none);
    const large = patternDfa(parsePattern("(ab){100}"));
    expect(minimize(large)).toBe(large);
  });
});
