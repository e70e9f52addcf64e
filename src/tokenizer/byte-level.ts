/**
 * GPT-2's byte alphabet: vocabularies spell bytes as printable characters (a space is `Ġ`).
 * Source: openai/gpt-2 `bytes_to_unicode`; Hugging Face `ByteLevel`.
 * @module
 */
import { type Alphabet, notFound } from "./vocabulary.ts";

/** The byte of each code point below 324, or -1: printable Latin-1 is itself, the other bytes follow from U+0100. */
const BYTE_OF: Int16Array = alphabet();

function alphabet(): Int16Array {
  const table = new Int16Array(324).fill(-1);
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    table[printable ? byte : next++] = byte;
  }
  return table;
}

/** A token with any other character, such as `<｜end▁of▁sentence｜>`, stands for its own text. */
export const byteLevel: Alphabet = {
  write(spelling, start, end, target, at) {
    const first = at;
    for (let i = start; i < end; ) {
      let code = spelling[i++]!;
      // The alphabet ends below U+0800: one byte or two.
      if (code >= 0x80) code = code < 0xe0 ? ((code & 31) << 6) | (spelling[i++]! & 63) : BYTE_OF.length;
      const byte = code < BYTE_OF.length ? BYTE_OF[code]! : -1;
      if (byte < 0) {
        target.set(spelling.subarray(start, end), first);
        return notFound(first + end - start);
      }
      target[at++] = byte;
    }
    return at;
  },
};
