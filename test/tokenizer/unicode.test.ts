import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { unicodeTables } from "../../scripts/unicode-tables.ts";
import { nfc } from "../../src/tokenizer/nfc.ts";
import { characterClasses } from "../../src/tokenizer/unicode.ts";
import { LETTER, MARK, NUMBER, NUMERIC, PUNCTUATION, SPACE, SYMBOL, WORD } from "../../src/tokenizer/unicode-flags.ts";
import { stopwatch } from "../helpers/stopwatch.ts";
import { recorded, root } from "./support.ts";

const tables = join(root, "src/tokenizer/unicode-tables.ts");

it("unicode-tables.ts is the output of its script, and small", () => {
  expect(readFileSync(tables, "utf8") === unicodeTables()).toBe(true); // a failing toBe would print lines of 3,000 characters
  expect(readFileSync(tables).length).toBeLessThan(15_000);
});

describe("character classes", async () => {
  const classes = characterClasses();
  const has = (code: number, flag: number): boolean => (classes.flags(code) & flag) !== 0;
  const category = async (version: 16 | 17, property: string): Promise<Set<number>> => {
    const file = join(root, `node_modules/@unicode/unicode-${version}.0.0/${property}/code-points.mjs`);
    return new Set(((await import(file)) as { default: number[] }).default);
  };

  it.each([
    ["L", 16, "General_Category/Letter", LETTER],
    ["M", 16, "General_Category/Mark", MARK],
    ["N", 16, "General_Category/Number", NUMBER],
    ["P", 16, "General_Category/Punctuation", PUNCTUATION],
    ["S", 16, "General_Category/Symbol", SYMBOL],
    ["White_Space", 16, "Binary_Property/White_Space", SPACE],
    ["N of Unicode 17", 17, "General_Category/Number", NUMERIC],
  ] as const)("%s agrees with Unicode for every code point", async (_, version, property, flag) => {
    const expected = await category(version, property);
    let differing = 0;
    for (let code = 0; code < 0x110000; code++) {
      const isSurrogate = code >= 0xd800 && code < 0xe000;
      const wanted = isSurrogate ? flag === SYMBOL : expected.has(code); // a lone surrogate counts as U+FFFD
      if (has(code, flag) !== wanted) differing++;
    }
    expect(differing).toBe(0);
  });

  it("word characters are letters, marks, digits, connectors and joiners", () => {
    for (const c of ["a", "é", "\u0301", "7", "_", "‿", "\u200d", "Ⓐ", "Ⅻ", "世"])
      expect(has(c.codePointAt(0)!, WORD)).toBe(true);
    for (const c of [" ", "-", "½", "²", "€", "\ufffd", "\0"]) expect(has(c.codePointAt(0)!, WORD)).toBe(false);
  });
});

describe("normalisation form C", () => {
  it("is that of tokenizers 0.23.3 on 2,500 recorded strings", () => {
    const { cases } = recorded<{ cases: [string, string][] }>("nfc");
    expect(cases).toHaveLength(2500);
    for (const [text, normalized] of cases) expect(nfc(text)).toBe(normalized);
  });

  it("leaves characters that are newer than Unicode 9 alone, unlike the engine", () => {
    for (const text of ["a\u0301\u07fd\u0334", "\u{105d2}\u0307", "\u{11935}\u{11930}", "\u{16d67}\u{16d67}"]) {
      expect(nfc(text)).toBe(text.startsWith("a") ? "á\u07fd\u0334" : text);
    }
  });

  it("equals the engine's on text of Unicode 9", () => {
    for (const unit of [
      "e\u0301",
      "\u0301\u0334",
      "\u0f73\u0301",
      "\u0344\u0334",
      "ǭ\u0334\u0301",
      "각",
      "각",
      "ﬁ Å",
    ]) {
      for (const count of [1, 7, 31, 32, 33, 200]) {
        const text = `a${unit.repeat(count)} z`;
        expect(nfc(text)).toBe(text.normalize("NFC"));
      }
    }
  });

  it("orders 200,000 combining marks without the engine's quadratic insertion", () => {
    const seconds = stopwatch();
    const ordered = nfc(`a${"\u0301\u0334".repeat(100_000)}`);
    expect(ordered).toBe(`á${"\u0334".repeat(100_000)}${"\u0301".repeat(99_999)}`);
    expect(seconds()).toBeLessThan(3); // 0.1 s; the engine alone takes 9 s
  });
});
