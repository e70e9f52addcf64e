/// <reference path="./lz4.d.ts" />
/**
 * Rows of a Parquet file (https://parquet.apache.org/docs/file-format). hyparquet decodes them: it has no dependencies, needs
 * no native code, and reads every encoding. It trusts a file's header, so everything by which it takes memory is compared
 * with the limits first. What is left, such as run lengths inside of a page, is caught by the process around it
 * (`parquet-process.ts`).
 * @module
 */
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { decompress as decompressZstd } from "fzstd";
import { parquetHeader } from "hyparquet/src/column.js";
import {
  type ColumnMetaData,
  type Compressors,
  type FileMetaData,
  type PageHeader,
  type ParquetParsers,
  parquetMetadata,
  parquetReadObjects,
  parquetSchema,
  snappyUncompress,
} from "hyparquet/src/index.js"; // without the helpers for Node's files
import { decompressLz4, decompressLz4Raw } from "hyparquet-compressors/src/lz4.js";
import { NibbleError } from "../../base/errors.ts";
import type { Row } from "../../eval/task.ts";
import { isParquet, PARQUET_MAGIC } from "./parquet-magic.ts";

/** The sets of the tasks have at most 100 MB and 60,000 rows a split. */
const MAX_HEADER_BYTES = 2 ** 24;
const MAX_ROWS = 2 ** 22;
/** Values of all columns and bytes of all pages, decompressed. */
const MAX_VALUES = 2 ** 24;
const MAX_BYTES = 2 ** 31;

/**
 * Reads the rows, one group of the file after the other. Values are those of JSON: lists and objects for nested columns,
 * and text for dates and for integers that a JavaScript number does not hold.
 * @param name the file, for errors
 * @throws NibbleError `bad_magic`, `truncated`, `limit_exceeded`, `unsupported_type`, `bad_value` for a damaged file
 */
export async function* readParquet(bytes: Uint8Array<ArrayBuffer>, name: string): AsyncGenerator<Row[]> {
  try {
    const metadata = readMetadata(bytes, name);
    checkPages(metadata, bytes, name);
    const file = {
      byteLength: bytes.length,
      slice: (start: number, end = bytes.length) => bytes.slice(start, end).buffer,
    };
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors, parsers });
      if (rows.length > 0) yield rows.map((row) => plain(row) as Row);
      rowStart = rowEnd;
    }
  } catch (cause) {
    if (cause instanceof NibbleError) throw cause;
    throw new NibbleError("bad_value", `${name}: the Parquet file is damaged: ${(cause as Error).message}`, { cause });
  }
}

function readMetadata(bytes: Uint8Array, name: string): FileMetaData {
  if (!isParquet(bytes)) throw new NibbleError("bad_magic", `${name}: expected a Parquet file`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || view.getUint32(bytes.length - 4, true) !== PARQUET_MAGIC)
    throw new NibbleError(
      "truncated",
      `${name}: expected PAR1 at the end of the Parquet file; the file is not complete`,
    );
  const length = view.getUint32(bytes.length - 8, true);
  if (length > bytes.length - 12)
    throw new NibbleError("truncated", `${name}: its header has ${length} bytes and the file ${bytes.length}`);
  checkLimit(length, MAX_HEADER_BYTES, "bytes of the header", name);
  const metadata = parquetMetadata(bytes.subarray(bytes.length - length - 8), { geoparquet: false });
  // hyparquet builds the tree of columns by these counts.
  const children = metadata.schema.reduce((sum, { num_children = 0 }) => sum + Math.max(0, num_children), 0);
  if (children !== metadata.schema.length - 1) throw new Error("its schema is not a tree");
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  if (new Set(names).size !== names.length) throw new Error("two columns have the same name");
  return metadata;
}

/** Compares what the headers of all pages say with the limits and with each other. */
function checkPages(metadata: FileMetaData, bytes: Uint8Array<ArrayBuffer>, name: string): void {
  const sums = { rows: 0, values: 0, bytes: 0 };
  for (const { num_rows: rows, columns } of metadata.row_groups) {
    sums.rows += count(rows, "rows");
    checkLimit(sums.rows, MAX_ROWS, "rows", name);
    for (const { meta_data: column } of columns) {
      if (!column) throw new Error("a column has no description");
      for (const page of pagesOf(column, bytes)) {
        sums.bytes += count(page.uncompressed_page_size, "bytes of a page");
        sums.values += valuesOf(page);
        checkLimit(sums.bytes, MAX_BYTES, "bytes, decompressed,", name);
        checkLimit(sums.values, MAX_VALUES, "values", name);
      }
    }
  }
  if (sums.rows !== Number(metadata.num_rows)) throw new Error(`expected ${metadata.num_rows} rows, got ${sums.rows}`);
}

/** The headers of a column's pages. @throws Error if they reach beyond the column, or hold another number of values */
function* pagesOf(column: ColumnMetaData, bytes: Uint8Array<ArrayBuffer>): Generator<PageHeader> {
  const start = count(column.dictionary_page_offset || column.data_page_offset, "bytes before a column");
  const length = count(column.total_compressed_size, "bytes of a column");
  if (start + length > bytes.length) throw new Error(`a column ends at byte ${start + length} of ${bytes.length}`);
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset + start, length), offset: 0 };
  let values = 0;
  while (reader.offset < length - 1) {
    const page = parquetHeader(reader);
    reader.offset += count(page.compressed_page_size, "compressed bytes of a page");
    if (reader.offset > length) throw new Error("a page reaches beyond its column");
    if (page.type !== "DICTIONARY_PAGE") values += valuesOf(page);
    yield page;
  }
  if (values !== Number(column.num_values)) throw new Error(`expected ${column.num_values} values, got ${values}`);
}

function valuesOf({
  data_page_header: one,
  data_page_header_v2: two,
  dictionary_page_header: dictionary,
}: PageHeader): number {
  return count((one ?? two ?? dictionary)?.num_values ?? 0, "values of a page");
}

/** A count from the file, which has any type and sign there. */
function count(value: unknown, what: string): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`expected a number of ${what}, got ${value}`);
}

function checkLimit(value: number, limit: number, what: string, name: string): void {
  if (value > limit)
    throw new NibbleError("limit_exceeded", `${name}: expected at most ${limit} ${what}, got ${value}`);
}

/** Each fills exactly the bytes that the page's header names, which are within the limits. */
const compressors: Compressors = {
  SNAPPY(input, length) {
    const output = new Uint8Array(length);
    snappyUncompress(input, output);
    return output;
  },
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  ZSTD: (input, length) => decompressZstd(input, new Uint8Array(length)),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};

/** Days since 1970. A moment becomes a Date, which `plain` prints. */
const parsers: Partial<ParquetParsers> = {
  dateFromDays: (days) => new Date(days * 86_400_000).toISOString().slice(0, 10),
};

/** A value as JSON has it; a moment as Python prints it, since templates of tasks are written for Python. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date)
    return value
      .toISOString()
      .replace("T", " ")
      .replace(/\.(\d{3})Z$/, (_, ms) => (ms === "000" ? "" : `.${ms}000`));
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
