/** Tokenizers of SentencePiece's kind, from GGUF scores and from tokenizer.json, small enough to follow by hand. */
import { describe, expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import { createTokenizer } from "../../src/tokenizer/create.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { Random } from "../helpers/random.ts";
import { stopwatch } from "../helpers/stopwatch.ts";
import { huggingFace } from "./support.ts";

const BYTES = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
const FIRST = 259; // <unk>, <s>, </s>, 256 bytes, then the pieces

/** A GGUF vocabulary of these pieces, of which the first has the highest score. `changes` replaces keys. */
function gguf(pieces: readonly string[], changes: Record<string, MetadataValue | undefined> = {}): Tokenizer {
  const tokens = ["<unk>", "<s>", "</s>", ...BYTES, ...pieces];
  const keys: Record<string, MetadataValue | undefined> = {
    model: "llama",
    tokens,
    scores: Float32Array.from(tokens, (_, id) => (id < FIRST ? 0 : -id)),
    token_type: Int32Array.from(tokens, (_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < FIRST ? 6 : 1)),
    add_bos_token: false,
    add_space_prefix: false,
    ...changes,
  };
  const present = Object.entries(keys).filter((entry): entry is [string, MetadataValue] => entry[1] !== undefined);
  return createTokenizer({ metadata: new Map(present.map(([key, value]) => [`tokenizer.ggml.${key}`, value])) });
}

const MARK = { type: "Replace", pattern: { String: " " }, content: "▁" };
const UNMARK = { type: "Replace", pattern: { String: "▁" }, content: " " };
const decoders = (...list: object[]): object => ({ type: "Sequence", decoders: list });
const fallback = { type: "ByteFallback" };
const fuse = { type: "Fuse" };
const strip = { type: "Strip", content: " ", start: 1, stop: 0 };

function json(
  pieces: readonly string[],
  merges: [string, string][],
  changes: object = {},
  model: object = {},
): Tokenizer {
  const tokens = ["<unk>", "<s>", "</s>", ...BYTES, ...pieces];
  const file = {
    added_tokens: ["<unk>", "<s>", "</s>"].map((content, id) => ({ id, content, special: true })),
    normalizer: MARK,
    pre_tokenizer: null,
    post_processor: null,
    decoder: decoders(UNMARK, fallback, fuse),
    model: {
      type: "BPE",
      byte_fallback: true,
      unk_token: "<unk>",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
      ...model,
    },
    ...changes,
  };
  return huggingFace(JSON.stringify(file));
}

const pieces = ["▁ab", "ab", "▁a", "a", "b", "▁", "c"];
const id = (piece: string): number => FIRST + pieces.indexOf(piece);
const merges: [string, string][] = [
  ["a", "b"],
  ["▁", "ab"],
];

describe("scores", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%d is refused by name", (score) => {
    const scores = new Float32Array(FIRST + 1).fill(score, FIRST);
    for (const model of ["llama", "t5"])
      expect(() => gguf(["a"], { model, scores })).toThrow(/scores: expected finite numbers, got .* for id 259/);
  });

  it("an unknown token beyond the vocabulary is refused by name", () => {
    for (const unknown_token_id of [FIRST + 1, 2 ** 32 - 1])
      expect(() => gguf(["a"], { unknown_token_id })).toThrow(/unknown_token_id: expected an id below 260/);
  });

  it("choose the pair, the leftmost of equals", () => {
    expect(gguf(pieces).encode("ab ab")).toEqual([id("ab"), id("▁ab")]);
    expect(gguf(["a", "aa"]).encode("aaa")).toEqual([FIRST + 1, FIRST]);
    const equal = gguf(["a", "b", "ab", "ba"], { scores: new Float32Array(FIRST + 4) });
    expect(equal.encode("aba")).toEqual([FIRST + 2, FIRST]);
    expect(equal.encode("bab")).toEqual([FIRST + 3, FIRST + 1]);
  });

  it("of any kind give what the definition gives", () => {
    const random = new Random("scores");
    for (let round = 0; round < 40; round++) {
      const found = new Set(["a", "b", " "]);
      while (found.size < 14) {
        const list = [...found];
        found.add(list[random.integer(0, list.length - 1)]! + list[random.integer(0, list.length - 1)]!);
      }
      const tokens = [...found];
      const scores = Float32Array.from({ length: FIRST + tokens.length }, () => random.integer(-3, 3));
      const tokenizer = gguf(
        tokens.map((token) => token.replaceAll(" ", "▁")),
        { scores },
      );
      for (let i = 0; i < 40; i++) {
        const text = Array.from({ length: random.integer(1, 30) }, () => "ab  "[random.integer(0, 3)]).join("");
        expect(tokenizer.encode(text)).toEqual(slow(tokens, scores.slice(FIRST), text).map((at) => FIRST + at));
      }
    }
  });

  it("do not matter for user-defined tokens: those come first, spaces by merging, ▁ from raw text", () => {
    const list = ["▁", "  ", "   ", "▁a", "a"];
    const types = [1, 4, 4, 1, 1];
    const token_type = Int32Array.from({ length: FIRST + 5 }, (_, i) => types[i - FIRST] ?? (i < 3 ? 3 : 6));
    const tokenizer = gguf(list, { token_type });
    expect(tokenizer.encode("    a")).toEqual([FIRST + 2, FIRST + 3]);
    expect(tokenizer.encode("▁▁ a")).toEqual([FIRST + 1, FIRST + 3]);
    expect(tokenizer.decode([FIRST + 1, FIRST + 3])).toBe("   a");
  });
});

