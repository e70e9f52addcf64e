import { describe, expect, it } from "vitest";
import { writeUtf8 } from "../../src/base/utf8.ts";
import { Utf8Decoder } from "../../src/base/utf8-stream.ts";
import { createTokenizer } from "../../src/tokenizer/create.ts";
import { Random } from "../helpers/random.ts";
import { smollm2Metadata } from "./support.ts";

const whatwg = new TextDecoder("utf-8", { ignoreBOM: true });

function decode(...chunks: Uint8Array[]): string {
  const decoder = new Utf8Decoder();
  return chunks.map((chunk) => decoder.push(chunk)).join("") + decoder.end();
}

describe("UTF-8", () => {
  it("is decoded as in the Encoding Standard, at every split of every short sequence of critical bytes", () => {
    const telling = [
      0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1,
      0xf4, 0xf5, 0xff,
    ];
    const random = new Random("utf8");
    const differing: number[][] = [];
    for (let i = 0; i < 40_000; i++) {
      const bytes = Uint8Array.from({ length: random.integer(1, 7) }, () => telling[random.integer(0, 21)]!);
      const expected = whatwg.decode(bytes);
      for (let cut = 0; cut <= bytes.length; cut++) {
        if (decode(bytes.subarray(0, cut), bytes.subarray(cut)) !== expected) differing.push([...bytes]);
      }
    }
    expect(differing).toEqual([]);
  });

  it("round-trips every code point, and keeps the byte order mark", () => {
    const bytes = new Uint8Array(12);
    let differing = 0;
    for (let code = 0; code < 0x110000; code++) {
      const text = String.fromCodePoint(code);
      const expected = code >= 0xd800 && code < 0xe000 ? "\ufffd" : text;
      if (decode(bytes.subarray(0, writeUtf8(text, 0, text.length, bytes))) !== expected) differing++;
    }
    expect(differing).toBe(0);
    expect(decode(Uint8Array.of(0xef, 0xbb, 0xbf))).toBe("\ufeff");
  });

  it("is written as TextEncoder does, lone surrogates as U+FFFD", () => {
    const encoder = new TextEncoder();
    for (const text of ["aé世😀", "\ud800", "\udc00a", "a\ud83d", "\ud83d\ud83d\ude00", "\ude00\ud83d"]) {
      const bytes = new Uint8Array(3 * text.length);
      expect(bytes.slice(0, writeUtf8(text, 0, text.length, bytes))).toEqual(encoder.encode(text));
    }
  });
});

describe("decoding", async () => {
  const tokenizer = createTokenizer({ metadata: await smollm2Metadata() });

  it("streams whole characters only, and the same text", () => {
    const random = new Random("stream");
    const ids = [
      ...tokenizer.encode("👩‍🚀 naïve 世界 — ok<|im_end|>\n🤖"),
      ...Array.from({ length: 3000 }, () => random.integer(0, tokenizer.vocabSize - 1)),
    ];
    for (const skipSpecial of [false, true]) {
      const decoder = tokenizer.decoder({ skipSpecial });
      const parts = ids.map((id) => decoder.push(id));
      expect(parts.join("") + decoder.end()).toBe(tokenizer.decode(ids, { skipSpecial }));
    }
    const text = "👩‍🚀🤖世界";
    const decoder = tokenizer.decoder();
    const parts = tokenizer.encode(text).map((id) => decoder.push(id));
    expect(parts.some((part) => part === "")).toBe(true); // some tokens end inside a character
    expect(parts.join("")).toBe(text);
    expect(parts.join("")).not.toContain("\ufffd");
    expect(decoder.end()).toBe("");
  });

  it("cut off inside a character ends with U+FFFD", () => {
    const ids = tokenizer.encode("🦄");
    expect(ids.length).toBeGreaterThan(1);
    expect(tokenizer.decode(ids.slice(0, -1))).toBe("\ufffd");
    expect(tokenizer.decode([...ids.slice(0, -1), ...tokenizer.encode("a")])).toBe("\ufffda");
  });

  it("leaves special tokens out on request", () => {
    const ids = tokenizer.encode("<|im_start|>user\nhi<|im_end|>");
    expect(ids.filter((id) => tokenizer.isSpecial(id))).toEqual([1, 2]);
    expect(tokenizer.decode(ids)).toBe("<|im_start|>user\nhi<|im_end|>");
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe("user\nhi");
    expect(tokenizer.encode("<|im_start|>", { special: false }).length).toBeGreaterThan(1);
  });

  it("gives tokens as text and bytes", () => {
    const [space] = tokenizer.encode(" the");
    expect(tokenizer.token(space!)).toBe(" the");
    expect(tokenizer.idOf(" the")).toBe(space);
    expect(tokenizer.tokenBytes(space!)).toEqual(new TextEncoder().encode(" the"));
    tokenizer.tokenBytes(space!).fill(0); // a copy
    expect(tokenizer.token(space!)).toBe(" the");
    expect(tokenizer.idOf("no such token")).toBeUndefined();
    expect(tokenizer.token(tokenizer.idOf("<|im_end|>")!)).toBe("<|im_end|>");
  });

  it("encodes a lone surrogate as U+FFFD", () => {
    expect(tokenizer.encode("a\ud83d b\ude00")).toEqual(tokenizer.encode("a\ufffd b\ufffd"));
  });

  it("gives padding ids no text, and refuses numbers that are not ids", () => {
    expect(tokenizer.decode([49152, 1_000_000])).toBe("");
    for (const id of [-1, 0.5, Number.NaN]) expect(() => tokenizer.decode([id])).toThrow(/token id: expected a whole/);
  });
});
