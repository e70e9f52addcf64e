/**
 * Items that must differ: drawn texts have no equal items, and texts without equal items are read however they are
 * divided into tokens.
 */
import { describe, expect, it } from "vitest";
import { compileGrammar } from "../../../src/grammar/compile.ts";
import { Matcher } from "../../../src/grammar/matcher/matcher.ts";
import { TokenMasks } from "../../../src/grammar/matcher/token-masks.ts";
import { buildTokenTrie } from "../../../src/grammar/matcher/token-trie.ts";
import { accepts, drawText, hasToken, PiecesTokenizer, random } from "../random-text.ts";

const unique = (items: object, more: object = {}) =>
  compileGrammar({ kind: "schema", schema: { type: "array", items, uniqueItems: true, ...more } });
const tokenizer = new PiecesTokenizer([
  '","',
  '["',
  '", "',
  '"a"',
  '"a","b"',
  "[1",
  "1,",
  ",1",
  '"a",',
  'a"',
  'b", "a"',
]);
const trie = buildTokenTrie(tokenizer);

/** Whether each token of one division of a text is in the mask, longest tokens first, and the text may end. */
function allows(masks: TokenMasks, text: string): boolean {
  const byText = new Map(Array.from({ length: tokenizer.vocabSize }, (_, id) => [tokenizer.token(id), id]));
  let state = masks.matcher.start;
  for (let at = 0; at < text.length; ) {
    let length = 8;
    while (length > 1 && !byText.has(text.slice(at, at + length))) length--;
    for (; length > 0; length--) {
      const id = length === 1 ? text.charCodeAt(at) : byText.get(text.slice(at, at + length));
      if (id === undefined || !hasToken(masks.mask(state), id)) continue;
      state = masks.read(state, id);
      at += length;
      break;
    }
    if (length === 0) return false;
  }
  return state.mayEnd;
}

describe("items that must differ", () => {
  it.each([
    [
      { type: "string" },
      ['["a","b"]', '["a", "b", "ab", ""]', "[]", '["\\n"]'],
      ['["a","a"]', '["a", "b", "a"]', '["",""]'],
    ],
    [{ type: "integer" }, ["[1,2]", "[1, 11, 111]", "[-1,1,0]"], ["[1,1]", "[1, 2, 1]", "[-0]", "[10,1,10]"]],
    [{ type: ["string", "null", "boolean"] }, ['["a",null,true,"null"]'], ["[null,null]", "[true, true]"]],
    [{ type: "string", pattern: "^[ab]{1,2}$" }, ['["a","b","aa","ab","ba","bb"]'], ['["a","b","a"]', '["aa","aa"]']],
    [{ anyOf: [{ type: "integer", minimum: 0, maximum: 9 }, { enum: ["x"] }] }, ['[1,"x",2]'], ['["x","x"]', "[1,1]"]],
  ])("%j", (items, accepted, rejected) => {
    const grammar = unique(items);
    const masks = new TokenMasks(new Matcher(grammar), trie);
    for (const text of accepted)
      expect([text, accepts(grammar, text), allows(masks, text)]).toEqual([text, true, true]);
    for (const text of rejected)
      expect([text, accepts(grammar, text), allows(masks, text)]).toEqual([text, false, false]);
    const next = random(3);
    for (let i = 0; i < 20; i++) {
      const drawn = drawText(grammar, next, 30, tokenizer, trie);
      if (!drawn.complete) continue;
      const values = JSON.parse(new TextDecoder().decode(drawn.bytes)) as unknown[];
      expect(new Set(values.map((value) => JSON.stringify(value))).size).toBe(values.length);
    }
  });

  it("end where no other text is left", () => {
    const grammar = unique({ type: "string", pattern: "^[ab]$" }, { minItems: 2 });
    const masks = new TokenMasks(new Matcher(grammar), trie);
    let state = masks.matcher.start;
    for (const char of '["a", "') state = masks.read(state, char.charCodeAt(0));
    const mask = masks.mask(state);
    expect(["a", "b"].map((char) => hasToken(mask, char.charCodeAt(0)))).toEqual([false, true]);
    for (const char of 'b"') state = masks.read(state, char.charCodeAt(0));
    expect(accepts(grammar, '["a", "b"]')).toBe(true);
  });

  it("stand in objects and in calls of functions, each list for itself", () => {
    const tags = { type: "array", items: { type: "string" }, uniqueItems: true };
    const parameters = { type: "object", properties: { a: tags, b: { type: "array", items: tags } }, required: ["a"] };
    const call = {
      kind: "calls",
      functions: [{ name: "f", parameters }],
      open: "",
      close: "",
      key: "p",
      separator: "",
    } as const;
    const grammar = compileGrammar(call);
    const text = (value: string) => `{"name": "f", "p": ${value}}`;
    expect(accepts(grammar, text('{"a": ["x", "y"], "b": [["x"], ["x"]]}'))).toBe(true);
    expect(accepts(grammar, text('{"a": ["x", "y", "x"]}'))).toBe(false);
    expect(accepts(grammar, text('{"a": [], "b": [["x", "x"]]}'))).toBe(false);
  });

  it("are refused where equal values have several texts", () => {
    expect(() => unique({ type: "number" })).toThrow("strings, integers and listed values");
    expect(() => unique({ type: "object" })).toThrow("strings, integers and listed values");
    expect(() => unique({ type: "string" }, { contains: { const: "a" } })).toThrow("beside prefixItems or contains");
  });
});