/** The definition: of the neighbouring pairs whose text is a token, the one of the highest score is merged, the leftmost first. */
function slow(tokens: readonly string[], scores: Float32Array, text: string): number[] {
  const symbols = [...text];
  for (;;) {
    let best = Number.NEGATIVE_INFINITY;
    let at = -1;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const merged = tokens.indexOf(symbols[i]! + symbols[i + 1]!);
      if (merged >= 0 && scores[merged]! > best) [best, at] = [scores[merged]!, i];
    }
    if (at < 0) return symbols.map((symbol) => tokens.indexOf(symbol));
    symbols.splice(at, 2, symbols[at]! + symbols[at + 1]!);
  }
}

describe.each([
  ["GGUF", gguf(pieces)],
  ["tokenizer.json", json(pieces, merges)],
])("byte fallback from %s", (_, tokenizer) => {
  const bytes = (text: string): number[] => Array.from(new TextEncoder().encode(text), (byte) => byte + 3);

  it("spells characters without a token, which merge with nothing", () => {
    expect(tokenizer.encode("ab世ab")).toEqual([id("ab"), ...bytes("世"), id("ab")]);
    expect(tokenizer.encode("ab😀é")).toEqual([id("ab"), ...bytes("😀é")]);
    expect(tokenizer.encode("\ud800")).toEqual(bytes("\ufffd"));
    expect(tokenizer.decode(tokenizer.encode("ab世 ab😀"))).toBe("ab世 ab😀");
    expect(tokenizer.encode("<0x41>")).toEqual(bytes("<0x41>"));
  });

  it("streams whole characters, and U+FFFD for each byte of a broken one", () => {
    const decoder = tokenizer.decoder();
    expect(bytes("é世").map((byte) => decoder.push(byte))).toEqual(["", "é", "", "", "世"]);
    expect(tokenizer.decode([...bytes("世").slice(0, 2), id("ab")])).toBe("\ufffd\ufffdab");
    expect(tokenizer.decode(bytes("😀").slice(0, 3))).toBe("\ufffd\ufffd\ufffd");
    expect(tokenizer.tokenBytes(3 + 0xe4)).toEqual(Uint8Array.of(0xe4));
    expect(tokenizer.tokenBytes(id("▁ab"))).toEqual(new TextEncoder().encode(" ab"));
  });
});

describe("spaces in front", () => {
  const llama2 = {
    normalizer: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, MARK] },
    decoder: decoders(UNMARK, fallback, fuse, strip),
  };
  const metaspace = (prepend_scheme: string, split = false): object => ({
    normalizer: null,
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme, split },
    decoder: decoders(fallback, { type: "Metaspace", replacement: "▁", prepend_scheme }),
  });

  it.each([
    ["add_space_prefix", gguf(pieces, { add_space_prefix: true })],
    ["add_space_prefix, which is the default", gguf(pieces, { add_space_prefix: undefined })],
    ["Prepend and Strip", json(pieces, merges, llama2)],
  ])("are added to every part and taken from the first token: %s", (_, tokenizer) => {
    expect(tokenizer.encode("ab")).toEqual([id("▁ab")]);
    expect(tokenizer.encode(" ab")).toEqual([id("▁"), id("▁ab")]);
    expect(tokenizer.encode("<s>ab</s>ab")).toEqual([1, id("▁ab"), 2, id("▁ab")]);
    expect(tokenizer.encode("")).toEqual([]);
    expect(tokenizer.decode([id("▁ab"), id("▁ab")])).toBe("ab ab");
    expect(tokenizer.decode([1, id("▁ab")], { skipSpecial: true })).toBe("ab");
    expect(tokenizer.decode([1, id("▁ab")])).toBe("<s> ab");
    expect(tokenizer.token(id("▁ab"))).toBe(" ab");
  });

  it("Metaspace: always, first, never; none before a space", () => {
    const [always, first, never] = ["always", "first", "never"].map((scheme) =>
      json(pieces, merges, metaspace(scheme)),
    );
    expect(always!.encode("ab<s>ab")).toEqual([id("▁ab"), 1, id("▁ab")]);
    expect(first!.encode("ab<s>ab")).toEqual([id("▁ab"), 1, id("ab")]);
    expect(first!.encode("<s>ab")).toEqual([1, id("ab")]);
    expect(never!.encode("ab<s>ab")).toEqual([id("ab"), 1, id("ab")]);
    expect(always!.encode(" ab")).toEqual([id("▁ab")]);
    expect(always!.decode([id("▁ab"), id("▁ab")])).toBe("ab ab");
    expect(never!.decode([id("▁ab"), id("▁ab")])).toBe(" ab ab");
  });

  it("Metaspace with split: no token crosses the start of a word", () => {
    const crossing = [...pieces, "b▁", "▁▁"];
    const more: [string, string][] = [["b", "▁"], ["▁", "▁"], ...merges];
    expect(json(crossing, more, metaspace("never", false)).encode("b  ")).toEqual([FIRST + 7, id("▁")]);
    expect(json(crossing, more, metaspace("never", true)).encode("b  ")).toEqual([id("b"), id("▁"), id("▁")]);
  });

  it("inside a token keep the words around it together", () => {
    const tokenizer = gguf(["b▁c", "b▁", ...pieces]);
    expect(tokenizer.encode("b c ab")).toEqual([FIRST, FIRST + 2]);
  });
});

