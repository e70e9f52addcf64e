/**
 * Lines of a stream of bytes, one after the other, so that a file of any size takes the memory of its longest line.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

export interface Line {
  /** The text without its end (`\n` or `\r\n`). Undefined where the bytes are not UTF-8. */
  readonly text: string | undefined;
  /** Counted from 1. */
  readonly number: number;
  /** The offset of its first byte, and that behind its last one, the line feed included. */
  readonly start: number;
  readonly end: number;
  /** Whether a line feed ends it; only the last line may have none. */
  readonly whole: boolean;
}

/** Most bytes of one line. A request with a long document has some hundred kilobytes. */
export const MAX_LINE_BYTES: number = 64 * 2 ** 20;
const LINE_FEED = 10;

/** @throws NibbleError `limit_exceeded` for a line of more than 64 MiB */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line, undefined> {
  let held: Uint8Array[] = [];
  let [bytes, start, number] = [0, 0, 0];
  const take = (whole: boolean): Line => {
    const end = start + bytes + Number(whole);
    const line = { text: decode(held, bytes), number: ++number, start, end, whole };
    [held, bytes, start] = [[], 0, end];
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      held.push(chunk.subarray(from, at));
      bytes += at - from;
      yield take(true);
      from = at + 1;
    }
    // The bytes are copied, because the source may fill its buffer again.
    if (from < chunk.length) held.push(chunk.slice(from));
    bytes += chunk.length - from;
    if (bytes > MAX_LINE_BYTES)
      throw new NibbleError(
        "limit_exceeded",
        `line ${number + 1}: it has more than ${MAX_LINE_BYTES} bytes, the limit`,
      );
  }
  if (bytes > 0) yield take(false);
}

function decode(parts: readonly Uint8Array[], bytes: number): string | undefined {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(all).replace(/\r$/, "");
  } catch {
    return undefined;
  }
}
