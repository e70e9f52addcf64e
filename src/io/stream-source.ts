/**
 * Bytes that arrive in order: the body of an R2 object, a response, any ReadableStream. The loader reads a file front to
 * back, so a stream can be read once, straight into wasm memory. Only the last window of the header is kept, because the
 * first weights may be in it.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { checkRange } from "./byte-source.ts";

/** A body and its length, such as an `R2ObjectBody` of Cloudflare. */
export interface StreamedFile {
  /** Length in bytes. */
  readonly size: number;
  /** All bytes, in order. */
  readonly body: ReadableStream<Uint8Array>;
}

/**
 * Bytes of one read. workerd's default reader gives 4 KiB per read, which took 686 ms for 100 MiB; reads of 1 MiB took
 * 84 ms.
 */
const PIECE_BYTES = 2 ** 20;
/** Default of `Seekable.maxSkipBytes`, in bytes. */
const MAX_SKIP_BYTES = 2 ** 20;

/** The next bytes of a stream, one to `wanted` of them; undefined at its end. */
type Next = (wanted: number) => Promise<Uint8Array | undefined>;

/** An open stream, and how to end it. */
interface Reading {
  readonly next: Next;
  cancel(): Promise<void>;
}

/**
 * Reads a stream. A byte stream gets one buffer of ours, which it hands back with each read ("bring your own buffer");
 * other streams give chunks of their own. Neither can read into wasm memory directly, as that cannot be transferred.
 */
function reading(stream: ReadableStream<Uint8Array>): Reading {
  let byob: ReadableStreamBYOBReader;
  try {
    byob = stream.getReader({ mode: "byob" });
  } catch {
    return chunkReading(stream.getReader()); // not a byte stream
  }
  return bufferReading(byob);
}

function bufferReading(reader: ReadableStreamBYOBReader): Reading {
  let buffer = new ArrayBuffer(PIECE_BYTES);
  return {
    async next(wanted) {
      const length = Math.min(wanted, buffer.byteLength);
      // Not every engine knows `min`; without it a read may return fewer bytes, which is allowed.
      const options = { min: length } as object;
      const read: (view: Uint8Array, options: object) => Promise<ReadableStreamReadResult<Uint8Array>> =
        reader.read.bind(reader) as never;
      const { value, done } = await read(new Uint8Array(buffer, 0, length), options);
      if (value) buffer = value.buffer as ArrayBuffer;
      return done || !value ? undefined : value;
    },
    cancel: () => reader.cancel(),
  };
}

function chunkReading(reader: ReadableStreamDefaultReader<Uint8Array>): Reading {
  let rest: Uint8Array = new Uint8Array(0);
  return {
    async next(wanted) {
      while (rest.length === 0) {
        const { value, done } = await reader.read();
        if (done) return undefined;
        rest = value;
      }
      const bytes = rest.subarray(0, wanted);
      rest = rest.subarray(bytes.length);
      return bytes;
    },
    cancel: () => reader.cancel(),
  };
}

/** A file that can be streamed from any offset. */
export interface Seekable {
  /** Length in bytes. */
  readonly size: number;
  /** A stream of all bytes, if one is open already. */
  readonly first?: ReadableStream<Uint8Array> | undefined;
  /** The bytes from an offset on. It is called where a read goes back, or far ahead. */
  open(offset: number): Promise<ReadableStream<Uint8Array>>;
  /** The longest gap in bytes that is read and discarded; for a longer one `open` is called. Default: 1 MiB. */
  readonly maxSkipBytes?: number;
}

/**
 * A source that reads on from the open stream where it can, and opens another stream where it must.
 * Its reads reject with NibbleError `truncated`, `io_error`.
 */
export function seekableSource(file: Seekable): ByteSource {
  const reader = new SeekableReader(file);
  return {
    size: file.size,
    readInto: (offset, target) => reader.read(offset, target, false),
    async read(offset, length) {
      checkRange(file.size, offset, length);
      const bytes = new Uint8Array(length);
      await reader.read(offset, bytes, true);
      return bytes;
    },
    close: () => reader.close(),
  };
}