describe("BOS and EOS", () => {
  it("BOS is added unless the file says otherwise, EOS on request", () => {
    expect(gguf(pieces, { add_bos_token: undefined }).encode("ab")).toEqual([1, id("ab")]);
    expect(gguf(pieces, { add_eos_token: true }).encode("ab")).toEqual([id("ab")]);
    expect(gguf(pieces).encode("ab", { addBos: true, addEos: true })).toEqual([1, id("ab"), 2]);
    expect([...gguf(pieces).endIds]).toEqual([2]);
  });
});

describe("hostile vocabularies", () => {
  const tokens = ["<unk>", "<s>", "</s>", ...BYTES, "a"];
  const bad: [what: string, open: () => unknown, message: RegExp][] = [
    ["a token twice", () => gguf(["a", "b", "a"]), /"a" again/],
    ["no scores", () => gguf(pieces, { scores: undefined }), /scores: a score for each token is required/],
    ["too few scores", () => gguf(pieces, { scores: Float32Array.of(1) }), /scores.*got 1/],
    ["scores that are NaN", () => gguf(["a"], { scores: new Float32Array(tokens.length).fill(Number.NaN) }), /NaN/],
    ["infinite scores", () => gguf(["a"], { scores: tokens.map(() => -1 / 0) as never }), /-Infinity/],
    ["an endless token", () => gguf(["a", "a".repeat(2000)]), /1024 bytes/],
    ["too few types", () => gguf(["a"], { token_type: Int32Array.of(1) }), /types, got 1/],
    ["no spaces marked", () => json(pieces, merges, { normalizer: null }), /Replace/],
    ["another Replace", () => json(pieces, merges, { normalizer: { ...MARK, content: "_" } }), /"_"/],
    ["another Prepend", () => json(pieces, merges, { normalizer: { type: "Prepend", prepend: "x" } }), /"x"/],
    ["another normalizer", () => json(pieces, merges, { normalizer: { type: "Lowercase" } }), /Lowercase/],
    ["another pre-tokenizer", () => json(pieces, merges, { pre_tokenizer: { type: "ByteLevel" } }), /ByteLevel/],
    ["another decoder", () => json(pieces, merges, { decoder: decoders(UNMARK, { type: "CTC" }) }), /CTC/],
    ["no byte decoder", () => json(pieces, merges, { decoder: UNMARK }), /ByteFallback/],
    ["Strip before Fuse", () => json(pieces, merges, { decoder: decoders(UNMARK, fallback, strip) }), /Strip/],
    [
      "a wider Strip",
      () => json(pieces, merges, { decoder: decoders(UNMARK, fuse, { ...strip, start: 2 }) }),
      /one " "/,
    ],
    ["a merge of a byte token", () => json([...pieces, "<0x41>a"], [["<0x41>", "a"]]), /merge 0/],
  ];
  it.each(bad)("are refused for %s", (_, open, message) => {
    expect(open).toThrow(message);
    expect(open).toThrow(NibbleError);
  });

  it("cannot make merging slow: long tokens, cycles, 100,000 characters of one kind", () => {
    const powers = Array.from({ length: 10 }, (_, i) => "a".repeat(2 ** i));
    const staircase = Array.from({ length: 1000 }, (_, i) => "a".repeat(i + 1));
    const cycle: [string, string][] = [
      ["a", "a"],
      ["aa", "a"],
      ["a", "aa"],
      ["aa", "aa"],
      ["aaa", "a"],
    ];
    const seconds = stopwatch();
    for (const tokenizer of [
      gguf(powers),
      gguf([...powers].reverse()),
      gguf(staircase.slice(0, 200)),
      gguf(staircase, { scores: new Float32Array(FIRST + 1000) }),
      json(["a", "aa", "aaa", "aaaa"], cycle),
      json(["b"], []),
    ]) {
      for (const text of ["a".repeat(100_000), " ".repeat(50_000), "a ".repeat(25_000)]) {
        expect(tokenizer.decode(tokenizer.encode(text)) === text).toBe(true);
      }
    }
    expect(seconds()).toBeLessThan(10); // 1.4 s; a quadratic step would take minutes
  });
});
