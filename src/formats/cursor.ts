/**
 * A cursor that reads a header front to back. It fetches windows of bytes that double from 64 KiB to 1 MiB, so a long
 * header takes few reads and a short one wastes little. It never asks for bytes beyond the end of the file.
 * @module
 */
import type { FormatErrorCode } from "../base/errors.ts";
import { NibbleError } from "../base/errors.ts";
import { type ByteTarget, copyUtf8, decodeUtf8 } from "../base/utf8.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { readExactly } from "../io/byte-source.ts";
import { StringTable } from "./string-table.ts";

/** Bytes of the largest fetch. */
const LARGEST_WINDOW = 1024 * 1024;

/** Reads a file's header front to back. `what` names the value that a method reads, for its errors. */

export class Cursor {
  readonly #source: ByteSource;
  /** Largest length of the header, in bytes from the start of the file. */
  readonly #limit: number;
  /** The bytes fetched last, and the cursor's index in them. */
  #window: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  /** Offset in the file of the first byte after the window, which is the number of bytes fetched so far. */
  #fetched = 0;
  #nextWindow: number;

  /**
   * @param limit largest length of the header, in bytes
   * @param firstWindow bytes of the first fetch; each further one is twice as long, up to 1 MiB
   */
  constructor(source: ByteSource, limit: number, firstWindow: number) {
    this.#source = source;
    this.#limit = limit;
    this.#nextWindow = firstWindow;
  }

  /** Absolute offset of the next byte. */
  get position(): number {
    return this.#fetched - this.#window.length + this.#at;
  }

  /** Bytes between the cursor and the end of the file. */
  get remaining(): number {
    return this.#source.size - this.position;
  }

  /** Bytes read from the source so far. */
  get fetched(): number {
    return this.#fetched;
  }

  /**
   * Checks that the file has `length` more bytes and that they are within the header's limit. Nothing is allocated.
   * @throws NibbleError `truncated`, `limit_exceeded`
   */
  check(length: number, what: string): void {
    if (length > this.remaining) {
      throw new NibbleError(
        "truncated",
        `${what}: the file ends at byte ${this.#source.size}; ${length} bytes are needed at offset ${this.position}`,
      );
    }
    if (this.position + length > this.#limit) {
      throw new NibbleError(
        "limit_exceeded",
        `header: expected at most ${this.#limit} bytes, got ${this.position + length} or more (${what})`,
      );
    }
  }

  /** The next `length` bytes, as a view that is valid until the next call. */
  async bytes(length: number, what: string): Promise<Uint8Array> {
    await this.#need(length, what);
    const bytes = this.#window.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  async u8(what: string): Promise<number> {
    await this.#need(1, what);
    return this.#window[this.#at++]!;
  }

  async u32(what: string): Promise<number> {
    await this.#need(4, what);
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  /**
   * An unsigned 64-bit integer that a double holds exactly (a negative i64 reads as a large one).
   * @throws NibbleError `code` (default `limit_exceeded`) above 2^53 - 1
   */
  async u64(what: string, code: FormatErrorCode = "limit_exceeded"): Promise<number> {
    await this.#need(8, what);
    return this.#u64(what, code);
  }

  /**
   * A string: a u64 length in bytes, then that many bytes of UTF-8.
   * @throws NibbleError `limit_exceeded` above `maxBytes`, `bad_string`
   */
  async string(what: string, maxBytes: number): Promise<string> {
    const length = await this.u64(what);
    if (length > maxBytes) throw tooLong(what, length, maxBytes);
    return decodeUtf8(await this.bytes(length, what), what);
  }

  /**
   * `count` strings, each as `string` reads it.
   * @throws NibbleError `limit_exceeded` for one above `maxBytes`, `bad_string` for one that is not UTF-8
   */
  async strings(count: number, what: string, maxBytes: number): Promise<StringTable> {
    this.check(count * 8, what); // an empty string takes 8 bytes, so no array is larger than the file accounts for
    const ends = new Uint32Array(count);
    const text: ByteTarget = { bytes: new Uint8Array(Math.min(this.remaining, TYPICAL_STRING_BYTES * count)), at: 0 };
    for (let i = 0; i < count; i++) {
      if (this.#window.length - this.#at < 8) await this.#need(8, what);
      const length = this.#u64(what, "limit_exceeded");
      if (length > maxBytes) throw tooLong(what, length, maxBytes);
      if (this.#window.length - this.#at < length) await this.#need(length, what);
      // The table grows to a quarter more than all strings need if the rest are as long as those read so far, but never
      // by more than the file has left.
      const used = text.at + length;
      if (used > text.bytes.length)
        text.bytes = grown(text, Math.min(text.at + this.remaining, 1.25 * (used / (i + 1)) * count + 65536));
      if (!copyUtf8(this.#window, this.#at, this.#at + length, text))
        throw new NibbleError("bad_string", `${what} [${i}]: the bytes are not valid UTF-8`);
      this.#at += length;
      ends[i] = used;
    }
    return new StringTable(text.bytes.subarray(0, text.at), ends);
  }

  #u64(what: string, code: FormatErrorCode): number {
    const low = this.#view.getUint32(this.#at, true);
    const high = this.#view.getUint32(this.#at + 4, true);
    this.#at += 8;
    if (high > 0x1fffff) {
      const value = (BigInt(high) << 32n) | BigInt(low);
      throw new NibbleError(code, `${what}: expected an integer of at most 2^53 - 1, got ${value}`);
    }
    return high * 0x1_0000_0000 + low;
  }

  /** Makes the window hold the next `length` bytes. */
  async #need(length: number, what: string): Promise<void> {
    const buffered = this.#window.length - this.#at;
    if (buffered >= length) return;
    this.check(length, what);
    const fetch = Math.min(Math.max(length - buffered, this.#nextWindow), this.#source.size - this.#fetched);
    const bytes = await readExactly(this.#source, this.#fetched, fetch);
    this.#nextWindow = Math.min(2 * this.#nextWindow, LARGEST_WINDOW);
    this.#fetched += fetch;
    if (buffered === 0) {
      this.#window = bytes;
    } else {
      const window = new Uint8Array(buffered + fetch);
      window.set(this.#window.subarray(this.#at));
      window.set(bytes, buffered);
      this.#window = window;
    }
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
    this.#at = 0;
  }
}

/** For the first allocation: strings of vocabularies and merges have 8 to 11 bytes on average. */
const TYPICAL_STRING_BYTES = 12;

function tooLong(what: string, length: number, maxBytes: number): NibbleError {
  return new NibbleError("limit_exceeded", `${what}: expected a string of at most ${maxBytes} bytes, got ${length}`);
}

function grown({ bytes, at }: ByteTarget, length: number): Uint8Array {
  const larger = new Uint8Array(length);
  larger.set(bytes.subarray(0, at));
  return larger;
}
