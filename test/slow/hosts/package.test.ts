/** publint, JSR, are-the-types-wrong and tsc on the packed package. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../../helpers/models.ts";
import { createProject, installTools, type Project, run, tool } from "./project.ts";

let project: Project;
beforeAll(() => {
  installTools();
  project = createProject();
});
afterAll(() => project.remove());

it("publint: nothing to suggest", () => {
  run(process.execPath, [tool("publint/src/cli.js"), project.tarball, "--strict"], { cwd: project.folder });
});

it("JSR: what jsr.json publishes has complete types and imports nothing else", () => {
  const deno = ["publish", "--dry-run", "--allow-dirty", "--config", join(root, "jsr.json")];
  run(tool("deno/deno"), deno, { cwd: root });
});

it("are-the-types-wrong: every entry resolves, as ESM", () => {
  const args = ["--profile", "esm-only", "--exclude-entrypoints", "./crumb.gguf", "--no-color"];
  run(process.execPath, [tool("@arethetypeswrong/cli/dist/index.js"), project.tarball, ...args]);
});

it("the bill of materials and the licences name every package that is bundled", () => {
  const installed = join(project.folder, "node_modules/nibble-llm/dist");
  const { components } = JSON.parse(readFileSync(join(installed, "sbom.cdx.json"), "utf8")) as {
    components: { name: string; version: string; licenses: unknown[] }[];
  };
  expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(["js-yaml", "decimal.js", "hyparquet"]));
  const licenses = readFileSync(join(installed, "third-party-licenses.txt"), "utf8");
  for (const { name, version, licenses: own } of components) {
    expect(licenses).toContain(`${name} ${version}\n`);
    expect(own, name).not.toEqual([]);
  }
});

it("tsc: the declarations of every entry are whole", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
  const entries = Object.entries(exports).flatMap(([path, target]) =>
    "types" in Object(target) ? [path.slice(1)] : [],
  );
  expect(entries).toEqual(expect.arrayContaining(["", "/browser", "/workerd", "/tokenizer", "/gguf", "/wasm/*"]));
  const names = entries.map((path) => JSON.stringify(`nibble-llm${path.replace("*", "simd.wasm")}`));
  const imports = names.map((name, i) => `import * as entry${i} from ${name};\n`);
  writeFileSync(
    join(project.folder, "entries.ts"),
    `${imports.join("")}export { ${names.map((_, i) => `entry${i}`)} };`,
  );
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--types", ""];
  run(process.execPath, [tsc, ...options, "entries.ts"], { cwd: project.folder });
});
