/** The four kinds of fields of an object: honoured, unused, unsupported, unknown. */
import { describe, expect, it } from "vitest";
import type { NibbleError } from "../../src/base/errors.ts";
import { type FieldTable, nearestName } from "../../src/base/field-table.ts";
import { Fields } from "../../src/base/fields.ts";

const TABLE: FieldTable = {
  known: ["max_tokens", "messages"],
  unused: ["user"],
  unsupported: { best_of: { instead: "send n", neutral: (value) => value === 1 }, audio: { instead: "ask for text" } },
};

describe("Fields", () => {
  it("unused fields and neutral values of unsupported ones pass, whatever they are", () => {
    const fields = new Fields({ max_tokens: 1, user: { any: ["thing"] }, best_of: 1, audio: null }, TABLE);
    expect(fields.number("max_tokens", {})).toBe(1);
  });

  it("an unsupported field is refused by name, with what to do instead, also where unknown ones are ignored", () => {
    const wrong = { param: "request.best_of", code: "invalid_request" };
    for (const rules of [undefined, { onUnknown: () => {} }])
      expect(() => new Fields({ best_of: 2 }, TABLE, "request", rules)).toThrow(expect.objectContaining(wrong));
    expect(() => new Fields({ audio: {} }, TABLE)).toThrow("audio: this field is not supported; ask for text");
  });

  it("an unknown field is refused with the nearest name, or handed to the rules and ignored", () => {
    expect(() => new Fields({ max_token: 1 }, TABLE)).toThrow("max_token: unknown field; did you mean max_tokens?");
    expect(() => new Fields({ flavour: 1 }, TABLE)).toThrow(/^flavour: unknown field$/);
    const ignored: NibbleError[] = [];
    const fields = new Fields({ maxTokens: 1, inner: {} }, { known: ["inner"] }, "", {
      onUnknown: (error) => ignored.push(error),
    });
    fields.nested({ messges: [] }, TABLE, "inner");
    expect(ignored.map(({ param }) => param)).toEqual(["maxTokens", "inner.messges"]);
  });

  it("of many unknown fields, the first have the name that was meant", () => {
    const ignored: NibbleError[] = [];
    const rules = { onUnknown: (error: NibbleError) => ignored.push(error) };
    const wrong = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`message${i % 10}${"s".repeat(i / 10)}`, 1]),
    );
    const fields = new Fields({ messgaes: 1 }, TABLE, "", rules);
    for (let i = 0; i < 5; i++) fields.nested(wrong, TABLE, `messages[${i}]`);
    fields.nested({ messgaes: 1 }, TABLE, "last");
    expect(ignored[0]!.message).toBe("messgaes: unknown field; did you mean messages?");
    expect(ignored.at(-1)!.message).toBe("last.messgaes: unknown field");
    expect(ignored).toHaveLength(2 + 5 * 200);
  });

  it("names that every object has (such as toString) are fields like any other", () => {
    for (const name of ["constructor", "__proto__", "hasOwnProperty", "toString"]) {
      const value = JSON.parse(`{"${name}": 1}`);
      expect(() => new Fields(value, TABLE)).toThrow(`${name}: unknown field`);
    }
  });
});

describe("nearestName", () => {
  const known = ["max_tokens", "temperature", "top_k", "top_p", "stop"];
  it.each([
    ["max_token", "max_tokens"],
    ["maxTokens", "max_tokens"],
    ["temprature", "temperature"],
    ["tempertaure", "temperature"],
    ["top-k", "top_k"],
    ["stops", "stop"],
  ])("%s means %s", (wrong, right) => expect(nearestName(wrong, known)).toBe(right));

  it("a name that is far from all of them means none", () => {
    for (const far of ["flavour", "context_management", "", "x".repeat(100_000)])
      expect(nearestName(far, known)).toBeUndefined();
  });
});
