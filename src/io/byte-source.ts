/**
 * Random-access bytes from any origin, and folders of files.
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
  /** `length` bytes from `offset` on. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Optional: reads without a copy into `target`, which may be a view of wasm memory. */
  readInto?(offset: number, target: Uint8Array): Promise<void>;
  /** Optional: true where the bytes can be read only once, from front to back. */
  readonly once?: boolean;
  /** Optional: releases the file or connection. */
  close?(): void | Promise<void>;
}

/** Whether a value of a caller is a source. */
export function isSource(value: unknown): value is ByteSource {
  if (typeof value !== "object" || value === null) return false;
  const { size, read, readInto, close } = value as Partial<Record<keyof ByteSource, unknown>>;
  const isOptional = (one: unknown): boolean => one === undefined || typeof one === "function";
  return (
    Number.isSafeInteger(size) &&
    (size as number) >= 0 &&
    typeof read === "function" &&
    [readInto, close].every(isOptional)
  );
}

/** A caller's folder, whose answers are checked. @throws NibbleError `io_error` where they are of another type */
export function checkedFiles(files: FileSet): FileSet {
  const wrong = (call: string, expected: string) =>
    new NibbleError("io_error", `the FileSet's ${call} gave something else than ${expected}`);
  return {
    ...(typeof files.list === "function" && { list: () => files.list!() }),
    async has(name) {
      const found: unknown = await files.has(name);
      if (typeof found === "boolean") return found;
      throw wrong(`has(${JSON.stringify(name)})`, "true or false");
    },
    async open(name) {
      const source: unknown = await files.open(name);
      if (isSource(source)) return source;
      throw wrong(`open(${JSON.stringify(name)})`, "a ByteSource");
    },
  };
}

/** A range of bytes in a source. */
export interface ByteRange {
  readonly source: ByteSource;
  readonly offset: number;
  readonly length: number;
}

/** A folder of files. */
export interface FileSet {
  /** Opens a file. Rejects with `NibbleError("missing_file")` if there is none of that name. */
  open(name: string): Promise<ByteSource>;
  /** Whether there is a file of that name. */
  has(name: string): Promise<boolean>;
  /** Names of all files, with `/` between a folder's name and a file's. Without it only files of known names are found. */
  list?(): Promise<readonly string[]>;
}

/**
 * Checks that `length` bytes at `offset` lie inside a source of `size` bytes.
 * @throws NibbleError `invalid_argument` for anything but whole numbers >= 0, `truncated` past the end
 */
export function checkRange(size: number, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new NibbleError(
      "invalid_argument",
      `byte range: expected whole numbers of 0 or more, got offset ${offset}, length ${length}`,
    );
  }
  if (offset > size || length > size - offset) {
    throw new NibbleError("truncated", `the file ends at byte ${size}; ${length} bytes are needed at offset ${offset}`);
  }
}

/**
 * Reads exactly `length` bytes and checks that the source keeps its contract.
 * @throws NibbleError `truncated` past the end, `io_error` if the source breaks its contract
 */
export async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  checkRange(source.size, offset, length);
  const bytes = await source.read(offset, length);
  if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
    const got = (bytes as unknown) instanceof Uint8Array ? bytes.length : typeof bytes;
    throw new NibbleError("io_error", `a read of ${length} bytes at offset ${offset} returned ${got}`);
  }
  return bytes;
}

/** Fills `target` from `offset` on, without a copy where the source can do that. */
export async function readInto(source: ByteSource, offset: number, target: Uint8Array): Promise<void> {
  if (source.readInto) await source.readInto(offset, target);
  else target.set(await readExactly(source, offset, target.length));
}

/**
 * Makes a source of `fill`, which writes the bytes from `offset` on into `target`. It is called only for ranges that lie
 * inside the file, by `readInto` with the reader's target and by `read` with new memory.
 */
export function fillSource(
  size: number,
  fill: (offset: number, target: Uint8Array) => Promise<void>,
  close?: () => Promise<void>,
): ByteSource {
  return {
    size,
    async readInto(offset, target) {
      checkRange(size, offset, target.length);
      await fill(offset, target);
    },
    async read(offset, length) {
      checkRange(size, offset, length);
      const bytes = new Uint8Array(length);
      await fill(offset, bytes);
      return bytes;
    },
    ...(close && { close }),
  };
}
