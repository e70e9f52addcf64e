/**
 * A cursor that reads a header front to back through a ByteSource, in windows that double from 64 KiB to 1 MiB:
 * few reads for long headers, little waste for short ones, and never more than the file has.
 * @module
 */
import type { FormatErrorCode } from "../base/errors.ts";
import { NibbleError } from "../base/errors.ts";
import { copyUtf8, decodeUtf8 } from "../base/utf8.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { readExactly } from "../io/byte-source.ts";
import { StringTable } from "./string-table.ts";

const LARGEST_WINDOW = 1024 * 1024;

export class Cursor {
  readonly #source: ByteSource;
  /** Where reading must stop: the header limit, in bytes from the start of the file. */
  readonly #limit: number;
  /** The buffered bytes, and where in them the cursor stands. */
  #window: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  /** File offset of the first byte after the window: the bytes fetched so far. */
  #fetched = 0;
  #nextWindow: number;

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

  /** Bytes taken from the source. */
  get fetched(): number {
    return this.#fetched;
  }

  /**
   * Refuses `length` bytes that the file does not have, or that pass the header limit. Nothing is allocated.
   * @throws NibbleError `truncated`, `limit_exceeded`
   */
  check(length: number, what: string): void {
    if (length > this.remaining) {
      throw new NibbleError(
        "truncated",
        `${what}: expected ${length} bytes at offset ${this.position}, got ${this.remaining}`,
      );
    }
    if (this.position + length > this.#limit) {
      throw new NibbleError("limit_exceeded", `${what}: expected a header of at most ${this.#limit} bytes`);
    }
  }

  /** A view of the next `length` bytes, valid until the next call. */
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

  /** A u64 byte length and that many bytes of UTF-8. */
  async string(what: string, maxBytes: number): Promise<string> {
    const length = await this.u64(what);
    if (length > maxBytes) throw tooLong(what, length, maxBytes);
    return decodeUtf8(await this.bytes(length, what), what);
  }

  /**
   * `count` strings, as their bytes.
   * @throws NibbleError `bad_string` where one is not UTF-8
   */
  async strings(count: number, what: string, maxBytes: number): Promise<StringTable> {
    this.check(count * 8, what); // an empty string is 8 bytes: no array larger than the file explains
    const ends = new Uint32Array(count);
    let text = new Uint8Array(Math.min(this.remaining, USUAL_BYTES * count));
    let used = 0;
    for (let i = 0; i < count; i++) {
      if (this.#window.length - this.#at < 8) await this.#need(8, what);
      const length = this.#u64(what, "limit_exceeded");
      if (length > maxBytes) throw tooLong(what, length, maxBytes);
      if (this.#window.length - this.#at < length) await this.#need(length, what);
      // Room for all and a quarter, if they are as long as those before; what the file still has is enough.
      if (used + length > text.length)
        text = grown(text, used, Math.min(used + this.remaining, 1.25 * ((used + length) / (i + 1)) * count + 65536));
      if (!copyUtf8(this.#window, this.#at, this.#at + length, text, used))
        throw new NibbleError("bad_string", `${what} [${i}]: expected UTF-8 text, got other bytes`);
      used += length;
      this.#at += length;
      ends[i] = used;
    }
    return new StringTable(text.subarray(0, used), ends);
  }

  #u64(what: string, code: FormatErrorCode): number {
    const low = this.#view.getUint32(this.#at, true);
    const high = this.#view.getUint32(this.#at + 4, true);
    this.#at += 8;
    if (high > 0x1fffff) {
      const value = (BigInt(high) << 32n) | BigInt(low);
      throw new NibbleError(code, `${what}: expected at most 2^53 - 1, got ${value}`);
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

/** A string of a vocabulary or its merges has 8 to 11 bytes. */
const USUAL_BYTES = 12;

function tooLong(what: string, length: number, maxBytes: number): NibbleError {
  return new NibbleError("limit_exceeded", `${what}: expected a string of at most ${maxBytes} bytes, got ${length}`);
}

function grown(bytes: Uint8Array, used: number, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes.subarray(0, used));
  return larger;
}
