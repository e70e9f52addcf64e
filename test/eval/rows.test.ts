/** Rows from JSON and JSON Lines that arrive in pieces of any length. */
import { describe, expect, it } from "vitest";
import { readRows } from "../../src/eval/rows.ts";

async function* pieces(text: string | Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}
const ROWS = [{ q: "é😀\u2028 [x]" }, { q: 2, list: [null, { a: [] }] }, { q: "" }];
const LINES = ROWS.map((row) => JSON.stringify(row)).join("\n");

describe.each([1, 3, 1000])("in pieces of %i bytes", (length) => {
  it.each([
    ["lines", `${LINES}\n`],
    ["no end of the last line", LINES],
    ["CRLF, empty lines and a byte order mark", `\ufeff\r\n${LINES.replaceAll("\n", "\r\n\r\n")}\r\n`],
    ["an array", `  ${JSON.stringify(ROWS, null, 1)}\n`],
  ])("%s", async (_, text) => {
    expect(await readRows(pieces(text, length), "x")).toEqual(ROWS);
  });
});

it.each<[string, string | Uint8Array, string, RegExp]>([
  ["nothing", "\n\n", "bad_value", /x: expected JSON objects, one per line, got none/],
  ["no object", '{}\n["a"]\n', "bad_value", /got something else in row 2/],
  ["no JSON", '{}\n\n{"a":\n', "bad_json", /^x, line 3: /],
  ["an array that does not end", '[{"a":1}', "bad_json", /^x: /],
  ["not UTF-8", new Uint8Array([0x7b, 0xff]), "bad_string", /x: expected UTF-8 text/],
])("%s", async (_, text, code, message) => {
  await expect(readRows(pieces(text, 2), "x")).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});
