/**
 * GPT-2's byte alphabet: vocabularies spell bytes as printable characters (a space is `Ġ`).
 * Source: openai/gpt-2 `bytes_to_unicode`; Hugging Face `ByteLevel`.
 * @module
 */

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

/**
 * Writes the bytes that `text[start..end)` spells at `target[at...]`.
 * @returns the end of what was written, or -1 if a character is not of the alphabet
 */
export function writeSpelledBytes(text: string, start: number, end: number, target: Uint8Array, at: number): number {
  for (let i = start; i < end; i++) {
    const byte = BYTE_OF[text.charCodeAt(i)];
    if (byte === undefined || byte < 0) return -1;
    target[at++] = byte;
  }
  return at;
}
