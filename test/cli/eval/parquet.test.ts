/** Parquet as pyarrow and duckdb write it is read exactly; damaged and hostile files end in a typed error, in bounded time. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { readParquet } from "../../../src/cli/eval/parquet.ts";
import { readParquetRows } from "../../../src/cli/eval/parquet-process.ts";
import { pathOf } from "../helpers.ts";

const folder = pathOf("test/fixtures/parquet");
const FILES = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => name.slice(0, -5));
const bytesOf = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(join(folder, `${name}.parquet`)));
const rowsOf = (name: string): unknown => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

async function read(bytes: Uint8Array<ArrayBuffer>): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const some of readParquet(bytes, "x.parquet")) rows.push(...some);
  return rows;
}

const entry = pathToFileURL(pathOf("dist/parquet.js"));
async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}
const readApart = (bytes: Uint8Array, limits: object = {}) =>
  readParquetRows(inPieces(bytes), "x.parquet", { entry, ...limits });

describe("every file equals its rows", () => {
  it.each(FILES)("%s", async (name) => {
    expect(await read(bytesOf(name))).toEqual(rowsOf(name));
  });
  it("in the process", async () => {
    expect(await readApart(bytesOf("types-brotli"))).toEqual(rowsOf("types-brotli"));
  });
});

/** A copy of `run` in which the bytes `from` are replaced. */
function patched(from: readonly number[], to: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf("run");
  const at = Buffer.from(bytes).indexOf(Buffer.from(from));
  expect(at).toBeGreaterThan(0);
  bytes.set(to, at);
  return bytes;
}

describe("what a header says is compared before memory is taken", () => {
  const good = bytesOf("run");
  const footer = (length: number): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(good);
    new DataView(bytes.buffer).setUint32(bytes.length - 8, length, true);
    return bytes;
  };
  it.each<[string, Uint8Array<ArrayBuffer>, string, RegExp]>([
    ["no magic", new Uint8Array(100), "bad_magic", /^x\.parquet: expected a Parquet file$/],
    ["cut off", good.slice(0, -9), "truncated", /the file is not complete/],
    ["four bytes", good.slice(0, 4), "truncated", /the file is not complete/],
    ["a header longer than the file", footer(2 ** 31), "truncated", /its header has 2147483648 bytes/],
    ["an empty header", footer(0), "bad_value", /the Parquet file is damaged/],
    // Field 3 of FileMetaData is the number of rows, 100 in zigzag.
    [
      "more rows than the groups have",
      patched([0x16, 0xc8, 1, 0x19], [0x16, 0xc9, 1, 0x19]),
      "bad_value",
      /expected -101 rows/,
    ],
    // Field 2 of PageHeader: 807 bytes, decompressed, become more than 2^31.
    [
      "a page of other lengths",
      patched([0x15, 0xce, 0x0c], [0x15, 0xcf, 0x0c]),
      "bad_value",
      /expected a number of bytes of a page/,
    ],
  ])("%s", async (_, bytes, code, message) => {
    await expect(read(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
  it("more rows than the limit, in 327 bytes", async () => {
    await expect(read(bytesOf("too-many"))).rejects.toMatchObject({
      code: "limit_exceeded",
      message: "x.parquet: expected at most 4194304 rows, got 4194305",
    });
  });
});

describe("what no header says is caught around the process", () => {
  // The levels of definition are one run of 100 values; here it has 2^30.
  const endless = patched([3, 0, 0, 0, 0xc8, 1, 1], [6, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x08, 1]);
  it("a run of 2^30 values", async () => {
    await expect(readApart(endless, { megabytes: 64 })).rejects.toMatchObject({
      code: "limit_exceeded",
      message: "x.parquet: the Parquet file is damaged or too large, since reading it took more than 64 MB",
    });
  });
  it("a reader that takes too long", async () => {
    await expect(readApart(bytesOf("run"), { milliseconds: 1 })).rejects.toMatchObject({
      code: "limit_exceeded",
      message: expect.stringMatching(/took more than 1 s$/),
    });
  });
});

it("damage anywhere ends in rows or in a typed error", async () => {
  const cases = FILES.flatMap((name, file) =>
    [1, 2, 3].map((times) => {
      const bytes = bytesOf(name);
      for (let i = 0; i < times; i++)
        bytes[((bytes.length * (7 * times + 13 * file + 31 * i)) % 1009) % bytes.length] = 255;
      return bytes;
    }),
  );
  const outcomes: string[] = [];
  for (const bytes of cases)
    outcomes.push(
      await readApart(bytes, { megabytes: 256, milliseconds: 5000 }).then(
        () => "rows",
        (error) => error.code,
      ),
    );
  for (const outcome of outcomes) expect(outcome).toMatch(/^(rows|bad_\w+|truncated|limit_exceeded)$/);
  expect(outcomes.filter((outcome) => outcome !== "rows").length).toBeGreaterThan(10);
});
