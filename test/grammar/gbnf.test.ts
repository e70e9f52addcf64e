/** GBNF against equivalent patterns, and against hand-written readers. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileGrammar } from "../../src/grammar/compile.ts";
import { parseGbnf } from "../../src/grammar/gbnf.ts";
import { Matcher } from "../../src/grammar/matcher/matcher.ts";
import { TokenMasks } from "../../src/grammar/matcher/token-masks.ts";
import type { CompiledGrammar } from "../../src/grammar/network/compiled-grammar.ts";
import { accepts, drawText, hasToken, pieces, piecesTrie, random } from "./random-text.ts";

const gbnf = (source: string): CompiledGrammar => compileGrammar({ kind: "gbnf", source });

/** A grammar and a pattern of the same language: several rules, some in groups, some by name. */
interface Pair {
  gbnf: string;
  regex: string;
}
const join = (parts: readonly Pair[], gap: string, between: string): Pair => ({
  gbnf: parts.map((part) => part.gbnf).join(gap),
  regex: parts.map((part) => part.regex).join(between),
});
const atoms: readonly Pair[] = [
  { gbnf: '"a"', regex: "a" },
  { gbnf: '"ab"', regex: "(?:ab)" },
  { gbnf: "[a-c]", regex: "[a-c]" },
  { gbnf: "[^a\\n]", regex: "[^a\\n]" },
  { gbnf: "[\\x41-\\x43é]", regex: "[A-Cé]" },
  { gbnf: '"\\u65e5"', regex: "日" },
  { gbnf: '"\\"\\\\"', regex: '(?:"\\\\)' },
  { gbnf: '""', regex: "(?:)" },
  { gbnf: "word", regex: "(?:[a-z]b?)" },
  { gbnf: ".", regex: "[^]" },
];
const { pair } = fc.letrec<{ pair: Pair }>((tie) => ({
  group: (tie("pair") as fc.Arbitrary<Pair>).map((inner) => ({
    gbnf: `( ${inner.gbnf} )`,
    regex: `(?:${inner.regex})`,
  })),
  term: fc
    .tuple(
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...atoms) },
        { weight: 1, arbitrary: tie("group") as fc.Arbitrary<Pair> },
      ),
      fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,3}", "{0,}"),
    )
    .map(([part, count]) => ({ gbnf: part.gbnf + count, regex: `(?:${part.regex})${count}` })),
  sequence: fc
    .array(tie("term") as fc.Arbitrary<Pair>, { minLength: 1, maxLength: 4 })
    .map((terms) => join(terms, " ", "")),
  pair: fc
    .array(tie("sequence") as fc.Arbitrary<Pair>, { minLength: 1, maxLength: 3 })
    .map((parts) => join(parts, " |\n  ", "|")),
}));
const text = fc
  .array(fc.constantFrom("a", "b", "c", "ab", "A", "é", "日", '"\\', "\n", "z"), { maxLength: 7 })
  .map((parts) => parts.join(""));

