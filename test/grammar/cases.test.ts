/**
 * Schemas, grammars and patterns as clients send them, with whole texts that they must accept or reject. Expected values
 * come from the JSON Schema specification and llama.cpp's grammar parser.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compileGrammar, type GrammarSource } from "../../src/grammar/compile.ts";
import { Matcher } from "../../src/grammar/matcher/matcher.ts";
import { TokenMasks } from "../../src/grammar/matcher/token-masks.ts";
import { buildTokenTrie } from "../../src/grammar/matcher/token-trie.ts";
import { hasToken, PiecesTokenizer } from "./random-text.ts";

interface Case {
  readonly id: string;
  readonly schema?: unknown;
  readonly grammar?: string;
  readonly regex?: string;
  /** A text, or a sequence of tokens. */
  readonly accept?: readonly (string | readonly string[])[];
  readonly reject?: readonly (string | readonly string[])[];
  readonly refused?: boolean;
}

const cases = gunzipSync(readFileSync(new URL("../fixtures/json-schema/cases.jsonl.gz", import.meta.url)))
  .toString()
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Case);

/** Every text is a token, besides the bytes and `<think>` and `</think>`, which are special. */
function tokenizerOf({ accept = [], reject = [] }: Case): PiecesTokenizer {
  return new PiecesTokenizer([...new Set([...accept, ...reject].flat())].filter((text) => [...text].length > 1));
}

function sourceOf({ schema, grammar, regex }: Case, tokenizer: PiecesTokenizer): GrammarSource {
  if (schema !== undefined) return { kind: "schema", schema };
  if (regex !== undefined) return { kind: "regex", pattern: regex };
  const source = grammar!.replaceAll(/\{\{id:(.*?)\}\}/g, (_, text) =>
    String(tokenizer.encode(text, { addBos: false })[0]),
  );
  return { kind: "gbnf", source };
}

/** Whether the masks allow each token, and the text may end behind the last. */
function accepts(masks: TokenMasks, tokenizer: PiecesTokenizer, text: string | readonly string[]): boolean {
  let state = masks.matcher.start;
  for (const id of [text].flat().flatMap((token) => tokenizer.idsOf(token))) {
    if (!hasToken(masks.mask(state), id)) return false;
    state = masks.read(state, id);
  }
  return state.mayEnd;
}

describe("cases", () => {
  it.each(cases.map((each) => [each.id, each] as const))("%s", (_, each) => {
    const tokenizer = tokenizerOf(each);
    const compile = () => compileGrammar(sourceOf(each, tokenizer), tokenizer);
    if (each.refused) {
      expect(compile).toThrow(/^(schema|grammar|pattern): /);
      return;
    }
    const masks = new TokenMasks(new Matcher(compile()), buildTokenTrie(tokenizer));
    for (const text of each.accept ?? []) expect(accepts(masks, tokenizer, text), `accepts ${text}`).toBe(true);
    for (const text of each.reject ?? []) expect(accepts(masks, tokenizer, text), `rejects ${text}`).toBe(false);
  });
});
