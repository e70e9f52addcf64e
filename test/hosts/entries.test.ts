/** The list of entries, package.json and jsr.json agree. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ENTRIES, packageExports } from "../../scripts/entries.mjs";
import { root } from "../helpers/models.ts";
import { temporary } from "../hub/helpers.ts";

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

it.skipIf(process.platform === "win32")("npm installs the manual page with the command", () => {
  const [source, prefix] = [temporary(), temporary()];
  const { name, version, bin, man } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  mkdirSync(join(source, "dist"));
  for (const file of ["cli.js", "nibble.1"]) writeFileSync(join(source, "dist", file), "\n");
  writeFileSync(join(source, "package.json"), JSON.stringify({ name, version, bin, man }));
  execFileSync("npm", ["install", "--global", "--prefix", prefix, "--offline", "--no-audit", source], {
    stdio: "pipe",
  });
  expect(existsSync(join(prefix, "share/man/man1/nibble.1"))).toBe(true);
});
