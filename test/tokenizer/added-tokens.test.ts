import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type AddedToken, AddedTokenMatcher } from "../../src/tokenizer/added-tokens.ts";
import { stopwatch } from "../helpers/stopwatch.ts";
import { huggingFace, recorded, root } from "./support.ts";

interface Recorded {
  added_tokens: object[];
  cases: { s: string; ids: number[]; idsWithoutSpecial: number[] }[];
}

function split(tokens: AddedToken[], text: string, special = true): (string | number)[] {
  const parts: (string | number)[] = [];
  const push = (part: string | number): void => void parts.push(part);
  new AddedTokenMatcher(tokens).split(text, special, push, push);
  return parts;
}

const token = (id: number, content: string, flags: Partial<AddedToken> = {}): AddedToken => ({
  id,
  content,
  special: false,
  ...flags,
});

describe("added tokens", () => {
  it("equal Hugging Face with every flag and NFC, on 2,500 random strings", () => {
    const { added_tokens, cases } = recorded<Recorded>("added-tokens");
    const file = join(root, "test/fixtures/architectures/tokenizer/tokenizer.json");
    const json = { ...(JSON.parse(readFileSync(file, "utf8")) as object), added_tokens, normalizer: { type: "NFC" } };
    const tokenizer = huggingFace(JSON.stringify(json));
    expect(cases).toHaveLength(2500);
    expect(cases.map(({ s }) => tokenizer.encode(s))).toEqual(cases.map(({ ids }) => ids));
    expect(cases.map(({ s }) => tokenizer.encode(s, { special: false }))).toEqual(
      cases.map(({ idsWithoutSpecial }) => idsWithoutSpecial),
    );
  });

  it("are found leftmost, then longest", () => {
    const tokens = [token(1, "<a>"), token(2, "<a>b"), token(3, "a>bc")];
    expect(split(tokens, "x<a>bc")).toEqual(["x", 2, "c"]);
    expect(split(tokens, "<a><a>")).toEqual([1, 1]);
    expect(split(tokens, "xa>bcy")).toEqual(["x", 3, "y"]);
    expect(split(tokens, "<a")).toEqual(["<a"]);
    expect(split(tokens, "")).toEqual([]);
    expect(split([], "text")).toEqual(["text"]);
  });

  it("special ones stay text on request, user-defined ones do not", () => {
    const tokens = [token(1, "<s>", { special: true }), token(2, "<u>")];
    expect(split(tokens, "a<s><u>", false)).toEqual(["a<s>", 2]);
  });

  it("take time in proportion to the text, however many match", () => {
    const nested = Array.from({ length: 1000 }, (_, i) => token(i, "a".repeat(i + 1)));
    const spaces = [token(0, "<l>", { lstrip: true }), token(1, "<r>", { rstrip: true })];
    const seconds = stopwatch();
    expect(split(nested, "a".repeat(200_000))).toHaveLength(200);
    expect(split(spaces, `${" ".repeat(100_000)}<l>`.repeat(2))).toHaveLength(2);
    expect(split(spaces, `<r>${" ".repeat(100_000)}<l>`)).toHaveLength(2);
    expect(split([token(0, " ", { lstrip: true })], " ".repeat(100_000))).toHaveLength(100_000);
    expect(seconds()).toBeLessThan(3);
  });
});

describe("MobileLLM-R1's quirk: the spelling of 锦 is an added token too", () => {
  const json = {
    added_tokens: [{ id: 260, content: "éĶ¦", special: true }],
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: {} as Record<string, number>, merges: ["é Ķ", "éĶ ¦"] },
  };
  for (const [id, c] of [..."éĶ¦x"].entries()) json.model.vocab[c] = id;
  json.model.vocab.éĶ = 4;
  json.model.vocab["éĶ¦"] = 260;
  const tokenizer = huggingFace(JSON.stringify(json));

  it("both the character and its spelling give the id, which decodes to the character", () => {
    expect(tokenizer.encode("锦x")).toEqual([260, 3]);
    expect(tokenizer.encode("éĶ¦")).toEqual([260]);
    expect(tokenizer.decode([260])).toBe("锦");
    expect(tokenizer.decode([260], { skipSpecial: true })).toBe("");
    expect(tokenizer.idOf("éĶ¦")).toBe(260);
  });
});
