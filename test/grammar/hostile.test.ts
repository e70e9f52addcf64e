/** No source of a grammar hangs. The slow tests repeat this with more cases (test/slow/schema-fuzz.test.ts). */
import { describe, expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import { compileGrammar, type GrammarSource } from "../../src/grammar/compile.ts";
import { Matcher } from "../../src/grammar/matcher/matcher.ts";
import { TokenMasks } from "../../src/grammar/matcher/token-masks.ts";
import { HOSTILE_GRAMMARS, HOSTILE_SCHEMAS } from "./hostile.ts";
import { pieces, piecesTrie, random, tokensOf } from "./random-text.ts";
import { fuzzSchemas } from "./schema/fuzz-schemas.ts";

/** Compiles, and writes some tokens. Only a typed error may come instead; steps are counted, so that all of it ends. */
function survives(source: GrammarSource): void {
  const next = random(1);
  try {
    const matcher = new Matcher(compileGrammar(source, pieces));
    const masks = new TokenMasks(matcher, piecesTrie);
    let state = matcher.start;
    for (let step = 0; step < 6; step++) {
      const ids = tokensOf(masks.mask(state));
      if (ids.length === 0) break;
      state = matcher.read(state, pieces.tokenBytes(ids[Math.floor(next() * ids.length)]!));
    }
  } catch (error) {
    if (!(error instanceof NibbleError)) throw error;
    expect(error.code).toBe("invalid_argument");
  }
}

describe("hostile", () => {
  it.each(HOSTILE_SCHEMAS.map((schema, i) => [i, schema] as const))("schema %i", (_, schema) => {
    survives({ kind: "schema", schema });
  });

  it.each(HOSTILE_GRAMMARS.map((source, i) => [i, source] as const))("grammar %i", (_, source) => {
    survives({ kind: "gbnf", source });
  });
});

describe("fuzzed schemas", () => {
  it("draw only what is valid", () => {
    const { compiled } = fuzzSchemas(40, 5, 1);
    expect(compiled).toBeGreaterThan(20);
  });
});
