/** One piece of megabytes: that it has too many tokens is known before it is merged. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { BytePairEncoder } from "../../src/tokenizer/bpe.ts";
import { createTokenizer } from "../../src/tokenizer/create.ts";
import { Random } from "../helpers/random.ts";
import { gemma3Metadata, qwen25Metadata, smollm2Metadata } from "./support.ts";

const UNITS = 40_000;
const random = new Random("long pieces");
const pick = (letters: string): string =>
  Array.from({ length: UNITS }, () => letters[random.integer(0, letters.length - 1)]).join("");
const TEXTS: readonly (readonly [kind: string, text: string])[] = [
  ["one letter", "a".repeat(UNITS)],
  ["letters at random", pick("abcdefghijklmnopqrstuvwxyz")],
  ["words", "thequickbrownfoxjumpsoverthelazydoginternationalization".repeat(UNITS / 50)],
  ["Chinese", pick("的一是在不了有和人这中大为上个国")],
  ["a sign", "=".repeat(UNITS)],
  ["spaces", " ".repeat(UNITS)],
  ["Emoji and lone surrogates", pick("\u{1f600}\u{1f680}é\ud800x")],
];

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each([
  ["smollm2", async () => smollm2Metadata()],
  ["qwen2.5", async () => qwen25Metadata()],
  ["gemma3", async () => gemma3Metadata().metadata],
])("%s", (_, metadataOf) => {
  it.each(TEXTS)("%s: a limit that holds refuses nothing", async (_kind, text) => {
    const tokenizer = createTokenizer({ metadata: await metadataOf() });
    const ids = tokenizer.encode(text, { addBos: false });
    expect(tokenizer.encode(text, { addBos: false, limit: ids.length })).toEqual(ids);
    expect(() => tokenizer.encode(text, { addBos: false, limit: ids.length - 1 })).toThrow(
      expect.objectContaining({ code: "limit_exceeded" }),
    );
  });

  it.each(TEXTS.slice(0, 4))("%s: a seventh of its tokens is refused before any merge", async (_kind, text) => {
    const tokenizer = createTokenizer({ metadata: await metadataOf() });
    const limit = Math.floor(tokenizer.encode(text, { addBos: false }).length / 7);
    let pieces = 0;
    vi.spyOn(BytePairEncoder.prototype, "encode").mockImplementation(() => {
      pieces++;
    });
    expect(() => tokenizer.encode(text, { addBos: false, limit })).toThrow(
      expect.objectContaining({ code: "limit_exceeded" }),
    );
    expect(pieces).toBe(0);
  });
});
