/** `npm run docs` in a copy: every link of the site leads somewhere, and the reference has every entry. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { root } from "../helpers/models.ts";

const project = mkdtempSync(join(tmpdir(), "nibble-site-"));
afterAll(() => rmSync(project, { recursive: true }));

it("builds", () => {
  const copied = ["dist", "docs", "src", "weights-tools", "package.json", "tsconfig.json", "SECURITY.md"];
  for (const name of copied)
    cpSync(join(root, name), join(project, name), {
      recursive: true,
      // Other tests write to dist/.build meanwhile.
      filter: (path) => !/node_modules|\/\.vitepress\/(dist|cache)|dist\/\.build/.test(path),
    });
  const { status, stdout, stderr } = spawnSync("npm", ["run", "docs"], { cwd: project, encoding: "utf8" });
  expect({ status, output: status === 0 ? "" : stdout + stderr }).toEqual({ status: 0, output: "" });
  const site = join(project, "docs/.vitepress/dist");
  for (const page of ["index", "guide/models", "reference/entries/node/index", "reference/entries/server/index"])
    expect(existsSync(join(site, `${page}.html`)), page).toBe(true);
  expect(readFileSync(join(site, "reference/entries/node/index.html"), "utf8")).toContain("load");
  const files: string[] = JSON.parse(readFileSync(join(root, "dist/playground/files.json"), "utf8"));
  for (const file of files) expect(existsSync(join(site, "playground", file)), file).toBe(true);
});
