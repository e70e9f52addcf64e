/**
 * The rows of one file. Its first bytes say what it is: Parquet, text, or text packed by gzip.
 * @module
 */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { NibbleError } from "../../base/errors.ts";
import { readRows } from "../../eval/rows.ts";
import type { Row } from "../../eval/task.ts";
import { unreadable } from "../input.ts";
import { isParquet } from "./parquet-magic.ts";
import { readParquetRows } from "./parquet-process.ts";

/**
 * @param path `-` is stdin
 * @param name what errors call the file
 * @throws NibbleError `missing_file`; `io_error`; as `readRows` and `readParquet`
 */
export async function readDataFile(path: string, name: string = path): Promise<readonly Row[]> {
  const chunks = chunksOf(path, name);
  const { value: head = new Uint8Array() } = await chunks.next();
  const all = startingWith(head, chunks);
  if (isParquet(head)) return readParquetRows(all, name);
  return readRows(head[0] === 0x1f && head[1] === 0x8b ? unpacked(all, name) : all, name);
}

async function* chunksOf(path: string, name: string): AsyncGenerator<Uint8Array> {
  const stream = path === "-" ? process.stdin : createReadStream(path, { highWaterMark: 2 ** 20 });
  try {
    yield* stream;
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

async function* startingWith(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}

async function* unpacked(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const packed = Readable.from(chunks);
  const stream = createGunzip();
  packed.on("error", (error) => stream.destroy(error));
  try {
    yield* packed.pipe(stream);
  } catch (cause) {
    if (cause instanceof NibbleError) throw cause;
    throw new NibbleError("bad_value", `${name}: the gzip file is damaged: ${(cause as Error).message}`, { cause });
  }
}
