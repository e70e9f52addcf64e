/**
 * Text that comes in: files and stdin.
 * @module
 */
import { isUtf8 } from "node:buffer";
import { createReadStream, fstatSync } from "node:fs";
import { NibbleError } from "../base/errors.ts";

/** Whether a person can answer on stdin. */
export async function hasTerminal(): Promise<boolean> {
  const { isatty } = await import("node:tty");
  return isatty(0);
}

/**
 * Whether stdin is something that a shell connected: a pipe or a file. A Node parent's default stdin is a socket that
 * it may never close, so sockets are only read where nothing else gives the text.
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
 * A file's text, exactly; `-` is stdin. It may be a pipe or a device.
 * @throws NibbleError `missing_file`; `limit_exceeded` beyond 64 MiB; `bad_string` for bytes that are no UTF-8
 */
export function readText(path: string): Promise<string> {
  return path === "-" ? readStdin() : readStream(createReadStream(path, { highWaterMark: 2 ** 20 }), path);
}

/** War and Peace is 3 MiB. An endless input ends here. */
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
    throw new NibbleError("missing_file", `expected a readable file, got ${name}: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (bytes > MAX_TEXT_BYTES)
    throw new NibbleError("limit_exceeded", `${name}: expected at most ${MAX_TEXT_BYTES} bytes of text, got more`);
  return decodeText(Buffer.concat(chunks), name);
}

function decodeText(bytes: Buffer, name: string): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  const at = validBytes(bytes);
  const byte = bytes[at]!.toString(16).padStart(2, "0");
  throw new NibbleError("bad_string", `${name}: expected UTF-8 text, got byte 0x${byte} at offset ${at}`);
}

/** How many bytes there are before the first that begins no character. */
function validBytes(bytes: Buffer): number {
  /** The characters that are complete at the end of a part; undefined if it has others than UTF-8 allows. */
  const complete = (length: number): string | undefined => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), {
        stream: true,
      });
    } catch {
      return undefined;
    }
  };
  let [good, bad] = [0, bytes.length + 1]; // a file may also end within a character
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (middle <= bytes.length && complete(middle) !== undefined) good = middle;
    else bad = middle;
  }
  return Buffer.byteLength(complete(good)!);
}
