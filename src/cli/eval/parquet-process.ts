/**
 * Reads Parquet in a process of its own, since the decoder trusts what it finds inside of pages: a run of 2^30 values takes
 * 6 bytes, and V8 ends the whole process for an array of that length, not only the thread. A good file of 25 MB takes 2 s.
 * @module
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { type ErrorCode, NibbleError } from "../../base/errors.ts";
import { readRows } from "../../eval/rows.ts";
import type { Row } from "../../eval/task.ts";

/** The last message of the process. */
export type ParquetResult = { readonly error?: { readonly code: ErrorCode; readonly message: string } };

interface ParquetLimits {
  /** Of the JavaScript heap. */
  readonly megabytes: number;
  /** From the last byte of the file on. */
  readonly milliseconds: number;
  /** The module of the process. */
  readonly entry: URL;
}

/**
 * @param chunks the bytes of the file
 * @param name the file, for errors
 * @throws NibbleError as `readParquet`; `limit_exceeded` for a file whose reading takes more memory or time than the limits
 */
export async function readParquetRows(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  limits: Partial<ParquetLimits> = {},
): Promise<readonly Row[]> {
  const { megabytes = 1024, entry = new URL("./parquet.js", import.meta.url) } = limits;
  const child = fork(entry, [name], {
    stdio: ["pipe", "pipe", "ignore", "ipc"],
    execArgv: process.versions.bun || process.versions.deno ? [] : [`--max-old-space-size=${megabytes}`],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let result: ParquetResult | undefined;
  child.on("message", (message: ParquetResult) => {
    result = message;
  });
  const ended = once(child, "close");
  let excess = `${megabytes} MB`;
  let timer: NodeJS.Timeout | undefined;
  const send = async (): Promise<void> => {
    let bytes = 0;
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        yield chunk;
      }
    };
    await pipeline(counted, child.stdin!);
    const milliseconds = limits.milliseconds ?? 15_000 + bytes / 1000;
    timer = setTimeout(() => {
      excess = `${Math.ceil(milliseconds / 1000)} s`;
      child.kill("SIGKILL");
    }, milliseconds);
  };
  try {
    // Where the process ends early, its result, or the lack of one, says why, and not the pipe that broke.
    const [sent, rows] = await Promise.allSettled([send(), readRows(child.stdout!, name), ended]);
    if (result?.error) throw new NibbleError(result.error.code, result.error.message);
    if (sent.status === "rejected" && sent.reason instanceof NibbleError) throw sent.reason;
    if (!result)
      throw new NibbleError(
        "limit_exceeded",
        `${name}: the Parquet file is damaged or too large, since reading it took more than ${excess}`,
      );
    if (rows.status === "rejected") throw rows.reason;
    return rows.value;
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
  }
}
