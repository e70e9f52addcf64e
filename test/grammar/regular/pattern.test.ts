/** Patterns against the host's RegExp, which never sees a user's pattern in src. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileGrammar } from "../../../src/grammar/compile.ts";
import { startWork } from "../../../src/grammar/limits.ts";
import type { CompiledGrammar } from "../../../src/grammar/network/compiled-grammar.ts";
import { type Dfa, matches } from "../../../src/grammar/regular/dfa.ts";
import { anywhere, parsePattern } from "../../../src/grammar/regular/pattern.ts";
import { patternDfa } from "../../../src/grammar/regular/pattern-dfa.ts";
import { accepts, drawText, random } from "../random-text.ts";

const CHARS = ["a", "b", "c", "0", "_", " ", "-", "é", "日", "😀", "\n", "."];

const { pattern } = fc.letrec<{ pattern: string; term: string }>((tie) => ({
  atom: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom(
        "a",
        "b",
        "c",
        "0",
        "_",
        "é",
        "日",
        "😀",
        "\\.",
        "\\/",
        "\\n",
        "\\u00e9",
        "\\x61",
        "\\cJ",
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom("\\p{L}", "\\P{Letter}", "[\\p{N}_]", "\\p{Script=Han}") },
    { weight: 3, arbitrary: fc.constantFrom(".", "\\d", "\\w", "\\s", "\\D", "\\W", "\\S") },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        "[ab]",
        "[^ab]",
        "[a-c]",
        "[^\\d]",
        "[\\w-]",
        "[é-日]",
        "[^a-z😀]",
        "[\\s.]",
        "[]",
        "[^]",
      ),
    },
    { weight: 2, arbitrary: tie("group") },
  ),
  group: fc
    .tuple(fc.constantFrom("(", "(?:", "(?<n>"), tie("pattern"))
    .map(([open, inner]) => (open === "(?<n>" ? `(?:${inner})` : `${open}${inner})`)),
  lookahead: fc.tuple(fc.constantFrom("(?=", "(?!"), tie("pattern")).map(([open, inner]) => `${open}${inner})`),
  term: fc
    .tuple(
      tie("atom") as fc.Arbitrary<string>,
      fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "{0}"),
    )
    .map(([atom, count]) => atom + count),
  anchor: fc.constantFrom("^", "$"),
  sequence: fc
    .array(
      fc.oneof(
        { weight: 8, arbitrary: tie("term") as fc.Arbitrary<string> },
        { weight: 1, arbitrary: tie("anchor") as fc.Arbitrary<string> },
        { weight: 1, arbitrary: tie("lookahead") as fc.Arbitrary<string> },
      ),
      { maxLength: 4 },
    )
    .map((terms) => terms.join("")),
  pattern: fc.oneof(
    { maxDepth: 3 },
    tie("sequence") as fc.Arbitrary<string>,
    fc.tuple(tie("sequence"), tie("pattern")).map((parts) => parts.join("|")),
  ),
}));

const text = fc.array(fc.constantFrom(...CHARS), { maxLength: 8 }).map((chars) => chars.join(""));

/** Some are refused as too large: windows of any characters, which need a state for each subset of places. */
function build(source: string): [whole: Dfa, within: Dfa] {
  startWork();
  try {
    return [patternDfa(parsePattern(source)), patternDfa(anywhere(parsePattern(source)))];
  } catch (error) {
    expect(String(error)).toMatch(/simpler|states/);
    return fc.pre(false) as never;
  }
}

describe("patterns", () => {
  it("match what RegExp matches: whole texts, and somewhere in a text", () => {
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 5, maxLength: 12 }), (source, texts) => {
        const [whole, within] = build(source);
        const [wholly, somewhere] = [new RegExp(`^(?:${source})$`, "u"), new RegExp(source, "u")];
        for (const candidate of texts) {
          expect(matches(whole, candidate), `${source} ${candidate}`).toBe(wholly.test(candidate));
          expect(matches(within, candidate), `${source} ${candidate}`).toBe(somewhere.test(candidate));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("as grammars: drawn texts match, and matching texts are read byte by byte", () => {
    const next = random(11);
    fc.assert(
      fc.property(pattern, fc.array(text, { maxLength: 6 }), (source, texts) => {
        const wholly = new RegExp(`^(?:${source})$`, "u");
        let grammar: CompiledGrammar;
        try {
          grammar = compileGrammar({ kind: "regex", pattern: source });
        } catch (error) {
          fc.pre(!/simpler|states/.test(String(error)));
          for (const candidate of texts) expect(wholly.test(candidate), source).toBe(false);
          return;
        }
        for (const candidate of texts) expect(accepts(grammar, candidate)).toBe(wholly.test(candidate));
        const drawn = drawText(grammar, next, 20);
        if (drawn.complete)
          expect(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(drawn.bytes)).toMatch(wholly);
      }),
      { numRuns: 80 },
    );
  });

  it.each([
    ["(?P<year>\\d+)\\_\\@", "12_@", "12"],
    ["\\Aab\\Z|\\Ac\\z", "ab", "abc"],
    ["\\\"q\\'", "\"q'", "q"],
  ])("take what Python writes: %s", (source, accepted, rejected) => {
    const dfa = patternDfa(parsePattern(source));
    expect([matches(dfa, accepted), matches(dfa, rejected)]).toEqual([true, false]);
  });

  it.each([
    ["(?i)a", "flags"],
    ["(?=a)*", "lookahead"],
    ["(?<!a)b", "lookbehind"],
    ["(a)\\1", "\\1"],
    ["\\bword", "\\b"],
    ["\\p{Nothing}", "no Unicode property"],
    ["\\p{L", "} of a Unicode property"],
    ["\\p{L}}", "bracket that closes nothing"],
    ["a**", "one quantifier"],
    ["*a", "something to repeat"],
    ["(a", ") of a group"],
    ["a)", "end of the pattern"],
    ["[a", "] of a class"],
    ["[b-a]", "in order"],
    ["a{3,1}", "min at most max"],
    ["a{99999}", "at most 2000"],
    ["\\u{110000}", "code point"],
    ["(".repeat(100), "nested"],
    ["^*", "anchor"],
    ["a\\", "character after"],
  ])("refused: %s", (source, message) => {
    expect(() => parsePattern(source)).toThrow(message);
  });
});
