/**
 * Decoding of UTF-8 that arrives in pieces. Unlike `decodeUtf8` it never fails: bytes that are not UTF-8 become U+FFFD.
 * @module
 */

/**
 * Decodes UTF-8 that arrives in pieces. Bytes that are not UTF-8 become U+FFFD, one for each maximal subpart of an
 * ill-formed sequence (Unicode 17, 3.9), as in the WHATWG Encoding Standard and in Rust's `from_utf8_lossy`. A byte order
 * mark is text.
 *
 * TextDecoder is not used, so that every host returns the same text wherever the bytes are cut.
 */
export class Utf8Decoder {
  readonly #eachByte: boolean;
  /** Bytes of the unfinished sequence, its code point so far, and how many more bytes it needs. */
  #taken = 0;
  #codePoint = 0;
  #needed = 0;
  // The range of the next continuation byte. It excludes overlong forms, surrogates and code points above U+10FFFF.
  #lower = 0x80;
  #upper = 0xbf;

  /**
   * @param eachByte whether each byte of an unfinished sequence becomes a U+FFFD of its own, as in Hugging Face's
   *   `ByteFallback`; by default they become one together
   */
  constructor(eachByte = false) {
    this.#eachByte = eachByte;
  }

  /** Takes the next bytes and returns the characters that are complete. */
  push(bytes: Uint8Array): string {
    let text = "";
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (this.#needed === 0) {
        text += this.#first(byte);
      } else if (byte < this.#lower || byte > this.#upper) {
        text += this.end() + this.#first(byte);
      } else {
        this.#lower = 0x80;
        this.#upper = 0xbf;
        this.#codePoint = (this.#codePoint << 6) | (byte & 63);
        this.#taken++;
        if (--this.#needed === 0) text += String.fromCodePoint(this.#codePoint);
      }
    }
    return text;
  }

  /** Ends the text: returns U+FFFD if a character is unfinished, else nothing. The decoder can be used again. */
  end(): string {
    if (this.#needed === 0) return "";
    this.#needed = 0;
    return "\ufffd".repeat(this.#eachByte ? this.#taken : 1);
  }

  #first(byte: number): string {
    if (byte < 0x80) return String.fromCharCode(byte);
    if (byte < 0xc2 || byte > 0xf4) return "\ufffd";
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    this.#taken = 1;
    this.#codePoint = byte & (0x3f >> this.#needed);
    this.#lower = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    this.#upper = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    return "";
  }
}
