/**
 * Random-access bytes, whatever they come from, and a folder of them.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

/**
 * Random-access bytes: a file, a Blob, an HTTP resource, an R2 object.
 * `read` gives exactly `length` bytes or rejects with `NibbleError("truncated" | "io_error")`.
 */
export interface ByteSource {
  /** Total length in bytes. */
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Optional: the same without a copy, straight into `target` (which may be a view of wasm memory). */
  readInto?(offset: number, target: Uint8Array): Promise<void>;
  close?(): void | Promise<void>;
}

/** A stretch of a source. */
export interface ByteRange {
  readonly source: ByteSource;
  readonly offset: number;
  readonly length: number;
}

/** A folder of files, however the host reaches it. `open` rejects with `missing_file` if there is none. */
export interface FileSet {
  open(name: string): Promise<ByteSource>;
  has(name: string): Promise<boolean>;
}

/**
 * Checks that `length` bytes at `offset` lie inside a source of `size` bytes.
 * @throws NibbleError `invalid_argument` for anything but whole numbers >= 0, `truncated` past the end
 */
export function checkRange(size: number, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new NibbleError("invalid_argument", `expected a byte range, got offset ${offset}, length ${length}`);
  }
  if (offset > size || length > size - offset) {
    throw new NibbleError("truncated", `expected ${length} bytes at offset ${offset}, but the file has ${size}`);
  }
}

/**
 * Reads exactly `length` bytes, whatever the source does.
 * @throws NibbleError `truncated` past the end, `io_error` if the source breaks its contract
 */
export async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  checkRange(source.size, offset, length);
  const bytes = await source.read(offset, length);
  if (bytes.length !== length) {
    throw new NibbleError("io_error", `the source gave ${bytes.length} bytes where ${length} were asked for`);
  }
  return bytes;
}

/** The same into `target`, in place where the source can: it keeps nothing of what was read then. */
export async function readInto(source: ByteSource, offset: number, target: Uint8Array): Promise<void> {
  if (source.readInto) await source.readInto(offset, target);
  else target.set(await readExactly(source, offset, target.length));
}
