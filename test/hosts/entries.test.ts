/** The list of entries and package.json say the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageExports } from "../../scripts/entries.mjs";
import { root } from "../helpers/models.ts";

it("package.json has the exports of scripts/entries.mjs (`node scripts/entries.mjs` writes them)", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
  expect(JSON.stringify(exports, null, 2)).toBe(JSON.stringify(packageExports(), null, 2));
});
