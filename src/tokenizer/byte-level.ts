/**
 * GPT-2's byte alphabet: vocabularies spell bytes as printable characters, and a space is `Ġ`.
 * Source: `bytes_to_unicode` of openai/gpt-2, and `ByteLevel` of Hugging Face's `tokenizers`.
 * @module
 */
import type { Alphabet } from "./vocabulary.ts";

/** The byte of each code point below 324, or -1. Printable Latin-1 stands for itself; the other bytes follow from U+0100. */
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

/** A token that has any other character, such as `<｜end▁of▁sentence｜>`, stands for its own text. */
export const byteLevel: Alphabet = {
  write(spelling, start, end, target) {
    const { bytes, length } = target;
    let at = length;
    for (let i = start; i < end; ) {
      let code = spelling[i++]!;
      // All characters of the alphabet are below U+0800, so UTF-8 has one byte or two for them.
      if (code >= 0x80) code = code < 0xe0 ? ((code & 31) << 6) | (spelling[i++]! & 63) : BYTE_OF.length;
      const byte = code < BYTE_OF.length ? BYTE_OF[code]! : -1;
      if (byte < 0) {
        bytes.set(spelling.subarray(start, end), length);
        target.length = length + end - start;
        return false;
      }
      bytes[at++] = byte;
    }
    target.length = at;
    return true;
  },
};