/** The open stream of a source, and what it has read last. */
class SeekableReader {
  readonly #size: number;
  readonly #open: Seekable["open"];
  readonly #maxSkipBytes: number;
  #current: Reading | undefined;
  /** Offset of the stream's next byte. */
  #position = 0;
  /**
   * The bytes of the last read that asked to keep them, and their offset. The loader reads the end of the header's last
   * window again.
   */
  #kept: Uint8Array = new Uint8Array(0);
  #keptAt = 0;
  #last: Promise<void> = Promise.resolve();

  constructor({ size, first, open, maxSkipBytes = MAX_SKIP_BYTES }: Seekable) {
    this.#size = size;
    this.#open = open;
    this.#maxSkipBytes = maxSkipBytes;
    this.#current = first && reading(first);
  }

  async close(): Promise<void> {
    await this.#current?.cancel().catch(() => {});
    this.#current = undefined;
  }

  /**
   * Fills `target` from `offset` on. Reads happen one after the other, in the order of the calls.
   * @param keep whether `target` is kept for a read of the same bytes; it must not change then
   */
  read(offset: number, target: Uint8Array, keep: boolean): Promise<void> {
    const read = this.#last.then(async () => {
      await this.#fill(offset, target);
      if (keep) [this.#kept, this.#keptAt] = [target, offset];
      else if (offset >= this.#keptAt + this.#kept.length) this.#kept = new Uint8Array(0);
    });
    this.#last = read.catch(() => {});
    return read;
  }

  async #fill(offset: number, target: Uint8Array): Promise<void> {
    checkRange(this.#size, offset, target.length);
    let done = this.#copyKept(offset, target);
    if (done === target.length) return;
    const stream = await this.#streamAt(offset + done);
    while (done < target.length) {
      const gap = offset + done - this.#position;
      const bytes = await this.#next(stream, gap > 0 ? gap : target.length - done);
      if (gap > 0) continue;
      target.set(bytes, done);
      done += bytes.length;
    }
  }

  /** Copies what `read` has kept of the range. Returns the number of bytes. */
  #copyKept(offset: number, target: Uint8Array): number {
    if (offset < this.#keptAt || offset >= this.#keptAt + this.#kept.length) return 0;
    const again = this.#kept.subarray(offset - this.#keptAt, offset - this.#keptAt + target.length);
    target.set(again);
    return again.length;
  }

  /** A stream whose next byte is at or not far before `offset`. */
  async #streamAt(offset: number): Promise<Reading> {
    const gap = offset - this.#position;
    if (this.#current && gap >= 0 && gap <= this.#maxSkipBytes) return this.#current;
    await this.close();
    const stream = await this.#open(offset);
    this.#position = offset;
    this.#current = reading(stream);
    return this.#current;
  }

  async #next(stream: Reading, wanted: number): Promise<Uint8Array> {
    const bytes = await stream.next(wanted).catch((cause: unknown) => {
      this.#current = undefined;
      throw new NibbleError("io_error", `could not read the stream at byte ${this.#position}: ${cause}`, { cause });
    });
    if (!bytes) throw new NibbleError("truncated", `the stream ended at byte ${this.#position} of ${this.#size}`);
    this.#position += bytes.length;
    return bytes;
  }
}

/** A source over a stream that cannot be opened again. It can be read once, front to back. */
export function streamSource({ size, body }: StreamedFile): ByteSource {
  const open = async (offset: number): Promise<never> => {
    throw new NibbleError(
      "io_error",
      `byte ${offset} cannot be read again: the stream has passed it, and it can be read only once`,
    );
  };
  return { ...seekableSource({ size, first: body, open, maxSkipBytes: Number.POSITIVE_INFINITY }), once: true };
}