describe("grammars", () => {
  it("match what RegExp matches where the language is regular", () => {
    const next = random(2);
    fc.assert(
      fc.property(pair, fc.array(text, { minLength: 4, maxLength: 10 }), (source, texts) => {
        const grammar = gbnf(`# made by a test\nroot ::= ${source.gbnf}\nword ::= [a-z] "b"? # a letter\n`);
        const regex = new RegExp(`^(?:${source.regex})$`, "u");
        for (const candidate of texts)
          expect(accepts(grammar, candidate), `${source.gbnf} ${candidate}`).toBe(regex.test(candidate));
        const drawn = drawText(grammar, next, 15);
        if (drawn.complete)
          expect(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(drawn.bytes)).toMatch(regex);
      }),
      { numRuns: 50 },
    );
  });

  it("match nested brackets, as a reader with a stack does", () => {
    const grammar = gbnf('root ::= item*\nitem ::= "(" root ")" | "[" root "]" | "a"');
    const balanced = (candidate: string) => {
      const stack: string[] = [];
      for (const char of candidate) {
        if (char === "(") stack.push(")");
        else if (char === "[") stack.push("]");
        else if (char !== "a" && stack.pop() !== char) return false;
      }
      return stack.length === 0;
    };
    const brackets = fc.string({ unit: fc.constantFrom("(", ")", "[", "]", "a"), maxLength: 10 });
    fc.assert(
      fc.property(brackets, (candidate) => {
        expect(accepts(grammar, candidate)).toBe(balanced(candidate));
      }),
      { numRuns: 300 },
    );
    expect(accepts(grammar, `${"([".repeat(2000)}${"])".repeat(2000)}`)).toBe(true);
  });

  it("palindromes and a^n b^n, which are ambiguous or not regular", () => {
    const palindrome = gbnf('root ::= "a" root "a" | "b" root "b" | [ab]?');
    const even = gbnf('root ::= ("a" root "b")?');
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 }), (candidate) => {
        expect(accepts(palindrome, candidate)).toBe(candidate === [...candidate].reverse().join(""));
        expect(accepts(even, candidate)).toBe(
          /^(a*)(b*)$/.test(candidate) && candidate.lastIndexOf("a") * 2 + 2 === candidate.length,
        );
      }),
    );
  });

  it("are written as llama.cpp's own examples are", () => {
    const arithmetic = gbnf(
      'root  ::= (expr "=" ws term "\\n")+\nexpr  ::= term ([-+*/] term)*\nterm  ::= ident | num | "(" ws expr ")" ws\nident ::= [a-z] [a-z0-9_]* ws\nnum   ::= [0-9]+ ws\nws    ::= [ \\t\\n]*',
    );
    expect(accepts(arithmetic, "(x1 +2) *y= 7\n")).toBe(true);
    expect(accepts(arithmetic, "x + = 7\n")).toBe(false);
    const list = gbnf(
      'root ::= item+\n\n# Excludes various line break characters\nitem ::= "- " [^\\r\\n\\x0b\\x0c\\x85\\u2028\\u2029]+ "\\n"',
    );
    expect(accepts(list, "- one\n- zwei ü\n")).toBe(true);
    const names = gbnf('root ::= a-rule\na-rule ::= (\n  "x" |\n  "y"\n)  B2\nB2 ::= "!"\n  | "?"');
    expect(accepts(names, "y?")).toBe(true);
  });

  it.each([
    ['root ::= "a', '" of a literal in line 1, column 13'],
    ["root = a", "::="],
    ['root ::= "a"\nroot ::= "b"', "one definition of rule root"],
    ['other ::= "a"', "no rule root"],
    ["root ::= missing", "no rule missing"],
    ['root ::= ("a"', ") of a group"],
    ["root ::= [a", "] of a class"],
    ["root ::= [z-a]", "in order"],
    ['root ::= "\\q"', "one of"],
    ['root ::= "a"{3,2}', "min at most max"],
    ['root ::= "a"{9999}', "at most 2000"],
    ['root ::= root "a" | "b"', "left recursion"],
    ['root ::= a\na ::= b?  a | "x"\nb ::= "b"', "left recursion"],
    ["root ::= root", "at least one text"],
    ['root ::= "a" root', "at least one text"],
    ['root ::= "\\ud800"', "of a character"],
    [`root ::= ${"(".repeat(70)}`, "nested"],
  ])("refused: %j", (source, message) => {
    expect(() => gbnf(source)).toThrow(message);
  });

  it("take several quantifiers from left to right, and a large greatest number for none, as llama.cpp does", () => {
    expect(accepts(gbnf('root ::= "a"{2}{2}?'), "aaaa")).toBe(true);
    expect(accepts(gbnf('root ::= "a"{2}{2}?'), "aaa")).toBe(false);
    expect(accepts(gbnf("root ::= [a]{0,5000}"), "a".repeat(6000))).toBe(true);
    expect(accepts(gbnf('root ::= "a\nb" [\n]'), "a\nb\n")).toBe(true);
  });

  it("name tokens, which are read as a whole", () => {
    const source = 'root ::= (<think> [a-z]+ </think> | !<[97]> "!") rest*\nrest ::= !</think> | "ab"';
    const masks = new TokenMasks(new Matcher(compileGrammar({ kind: "gbnf", source }, pieces)), piecesTrie);
    const [think, unthink] = [pieces.idOf("<think>")!, pieces.idOf("</think>")!];
    const start = masks.matcher.start;
    const first = masks.mask(start);
    expect([think, unthink, 97, 98, 257].map((id) => hasToken(first, id))).toEqual([true, true, false, true, true]);
    const inside = masks.read(start, think);
    const [letter] = pieces.idsOf("hello");
    expect([letter!, unthink, 33].map((id) => hasToken(masks.mask(inside), id))).toEqual([true, false, true]);
    const after = masks.read(masks.read(inside, letter!), unthink);
    expect(after.mayEnd).toBe(true);
    expect([unthink, think, 97, 0xff].map((id) => hasToken(masks.mask(after), id))).toEqual([false, true, true, true]);
    expect(masks.matcher.isDead(masks.read(start, 97))).toBe(true);
    expect(masks.read(masks.read(start, unthink), 33).mayEnd).toBe(true);
  });

  it.each([
    ["root ::= <none>", "no token <none>"],
    ["root ::= <[300000]>", "id of a token"],
    ["root ::= <[12>", "no token"],
    ["root ::= <think", "> of a token"],
    ["root ::= !a", "< of a token"],
  ])("refused: %j", (source, message) => {
    expect(() => parseGbnf(source, pieces)).toThrow(message);
    expect(() => parseGbnf("root ::= <think>")).toThrow("needs a vocabulary");
  });

  it("with limits on rules, alternatives and sizes", () => {
    expect(() => parseGbnf(`root ::= ${Array.from({ length: 5000 }, () => '"a"').join("|")}`)).toThrow("alternatives");
    expect(() => parseGbnf(`root ::= "a"\n${Array.from({ length: 4200 }, (_, i) => `r${i}::=[]`).join("\n")}`)).toThrow(
      "rules",
    );
    expect(() => parseGbnf(" ".repeat(70_000))).toThrow("length");
    expect(() => gbnf(`root ::= ${Array.from({ length: 40 }, () => "[^a]{0,2000}").join(" ")}`)).toThrow(
      /size|simpler/,
    );
    expect(accepts(gbnf('root ::= (("a"{2000}){2000}){2000}'), "a".repeat(5000))).toBe(false); // counted, not unrolled
  });
});
