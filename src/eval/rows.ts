/**
 * The rows of a data set from JSON or JSONL.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Row } from "./task.ts";

/**
 * Reads JSON objects: one per line, or the elements of an array.
 * @param name the file, for errors
 * @throws NibbleError `bad_json` with the line, `bad_value` for something else than objects
 */
export function parseRows(content: string, name: string): readonly Row[] {
  const text = content.trim();
  const isArray = text.startsWith("[");
  const values = isArray
    ? parse(text, name)
    : text.split(/\r?\n/).map((line, i) => parse(line, `${name}, line ${i + 1}`));
  const rows = values as readonly unknown[];
  const wrong = rows.findIndex((row) => typeof row !== "object" || row === null || Array.isArray(row));
  if (wrong >= 0 || rows.length === 0)
    throw new NibbleError(
      "bad_value",
      `${name}: expected JSON objects, one per line, got ${wrong < 0 ? "none" : `something else in row ${wrong + 1}`}`,
    );
  return rows as readonly Row[];
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NibbleError("bad_json", `${name}: ${(cause as Error).message}`, { cause });
  }
}
