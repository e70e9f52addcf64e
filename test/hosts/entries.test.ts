/** The list of entries, package.json and jsr.json agree. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ENTRIES, packageExports } from "../../scripts/entries.mjs";
import { root } from "../helpers/models.ts";

it("package.json has the exports of scripts/entries.mjs (`node scripts/entries.mjs` writes them)", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
  expect(JSON.stringify(exports, null, 2)).toBe(JSON.stringify(packageExports(), null, 2));
});

it("jsr.json has the version of package.json, and sources of entries", () => {
  const read = (name: string) => JSON.parse(readFileSync(join(root, name), "utf8"));
  const { version, exports } = read("jsr.json") as { version: string; exports: Record<string, string> };
  expect(version).toBe(read("package.json").version);
  const sources = new Map(ENTRIES.map((entry) => [`./${entry.subpath}`, `./${entry.source}`]));
  for (const [name, source] of Object.entries(exports)) expect(source).toBe(sources.get(name));
});
