/** docs/api.md says what the code does: it is made of the same tables. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { apiDocument } from "../../scripts/api-fields.ts";
import { Fields } from "../../src/base/fields.ts";
import { CHAT_FIELDS } from "../../src/engine/request/field-tables.ts";
import { root } from "../helpers/models.ts";

it("docs/api.md is up to date: node scripts/api-fields.ts", () => {
  expect(readFileSync(join(root, "docs/api.md"), "utf8")).toBe(apiDocument());
});

it("no field is in two lists of one object", () => {
  for (const block of apiDocument().split("Fields of ").slice(1)) {
    const names = block.split("\n").flatMap((line) => {
      if (/^- (honoured|accepted):/.test(line)) return [...line.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
      return /^ {2}- `([^`]+)`/.exec(line)?.slice(1) ?? [];
    });
    expect(names.filter((name, i) => names.indexOf(name) < i)).toEqual([]);
  }
});

it("a table is what the check of a body does", () => {
  const { known, unused = [], unsupported = {} } = CHAT_FIELDS;
  for (const name of [...known, ...unused]) expect(() => new Fields({ [name]: {} }, CHAT_FIELDS)).not.toThrow();
  for (const [name, { instead }] of Object.entries(unsupported))
    expect(() => new Fields({ [name]: { a: 1 } }, CHAT_FIELDS)).toThrow(
      `${name}: this field is not supported; ${instead}`,
    );
});
