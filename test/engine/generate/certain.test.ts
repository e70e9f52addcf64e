/** Text that a grammar leaves no choice about is drafted as the tokenizer divides it, and answers stay the same. */
import { describe, expect, it } from "vitest";
import type { FinishEvent, GenerateEvent } from "../../../src/engine/generate/events.ts";
import { createModel } from "../../../src/engine/model.ts";
import type { GenerateOptions } from "../../../src/engine/request/generate-options.ts";
import { GrammarGuesses } from "../../../src/engine/sample/guess.ts";
import { addToken, emptyMask } from "../../../src/engine/sample/token-mask.ts";
import { compileGrammar, type GrammarSource } from "../../../src/grammar/compile.ts";
import { certainBytes } from "../../../src/grammar/matcher/certain.ts";
import { Matcher } from "../../../src/grammar/matcher/matcher.ts";
import type { BatchItem } from "../../../src/runtime/types.ts";
import { FakeExecutor, isIdle } from "../../helpers/fake-executor.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";

const PIECES = [
  "customer",
  "cust",
  "_",
  "_na",
  "_name",
  "name",
  '":',
  '"',
  '":"',
  "é",
  "ca",
  "café",
  ' "',
  "ing",
  "pend",
];
const FIRST = 262;

/** Some texts are one token, or several, and the tokenizer takes the longest one first. */
class PieceTokenizer extends FakeTokenizer {
  override tokenBytes(id: number): Uint8Array {
    const piece = PIECES[id - FIRST];
    return piece === undefined ? super.tokenBytes(id) : new TextEncoder().encode(piece);
  }
  override encode(text: string): number[] {
    const ids: number[] = [];
    const longest = PIECES.toSorted((a, b) => b.length - a.length);
    for (let rest = text; rest !== ""; ) {
      const piece = longest.find((one) => rest.startsWith(one));
      const next = piece ?? String.fromCodePoint(rest.codePointAt(0)!);
      ids.push(...(piece === undefined ? new TextEncoder().encode(next) : [FIRST + PIECES.indexOf(piece)]));
      rest = rest.slice(next.length);
    }
    return ids;
  }
}

/** Counts steps that check drafts with the logits of some tokens. */
class CountingExecutor extends FakeExecutor {
  drafts = 0;
  override forwardSome(batch: readonly BatchItem[], tokens: readonly number[]): Float32Array[] {
    if (batch.some(({ logits }) => typeof logits === "number" && logits > 1)) this.drafts++;
    return super.forwardSome(batch, tokens);
  }
}

const tokenizer = new PieceTokenizer();
const object = (names: readonly string[], property: unknown): GrammarSource => {
  const properties = Object.fromEntries(names.map((name) => [name, property]));
  return { kind: "schema", schema: { type: "object", properties, required: names, additionalProperties: false } };
};
const GRAMMARS: readonly GrammarSource[] = [
  object(["customer_name", "customer_pending_name", "name"], { enum: ["customer_name_pending", "café_name"] }),
  object(["customer_name", "customer", "pending"], { type: "integer", minimum: 0, maximum: 99 }),
  object(["customer_name", "name"], { type: "string", maxLength: 6 }),
  { kind: "regex", pattern: "((customer|café)_name_pending; ){3,5}customer" },
  { kind: "choice", texts: ["customer_name_pending_customer_name", "customer_name_pending_café", "name"] },
];

async function answer(seed: number, options: Partial<GenerateOptions>) {
  const sizes = { vocabSize: 300, contextLength: 512, pages: 128, maxBatchTokens: 64, maxLogitRows: 24 };
  const executor = new CountingExecutor({ ...sizes, memory: 1 + (seed % 2) });
  const model = createModel({ name: "fake", architecture: "test", tokenizer, executor });
  const pages = executor.freePages;
  const events: GenerateEvent[] = [];
  const request: GenerateOptions = {
    // As users do, the prompt names what is to come, so that drafts from the prompt compete with those of the grammar.
    prompt: tokenizer.encode('{"customer_name":"customer_name_pending","customer_pending_name":"café_name"}'),
    grammar: GRAMMARS[seed % GRAMMARS.length]!,
    maxTokens: seed % 4 === 3 ? 10 + seed : 120,
    sampling: { seed, temperature: seed % 3 === 0 ? 0 : 0.4, repeatPenalty: seed % 4 ? 1 : 1.1 },
    ...options,
  };
  for await (const event of model.generate(request)) events.push(event);
  expect(isIdle(model, executor, pages)).toBe(true);
  const { timings, ...end } = events.at(-1) as FinishEvent;
  return { facts: [...events.slice(0, -1), end], timings, executor };
}

