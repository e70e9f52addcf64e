/**
 * The rows of a data set from JSON or JSON Lines.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Row } from "./task.ts";

/** The limit that ends an endless input, in UTF-16 units. */
const MAX_TEXT = 2 ** 31;

/**
 * Reads JSON objects: one per line, or the elements of an array. Empty lines and a byte order mark count as nothing.
 * @param chunks UTF-8, in pieces of any length
 * @param name the file, for errors
 * @throws NibbleError `bad_json` with the line, `bad_value` for something else than objects or none, `bad_string`,
 *   `limit_exceeded`
 */
export async function readRows(chunks: AsyncIterable<Uint8Array>, name: string): Promise<readonly Row[]> {
  const reader = new RowReader(name);
  for await (const text of texts(chunks, name)) reader.push(text);
  return reader.end();
}

/** The same from a text. @throws NibbleError `bad_json` with the line, `bad_value` */
export function parseRows(content: string, name: string): readonly Row[] {
  const reader = new RowReader(name);
  reader.push(content);
  return reader.end();
}

class RowReader {
  readonly #name: string;
  readonly #rows: unknown[] = [];
  #rest = "";
  #number = 0;
  /** Known as soon as a character comes that is not white space. */
  #isArray: boolean | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  push(text: string): void {
    this.#rest += text;
    this.#isArray ??= this.#rest.trim() === "" ? undefined : this.#rest.trimStart().startsWith("[");
    if (this.#isArray !== false || !text.includes("\n")) return;
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.#take(line);
  }

  end(): readonly Row[] {
    if (this.#isArray) return checkRows(parse(this.#rest, this.#name) as unknown[], this.#name);
    for (const line of this.#rest.split("\n")) this.#take(line);
    return checkRows(this.#rows, this.#name);
  }

  #take(line: string): void {
    this.#number++;
    if (line.trim() !== "") this.#rows.push(parse(line, `${this.#name}, line ${this.#number}`));
  }
}

function checkRows(rows: readonly unknown[], name: string): readonly Row[] {
  const wrong = rows.findIndex((row) => typeof row !== "object" || row === null || Array.isArray(row));
  if (wrong >= 0 || rows.length === 0)
    throw new NibbleError(
      "bad_value",
      `${name}: expected JSON objects, one per line, got ${wrong < 0 ? "none" : `something else in row ${wrong + 1}`}`,
    );
  return rows as readonly Row[];
}

async function* texts(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let length = 0;
  const decode = (bytes?: Uint8Array): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (cause) {
      throw new NibbleError("bad_string", `${name}: expected UTF-8 text after character ${length}`, { cause });
    }
  };
  for await (const bytes of chunks) {
    const text = decode(bytes);
    length += text.length;
    if (length > MAX_TEXT)
      throw new NibbleError("limit_exceeded", `${name}: it holds more than ${MAX_TEXT} characters of text, the limit`);
    if (text !== "") yield text;
  }
  yield decode();
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NibbleError("bad_json", `${name}: ${(cause as Error).message}`, { cause });
  }
}
