/**
 * UTF-8 that comes in pieces. Unlike `decodeUtf8`, it never fails: bytes that are not UTF-8 become U+FFFD.
 * @module
 */

/**
 * Decodes UTF-8 that comes in pieces. Bytes that are not UTF-8 become U+FFFD, one for each maximal part of a sequence,
 * as in the WHATWG Encoding Standard and Rust's `from_utf8_lossy`. A byte order mark is text.
 *
 * Our own, so that every host gives the same text however the bytes are cut.
 */
export class Utf8Decoder {
  readonly #eachByte: boolean;
  #taken = 0;
  #codePoint = 0;
  #needed = 0;
  // The range allowed for the next continuation byte: rules out overlong forms, surrogates and > U+10FFFF.
  #lower = 0x80;
  #upper = 0xbf;

  /** @param eachByte U+FFFD for every byte of an unfinished sequence, not one for all: Hugging Face's `ByteFallback` */
  constructor(eachByte = false) {
    this.#eachByte = eachByte;
  }

  /** The characters that `bytes` completes. */
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

  /** U+FFFD if a character is unfinished, else nothing. The decoder can be used again. */
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