describe("drafts of text that must come", () => {
  it("change no answer, greedy or sampled, beside drafts from the prompt", async () => {
    let [right, some] = [0, 0];
    for (let seed = 0; seed < 60; seed++) {
      const plain = await answer(seed, { draftMax: 0 });
      const drafted = await answer(seed, {});
      expect(drafted.facts, `seed ${seed}`).toEqual(plain.facts);
      right += drafted.timings.draft_n_accepted ?? 0;
      some += drafted.executor.drafts;
      expect(plain.executor.drafts).toBe(0);
    }
    expect(right).toBeGreaterThan(60);
    expect(some).toBeGreaterThan(60);
  });

  it("have all log-probabilities where they are asked for", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const plain = await answer(seed, { draftMax: 0, logprobs: 3 });
      const drafted = await answer(seed, { logprobs: 3 });
      expect(drafted.facts).toEqual(plain.facts);
      expect(drafted.executor.some).toBe(0);
    }
  });
});

describe("the text that must come", () => {
  const goesOn = (source: GrammarSource, text: string, most = 96) => {
    const matcher = new Matcher(compileGrammar(source));
    const state = matcher.read(matcher.start, new TextEncoder().encode(text));
    return new TextDecoder().decode(certainBytes(matcher, state, most));
  };

  it("ends where there is a choice, where the text may end, and at a limit", () => {
    const colours: GrammarSource = { kind: "choice", texts: ["dark red", "dark rose", "dark"] };
    expect(goesOn(colours, "")).toBe("dark");
    expect(goesOn(colours, "dark")).toBe("");
    expect(goesOn(colours, "dark ")).toBe("r");
    expect(goesOn(colours, "dark re")).toBe("d");
    expect(goesOn(colours, "dark red")).toBe("");
    expect(goesOn({ kind: "regex", pattern: "a{200}b" }, "a", 50)).toBe("a".repeat(50));
    expect(goesOn({ kind: "gbnf", source: 'root ::= "x" rest\nrest ::= "yz" [0-9]' }, "")).toBe("xyz");
  });
});

describe("guesses", () => {
  const guess = (text: string, ids: readonly number[], guesses = new GrammarGuesses(tokenizer)) => {
    const mask = emptyMask(tokenizer.vocabSize);
    for (const id of ids) addToken(mask, id);
    return guesses.guess({ mask, certain: () => new TextEncoder().encode(text) });
  };
  const id = (piece: string) => FIRST + PIECES.indexOf(piece);

  it("are the tokenizer's own tokens, less sure of the last one", () => {
    const [customer, cust, c] = [id("customer"), id("cust"), 99];
    expect(guess("customer_name", [customer, cust, c])).toEqual({ id: customer, probability: 0.95 });
    expect(guess("customer", [customer, cust, c])).toEqual({ id: customer, probability: 0.7 });
    expect(guess("customer", [cust])).toEqual({ id: cust, probability: 1 });
    expect(guess("", [customer, cust, c])).toBeUndefined();
  });

  it("need a token that may come, and text that is whole characters", () => {
    expect(guess("customer", [id("cust"), 99])).toBeUndefined();
    const half = new TextEncoder().encode("caf\u00e9").slice(0, 4);
    const mask = emptyMask(tokenizer.vocabSize);
    for (const one of [id("ca"), id("café"), 99]) addToken(mask, one);
    expect(new GrammarGuesses(tokenizer).guess({ mask, certain: () => half })?.id).toBe(id("ca"));
    expect(new GrammarGuesses(tokenizer).guess({ mask, certain: () => Uint8Array.of(0xa9, 0x41) })).toBeUndefined();
  });
});
