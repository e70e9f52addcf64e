/**
 * The process that turns Parquet on stdin into JSON Lines on stdout. Its argument is the file's name for errors; its one
 * message says how it ended.
 * @module
 */
import { once } from "node:events";
import { NibbleError } from "../../base/errors.ts";
import { readParquet } from "./parquet.ts";
import type { ParquetResult } from "./parquet-process.ts";

const MAX_FILE_BYTES = 2 ** 30;

async function readStdin(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_FILE_BYTES)
      throw new NibbleError("limit_exceeded", `${name}: expected a Parquet file of at most ${MAX_FILE_BYTES} bytes`);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

async function convert(name: string): Promise<ParquetResult> {
  try {
    for await (const rows of readParquet(await readStdin(name), name))
      for (const row of rows)
        if (!process.stdout.write(`${JSON.stringify(row)}\n`)) await once(process.stdout, "drain");
    return {};
  } catch (error) {
    if (!(error instanceof NibbleError)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
}

// hyparquet decodes columns side by side; where two fail, nobody waits for the second.
process.on("unhandledRejection", () => {});
const result = await convert(process.argv[2] ?? "stdin");
process.stdout.write("", () => process.send!(result, () => process.disconnect()));
