/** Masks against the matcher itself, token by token; states that are dropped and built again. */
import { describe, expect, it } from "vitest";
import { compileGrammar, type GrammarSource } from "../../../src/grammar/compile.ts";
import { Matcher } from "../../../src/grammar/matcher/matcher.ts";
import { TokenMasks } from "../../../src/grammar/matcher/token-masks.ts";
import { pieces, piecesTrie, random, tokensOf } from "../random-text.ts";

const gbnf = (source: string): GrammarSource => ({ kind: "gbnf", source });
const schema = (value: object): GrammarSource => ({ kind: "schema", schema: value });

const SOURCES: readonly GrammarSource[] = [
  schema({ type: "object" }),
  schema({ type: "array", items: { type: "string", maxLength: 20 }, maxItems: 30 }),
  schema({
    type: "object",
    properties: { foo: { type: "string" }, bar: { type: "array", items: { type: "number" } } },
  }),
  schema({
    anyOf: [
      { type: "string", pattern: "^a" },
      { type: "array", items: { $ref: "#" } },
    ],
  }),
  gbnf('root ::= expr\nexpr ::= term (("+" | "-") term)*\nterm ::= [0-9]+ | "(" expr ")"'),
  gbnf('root ::= s\ns ::= "a" s "b" | "" | s2\ns2 ::= "[" s "]" s?'),
  gbnf('root ::= (a | b)* "}"\na ::= [a-z]+\nb ::= [a-c] a?'), // ambiguous
  gbnf('root ::= "{" str{0,40} "}"\nstr ::= "\\"" char{0,30} "\\""\nchar ::= [^"\\\\] | "\\\\" ["\\\\n]'),
  { kind: "regex", pattern: "([a-c]{2,5}|é|日本?)*😀?" },
  { kind: "choice", texts: ["foo", "foobar", "foobarbaz", "日本"] },
];

describe("a mask has the tokens that the matcher can read", () => {
  it.each(SOURCES.map((source, i) => [i, source] as const))("%i", (_, source) => {
    const matcher = new Matcher(compileGrammar(source));
    const masks = new TokenMasks(matcher, piecesTrie);
    const next = random(3);
    for (let text = 0; text < 12; text++) {
      let state = matcher.start;
      for (let step = 0; step < 40; step++) {
        const found = tokensOf(masks.mask(state));
        const wanted: number[] = [];
        for (let id = 0; id < pieces.vocabSize; id++) {
          if (pieces.isSpecial(id)) continue;
          if (!matcher.isDead(matcher.read(state, pieces.tokenBytes(id)))) wanted.push(id);
        }
        expect(found).toEqual(wanted);
        if (found.length === 0) break;
        state = matcher.read(state, pieces.tokenBytes(found[Math.floor(next() * found.length)]!));
      }
    }
  });
});

describe("the matcher's table of states", () => {
  it("is dropped when it is too large, and the text goes on", () => {
    const matcher = new Matcher(compileGrammar(gbnf('root ::= "(" root ")" root | "[" root "]" root | ""')), 300);
    const masks = new TokenMasks(matcher, piecesTrie);
    const next = random(5);
    let state = matcher.start;
    const depth: string[] = [];
    const text: string[] = [];
    for (let step = 0; step < 5000; step++) {
      const open = next() < 0.52 ? "([" : "";
      const char = open && depth.length < 200 ? open[Math.floor(next() * 2)]! : (depth.pop() ?? "(");
      if (char === "(" || char === "[") depth.push(char === "(" ? ")" : "]");
      text.push(char);
      const mask = masks.mask(state);
      if (((mask[char.charCodeAt(0) >> 5]! >> (char.charCodeAt(0) & 31)) & 1) === 0) throw new Error(text.join(""));
      state = matcher.read(state, Uint8Array.of(char.charCodeAt(0)));
    }
    expect(matcher.generation).toBeGreaterThan(0);
    for (const char of depth.toReversed()) state = matcher.read(state, Uint8Array.of(char.charCodeAt(0)));
    expect(state.mayEnd).toBe(true);
    expect(tokensOf(masks.mask(state)).map((id) => pieces.token(id))).toEqual(["(", "[", "[[", "[]"]);
  });
});
