/**
 * GPT-2's byte alphabet: vocabularies spell bytes as printable characters (a space is `Ġ`).
 * Source: openai/gpt-2 `bytes_to_unicode`; Hugging Face `ByteLevel`.
 * @module
 */

import { writeUtf8 } from "./utf8.ts";
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
  write(token, start, end, target, at) {
    const first = at;
    for (let i = start; i < end; i++) {
      const byte = BYTE_OF[token.charCodeAt(i)];
      if (byte === undefined || byte < 0) return notFound(writeUtf8(token, start, end, target, first));
      target[at++] = byte;
    }
    return at;
  },
};
