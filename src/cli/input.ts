/**
 * Text that comes in: files and stdin.
 * @module
 */
import { isUtf8 } from "node:buffer";
import { createReadStream, fstatSync } from "node:fs";
import { NibbleError } from "../base/errors.ts";
import { isMissing } from "../hosts/node/io.ts";

/** Whether a person can answer on stdin. */
export async function hasTerminal(): Promise<boolean> {
  const { isatty } = await import("node:tty");
  return isatty(0);
}

/**
 * Whether a shell connected stdin to a pipe or a file. A parent process in Node gives its child a socket by default, which
 * it may never close, so a socket is read only where nothing else gives the text.
 */
export function isShellInput(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isFile();
  } catch {
    return false; // closed
  }
}

export function readStdin(): Promise<string> {
  return readStream(process.stdin, "stdin");
}

/**
 * The exact text of a file, a pipe or a device; `-` is stdin.
 * @throws NibbleError `missing_file`; `io_error`; `limit_exceeded` beyond 64 MiB; `bad_string` for bytes that are not UTF-8
 */
export function readText(path: string): Promise<string> {
  return path === "-" ? readStdin() : readStream(createReadStream(path, { highWaterMark: 2 ** 20 }), path);
}

/** The limit that ends an endless input; War and Peace has 3 MiB. */
const MAX_TEXT_BYTES = 64 * 2 ** 20;

async function readStream(stream: NodeJS.ReadableStream, name: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      bytes += chunk.length;
      if (bytes > MAX_TEXT_BYTES) break;
    }
  } catch (cause) {
    throw unreadable(name, cause);
  }
  if (bytes > MAX_TEXT_BYTES)
    throw new NibbleError("limit_exceeded", `${name}: it holds more than ${MAX_TEXT_BYTES} bytes of text, the limit`);
  return decodeText(Buffer.concat(chunks), name);
}

/** The error of a text that cannot be read. */
export function unreadable(name: string, cause: unknown): NibbleError {
  const code = isMissing(cause) ? "missing_file" : "io_error";
  return new NibbleError(code, `${name}: it cannot be read: ${(cause as Error).message}`, { cause });
}

function decodeText(bytes: Buffer, name: string): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  const at = validBytes(bytes);
  const byte = bytes[at]!.toString(16).padStart(2, "0");
  throw new NibbleError("bad_string", `${name}: expected UTF-8 text, got byte 0x${byte} at offset ${at}`);
}

/** The number of bytes before the first that is not UTF-8, found by bisection. */
function validBytes(bytes: Buffer): number {
  /** The complete characters of the first `length` bytes; undefined if these are not UTF-8. */
  const complete = (length: number): string | undefined => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), {
        stream: true,
      });
    } catch {
      return undefined;
    }
  };
  let [good, bad] = [0, bytes.length + 1]; // a file can also end within a character
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (middle <= bytes.length && complete(middle) !== undefined) good = middle;
    else bad = middle;
  }
  return Buffer.byteLength(complete(good)!);
}
