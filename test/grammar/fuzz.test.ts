/** Nothing hangs, whatever is asked for; the slow tests do the same with more of it (test/slow/schema-fuzz.test.ts). */
import { describe, expect, it } from "vitest";
import { NibbleError } from "../../src/errors.ts";
import { compileGrammar, type GrammarSource } from "../../src/grammar/compile.ts";
import { Machine } from "../../src/grammar/machine.ts";
import { TokenMasks } from "../../src/grammar/token-masks.ts";
import { HOSTILE_GRAMMARS, HOSTILE_SCHEMAS } from "./fuzz.ts";
import { fuzzSchemas } from "./fuzz-schemas.ts";
import { pieces, piecesTrie, random, tokensOf } from "./random-text.ts";

/** Longest time of a compilation, and of one token; both are bounded to some 200 ms by their steps, on an idle machine. */
const LIMIT = 3000;

/** Compiles, and writes some tokens. Only a typed error may come instead. */
function survives(source: GrammarSource): void {
  const next = random(1);
  let start = performance.now();
  const lap = () => {
    expect(performance.now() - start).toBeLessThan(LIMIT);
    start = performance.now();
  };
  try {
    const machine = new Machine(compileGrammar(source));
    lap();
    const masks = new TokenMasks(machine, piecesTrie);
    let state = machine.start;
    for (let step = 0; step < 6; step++) {
      const ids = tokensOf(masks.mask(state));
      if (ids.length === 0) break;
      state = machine.read(state, pieces.tokenBytes(ids[Math.floor(next() * ids.length)]!));
      lap();
    }
  } catch (error) {
    if (!(error instanceof NibbleError)) throw error;
    expect(error.code).toBe("invalid_argument");
    lap();
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
    const { compiled } = fuzzSchemas(120, 5, 1);
    expect(compiled).toBeGreaterThan(60);
  });
});
